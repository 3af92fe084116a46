//! The ledger as a state machine: whatever happens in whatever order, balances are what the model says and what the
//! entries add up to.

use std::collections::HashMap;

use domain::{AppError, JobId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use services::identity::Visitor;
use sqlx::PgPool;

use crate::desk::{Desk, stranger};

#[derive(Clone, Debug)]
enum Step {
    Submit { who: usize, count: u32 },
    Cancel(usize),
    Fail(usize),
    Complete(usize),
    Refund(usize),
    SignUp { who: usize },
    Attest { who: usize },
    Expire,
    Hours(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..2_usize;
    prop_oneof![
        8 => (who.clone(), 1..=8_u32).prop_map(|(who, count)| Step::Submit { who, count }),
        2 => (0..64_usize).prop_map(Step::Cancel),
        2 => (0..64_usize).prop_map(Step::Fail),
        4 => (0..64_usize).prop_map(Step::Complete),
        2 => (0..64_usize).prop_map(Step::Refund),
        1 => who.clone().prop_map(|who| Step::SignUp { who }),
        1 => who.prop_map(|who| Step::Attest { who }),
        1 => Just(Step::Expire),
        2 => (1..30_i64).prop_map(Step::Hours),
    ]
}

/// What an owner should have.
#[derive(Clone, Debug, Default)]
struct Owner {
    days: HashMap<i64, u32>,
    lasting: u32,
    ultra: bool,
    signed_up: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Open,
    Done,
    Refunded,
    Over,
}

#[derive(Clone, Debug)]
struct Job {
    id: JobId,
    who: usize,
    day: i64,
    /// Of its day, and lasting.
    paid: (u32, u32),
    state: State,
}

impl Owner {
    fn daily(&self) -> u32 {
        if self.ultra { 1_000 } else { 50 }
    }

    fn today(&mut self, day: i64) -> &mut u32 {
        let daily = self.daily();
        self.days.entry(day).or_insert(daily)
    }
}

/// Plays the steps against the service and the model, with new people at a place of their own; what differs is the
/// error.
async fn play(desk: &Desk, place: usize, steps: &[Step]) -> Result<(), String> {
    let mut people: Vec<Visitor> = vec![];
    let mut owners = [Owner::default(), Owner::default()];
    let mut jobs: Vec<Job> = vec![];
    let mut hours = 12;
    for (who, owner) in owners.iter_mut().enumerate() {
        let (id, person) =
            desk.ask(&stranger(&format!("10.{place}.{who}.1"), 1), 1).await.map_err(|e| e.to_string())?;
        let day = 0;
        *owner.today(day) -= 1;
        jobs.push(Job { id, who, day, paid: (1, 0), state: State::Open });
        people.push(person);
    }
    for (at, step) in steps.iter().enumerate() {
        let day = hours / 24;
        match *step {
            Step::Submit { who, count } => {
                let owner = &mut owners[who];
                let (today, lasting) = (*owner.today(day), owner.lasting);
                let paid = (count.min(today), count - count.min(today));
                let asked = desk.ask_for(&people[who], &format!("{at}"), count).await;
                match (asked, paid.1 <= lasting) {
                    (Ok((id, _)), true) => {
                        *owner.today(day) -= paid.0;
                        owner.lasting -= paid.1;
                        jobs.push(Job { id, who, day, paid, state: State::Open });
                    }
                    (Err(AppError::DailyLimit { left, .. }), false) if left == today + lasting => {}
                    (other, payable) => return Err(format!("step {at} {step:?}: {other:?}, payable: {payable}")),
                }
            }
            Step::Cancel(n) | Step::Fail(n) => {
                let count = jobs.len();
                let job = &mut jobs[n % count];
                if matches!(step, Step::Cancel(_)) {
                    let owner = desk.device(&people[job.who]).await;
                    desk.jobs.cancel(owner, job.id).await.map_err(|e| e.to_string())?;
                } else {
                    desk.finish(job.id, false).await;
                }
                if job.state == State::Open {
                    job.state = State::Over;
                    if let Some(left) = owners[job.who].days.get_mut(&job.day) {
                        *left += job.paid.0;
                    }
                    owners[job.who].lasting += job.paid.1;
                }
            }
            Step::Complete(n) => {
                let count = jobs.len();
                let job = &mut jobs[n % count];
                desk.finish(job.id, true).await;
                if job.state == State::Open {
                    job.state = State::Done;
                }
            }
            Step::Refund(n) => {
                let count = jobs.len();
                let job = &mut jobs[n % count];
                let back = desk.refund(job.id).await;
                let due = if job.state == State::Done { job.paid.0 + job.paid.1 } else { 0 };
                if back != due {
                    return Err(format!("step {at} {step:?}: {back} came back instead of {due}"));
                }
                if job.state == State::Done {
                    job.state = State::Refunded;
                    if job.day == day {
                        *owners[job.who].today(day) += job.paid.0;
                        owners[job.who].lasting += job.paid.1;
                    } else {
                        owners[job.who].lasting += due;
                    }
                }
            }
            Step::SignUp { who } => {
                let device = desk.device(&people[who]).await;
                let mut transaction = desk.pool.begin().await.map_err(|e| e.to_string())?;
                desk.credits.grant_sign_up(&mut transaction, device, 20).await.map_err(|e| e.to_string())?;
                transaction.commit().await.map_err(|e| e.to_string())?;
                if !owners[who].signed_up {
                    owners[who].signed_up = true;
                    owners[who].lasting += 20;
                }
            }
            Step::Attest { who } => {
                desk.admission.attest(&people[who]).await.map_err(|e| e.to_string())?;
                if !owners[who].ultra {
                    *owners[who].today(day) += 950;
                    owners[who].ultra = true;
                }
            }
            Step::Expire => {
                desk.credits.expire().await.map_err(|e| e.to_string())?;
            }
            Step::Hours(more) => {
                desk.wait(more * 3_600);
                hours += more;
            }
        }
        for (owner, person) in owners.iter_mut().zip(&people) {
            let day = hours / 24;
            let expected = *owner.today(day) + owner.lasting;
            let left = desk.left(person).await;
            if left != expected {
                return Err(format!("after step {at} {step:?}: {left} left instead of {expected}"));
            }
        }
    }
    let drifted = services::credits::drift(&desk.pool).await.map_err(|e| e.to_string())?;
    if drifted.is_empty() { Ok(()) } else { Err(format!("drift: {drifted:?}")) }
}

#[sqlx::test(migrations = "../migrations")]
async fn whatever_happens_the_ledger_and_the_balances_agree(pool: PgPool) {
    let mut runner = TestRunner::deterministic();
    let steps = vec(step(), 1..60);
    let mut places = 0..;
    let mut place = || places.next().unwrap_or_default();
    for case in 0..40 {
        let mut tree = steps.new_tree(&mut runner).expect("steps");
        let desk = Desk::open(pool.clone()).await;
        let Err(first) = play(&desk, place(), &tree.current()).await else { continue };
        // Smaller steps that still fail say more.
        let mut smallest = (tree.current(), first);
        for _ in 0..200 {
            if !tree.simplify() {
                break;
            }
            let desk = Desk::open(pool.clone()).await;
            match play(&desk, place(), &tree.current()).await {
                Err(error) => smallest = (tree.current(), error),
                Ok(()) => {
                    tree.complicate();
                }
            }
        }
        panic!("case {case}: {} with {:?}", smallest.1, smallest.0);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_statement_tells_every_entry(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (job, person) = desk.ask(&stranger("198.51.100.7", 1), 4).await.expect("served");
    desk.finish(job, true).await;
    let device = desk.device(&person).await;
    let lines = desk.credits.statement(device, None, 50).await.expect("a statement");
    let told: Vec<_> = lines.iter().map(|line| (line.kind.as_str(), line.credits)).collect();
    assert_eq!(told, [("capture", 4), ("hold", 4), ("grant", 50)]);
    let older = desk.credits.statement(device, Some(lines[0].id), 1).await.expect("a page");
    assert_eq!(older[0].kind.as_str(), "hold");
    // Somebody else's is empty.
    let (_, other) = desk.ask(&stranger("203.0.113.7", 2), 1).await.expect("served");
    let other = desk.device(&other).await;
    assert!(
        desk.credits.statement(other, None, 50).await.expect("a statement").iter().all(|line| line.job != Some(job))
    );
}
