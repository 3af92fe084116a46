//! Finished pictures go to the head over HTTP, and are tried again until taken or refused.

use std::time::Duration;

use domain::JobId;
use reqwest::StatusCode;

/// What became of a picture.
#[derive(Debug, PartialEq, Eq)]
pub enum Delivered {
    Taken,
    /// The lease is over: nobody waits for this picture any more.
    Stale,
}

/// Where and as whom to deliver.
#[derive(Clone, Debug)]
pub struct Delivery {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Delivery {
    /// `head` is the head's `ws://` or `wss://` address.
    pub fn new(head: &str, key: &str) -> Self {
        Self { http: reqwest::Client::new(), base: head.replacen("ws", "http", 1), key: key.to_owned() }
    }

    /// Delivers one picture; waits out a head that can't take it now.
    pub async fn send(&self, job: JobId, epoch: i32, index: u32, png: Vec<u8>) -> Delivered {
        let url = format!("{}/internal/results/{job}/{epoch}/{index}", self.base);
        let mut pause = Duration::from_millis(100);
        loop {
            let sent = self
                .http
                .post(&url)
                .bearer_auth(&self.key)
                .header("content-type", "image/png")
                .timeout(Duration::from_secs(30))
                .body(png.clone())
                .send()
                .await;
            match sent.map(|answer| answer.status()) {
                Ok(status) if status.is_success() => return Delivered::Taken,
                Ok(status) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                    tracing::warn!(%job, index, %status, "the head can't take a picture now");
                }
                Ok(status) => {
                    tracing::warn!(%job, index, %status, "the head refused a picture");
                    return Delivered::Stale;
                }
                Err(error) => tracing::warn!(%job, index, %error, "a picture could not be sent"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }
}
