//! How a request that may be challenged is sent: with what the browser tells about itself, and again with a proof
//! when one is asked for.

use futures::{Sink, Stream};
use gloo_net::http::Request;
use http::Method;
use leptos::prelude::use_context;
use leptos::server_fn::Bytes;
use leptos::server_fn::client::Client;
use leptos::server_fn::client::browser::BrowserClient;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::redirect::REDIRECT_HEADER;
use leptos::server_fn::request::ClientReq;
use leptos::server_fn::request::browser::BrowserFormData;
use leptos::server_fn::response::ClientRes;
use send_wrapper::SendWrapper;

use super::Checks;
use crate::error::{Check, PageError};
use crate::signals;

/// Challenges that one request answers: the first, and a fresh one if that answer came too late or was not enough.
const ANSWERS: usize = 2;

/// The client of server functions that cost something. `#[server(client = …)]` names it.
#[derive(Debug)]
pub struct CheckedClient;

/// A request that can be sent more than once.
#[derive(Debug)]
pub struct Outgoing {
    path: String,
    content_type: String,
    accepts: String,
    body: String,
}

/// An answer that has arrived whole.
#[derive(Debug)]
pub struct Incoming {
    status: u16,
    status_text: String,
    location: String,
    redirect: bool,
    body: Bytes,
}

impl Client<PageError> for CheckedClient {
    type Request = Outgoing;
    type Response = Incoming;

    fn send(request: Outgoing) -> impl Future<Output = Result<Incoming, PageError>> + Send {
        let checks = use_context::<Checks>();
        SendWrapper::new(async move {
            let mut proof = None;
            for _ in 0..ANSWERS {
                let answer = fetch(&request, proof.as_deref()).await?;
                let (Some(check), Some(checks)) = (answer.check(), checks) else { return Ok(answer) };
                let failed = check.failed.clone();
                proof = checks.answer(check).await;
                checks.finish();
                if proof.is_none() {
                    return Ok(answer.failed(failed));
                }
            }
            let answer = fetch(&request, proof.as_deref()).await?;
            Ok(match answer.check() {
                Some(check) => answer.failed(check.failed),
                None => answer,
            })
        })
    }

    fn open_websocket(
        path: &str,
    ) -> impl Future<
        Output = Result<
            (impl Stream<Item = Result<Bytes, Bytes>> + Send + 'static, impl Sink<Bytes> + Send + 'static),
            PageError,
        >,
    > + Send {
        <BrowserClient as Client<PageError>>::open_websocket(path)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        <BrowserClient as Client<PageError>>::spawn(future);
    }
}

async fn fetch(request: &Outgoing, proof: Option<&str>) -> Result<Incoming, PageError> {
    let lost = |error: gloo_net::Error| PageError::from_server_fn_error(ServerFnErrorErr::Request(error.to_string()));
    let mut builder =
        Request::post(&request.path).header("Content-Type", &request.content_type).header("Accept", &request.accepts);
    for (name, value) in signals::headers() {
        builder = builder.header(name, &value);
    }
    if let Some(proof) = proof {
        builder = builder.header(domain::behaviour::PROOF_HEADER, proof);
    }
    let response = builder.body(request.body.clone()).map_err(lost)?.send().await.map_err(lost)?;
    Ok(Incoming {
        status: response.status(),
        status_text: response.status_text(),
        location: response.headers().get("Location").unwrap_or_else(|| response.url()),
        redirect: response.headers().get(REDIRECT_HEADER).is_some(),
        body: Bytes::from(response.binary().await.map_err(lost)?),
    })
}

impl Incoming {
    /// What has to be proven first, if that is the answer.
    fn check(&self) -> Option<Check> {
        let failed = (400..600).contains(&self.status);
        failed.then(|| serde_json::from_slice::<PageError>(&self.body).ok()?.check).flatten()
    }

    /// The same answer as the end of it.
    fn failed(mut self, message: String) -> Self {
        if let Ok(mut error) = serde_json::from_slice::<PageError>(&self.body) {
            (error.message, error.check) = (message, None);
            self.body = error.ser();
        }
        self
    }
}

fn unused() -> PageError {
    PageError::from_server_fn_error(ServerFnErrorErr::Request("only forms are sent this way".into()))
}

/// Server functions send their arguments as forms do, which is one of these; the others are refused.
impl ClientReq<PageError> for Outgoing {
    type FormData = BrowserFormData;

    fn try_new_req_text(
        path: &str,
        content_type: &str,
        accepts: &str,
        body: String,
        _method: Method,
    ) -> Result<Self, PageError> {
        Ok(Self { path: path.into(), content_type: content_type.into(), accepts: accepts.into(), body })
    }

    fn try_new_req_query(_: &str, _: &str, _: &str, _: &str, _: Method) -> Result<Self, PageError> {
        Err(unused())
    }

    fn try_new_req_bytes(_: &str, _: &str, _: &str, _: Bytes, _: Method) -> Result<Self, PageError> {
        Err(unused())
    }

    fn try_new_req_form_data(_: &str, _: &str, _: &str, _: BrowserFormData, _: Method) -> Result<Self, PageError> {
        Err(unused())
    }

    fn try_new_req_multipart(_: &str, _: &str, _: BrowserFormData, _: Method) -> Result<Self, PageError> {
        Err(unused())
    }

    fn try_new_req_streaming(
        _: &str,
        _: &str,
        _: &str,
        _: impl Stream<Item = Bytes> + Send + 'static,
        _: Method,
    ) -> Result<Self, PageError> {
        Err(unused())
    }
}

impl ClientRes<PageError> for Incoming {
    async fn try_into_string(self) -> Result<String, PageError> {
        String::from_utf8(self.body.to_vec())
            .map_err(|error| PageError::from_server_fn_error(ServerFnErrorErr::Deserialization(error.to_string())))
    }

    async fn try_into_bytes(self) -> Result<Bytes, PageError> {
        Ok(self.body)
    }

    fn try_into_stream(self) -> Result<impl Stream<Item = Result<Bytes, Bytes>> + Send + Sync + 'static, PageError> {
        Ok(futures::stream::iter([Ok(self.body)]))
    }

    fn status(&self) -> u16 {
        self.status
    }

    fn status_text(&self) -> String {
        self.status_text.clone()
    }

    fn location(&self) -> String {
        self.location.clone()
    }

    fn has_redirect(&self) -> bool {
        self.redirect
    }
}
