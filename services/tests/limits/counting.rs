//! Where counts lie: in memory for a head that is alone, in the database for several; and what is taken back.

use domain::AppError;
use services::identity::Visitor;
use services::limits::Policy;
use sqlx::PgPool;

use crate::desk::{Desk, rate, stranger};

/// Numbers that look random and are the same each time (SplitMix64).
struct Script(u64);

impl Script {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// What some people and bots at three places are told, in the order in which they ask.
async fn play(desk: &Desk, seed: u64, net: &str, prints: u8) -> Vec<&'static str> {
    let mut script = Script(seed);
    let mut people: Vec<Visitor> = (0..5).map(|n| at(net, n % 3, prints + (n % 2) as u8)).collect();
    let mut told = Vec::new();
    for _ in 0..220 {
        let (who, count) = (script.below(20) as usize, 1 + script.below(4) as u32);
        let words = format!("boat {}", script.below(4));
        desk.wait(script.below(90) as i64);
        let place = script.below(3);
        let outcome = match people.get_mut(who) {
            // A person, who sometimes went elsewhere.
            Some(person) => {
                if script.below(10) == 0 {
                    *person = person.clone().with(at(net, place, prints).signals);
                }
                let asked = desk.ask_for(person, &words, count).await;
                asked.map(|(_, after)| *person = after)
            }
            // Somebody who throws cookies away.
            None => desk.ask_for(&at(net, 0, prints), &words, count).await.map(drop),
        };
        told.push(outcome.err().map_or("served", |error: AppError| error.code()));
    }
    told
}

fn at(net: &str, place: u64, fingerprint: u8) -> Visitor {
    stranger(&format!("{net}.{place}.7"), fingerprint)
}

#[sqlx::test(migrations = "../migrations")]
async fn alone_and_together_the_same_is_told(pool: PgPool) {
    for seed in 0..4_u64 {
        // Worlds of their own in one database: other places, other fingerprints, the same behaviour.
        let (alone, together) = (Desk::open(pool.clone()).await, Desk::together(pool.clone()).await);
        let here = play(&alone, seed, &format!("198.{}", 50 + seed), 10 + 20 * seed as u8).await;
        let there = play(&together, seed, &format!("203.{}", 50 + seed), 20 + 20 * seed as u8).await;
        assert_eq!(here, there, "seed {seed}");
        assert!(here.contains(&"served") && here.contains(&"challenge_required"), "{here:?}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_counted_outlives_the_head(pool: PgPool) {
    let first = Desk::open(pool.clone()).await;
    let take_all = async |desk: &Desk| {
        let mut served = 0;
        while desk.ask(&stranger("198.51.100.7", 1), 4).await.is_ok() {
            served += 1;
        }
        served
    };
    assert_eq!(take_all(&first).await, 13);
    first.limits.write_down().await;
    drop(first);
    for next in [Desk::open(pool.clone()).await, Desk::together(pool.clone()).await] {
        assert_eq!(take_all(&next).await, 0);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn heads_that_overlap_lose_nothing(pool: PgPool) {
    let (old, new) = (Desk::open(pool.clone()).await, Desk::open(pool.clone()).await);
    for n in 0..6 {
        let desk = if n % 2 == 0 { &old } else { &new };
        desk.ask(&stranger("198.51.100.7", n), 4).await.expect("served");
    }
    old.limits.write_down().await;
    new.limits.write_down().await;
    let credits: i32 = sqlx::query_scalar("SELECT credits FROM limit_buckets WHERE kind = 1")
        .fetch_one(&pool)
        .await
        .expect("one address");
    let reserved: i64 =
        sqlx::query_scalar("SELECT reserved_ms FROM anonymous_hours").fetch_one(&pool).await.expect("one");
    assert_eq!((credits, reserved), (24, 24_000));
}

#[sqlx::test(migrations = "../migrations")]
async fn heads_that_overlap_learn_of_each_other(pool: PgPool) {
    let (old, new) = (Desk::open(pool.clone()).await, Desk::open(pool.clone()).await);
    new.ask(&stranger("198.51.100.7", 1), 1).await.expect("served");
    for _ in 0..12 {
        old.ask(&stranger("198.51.100.7", 1), 4).await.expect("served");
    }
    old.limits.write_down().await;
    new.ask(&stranger("198.51.100.7", 1), 4).await.expect("it has not heard yet");
    new.limits.write_down().await;
    let refused = new.ask(&stranger("198.51.100.7", 1), 4).await.expect_err("53 of 55 are taken");
    assert_eq!(refused.code(), "challenge_required");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_refusal_for_the_day_leaves_nothing_behind(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let mut person = stranger("198.51.100.7", 1);
    for count in [8, 8, 8, 8, 8, 8, 2] {
        person = desk.ask(&person, count).await.expect("served").1;
    }
    desk.limits.write_down().await;
    let rows = || async {
        let count = "SELECT (SELECT count(*) FROM limit_uses) + (SELECT count(*) FROM limit_buckets)
                          + (SELECT count(*) FROM limit_passes)";
        sqlx::query_scalar::<_, i64>(count).fetch_one(&desk.pool).await.expect("counted")
    };
    let before = rows().await;
    for n in 0..20 {
        let elsewhere = person.clone().with(stranger(&format!("203.0.{n}.7"), 50 + n).signals);
        assert_eq!(desk.ask(&elsewhere, 1).await.expect_err("nothing left").code(), "daily_limit");
    }
    desk.limits.write_down().await;
    assert_eq!(rows().await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn too_much_for_memory_is_counted_on_in_the_database(pool: PgPool) {
    let desk = Desk::with_room_for(pool, 60).await;
    let (mut served, mut refused) = (0, 0);
    for n in 0..60_u8 {
        desk.ask_for(&stranger(&format!("203.0.{n}.7"), n), &format!("boat {n}"), 4).await.expect("a first picture");
        match desk.ask(&stranger("198.51.100.7", 99), 4).await {
            Ok(_) => served += 1,
            Err(error) => refused += i32::from(error.code() == "challenge_required"),
        }
    }
    assert_eq!((served, refused), (13, 47), "as with all the memory there is");
}

/// A desk where an hour has time for ten pictures.
async fn short_of_time(pool: PgPool) -> Desk {
    Desk::with(pool, Policy { hourly_ms: 10_000, ..Policy::default() }, rate(1_000_000)).await
}

#[sqlx::test(migrations = "../migrations")]
async fn submitting_and_cancelling_uses_up_nobodys_hour(pool: PgPool) {
    let desk = short_of_time(pool).await;
    let (job, mut bot) = desk.ask(&stranger("198.51.100.7", 1), 4).await.expect("served");
    let device = desk.device(&bot).await;
    desk.jobs.cancel(device, job).await.expect("cancelled");
    for n in 0..60 {
        desk.limits.write_down().await;
        desk.limits.settle().await.expect("settled");
        let asked = desk.ask_for(&bot, &format!("boat {n}"), 8).await;
        let (job, after) = asked.unwrap_or_else(|error| panic!("round {n}: {error:?}"));
        bot = after;
        desk.jobs.cancel(device, job).await.expect("cancelled");
        desk.wait(7);
    }
    desk.limits.write_down().await;
    desk.limits.settle().await.expect("settled");
    desk.ask(&stranger("203.0.113.5", 2), 8).await.expect("the hour is there for everybody");
    assert_eq!(passes(&desk).await, 1, "only one job is under way");
    assert_eq!(desk.left(&bot).await, 50);
    desk.no_drift().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn time_that_was_worked_is_not_taken_back(pool: PgPool) {
    let desk = short_of_time(pool).await;
    let (job, person) = desk.ask(&stranger("198.51.100.7", 1), 8).await.expect("served");
    begun(&desk, job.0, "3 seconds").await;
    desk.jobs.cancel(desk.device(&person).await, job).await.expect("cancelled");
    desk.limits.write_down().await;
    desk.limits.settle().await.expect("settled");
    desk.limits.write_down().await;
    let reserved: i64 =
        sqlx::query_scalar("SELECT reserved_ms FROM anonymous_hours").fetch_one(&desk.pool).await.expect("one");
    // As much as passed from its first lease to its end.
    assert!((3_000..8_000).contains(&reserved), "{reserved}");
    let credits: i32 = sqlx::query_scalar("SELECT credits FROM limit_buckets WHERE kind = 1")
        .fetch_one(&desk.pool)
        .await
        .expect("one");
    assert_eq!(credits, 8, "its pictures may have been seen");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_day_that_is_over_is_forgotten_in_memory_as_well(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (job, person) = desk.ask(&stranger("198.51.100.7", 1), 4).await.expect("served");
    desk.wait(86_400);
    desk.limits.look_after().await.expect("swept");
    desk.jobs.cancel(desk.device(&person).await, job).await.expect("cancelled");
    desk.limits.settle().await.expect("settled");
    desk.limits.write_down().await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM limit_uses").fetch_one(&desk.pool).await.expect("counted");
    assert_eq!((left, passes(&desk).await), (0, 0));
    desk.ask(&person, 4).await.expect("a new day");
}

async fn passes(desk: &Desk) -> i64 {
    desk.limits.write_down().await;
    sqlx::query_scalar("SELECT count(*) FROM limit_passes").fetch_one(&desk.pool).await.expect("counted")
}

/// A worker has the job, since so long ago.
async fn begun(desk: &Desk, job: uuid::Uuid, ago: &str) {
    sqlx::query(
        "UPDATE jobs SET state = 'running', epoch = 1, attempts = 1, worker_id = 'w',
             lease_until = now() + interval '1 hour', leased_at = now() - $2::interval
         WHERE id = $1",
    )
    .bind(job)
    .bind(ago)
    .execute(&desk.pool)
    .await
    .expect("leased");
}
