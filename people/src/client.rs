//! One press of Create over HTTP, as a browser or a bot sends it, and what came of it.

use std::collections::HashMap;

use domain::GenerationRequest;
use domain::behaviour::{FINGERPRINT_HEADER, HEADER as BEHAVIOUR_HEADER, PROOF_HEADER};
use reqwest::header::{COOKIE, SET_COOKIE, USER_AGENT};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::crowd::{Ask, Pays};

/// Proofs that are answered for one press: a silent one may be followed by a visible one.
const MOST_PROOFS: u32 = 3;

/// What came of one press.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub served: bool,
    /// A silent proof was asked for.
    pub silent: bool,
    pub visible: bool,
    /// The `code` of the last refusal.
    pub code: Option<String>,
}

/// The cookies that one actor was given, by number.
pub type Jar = HashMap<u32, String>;

/// Talks to the service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Door {
    client: Client,
    url: String,
    /// Pixels of each picture's sides.
    side: u32,
}

impl Door {
    /// # Errors
    /// When no client can be made.
    pub fn new(base: &str, side: u32) -> Result<Self, String> {
        let client = Client::builder().pool_max_idle_per_host(64).build().map_err(|error| error.to_string())?;
        Ok(Self { client, url: format!("{base}/api/v1/generations"), side })
    }

    /// Presses Create, and answers what is asked of this actor as far as it does.
    ///
    /// # Errors
    /// When the service does not answer, or not in its own words.
    pub async fn press(&self, ask: &Ask, pays: Pays, jar: &mut Jar) -> Result<Outcome, String> {
        let mut outcome = Outcome::default();
        let mut proof = None;
        for _ in 0..=MOST_PROOFS {
            let answer = self.send(ask, jar.get(&ask.cookie), proof.take()).await?;
            if answer.status() == StatusCode::ACCEPTED {
                if let Some(cookie) = cookie(&answer) {
                    jar.insert(ask.cookie, cookie);
                }
                // The whole answer is read, so that the connection serves the next one.
                answer.bytes().await.map_err(|error| error.to_string())?;
                return Ok(Outcome { served: true, code: None, ..outcome });
            }
            let status = answer.status();
            let problem: Value = answer.json().await.map_err(|error| format!("{status} without a problem: {error}"))?;
            let code = problem["code"].as_str().ok_or_else(|| format!("{status} without a code"))?;
            outcome.code = Some(code.to_owned());
            if code != "challenge_required" {
                return Ok(outcome);
            }
            let visible = problem["challenge"]["visible"].as_bool().unwrap_or(true);
            if visible {
                outcome.visible = true;
            } else {
                outcome.silent = true;
            }
            let answers = match pays {
                Pays::Never => false,
                Pays::Silent => !visible,
                Pays::Always => true,
            };
            if !answers {
                return Ok(outcome);
            }
            proof = solved(problem["challenge"]["altcha"].clone()).await;
        }
        Ok(outcome)
    }

    async fn send(&self, ask: &Ask, cookie: Option<&String>, proof: Option<String>) -> Result<Response, String> {
        let wish = GenerationRequest {
            prompt: ask.prompt.clone(),
            count: Some(ask.count),
            width: Some(self.side),
            height: Some(self.side),
            ..GenerationRequest::default()
        };
        let add = |request: RequestBuilder, name: &str, value: Option<&str>| match value {
            Some(value) => request.header(name, value),
            None => request,
        };
        let mut request = self.client.post(&self.url).json(&wish).header(USER_AGENT, ask.agent);
        request = request.header("x-forwarded-for", ask.address.to_string());
        request = add(request, FINGERPRINT_HEADER, ask.fingerprint.map(hex).as_deref());
        request = add(request, BEHAVIOUR_HEADER, ask.behaviour.map(|behaviour| behaviour.header()).as_deref());
        request = add(request, COOKIE.as_str(), cookie.map(String::as_str));
        request = add(request, PROOF_HEADER, proof.as_deref());
        request.send().await.map_err(|error| format!("no answer: {error}"))
    }
}

/// The answer to a challenge: some tenths of a second of arithmetic, on a thread that nobody waits for.
async fn solved(challenge: Value) -> Option<String> {
    tokio::task::spawn_blocking(move || services::limits::solve(&challenge)).await.ok().flatten()
}

fn cookie(answer: &Response) -> Option<String> {
    let set = answer.headers().get(SET_COOKIE)?.to_str().ok()?;
    set.split(';').next().map(str::to_owned)
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
