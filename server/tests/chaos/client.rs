//! People who ask for pictures, and write down what they were promised.

use std::time::Duration;

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, ClientBuilder, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// What a studio said `202` to: from then on it owes this.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub job: Uuid,
    /// The owner's, as `name=secret`.
    pub cookie: String,
}

/// Why nobody knows of a job by this request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refused {
    /// An answer other than `202`.
    Status(u16),
    /// No connection: the request never left.
    Unconnected,
    /// The connection ended or nothing came in time: nobody knows whether the job exists.
    Unknown,
}

/// A small picture, in so many steps.
pub fn wish(prompt: &str, steps: u32) -> Value {
    json!({"prompt": prompt, "count": 1, "width": 64, "height": 64, "steps": steps})
}

/// A client without a memory of its own, whose requests each take a connection of their own, as behind nginx.
pub fn client(patience: Duration) -> Client {
    builder().pool_max_idle_per_host(0).timeout(patience).build().expect("a client")
}

/// A client that keeps its connections.
pub fn keeping_client() -> Client {
    builder().timeout(Duration::from_secs(10)).build().expect("a client")
}

fn builder() -> ClientBuilder {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

/// Asks one head for a job, as the holder of `cookie` or as somebody new.
pub async fn submit(client: &Client, base: &str, cookie: Option<&str>, wish: &Value) -> Result<Accepted, Refused> {
    let mut request = client.post(format!("{base}/api/v1/generations")).json(wish);
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    let answer = request.send().await.map_err(|error| why(&error))?;
    if answer.status() != StatusCode::ACCEPTED {
        return Err(Refused::Status(answer.status().as_u16()));
    }
    let given = given_cookie(&answer);
    // The answer is a promise once its body is here.
    let job: Value = answer.json().await.map_err(|_| Refused::Unknown)?;
    let job = job["id"].as_str().and_then(|id| id.parse().ok()).expect("a 202 names its job");
    let cookie = given.or(cookie.map(str::to_owned)).expect("a new owner is given a cookie");
    Ok(Accepted { job, cookie })
}

/// The job as its owner sees it, and the status of the answer.
pub async fn read(client: &Client, base: &str, accepted: &Accepted) -> Result<(u16, Value), Refused> {
    let url = format!("{base}/api/v1/generations/{}", accepted.job);
    let answer = client.get(url).header(COOKIE, &accepted.cookie).send().await.map_err(|error| why(&error))?;
    let status = answer.status().as_u16();
    Ok((status, answer.json().await.map_err(|_| Refused::Unknown)?))
}

pub fn why(error: &reqwest::Error) -> Refused {
    if error.is_connect() { Refused::Unconnected } else { Refused::Unknown }
}

fn given_cookie(answer: &Response) -> Option<String> {
    let text = answer.headers().get(SET_COOKIE)?.to_str().ok()?;
    text.split(';').next().map(str::to_owned)
}
