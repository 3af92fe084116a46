//! Redis dies, freezes, forgets everything, or cuts connections.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::worker::LEASE_MS;
use services::bus::{Broadcast, Bus, BusError, BusSettings, Heard, RedisBus, RedisSettings, Renewal, To};

use crate::server::Server;
use crate::world::{
    World, cancelled, head, hear, hear_message, job, letter, number, progress, receive, record, soon, take, until,
};

const LONG: Duration = Duration::from_millis(LEASE_MS);

/// Every call fails, in time and with the error that says why.
async fn nothing_works(bus: &dyn Bus) {
    let unavailable = |error: BusError| assert!(matches!(error, BusError::Unavailable(_)), "{error:?}");
    let record = record("w", bus.head());
    unavailable(soon("a refusal", bus.publish(&Broadcast::Wake)).await.expect_err("no Redis"));
    unavailable(soon("a refusal", bus.send(To::Dispatcher, &letter(0))).await.expect_err("no Redis"));
    unavailable(soon("a refusal", bus.announce(&record, LONG)).await.expect_err("no Redis"));
    unavailable(soon("a refusal", bus.renew(&record, LONG)).await.expect_err("no Redis"));
    unavailable(soon("a refusal", bus.withdraw(&record.hello.id, record.connection)).await.expect_err("no Redis"));
    unavailable(soon("a refusal", bus.workers()).await.expect_err("no Redis"));
    unavailable(soon("a refusal", bus.heads()).await.expect_err("no Redis"));
    unavailable(soon("a refusal", bus.open_dispatcher_mailbox()).await.expect_err("no Redis"));
}

/// Sends until it is taken.
async fn send(bus: &Arc<dyn Bus>, to: To, number: u64) {
    until("a mailbox", async || bus.send(to, &letter(number)).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_works_again_after_redis_was_killed_and_is_empty() {
    let mut server = Server::start().await;
    let world = World::on(server.url());
    let [a, b] = world.heads().await;
    let (mut at_a, mut at_b) = (a.subscribe(), b.subscribe());
    let mut mailbox = b.open_own_mailbox().await.expect("opened");
    let before = job();
    let _watched_before = b.watch(before).await;
    let worker = record("w", b.head());
    b.announce(&worker, LONG).await.expect("announced");
    a.send(To::Head(b.head()), &letter(1)).await.expect("sent");
    assert_eq!(take(&mut *mailbox).await, 1);

    for round in 0..3 {
        server.kill();
        nothing_works(&*a).await;
        nothing_works(&*b).await;
        let during = job();
        let _watched_during = soon("the watch", b.watch(during)).await;
        server.restart().await;

        // Each head hears that it may have missed something, and from then on everything.
        for heard in [&mut at_a, &mut at_b] {
            while hear(heard).await != Heard::Gap {}
        }
        until("the way to Redis", async || a.publish(&cancelled(round)).await.is_ok()).await;
        while hear(&mut at_b).await != (Heard::Message { from: a.head(), broadcast: cancelled(round) }) {}
        for job in [before, during] {
            a.publish(&progress(job, 1, None)).await.expect("published");
            assert_eq!(hear_message(&mut at_b).await.1, progress(job, 1, None));
        }

        until("an empty registry", async || a.workers().await == Ok(Vec::new())).await;
        until("a renewal", async || b.renew(&worker, LONG).await == Ok(Renewal::Kept)).await;
        assert_eq!(a.workers().await, Ok(vec![worker.clone()]));

        send(&a, To::Head(b.head()), 2).await;
        send(&a, To::Head(b.head()), 3).await;
        assert_eq!(take(&mut *mailbox).await, 2);
        assert_eq!(take(&mut *mailbox).await, 3);
        assert_eq!(a.heads().await, Ok(vec![b.head()]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_redis_holds_nobody_up() {
    let server = Server::start().await;
    let world = World::on(server.url());
    let [a, b] = world.heads().await;
    let mut mailbox = b.open_own_mailbox().await.expect("opened");
    a.send(To::Head(b.head()), &letter(1)).await.expect("sent");
    let delivery = receive(&mut *mailbox).await;

    server.freeze();
    nothing_works(&*a).await;
    let refused = soon("a refusal", mailbox.acknowledge(delivery.receipt)).await;
    assert!(matches!(refused, Err(BusError::Unavailable(_))), "{refused:?}");
    server.thaw();

    // It was dealt with, so it does not come again, although nobody knows what Redis made of it.
    send(&a, To::Head(b.head()), 2).await;
    assert_eq!(take(&mut *mailbox).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_lose_and_repeat_no_letter() {
    const LETTERS: u64 = 2_000;
    let server = Server::start().await;
    let world = World::on(server.url());
    let [a, b] = world.heads().await;
    let mut mailbox = b.open_own_mailbox().await.expect("opened");
    for number in 0..LETTERS {
        a.send(To::Head(b.head()), &letter(number)).await.expect("sent");
    }
    let mut cut = redis::cmd("CLIENT");
    cut.arg("KILL").arg("TYPE").arg("normal");
    for expected in 0..LETTERS {
        if expected % 100 == 50 {
            server.ask(&cut).await;
        }
        let delivery = receive(&mut *mailbox).await;
        assert_eq!(number(&delivery.letter), expected);
        // What Redis can't be told now it is told later.
        let _ = mailbox.acknowledge(delivery.receipt).await;
    }
    send(&a, To::Head(b.head()), LETTERS).await;
    assert_eq!(take(&mut *mailbox).await, LETTERS, "and nothing twice");

    let (stream, _) = world.stream_and_channel(b.head());
    until("every letter to be acknowledged", async || {
        server.ask(redis::cmd("XLEN").arg(&stream)).await == redis::Value::Int(0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_in_hand_do_not_come_again_after_a_cut() {
    // More than a reader takes ahead, so that the last ones come after it has connected again.
    const LETTERS: u64 = 300;
    let server = Server::start().await;
    let world = World::on(server.url());
    let [a, b] = world.heads().await;
    let mut mailbox = b.open_own_mailbox().await.expect("opened");
    for number in 0..LETTERS {
        a.send(To::Head(b.head()), &letter(number)).await.expect("sent");
    }
    let mut in_hand = vec![receive(&mut *mailbox).await];
    server.ask(redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal")).await;
    for expected in 1..LETTERS {
        let delivery = receive(&mut *mailbox).await;
        assert_eq!(number(&delivery.letter), expected);
        in_hand.push(delivery);
    }
    for delivery in in_hand {
        let _ = mailbox.acknowledge(delivery.receipt).await;
    }
    send(&a, To::Head(b.head()), LETTERS).await;
    assert_eq!(take(&mut *mailbox).await, LETTERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_second_reader_took_along_to_its_grave_comes_in_the_end() {
    let server = Server::start().await;
    let world = World::on(server.url());
    let [head, leader, rival] = world.heads().await;
    let mut mailbox = leader.open_dispatcher_mailbox().await.expect("opened");
    // For a moment there may be two dispatchers: each letter goes to one of them.
    let mut other = rival.open_dispatcher_mailbox().await.expect("opened");
    let mut sent = 0;
    soon("a letter for the rival", async {
        loop {
            head.send(To::Dispatcher, &letter(sent)).await.expect("sent");
            sent += 1;
            tokio::select! {
                biased;
                _ = other.next() => break,
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
        }
    })
    .await;
    drop((other, rival));
    let mut missing: BTreeSet<u64> = (0..sent).collect();
    while !missing.is_empty() {
        missing.remove(&take(&mut *mailbox).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_version_wrote_is_skipped() {
    let server = Server::start().await;
    let world = World::on(server.url());
    let [a, b] = world.heads().await;
    let mut heard = b.subscribe();
    let mut mailbox = b.open_own_mailbox().await.expect("opened");
    let (stream, channel) = world.stream_and_channel(b.head());

    server.ask(redis::cmd("PUBLISH").arg(&channel).arg("{\"from\": 1}")).await;
    server.ask(redis::cmd("XADD").arg(&stream).arg("*").arg("letter").arg("{}")).await;
    let mut unknown = redis::cmd("XADD");
    unknown.arg(&stream).arg("*").arg("from").arg(a.head().to_string()).arg("letter").arg("{\"type\": \"rocket\"}");
    server.ask(&unknown).await;

    a.publish(&cancelled(1)).await.expect("published");
    a.send(To::Head(b.head()), &letter(1)).await.expect("sent");
    assert_eq!(hear_message(&mut heard).await.1, cancelled(1));
    assert_eq!(take(&mut *mailbox).await, 1);
    until("the others to be gone", async || server.ask(redis::cmd("XLEN").arg(&stream)).await == redis::Value::Int(0))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_address_is_told_from_an_absent_redis() {
    let mut server = Server::start().await;
    let open = async |url: String| {
        let settings = RedisSettings { url, prefix: "p".into(), head: head(), bus: BusSettings::default() };
        soon("an answer", RedisBus::open(settings)).await.map(|_| ())
    };
    let password = server.url().replace("redis://", "redis://:wrong@");
    assert!(matches!(open("not an address".into()).await, Err(BusError::Refused(_))));
    assert!(matches!(open(password).await, Err(BusError::Refused(_))));
    assert_eq!(open(server.url()).await, Ok(()));
    let url = server.url();
    server.kill();
    assert!(matches!(open(url).await, Err(BusError::Unavailable(_))));
}
