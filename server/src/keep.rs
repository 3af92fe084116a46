//! Tasks that must not end while the studio runs: should one end all the same, it is begun again.

use std::time::Duration;

/// Pause before a task that ended is begun again.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps a task going until `done` says that its end was meant, or this future is dropped.
pub async fn going<F>(name: &'static str, mut begin: impl FnMut() -> F, done: impl Fn() -> bool)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let mut task = Dropped(tokio::spawn(begin()));
        let ended = (&mut task.0).await;
        if done() {
            return;
        }
        let why = ended.map_or_else(|error| error.to_string(), |()| "it ended by itself".into());
        tracing::error!(task = name, why, "a task that must not end did, and is begun again");
        metrics::counter!("mindseye_tasks_begun_again_total", "task" => name).increment(1);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Ends the task with whoever waits for it.
struct Dropped(tokio::task::JoinHandle<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_begun_again_until_its_end_is_meant() {
        let begun = Arc::new(AtomicU32::new(0));
        let count = begun.clone();
        let begin = move || {
            let count = count.clone();
            async move { assert!(count.fetch_add(1, Ordering::SeqCst) > 0, "as the test asked") }
        };
        let enough = begun.clone();
        going("test", begin, move || enough.load(Ordering::SeqCst) == 2).await;
        assert_eq!(begun.load(Ordering::SeqCst), 2);
    }
}
