//! Proofs: what they buy, and what they don't.

use domain::AppError;
use services::clock::Clock;
use services::identity::{Signals, Visitor};
use services::limits::{Limits, solve};
use sqlx::PgPool;

use crate::desk::{Desk, stranger};

/// Uses up what newcomers may take at a place; answers the challenge that the next one gets.
async fn challenged(desk: &Desk, address: &str) -> serde_json::Value {
    for _ in 0..20 {
        match desk.ask(&stranger(address, 1), 4).await {
            Ok(_) => desk.wait(5),
            Err(AppError::ChallengeRequired { visible: false, challenge }) => return challenge,
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("nobody was challenged");
}

fn with_proof(visitor: &Visitor, proof: &str) -> Visitor {
    visitor.clone().with(Signals { proof: Some(proof.to_owned()), ..visitor.signals.clone() })
}

fn is_challenge<T>(outcome: &Result<T, AppError>) -> bool {
    matches!(outcome, Err(AppError::ChallengeRequired { .. }))
}

#[sqlx::test(migrations = "../migrations")]
async fn a_proof_buys_one_request_once(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let challenge = challenged(&desk, "198.51.100.7").await;
    let proof = solve(&challenge).expect("an answer");
    let visitor = with_proof(&stranger("198.51.100.7", 1), &proof);
    desk.ask(&visitor, 4).await.expect("bought");
    // Replayed: by the same browser, by another one.
    assert!(is_challenge(&desk.ask(&visitor, 4).await));
    assert!(is_challenge(&desk.ask(&with_proof(&stranger("198.51.100.8", 1), &proof), 4).await));
}

#[sqlx::test(migrations = "../migrations")]
async fn of_a_proof_sent_many_times_at_once_one_counts(pool: PgPool) {
    let desk = std::sync::Arc::new(Desk::open(pool).await);
    let proof = solve(&challenged(&desk, "198.51.100.7").await).expect("an answer");
    let attempts: Vec<_> = (0..50)
        .map(|_| {
            let (desk, visitor) = (desk.clone(), with_proof(&stranger("198.51.100.7", 1), &proof));
            tokio::spawn(async move { desk.ask(&visitor, 4).await.is_ok() })
        })
        .collect();
    let mut bought = 0;
    for attempt in attempts {
        bought += u32::from(attempt.await.expect("no panic"));
    }
    assert_eq!(bought, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_proof_is_worth_nothing_elsewhere_or_later_or_broken(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let here = solve(&challenged(&desk, "198.51.100.7").await).expect("an answer");
    challenged(&desk, "203.0.113.7").await;
    // A /24 away.
    assert!(is_challenge(&desk.ask(&with_proof(&stranger("203.0.113.7", 1), &here), 4).await));
    for broken in ["", "x", &here[..here.len() / 2], &format!("{here}A")] {
        assert!(is_challenge(&desk.ask(&with_proof(&stranger("198.51.100.7", 1), broken), 4).await));
    }
    desk.wait(6 * 60);
    assert!(is_challenge(&desk.ask(&with_proof(&stranger("198.51.100.7", 1), &here), 4).await));
}

#[sqlx::test(migrations = "../migrations")]
async fn cookies_and_proofs_are_not_each_other(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (_, person) = desk.ask(&stranger("198.51.100.7", 1), 1).await.expect("served");
    let proof = solve(&challenged(&desk, "203.0.113.7").await).expect("an answer");
    let as_cookie = Visitor::from_cookies(std::iter::once(format!("mindseye={proof}").as_str()), false);
    assert_eq!(desk.identity.device(&as_cookie).await, Ok(None));
    // Truncated, lengthened and changed cookies open nothing.
    let cookie = format!("mindseye={}", "A".repeat(43));
    for forged in [cookie.as_str(), "mindseye=", "mindseye=AAAA", "__Host-mindseye=AAAA"] {
        let visitor = Visitor::from_cookies(std::iter::once(forged), false);
        assert_eq!(desk.identity.device(&visitor).await, Ok(None), "{forged}");
    }
    assert!(desk.identity.device(&person).await.is_ok_and(|device| device.is_some()));
}

#[sqlx::test(migrations = "../migrations")]
async fn rotating_the_keys_logs_nobody_out_and_interrupts_nobody(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let (_, person) = desk.ask(&stranger("203.0.113.7", 1), 1).await.expect("served");
    let device = desk.device(&person).await;
    let proof = solve(&challenged(&desk, "198.51.100.7").await).expect("an answer");
    let rotate = || async { Limits::rotate_keys(&desk.pool, desk.clock.now()).await.expect("rotated") };
    rotate().await;
    assert_eq!(desk.device(&person).await, device);
    desk.ask(&with_proof(&stranger("198.51.100.7", 1), &proof), 4).await.expect("an answer under way stays good");
    // After two rotations it is not.
    let old = solve(&challenged(&desk, "198.51.100.7").await).expect("an answer");
    rotate().await;
    rotate().await;
    desk.wait(61);
    assert!(is_challenge(&desk.ask(&with_proof(&stranger("198.51.100.7", 1), &old), 4).await));
    assert_eq!(desk.device(&person).await, device);
}

#[sqlx::test(migrations = "../migrations")]
async fn paying_silently_ends_where_no_crowd_gets(pool: PgPool) {
    let desk = Desk::open(pool).await;
    let mut proof: Option<String> = None;
    let mut served = 0;
    for _ in 0..100 {
        let visitor = stranger("198.51.100.7", 1);
        let visitor = proof.take().map_or(visitor.clone(), |proof| with_proof(&visitor, &proof));
        match desk.ask(&visitor, 4).await {
            Ok(_) => served += 4,
            Err(AppError::ChallengeRequired { visible: false, challenge }) => proof = solve(&challenge),
            Err(AppError::ChallengeRequired { visible: true, .. }) => break,
            Err(other) => panic!("{other:?}"),
        }
        desk.wait(5);
    }
    assert!((56..=220).contains(&served), "{served}");
}
