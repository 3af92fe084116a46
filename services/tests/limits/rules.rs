//! What people and bots meet.

use domain::{AppError, Plan};
use services::identity::{Agent, Signals, Visitor};
use services::limits::Policy;
use sqlx::PgPool;

use crate::desk::{Desk, rate, stranger};

#[sqlx::test(migrations = "../migrations")]
async fn cookies_thrown_away_at_one_place_are_asked_to_prove(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let mut served = 0;
    for _ in 0..40 {
        match desk.ask(&stranger("198.51.100.7", 1), 4).await {
            Ok(_) => served += 4,
            Err(AppError::ChallengeRequired { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
        desk.wait(20);
    }
    assert!((4..=55).contains(&served), "{served}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_new_fingerprint_each_time_is_no_help_at_one_address(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let mut served = 0;
    for n in 0..80 {
        // Anywhere in the same /24.
        let visitor = stranger(&format!("198.51.100.{n}"), n);
        if desk.ask_for(&visitor, &format!("boat {n}"), 4).await.is_ok() {
            served += 4;
        }
        desk.wait(20);
    }
    assert!((4..=55).contains(&served), "{served}");
}

#[sqlx::test(migrations = "../migrations")]
async fn one_cookie_has_fifty_wherever_it_goes(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (_, person) = desk.ask(&stranger("198.51.100.7", 1), 1).await.expect("served");
    let mut served = 1;
    for n in 0..80_u8 {
        let elsewhere = person.clone().with(stranger(&format!("203.0.{n}.1"), 1).signals);
        match desk.ask_for(&elsewhere, &format!("boat {n}"), 1).await {
            Ok(_) => served += 1,
            Err(AppError::DailyLimit { left: 0, daily: 50, .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
        desk.wait(47);
    }
    assert_eq!(served, 50);
}

#[sqlx::test(migrations = "../migrations")]
async fn two_hundred_strangers_with_one_fingerprint_all_get_their_first_picture(pool: PgPool) {
    // The published code blocked 145 of them: a coarse fingerprint could deny.
    let desk = Desk::open(pool).await;
    for n in 0..200_u8 {
        desk.ask_for(&stranger(&format!("203.0.{n}.9"), 1), &format!("boat {n}"), 4).await.expect("a first picture");
        desk.wait(30);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_campus_shares_an_address_and_nobody_notices(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let mut people: Vec<Visitor> = (0..200_u8).map(|n| stranger("198.51.100.7", n)).collect();
    // Each comes at some time, asks three times, and others are there meanwhile.
    for round in 0..202_usize {
        for asking in [round, round.wrapping_sub(1), round.wrapping_sub(2)] {
            let Some(person) = people.get_mut(asking) else { continue };
            let asked = desk.ask_for(person, &format!("{asking} boats"), 4).await;
            *person = asked.unwrap_or_else(|error| panic!("person {asking}: {error:?}")).1;
            desk.wait(45);
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_heavy_day_of_one_person_meets_nothing_before_fifty(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let mut person = stranger("198.51.100.7", 1);
    for n in 0..50 {
        person = desk.ask(&person, 1).await.unwrap_or_else(|error| panic!("picture {n}: {error:?}")).1;
        desk.wait(11 + (n * 37) % 90);
    }
    assert_eq!(desk.left(&person).await, 0);
    let refused = desk.ask(&person, 1).await.expect_err("the fifty-first");
    assert_eq!(refused.code(), "daily_limit");
    // And at midnight everything is new.
    desk.wait(12 * 3_600);
    desk.ask(&person, 4).await.expect("a new day");
}

#[sqlx::test(migrations = "../migrations")]
async fn yesterdays_cookie_brings_yesterdays_count_nowhere(pool: PgPool) {
    // The published code kept the count in the cookie: an older copy of it was a new day.
    let desk = Desk::open(pool).await;
    let (_, early) = desk.ask(&stranger("198.51.100.7", 1), 1).await.expect("served");
    let mut later = early.clone();
    for _ in 0..49 {
        later = desk.ask(&later, 1).await.expect("served").1;
    }
    assert_eq!(desk.left(&early).await, 0);
    assert_eq!(desk.ask(&early, 1).await.expect_err("nothing left").code(), "daily_limit");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_cookie_ends_after_400_days_without_use(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (_, person) = desk.ask(&stranger("198.51.100.7", 1), 1).await.expect("served");
    let device = desk.device(&person).await;
    desk.wait(390 * 86_400);
    assert_eq!(desk.ask(&person, 1).await.expect("served").1.signals, person.signals);
    desk.wait(390 * 86_400);
    assert_eq!(desk.device(&person).await, device, "using it keeps it");
    desk.wait(11 * 86_400);
    assert_eq!(desk.identity.device(&person).await, Ok(None));
}

#[sqlx::test(migrations = "../migrations")]
async fn suspicion_makes_nothing_easier(pool: PgPool) {
    // The published code multiplied counts by a confidence that suspicion lowered.
    let desk = Desk::open(pool).await;
    let driven = Signals { agent: Agent::Headless, edge_score: Some(1), ..stranger("198.51.100.7", 1).signals };
    let (_, bot) = desk.ask(&Visitor::from_cookies(std::iter::empty(), false).with(driven), 1).await.expect("first");
    let asked = desk.ask(&bot, 1).await.expect_err("suspicious");
    assert!(matches!(asked, AppError::ChallengeRequired { visible: false, .. }), "{asked:?}");
    assert_eq!(asked.status(), 428);
}

#[sqlx::test(migrations = "../migrations")]
async fn everything_rotated_stays_within_the_hours_budget(pool: PgPool) {
    let policy = Policy { hourly_ms: 100_000, ..Policy::default() };
    let desk = Desk::with(pool, policy, rate(1_000_000)).await;
    let (mut served, mut refused) = (0, 0);
    for n in 0..60_u8 {
        match desk.ask_for(&stranger(&format!("203.{n}.7.9"), n), &format!("boat {n}"), 4).await {
            Ok(_) => served += 4,
            Err(AppError::BudgetSpent { retry_seconds }) => {
                refused += 1;
                assert!((1..=3_600).contains(&retry_seconds));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((served, refused), (100, 35), "a standard picture is taken for a second");
    desk.wait(3_600);
    desk.ask(&stranger("203.0.113.5", 99), 4).await.expect("a new hour");
}

#[sqlx::test(migrations = "../migrations")]
async fn hashes_are_gone_within_26_hours(pool: PgPool) {
    let desk = Desk::open(pool).await;
    desk.ask(&stranger("198.51.100.7", 1), 4).await.expect("served");
    desk.limits.write_down().await;
    let rows = || async {
        let count = "SELECT (SELECT count(*) FROM limit_uses) + (SELECT count(*) FROM limit_buckets)
                          + (SELECT count(*) FROM limit_passes) + (SELECT count(*) FROM signal_keys)";
        sqlx::query_scalar::<_, i64>(count).fetch_one(&desk.pool).await.expect("counted")
    };
    // Noon to 23:59: still counted by.
    desk.wait(11 * 3_600 + 59 * 60);
    desk.limits.look_after().await.expect("swept");
    assert!(rows().await > 0);
    // 01:58 the next day: within 26 hours of the day's start.
    desk.wait(2 * 3_600 - 60);
    desk.limits.look_after().await.expect("swept");
    assert_eq!(rows().await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_fast_hand_is_asked_to_slow_down(pool: PgPool) {
    let desk = Desk::with(pool, Policy::default(), rate(3)).await;
    // Without a cookie it is the address that is counted.
    let stranger = stranger("198.51.100.7", 1);
    let (_, person) = desk.ask(&stranger, 1).await.expect("within the burst");
    let mut refused = None;
    for _ in 0..200 {
        // However slow the machine: it asks faster than three times a second.
        if let Err(error) = desk.ask(&stranger, 1).await {
            refused = Some(error).filter(|error| error.code() == "slow_down");
            if refused.is_some() {
                break;
            }
        }
    }
    desk.ask(&person, 1).await.expect("a client of its own");
    let refused = refused.expect("too fast");
    assert_eq!((refused.code(), refused.status(), refused.retry_after()), ("slow_down", 429, Some(1)));
}

#[sqlx::test(migrations = "../migrations")]
async fn minds_eye_is_believed_at_once(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let mut person = stranger("198.51.100.7", 1);
    for _ in 0..5 {
        person = desk.ask(&person, 8).await.expect("served").1;
    }
    assert_eq!(desk.left(&person).await, 10);
    desk.admission.attest(&person).await.expect("believed");
    assert_eq!(desk.left(&person).await, 960);
    desk.admission.attest(&person).await.expect("once more changes nothing");
    assert_eq!(desk.left(&person).await, 960);
    let holder = desk.identity.holder(&person).await.expect("found").expect("a device");
    assert_eq!(holder.1, Plan::Ultra);
    // For good: also tomorrow.
    desk.wait(86_400);
    desk.ask(&person, 8).await.expect("served");
    assert_eq!(desk.left(&person).await, 992);
    desk.no_drift().await;
}
