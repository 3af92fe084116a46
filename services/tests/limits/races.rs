//! Many at once.

use std::sync::Arc;

use domain::AppError;
use sqlx::PgPool;

use crate::desk::{Desk, nowhere, stranger};

#[sqlx::test(migrations = "../migrations")]
async fn five_hundred_at_once_on_one_credit_and_exactly_one_gets_it(pool: PgPool) {
    // The published code read the count and then wrote it: 115 were admitted.
    let desk = Arc::new(Desk::open(pool).await);
    for round in 0..100 {
        // Where limits have no say, so that the ledger alone decides.
        let mut person = nowhere();
        for count in [8, 8, 8, 8, 8, 8, 1] {
            person = desk.ask_for(&person, &format!("{round}"), count).await.expect("served").1;
        }
        assert_eq!(desk.left(&person).await, 1);
        let attempts: Vec<_> = (0..500)
            .map(|_| {
                let (desk, person) = (desk.clone(), person.clone());
                tokio::spawn(async move { desk.ask_for(&person, "the last one", 1).await })
            })
            .collect();
        let mut admitted = 0;
        for attempt in attempts {
            match attempt.await.expect("no panic") {
                Ok(_) => admitted += 1,
                Err(AppError::DailyLimit { left: 0, .. }) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(admitted, 1, "round {round}");
    }
    desk.no_drift().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn five_hundred_new_cookies_at_once_get_no_more_than_one_by_one(pool: PgPool) {
    new_cookies_at_once(Desk::open(pool).await).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn nor_do_they_where_several_heads_count_together(pool: PgPool) {
    new_cookies_at_once(Desk::together(pool).await).await;
}

async fn new_cookies_at_once(desk: Desk) {
    let desk = Arc::new(desk);
    let attempts: Vec<_> = (0..500)
        .map(|_| {
            let desk = desk.clone();
            tokio::spawn(async move { desk.ask(&stranger("198.51.100.7", 1), 1).await })
        })
        .collect();
    let mut admitted = 0;
    for attempt in attempts {
        match attempt.await.expect("no panic") {
            Ok(_) => admitted += 1,
            Err(AppError::ChallengeRequired { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!((50..=55).contains(&admitted), "{admitted}");
}
