//! What every bus must do.

use std::collections::HashMap;
use std::time::Duration;

use domain::WorkerId;
use domain::worker::{FromWorker, LEASE_MS};
use services::bus::{Broadcast, Broadcasts, BusError, Heard, Letter, Renewal, To};

use crate::world::{
    World, cancelled, head, hear, hear_message, job, letter, number, progress, receive, record, take, until,
};

const LONG: Duration = Duration::from_millis(LEASE_MS);

pub async fn broadcasts_reach_every_other_head_once(world: &World) {
    let [a, b, c] = world.heads().await;
    let (mut at_a, mut at_b, mut at_c) = (a.subscribe(), b.subscribe(), c.subscribe());
    for number in 0..100 {
        a.publish(&cancelled(number)).await.expect("published");
    }
    for heard in [&mut at_b, &mut at_c] {
        for number in 0..100 {
            assert_eq!(hear_message(heard).await, (a.head(), cancelled(number)));
        }
    }
    // Had anything come twice, or to its sender, it would come before this.
    b.publish(&Broadcast::Wake).await.expect("published");
    assert_eq!(hear_message(&mut at_a).await, (b.head(), Broadcast::Wake));
    assert_eq!(hear_message(&mut at_c).await, (b.head(), Broadcast::Wake));
    c.publish(&Broadcast::Wake).await.expect("published");
    assert_eq!(hear_message(&mut at_b).await, (c.head(), Broadcast::Wake));
}

pub async fn job_events_reach_heads_that_watch(world: &World) {
    let [a, b, c] = world.heads().await;
    let (mut at_b, mut at_c) = (b.subscribe(), c.subscribe());
    let job = job();
    let first = b.watch(job).await;
    let second = b.watch(job).await;
    let say = async |step| {
        a.publish(&progress(job, step, None)).await.expect("published");
        a.publish(&Broadcast::Wake).await.expect("published");
    };

    say(1).await;
    assert_eq!(hear_message(&mut at_b).await.1, progress(job, 1, None));
    assert_eq!(hear_message(&mut at_b).await.1, Broadcast::Wake);
    assert_eq!(hear_message(&mut at_c).await.1, Broadcast::Wake, "nobody watches at this head");

    drop(first);
    say(2).await;
    assert_eq!(hear_message(&mut at_b).await.1, progress(job, 2, None), "one watcher is left");
    assert_eq!(hear_message(&mut at_b).await.1, Broadcast::Wake);

    drop(second);
    // What is asked for later is done later: when this one is heard, the other one no longer is.
    let _other = b.watch(crate::world::job()).await;
    say(3).await;
    assert_eq!(hear_message(&mut at_b).await.1, Broadcast::Wake, "nobody watches any more");
}

pub async fn what_others_watch_is_known(world: &World) {
    let [a, b] = world.heads().await;
    let (one, two) = (job(), job());
    let _one = b.watch(one).await;
    let watch = b.watch(two).await;
    let seen = async || a.watched().await.expect("known");
    assert!(seen().await.is_superset(&[one, two].into()));
    drop(watch);
    until("the other one is watched no more", async || !seen().await.contains(&two)).await;
    assert!(seen().await.contains(&one));
}

pub async fn a_slow_subscriber_hears_of_the_gap(world: &World) {
    let [a, b] = world.heads().await;
    let (mut slow, mut fast) = (b.subscribe(), b.subscribe());
    let last = i32::try_from(2 * Broadcasts::BACKLOG).expect("a small number");
    for number in 0..=last {
        a.publish(&cancelled(number)).await.expect("published");
    }
    while hear(&mut fast).await != (Heard::Message { from: a.head(), broadcast: cancelled(last) }) {}
    assert_eq!(hear(&mut slow).await, Heard::Gap);
    let (_, Broadcast::Cancelled { mut epoch, .. }) = hear_message(&mut slow).await else { panic!("a cancellation") };
    while epoch < last {
        epoch += 1;
        assert_eq!(hear_message(&mut slow).await.1, cancelled(epoch), "after the gap, none is missing");
    }
}

pub async fn letters_arrive_in_order_and_only_at_their_address(world: &World) {
    let [a, b, c] = world.heads().await;
    let mut at_b = b.open_own_mailbox().await.expect("opened");
    let mut at_c = c.open_own_mailbox().await.expect("opened");
    for number in 0..200 {
        a.send(To::Head(b.head()), &letter(2 * number)).await.expect("sent");
        a.send(To::Head(c.head()), &letter(2 * number + 1)).await.expect("sent");
    }
    for number in 0..200 {
        let delivery = receive(&mut *at_b).await;
        assert_eq!((delivery.from, delivery.letter), (a.head(), letter(2 * number)));
        at_b.acknowledge(delivery.receipt).await.expect("acknowledged");
        assert_eq!(take(&mut *at_c).await, 2 * number + 1);
    }
    // A head may write to itself.
    b.send(To::Head(b.head()), &letter(7)).await.expect("sent");
    assert_eq!(take(&mut *at_b).await, 7);
}

pub async fn unacknowledged_letters_come_again_to_the_next_reader(world: &World) {
    let [sender] = world.heads().await;
    let receiver = head();
    let first = world.join(receiver).await;
    let mut mailbox = first.open_own_mailbox().await.expect("opened");
    // More than a reader takes ahead, so that some lie with it and some do not.
    for number in 0..300 {
        sender.send(To::Head(receiver), &letter(number)).await.expect("sent");
    }
    for number in 0..5 {
        assert_eq!(take(&mut *mailbox).await, number);
    }
    let five = receive(&mut *mailbox).await;
    let six = receive(&mut *mailbox).await;
    assert_eq!((number(&five.letter), number(&six.letter)), (5, 6));
    mailbox.acknowledge(six.receipt).await.expect("acknowledged");
    // It dies with 5 in its hands.
    drop((mailbox, first));

    let second = world.join(receiver).await;
    let mut mailbox = second.open_own_mailbox().await.expect("opened");
    assert_eq!(take(&mut *mailbox).await, 5);
    for number in 7..300 {
        assert_eq!(take(&mut *mailbox).await, number);
    }
    sender.send(To::Head(receiver), &letter(999)).await.expect("sent");
    assert_eq!(take(&mut *mailbox).await, 999, "and nothing twice");
}

pub async fn letters_to_the_dispatcher_outlive_the_dispatcher(world: &World) {
    let [head, first, second] = world.heads().await;
    let worker = WorkerId("w".into());
    let said = |connection| Letter::FromWorker {
        worker: worker.clone(),
        connection,
        message: FromWorker::Heartbeat { heat: None },
    };
    for connection in 0..100 {
        head.send(To::Dispatcher, &said(connection)).await.expect("waits for a dispatcher");
    }
    let mut mailbox = first.open_dispatcher_mailbox().await.expect("opened");
    for connection in 0..3 {
        let delivery = receive(&mut *mailbox).await;
        assert_eq!(delivery.letter, said(connection));
        if connection != 1 {
            mailbox.acknowledge(delivery.receipt).await.expect("acknowledged");
        }
    }
    drop((mailbox, first));

    let mut mailbox = second.open_dispatcher_mailbox().await.expect("opened");
    for connection in std::iter::once(1).chain(3..100) {
        let delivery = receive(&mut *mailbox).await;
        assert_eq!((delivery.from, delivery.letter), (head.head(), said(connection)));
        mailbox.acknowledge(delivery.receipt).await.expect("acknowledged");
    }
    let left = Letter::Left { worker, connection: 3 };
    head.send(To::Dispatcher, &left).await.expect("sent");
    assert_eq!(receive(&mut *mailbox).await.letter, left);
}

pub async fn a_head_is_alive_while_its_mailbox_is_read(world: &World) {
    let world = world.with_mailbox_ttl(Duration::from_secs(3));
    let [a, b] = world.heads().await;
    assert_eq!(a.send(To::Head(b.head()), &letter(1)).await, Err(BusError::NobodyThere));
    assert_eq!(a.heads().await, Ok(Vec::new()));

    let short = b.open_own_mailbox().await.expect("opened");
    let mut long = a.open_own_mailbox().await.expect("opened");
    let mut both = vec![a.head(), b.head()];
    both.sort();
    assert_eq!(a.heads().await, Ok(both));
    a.send(To::Head(b.head()), &letter(2)).await.expect("somebody is there");

    drop(short);
    until("the end of the mailbox", async || {
        let sent = a.send(To::Head(b.head()), &letter(3)).await;
        assert!(matches!(sent, Ok(()) | Err(BusError::NobodyThere)), "{sent:?}");
        sent.is_err()
    })
    .await;
    assert_eq!(a.heads().await, Ok(vec![a.head()]), "whoever reads on stays");
    b.send(To::Head(a.head()), &letter(4)).await.expect("sent");
    assert_eq!(take(&mut *long).await, 4);
}

pub async fn waiting_for_a_letter_may_be_given_up(world: &World) {
    let [a, b] = world.heads().await;
    let mut mailbox = b.open_own_mailbox().await.expect("opened");
    let to = To::Head(b.head());
    let sending = tokio::spawn(async move {
        for number in 0..300 {
            a.send(to, &letter(number)).await.expect("sent");
        }
    });
    for expected in 0..300 {
        let delivery = loop {
            tokio::select! {
                biased;
                delivery = mailbox.next() => break delivery,
                () = tokio::task::yield_now() => {}
            }
        };
        assert_eq!(number(&delivery.letter), expected);
        mailbox.acknowledge(delivery.receipt).await.expect("acknowledged");
    }
    sending.await.expect("all sent");
}

pub async fn ten_thousand_letters_from_many_heads(world: &World) {
    const SENDERS: usize = 8;
    const EACH: u64 = 1_250;
    let [receiver] = world.heads().await;
    let mut mailbox = receiver.open_own_mailbox().await.expect("opened");
    let to = To::Head(receiver.head());
    let mut sending = Vec::new();
    for _ in 0..SENDERS {
        let sender = world.join(head()).await;
        sending.push(tokio::spawn(async move {
            for number in 0..EACH {
                sender.send(to, &letter(number)).await.expect("sent");
            }
        }));
    }
    let mut next = HashMap::new();
    for _ in 0..SENDERS as u64 * EACH {
        let delivery = receive(&mut *mailbox).await;
        let expected = next.entry(delivery.from).or_insert(0);
        assert_eq!(number(&delivery.letter), *expected, "each sender's letters come in order, each once");
        *expected += 1;
        mailbox.acknowledge(delivery.receipt).await.expect("acknowledged");
    }
    assert_eq!(next.len(), SENDERS);
    for sending in sending {
        sending.await.expect("all sent");
    }
    receiver.send(to, &letter(0)).await.expect("sent");
    assert_eq!(receive(&mut *mailbox).await.from, receiver.head(), "and nothing twice");
}

pub async fn large_messages_arrive(world: &World) {
    let [a, b] = world.heads().await;
    let job = job();
    let mut heard = b.subscribe();
    let _watch = b.watch(job).await;
    let preview = format!("data:image/jpeg;base64,{}", "kÄ9/".repeat(60_000));
    for step in 0..20 {
        a.publish(&progress(job, step, Some(preview.clone()))).await.expect("published");
    }
    for step in 0..20 {
        assert_eq!(hear_message(&mut heard).await.1, progress(job, step, Some(preview.clone())));
    }

    let mut mailbox = b.open_own_mailbox().await.expect("opened");
    let (worker, connection) = (WorkerId("w".into()), 1);
    let message = FromWorker::Models { warm: Vec::new(), problem: Some(preview) };
    let long = Letter::FromWorker { worker, connection, message };
    a.send(To::Head(b.head()), &long).await.expect("sent");
    assert_eq!(receive(&mut *mailbox).await.letter, long);
}

pub async fn records_end_with_their_time_unless_renewed(world: &World) {
    let [a, b] = world.heads().await;
    let short = Duration::from_secs(2);
    let (left_alone, mut renewed) = (record("left-alone", a.head()), record("renewed", b.head()));
    a.announce(&left_alone, LONG).await.expect("announced");
    b.announce(&renewed, LONG).await.expect("announced");
    assert_eq!(b.workers().await, Ok(vec![left_alone.clone(), renewed.clone()]), "both, in order");

    assert_eq!(a.renew(&left_alone, short).await, Ok(Renewal::Kept));
    loop {
        renewed.draining = !renewed.draining;
        assert_eq!(b.renew(&renewed, short).await, Ok(Renewal::Kept));
        let workers = a.workers().await.expect("a list");
        assert!(workers.contains(&renewed), "renewed, and up to date");
        if workers.len() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(a.renew(&left_alone, LONG).await, Ok(Renewal::Kept), "what was lost is entered again");
    assert_eq!(b.workers().await.expect("a list").len(), 2);

    a.withdraw(&left_alone.hello.id, left_alone.connection).await.expect("withdrawn");
    assert!(!b.workers().await.expect("a list").contains(&left_alone), "at once");
}

pub async fn a_newer_connection_replaces_a_record(world: &World) {
    let [a, b] = world.heads().await;
    let (old, new) = (record("w", a.head()), record("w", b.head()));
    a.announce(&old, LONG).await.expect("announced");
    b.announce(&new, LONG).await.expect("announced");
    assert_eq!(a.workers().await, Ok(vec![new.clone()]));

    assert_eq!(a.renew(&old, LONG).await, Ok(Renewal::Replaced));
    a.withdraw(&old.hello.id, old.connection).await.expect("nothing to withdraw");
    // Nor may another head remove it, whatever number it names.
    a.withdraw(&new.hello.id, new.connection).await.expect("nothing to withdraw");
    assert_eq!(a.workers().await, Ok(vec![new.clone()]));

    let again = record("w", b.head());
    b.announce(&again, LONG).await.expect("announced");
    assert_eq!(b.renew(&new, LONG).await, Ok(Renewal::Replaced), "of two connections to one head, too");
    b.withdraw(&again.hello.id, again.connection).await.expect("withdrawn");
    assert_eq!(a.workers().await, Ok(Vec::new()));
}
