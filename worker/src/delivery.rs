//! Finished pictures go to the head over HTTP, and are tried again until taken or refused.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::worker::Lease;
use reqwest::StatusCode;
use rustls::ClientConfig;
use tokio::sync::{Notify, Semaphore};

/// Pictures on their way at the same time.
const AT_ONCE: usize = 4;
/// So many times in a row, a head that does not know this worker's key is believed.
const REFUSALS: u32 = 5;

/// What became of a picture.
#[derive(Debug, PartialEq, Eq)]
pub enum Delivered {
    Taken,
    /// The lease is over: nobody waits for this picture any more.
    Stale,
    /// The head does not want this picture, whatever the reason.
    Refused(String),
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
        let mut pause = Duration::from_millis(100);
        let mut refusals = 0;
        loop {
            let sent = {
                let _place = self.places.acquire().await;
                self.post(&url, png.clone()).await
            };
            match sent {
                Ok(status) if status.is_success() => return Delivered::Taken,
                Ok(StatusCode::CONFLICT) => return Delivered::Stale,
                Ok(status) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                    tracing::warn!(%job, index, %status, "the head can't take a picture now");
                }
                // While a head starts, what stands before it may answer in its place.
                Ok(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND))
                    if refusals < REFUSALS =>
                {
                    refusals += 1;
                    tracing::warn!(%job, index, %status, "the head does not know this worker now");
                }
                Ok(status) => {
                    tracing::warn!(%job, index, %status, "the head refused a picture");
                    return Delivered::Refused(format!("a picture was refused ({status})"));
                }
                Err(error) => tracing::warn!(%job, index, %error, "a picture could not be sent"),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.again.notified() => {}
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    async fn post(&self, url: &str, png: Bytes) -> Result<StatusCode, reqwest::Error> {
        let request = self.http.post(url).bearer_auth(&self.key).header("content-type", "image/png");
        Ok(request.timeout(Duration::from_secs(30)).body(png).send().await?.status())
    }
}
