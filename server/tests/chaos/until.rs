//! Waiting for something to become true.

use std::time::Duration;

/// Longest wait unless a trial says otherwise.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks again and again until there is an answer.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    within(PATIENCE, what, look).await
}

/// As [`until`], for as long as that.
pub async fn within<T, F: Future<Output = Option<T>>>(patience: Duration, what: &str, look: impl Fn() -> F) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(patience, looking).await.unwrap_or_else(|_| panic!("waited too long: {what}"))
}
