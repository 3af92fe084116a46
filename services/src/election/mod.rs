//! One head among several holds an office, such as running the dispatcher.
//!
//! The office is an advisory lock in Postgres, held by a session that does
//! nothing else. The work of the office runs in the same task that holds the
//! lock and is dropped before the lock is given back.
//!
//! | the leader | how a standby gets the office | within, by default |
//! |---|---|---|
//! | resigns | the lock is given back when the work has been dropped | 1 s |
//! | is killed | its socket is closed, which Postgres sees after the beat under way | 1 s |
//! | loses its session | the beat under way fails at once, and with it the work ends | 1 s |
//! | is cut off, or frozen | Postgres ends a session that says nothing for [`Timing::silence`] | 5 s |
//!
//! A leader that is cut off gives up after [`Timing::beat`] and
//! [`Timing::patience`], which is before Postgres frees its lock; one that was
//! frozen notices when it thaws, up to an instant after another took over. So
//! two can lead for a moment, and so can they when Postgres ends a session whose
//! leader is still reading the bad news. That is harmless by construction:
//! leases are given by conditional updates that raise an epoch, so of two
//! dispatchers only one gets each job. The election saves work; it does not
//! guard the truth.
//!
//! It needs a session of its own: not a pool, nor a proxy that shares sessions
//! between transactions.
//!
//! ```no_run
//! # async fn example(url: &str, fleet: services::fleet::Fleet, stopped: impl Future<Output = ()>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use services::election::{Election, Office, Timing};
//!
//! let election = Election::new(url.parse()?, Office::Dispatcher, Timing::default());
//! let leads = election.leads(); // for the operator's page
//! election.campaign(|| fleet.dispatch(), stopped).await; // returns when `stopped` does
//! # Ok(()) }
//! ```

mod store;

use std::pin::pin;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::watch;
use tokio::time::timeout;

/// What one head at a time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Office {
    /// Assigns work to workers.
    Dispatcher = 1,
}

/// How often things are tried, and how long they may take.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Pause between two attempts to get the office.
    pub attempt: Duration,
    /// How often the holder hears from its session.
    pub beat: Duration,
    /// How much later than expected Postgres may answer before the session counts as lost.
    pub patience: Duration,
    /// Postgres ends the holder's session when it says nothing for this long; more than `patience`.
    pub silence: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            attempt: Duration::from_millis(500),
            beat: Duration::from_millis(500),
            patience: Duration::from_secs(2),
            silence: Duration::from_secs(4),
        }
    }
}

/// One head's candidacy.
#[derive(Debug)]
pub struct Election {
    options: PgConnectOptions,
    office: Office,
    timing: Timing,
    leads: watch::Sender<bool>,
}

impl Election {
    /// Prepares; nothing happens before [`Election::campaign`].
    pub fn new(options: PgConnectOptions, office: Office, timing: Timing) -> Self {
        let options = options.application_name("mindseye election").disable_statement_logging();
        Self { options, office, timing, leads: watch::Sender::new(false) }
    }

    /// Whether this head holds the office, as it changes.
    pub fn leads(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    /// Seeks the office again and again until `stop`, and does `work` while it has it. The work is dropped when
    /// the office is lost, and begun anew when it is won again; work that ends by itself gives the office back.
    ///
    /// When this returns, the work has been dropped and the office given back.
    pub async fn campaign<W, F>(&self, mut work: W, stop: impl Future<Output = ()>)
    where
        W: FnMut() -> F,
        F: Future<Output = ()>,
    {
        let mut stop = pin!(stop);
        loop {
            let mut session = tokio::select! {
                session = self.win() => session,
                () = &mut stop => return,
            };
            tracing::info!(office = ?self.office, "this head was elected");
            let end = {
                let _leads = Leads::begin(&self.leads);
                // Whichever branch ends first, the others, the work among them, are dropped before the next line.
                tokio::select! {
                    biased;
                    error = self.lose(&mut session) => End::Lost(error),
                    () = &mut stop => End::Stopped,
                    () = work() => End::Finished,
                }
            };
            match end {
                End::Lost(error) => {
                    tracing::warn!(%error, office = ?self.office, "this head lost its office");
                    drop(session);
                }
                End::Stopped => return self.resign(session).await,
                End::Finished => self.resign(session).await,
            }
            tokio::time::sleep(self.timing.attempt).await;
        }
    }

    /// Tries until this head holds the office; answers with the session that holds it.
    async fn win(&self) -> PgConnection {
        let mut session = None;
        let mut reachable = true;
        loop {
            match self.attempt(session).await {
                Ok((session, true)) => return session,
                Ok((standby, false)) => {
                    session = Some(standby);
                    reachable = true;
                }
                Err(error) => {
                    session = None;
                    if std::mem::replace(&mut reachable, false) {
                        tracing::warn!(%error, office = ?self.office, "no election until the database answers");
                    }
                }
            }
            tokio::time::sleep(self.timing.attempt).await;
        }
    }

    async fn attempt(&self, session: Option<PgConnection>) -> Result<(PgConnection, bool), sqlx::Error> {
        let attempt = async {
            let mut session = match session {
                Some(session) => session,
                None => {
                    let mut session = PgConnection::connect_with(&self.options).await?;
                    store::end_when_silent(&mut session, self.timing.silence).await?;
                    session
                }
            };
            let won = store::try_lock(&mut session, self.office as i32).await?;
            Ok((session, won))
        };
        timeout(self.timing.patience, attempt).await.unwrap_or_else(|_| Err(too_late()))
    }

    /// Ends when the session does, with the reason.
    async fn lose(&self, session: &mut PgConnection) -> sqlx::Error {
        loop {
            // A query is always under way, so that the end of the session is heard at once.
            let beat = timeout(self.timing.beat + self.timing.patience, store::beat(session, self.timing.beat));
            match beat.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error,
                Err(_) => return too_late(),
            }
        }
    }

    async fn resign(&self, mut session: PgConnection) {
        let resign = async {
            // Waits for the beat that is under way.
            store::unlock(&mut session, self.office as i32).await?;
            session.close().await
        };
        match timeout(self.timing.beat + self.timing.patience, resign).await {
            Ok(Ok(())) => tracing::info!(office = ?self.office, "this head resigned"),
            Ok(Err(error)) => tracing::debug!(%error, "the lock went with the session"),
            Err(_) => tracing::debug!("the lock goes with the session"),
        }
    }
}

/// How a term ends.
enum End {
    Lost(sqlx::Error),
    Stopped,
    Finished,
}

/// Says that this head leads, and in the end that it no longer does, however the end comes.
struct Leads<'a>(&'a watch::Sender<bool>);

impl<'a> Leads<'a> {
    fn begin(leads: &'a watch::Sender<bool>) -> Self {
        leads.send_replace(true);
        Self(leads)
    }
}

impl Drop for Leads<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

fn too_late() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the database did not answer in time"))
}
