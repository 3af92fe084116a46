//! Bursts: one rule, counted in memory or by all heads together in Redis.

use std::num::NonZeroU32;
use std::time::Duration;

use services::limits::{Bursts, Rate};

use crate::world::{redis_url, unique};

fn rate() -> Rate {
    let number = |number| NonZeroU32::new(number).expect("above zero");
    Rate { per_second: number(1), burst: number(5) }
}

/// Five at once, whichever head they come to; then one is to be waited for, a second at most.
async fn holds(heads: [&Bursts; 2]) {
    let (person, neighbour) = ([1; 16], [2; 16]);
    for request in 0..5 {
        assert_eq!(heads[request % 2].take(None, person).await, Ok(()), "request {request}");
    }
    let wait = heads[1].take(None, person).await.expect_err("too fast");
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
    assert_eq!(heads[1].take(None, neighbour).await, Ok(()), "somebody else");
    // As long as it was told to wait, and it is served.
    tokio::time::sleep(wait).await;
    assert_eq!(heads[0].take(None, person).await, Ok(()));
}

#[tokio::test]
async fn in_memory() {
    let bursts = Bursts::new(rate());
    holds([&bursts, &bursts.clone()]).await;
}

#[tokio::test]
async fn by_all_heads_together() {
    let prefix = unique("bursts");
    let head = || async { Bursts::shared(rate(), &redis_url(), &prefix).await.expect("a Redis") };
    holds([&head().await, &head().await]).await;
}
