//! Finished pictures go to the head over HTTP, and are tried again until taken or refused.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::worker::{GONE, Lease};
use reqwest::StatusCode;
use rustls::ClientConfig;
use tokio::sync::{Notify, Semaphore};

/// Pictures on their way at the same time.
const AT_ONCE: usize = 4;
/// So many times in a row, a head that does not know this worker's key is believed.
const REFUSALS: u32 = 5;

/// Attempts to fetch what another worker began, the pause after the first, which doubles, and the time that each may
/// take: a head may just be starting anew, and minutes of work are worth some seconds; then it is better to begin anew.
const FETCHES: u32 = 7;
const FETCH_PAUSE: Duration = Duration::from_millis(200);
const FETCH_TIME: Duration = Duration::from_secs(10);

/// What became of a picture.
#[derive(Debug, PartialEq, Eq)]
pub enum Delivered {
    Taken,
    /// The lease is over: nobody waits for this picture any more.
    Stale,
    /// The head does not want this picture, whatever the reason.
    Refused(String),
}

/// Why a picture to go on from could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfetched {
    /// It is not there any more.
    Gone,
    /// The lease is over: nobody waits for what would be made of it.
    Stale,
    /// It is larger than it can be.
    TooLarge,
    /// The head can't give it now.
    Unavailable,
}

/// What a head answered.
enum Got {
    Whole(Bytes),
    Nothing(StatusCode),
    /// More than it can be.
    TooMuch,
}

/// Where and as whom to deliver. A cheap handle.
#[derive(Clone, Debug)]
pub struct Delivery {
    http: reqwest::Client,
    base: String,
    key: String,
    places: Arc<Semaphore>,
    again: Arc<Notify>,
}

impl Delivery {
    /// `head` is the head's `ws://` or `wss://` address.
    ///
    /// # Errors
    /// With a sentence, when no client can be made of the TLS configuration.
    pub fn new(head: &str, key: &str, tls: &ClientConfig) -> Result<Self, String> {
        let http = reqwest::Client::builder().use_preconfigured_tls(tls.clone()).build();
        Ok(Self {
            http: http.map_err(|error| format!("no way to deliver pictures: {error}"))?,
            base: head.replacen("ws", "http", 1),
            key: key.to_owned(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            again: Arc::default(),
        })
    }

    /// Tries those that wait for the head again at once.
    pub fn try_again(&self) {
        self.again.notify_waiters();
    }

    /// Delivers one picture; waits out a head that can't take it now. Dropping the future gives it up.
    pub async fn send(&self, lease: Lease, index: u32, png: Bytes) -> Delivered {
        let Lease { job, epoch } = lease;
        let url = format!("{}/internal/results/{job}/{epoch}/{index}", self.base);
        self.bring(lease, &url, "image/png", png).await
    }

    /// Brings what there is of a job's unfinished pictures; otherwise as [`Delivery::send`].
    pub async fn hand_over(&self, lease: Lease, begun: Bytes) -> Delivered {
        self.bring(lease, &self.begun_url(lease), "application/octet-stream", begun).await
    }

    /// What another worker had made of a job's pictures, `most` bytes at most; `None` if the head has nothing of them,
    /// or can't give it now.
    pub async fn fetch(&self, lease: Lease, most: usize) -> Option<Bytes> {
        let url = self.begun_url(lease);
        let mut pause = FETCH_PAUSE;
        for attempt in 1..=FETCHES {
            match self.get(&url, most).await {
                Ok(Got::Whole(begun)) => return Some(begun),
                Ok(Got::Nothing(_) | Got::TooMuch) => return None,
                Err(error) => tracing::warn!(job = %lease.job, attempt, %error, "a begun job could not be fetched"),
            }
            self.pause(pause).await;
            pause *= 2;
        }
        None
    }

    /// The picture that a job goes on from, `most` bytes at most.
    ///
    /// # Errors
    /// Why it can't be had, after some attempts.
    pub async fn fetch_source(&self, lease: Lease, most: usize) -> Result<Bytes, Unfetched> {
        let Lease { job, epoch } = lease;
        let url = format!("{}/internal/source/{job}/{epoch}", self.base);
        let mut pause = FETCH_PAUSE;
        for attempt in 1..=FETCHES {
            match self.get(&url, most).await {
                Ok(Got::Whole(picture)) => return Ok(picture),
                Ok(Got::Nothing(status)) if status.as_u16() == GONE => return Err(Unfetched::Gone),
                Ok(Got::Nothing(StatusCode::CONFLICT)) => return Err(Unfetched::Stale),
                Ok(Got::TooMuch) => return Err(Unfetched::TooLarge),
                Ok(Got::Nothing(status)) => {
                    tracing::warn!(%job, attempt, %status, "no picture to go on from was given");
                }
                Err(error) => tracing::warn!(%job, attempt, %error, "a picture to go on from could not be fetched"),
            }
            self.pause(pause).await;
            pause *= 2;
        }
        Err(Unfetched::Unavailable)
    }

    /// Waits, or until a head is there again.
    async fn pause(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.again.notified() => {}
        }
    }

    async fn bring(&self, lease: Lease, url: &str, kind: &str, body: Bytes) -> Delivered {
        let job = lease.job;
        let mut pause = Duration::from_millis(100);
        let mut refusals = 0;
        loop {
            let sent = {
                let _place = self.places.acquire().await;
                self.post(url, kind, body.clone()).await
            };
            match sent {
                Ok(status) if status.is_success() => return Delivered::Taken,
                Ok(StatusCode::CONFLICT) => return Delivered::Stale,
                Ok(status) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                    tracing::warn!(%job, %status, "the head can't take what was made now");
                }
                // While a head starts, what stands before it may answer in its place.
                Ok(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND))
                    if refusals < REFUSALS =>
                {
                    refusals += 1;
                    tracing::warn!(%job, %status, "the head does not know this worker now");
                }
                Ok(status) => {
                    tracing::warn!(%job, %status, "the head refused what was made");
                    return Delivered::Refused(format!("a picture was refused ({status})"));
                }
                Err(error) => tracing::warn!(%job, %error, "what was made could not be sent"),
            }
            self.pause(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    fn begun_url(&self, Lease { job, epoch }: Lease) -> String {
        format!("{}/internal/begun/{job}/{epoch}", self.base)
    }

    async fn get(&self, url: &str, most: usize) -> Result<Got, String> {
        let request = self.http.get(url).bearer_auth(&self.key).timeout(FETCH_TIME);
        let mut answer = request.send().await.map_err(|error| error.to_string())?;
        match answer.status() {
            StatusCode::OK => {}
            // There is nothing, or not any more, or the lease is over.
            status if matches!(status.as_u16(), 204 | 409 | GONE) => return Ok(Got::Nothing(status)),
            status => return Err(status.to_string()),
        }
        let mut begun = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| error.to_string())? {
            if begun.len() + part.len() > most {
                return Ok(Got::TooMuch);
            }
            begun.extend_from_slice(&part);
        }
        Ok(Got::Whole(begun.into()))
    }

    async fn post(&self, url: &str, kind: &str, body: Bytes) -> Result<StatusCode, reqwest::Error> {
        let request = self.http.post(url).bearer_auth(&self.key).header("content-type", kind);
        Ok(request.timeout(Duration::from_secs(30)).body(body).send().await?.status())
    }
}
