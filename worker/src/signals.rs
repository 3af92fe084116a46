//! Being told to leave.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for SIGTERM and Ctrl-C.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    told: bool,
}

/// How urgently to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// After what is in flight.
    Soon,
    /// Now: it has been said twice.
    Now,
}

impl Signals {
    /// # Errors
    /// When the operating system lets nobody listen.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            told: false,
        })
    }

    /// Waits to be told. Nothing is lost if the future is dropped.
    pub async fn told(&mut self) -> Leave {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        if std::mem::replace(&mut self.told, true) { Leave::Now } else { Leave::Soon }
    }
}
