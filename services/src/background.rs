//! Tasks that run now and then: each idempotent, so that several heads may run it, and each with a status that
//! operators can see.

use std::time::Duration;

use domain::AppError;
use futures::future::BoxFuture;

use crate::clock::SharedClock;
use crate::gauges;

/// One task.
pub struct Task {
    /// As metrics and the log name it.
    pub name: &'static str,
    pub every: Duration,
    pub run: Box<dyn Fn() -> BoxFuture<'static, Result<(), AppError>> + Send + Sync>,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("name", &self.name).field("every", &self.every).finish_non_exhaustive()
    }
}

impl Task {
    pub fn new<F, Work>(name: &'static str, every: Duration, run: F) -> Self
    where
        F: Fn() -> Work + Send + Sync + 'static,
        Work: Future<Output = Result<(), AppError>> + Send + 'static,
    {
        Self { name, every, run: Box::new(move || Box::pin(run())) }
    }
}

/// Runs the tasks, each at its own pace, until this future is dropped. One that fails is tried again at its next turn.
pub async fn run(tasks: Vec<Task>, clock: SharedClock) {
    let each = tasks.into_iter().map(|task| {
        let clock = clock.clone();
        async move {
            let mut turns = tokio::time::interval(task.every);
            turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                turns.tick().await;
                let outcome = match (task.run)().await {
                    Ok(()) => {
                        let at = clock.now().timestamp() as f64;
                        gauges::keep("mindseye_background_succeeded_at", Some(task.name), at);
                        "succeeded"
                    }
                    Err(error) => {
                        tracing::warn!(task = task.name, %error, "a background task failed and will be tried again");
                        "failed"
                    }
                };
                metrics::counter!("mindseye_background_runs_total", "task" => task.name, "outcome" => outcome)
                    .increment(1);
            }
        }
    });
    futures::future::join_all(each).await;
}
