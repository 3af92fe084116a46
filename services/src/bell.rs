//! Wakes the dispatcher, whichever head runs it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::bus::{Broadcast, Bus};

/// Other heads are told at most this often: one look serves everything that came before it.
const TELL_EVERY: Duration = Duration::from_millis(20);

/// Cheap to clone; all clones ring the same bell.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    here: Arc<Notify>,
    elsewhere: Arc<Notify>,
}

impl Bell {
    /// There is something to look at.
    pub fn ring(&self) {
        self.here.notify_one();
        self.elsewhere.notify_one();
    }

    /// Somebody else rang: wakes only this head.
    pub(crate) fn ring_here(&self) {
        self.here.notify_one();
    }

    /// Waits for the next ring, or takes the one that came since.
    pub(crate) async fn rung(&self) {
        self.here.notified().await;
    }

    /// Passes rings on to other heads until it is dropped.
    pub(crate) async fn pass_on(&self, bus: &dyn Bus) {
        loop {
            self.elsewhere.notified().await;
            if let Err(error) = bus.publish(&Broadcast::Wake).await {
                // The dispatcher looks every second anyway.
                tracing::debug!(%error, "the dispatcher was not woken");
            }
            tokio::time::sleep(TELL_EVERY).await;
        }
    }
}
