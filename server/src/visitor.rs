//! Who is asking: the owner cookie of a request, read once and carried along.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use services::identity::Visitor;

use crate::state::TrustedProxies;

/// Reads the cookie and whether the request came over HTTPS, for everything behind.
pub async fn identify(State(proxies): State<TrustedProxies>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let trusted = peer.is_some_and(|peer| proxies.0.iter().any(|network| network.contains(peer)));
    let forwarded = request.headers().get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    // A header anyone can send is believed only from a proxy the operator named.
    let secure = trusted && forwarded.is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
    let cookies = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let visitor = Visitor::from_cookies(cookies, secure);
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

/// The visitor of a request.
#[derive(Clone, Debug)]
pub struct Who(pub Visitor);

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let nobody = || Visitor::from_cookies(std::iter::empty(), false);
        Ok(Self(parts.extensions.get::<Visitor>().cloned().unwrap_or_else(nobody)))
    }
}
