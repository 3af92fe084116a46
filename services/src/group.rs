//! Group commit: calls that arrive while one statement runs share the next one.
//!
//! A lone call goes at once and waits for nobody. Under load the database sees
//! few statements with many rows instead of many with one, which is what lets
//! one Postgres keep up with a fleet.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};

/// Most calls in one group.
const LARGEST: usize = 128;
/// Groups under way at once: one at work in the database while the next one is on its way there.
const AT_ONCE: usize = 2;

/// Hands calls to a function that answers many at once, in their order.
#[derive(Debug)]
pub struct Group<Call, Answer> {
    calls: mpsc::UnboundedSender<(Call, oneshot::Sender<Answer>)>,
}

impl<Call, Answer> Clone for Group<Call, Answer> {
    fn clone(&self) -> Self {
        Self { calls: self.calls.clone() }
    }
}

/// The group's task has ended, which it does only with the runtime.
#[derive(Debug)]
pub struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server is shutting down")
    }
}

impl<Call: Send + 'static, Answer: Send + 'static> Group<Call, Answer> {
    /// Starts the task; it ends when the last handle is dropped. `work` answers one for one.
    pub fn spawn<F, Work>(work: F) -> Self
    where
        F: Fn(Vec<Call>) -> Work + Send + Sync + 'static,
        Work: Future<Output = Vec<Answer>> + Send + 'static,
    {
        let (calls, mut incoming) = mpsc::unbounded_channel::<(Call, oneshot::Sender<Answer>)>();
        let (work, places) = (Arc::new(work), Arc::new(Semaphore::new(AT_ONCE)));
        tokio::spawn(async move {
            let mut group = Vec::new();
            loop {
                let Ok(place) = places.clone().acquire_owned().await else { return };
                if incoming.recv_many(&mut group, LARGEST).await == 0 {
                    return;
                }
                let (calls, answers): (Vec<Call>, Vec<oneshot::Sender<Answer>>) = group.drain(..).unzip();
                let work = work.clone();
                tokio::spawn(async move {
                    for (answer, to) in work(calls).await.into_iter().zip(answers) {
                        // Whoever asked may have gone; what was done is done.
                        let _ = to.send(answer);
                    }
                    drop(place);
                });
            }
        });
        Self { calls }
    }

    /// One call and its answer.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn call(&self, call: Call) -> Result<Answer, Ended> {
        let (answer, answered) = oneshot::channel();
        self.calls.send((call, answer)).map_err(|_| Ended)?;
        answered.await.map_err(|_| Ended)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn every_call_gets_its_own_answer_and_few_groups_serve_many() {
        let groups = Arc::new(AtomicUsize::new(0));
        let group = Group::spawn({
            let groups = groups.clone();
            move |calls: Vec<u32>| {
                groups.fetch_add(1, Ordering::Relaxed);
                async move {
                    tokio::task::yield_now().await;
                    calls.into_iter().map(|call| call * 2).collect()
                }
            }
        });
        let mut waiting = tokio::task::JoinSet::new();
        for call in 0..1_000 {
            let group = group.clone();
            waiting.spawn(async move { (call, group.call(call).await.expect("an answer")) });
        }
        while let Some(done) = waiting.join_next().await {
            let (call, answer) = done.expect("no panic");
            assert_eq!(answer, call * 2);
        }
        assert!(groups.load(Ordering::Relaxed) < 500, "{groups:?}");
    }
}
