//! Who is asking: the owner cookie of a request and what else it tells, read once and carried along.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use domain::Behaviour;
use domain::behaviour::{FINGERPRINT_HEADER, HEADER as BEHAVIOUR_HEADER, PROOF_HEADER};
use services::identity::{Agent, Signals, Visitor};

use crate::config::Network;
use crate::state::TrustedProxies;

/// Entries of `X-Forwarded-For` that are looked at; more are nobody's honest chain of proxies.
const LONGEST_CHAIN: usize = 32;
/// A proxy's word about how much a request looks like a bot's: 1 a bot, 99 a person.
const EDGE_SCORE_HEADER: &str = "x-bot-score";

/// Reads a request's cookie and signals, for everything behind.
pub async fn identify(State(proxies): State<TrustedProxies>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let visitor = read(peer, request.headers(), &proxies.0);
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

fn read(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[Network]) -> Visitor {
    let trusted = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let behind_proxy = peer.is_some_and(trusted);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Headers that anyone can send are believed only from a proxy the operator named.
    let proxied = |name: &str| text(name).filter(|_| behind_proxy);
    let secure = proxied("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let signals = Signals {
        address: peer.map(|peer| client(peer, headers, trusted)),
        fingerprint: text(FINGERPRINT_HEADER).and_then(fingerprint),
        behaviour: text(BEHAVIOUR_HEADER).and_then(Behaviour::parse),
        agent: Agent::of(text("user-agent")),
        edge_score: proxied(EDGE_SCORE_HEADER).and_then(|score| score.parse().ok()),
        proof: text(PROOF_HEADER).map(str::to_owned),
    };
    Visitor::from_cookies(cookies, secure).with(signals)
}

/// The first address from the right that no trusted proxy has: what stands further left, the client wrote itself.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut nearest = peer;
    // By bytes: a byte that is no text, which anyone can send, must not hide what a proxy wrote behind it.
    let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    for hop in hops.take(LONGEST_CHAIN) {
        if !trusted(nearest) {
            break;
        }
        match std::str::from_utf8(hop).ok().and_then(|hop| address(hop.trim())) {
            Some(address) => nearest = address,
            // Not an address: whoever wrote it is not to be believed about the rest.
            None => break,
        }
    }
    nearest.to_canonical()
}

/// An address as proxies write it: with or without a port, and in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// 64 hexadecimal digits, in either case.
fn fingerprint(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let forwarded: Vec<&[u8]> = forwarded.iter().map(|line| line.as_bytes()).collect();
        seen_in(peer, &forwarded, proxies)
    }

    fn seen_in(peer: &str, forwarded: &[&[u8]], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line).expect("a header"));
        }
        let proxies: Vec<Network> = proxies.iter().map(|text| Network::parse(text).expect("a network")).collect();
        let visitor = read(Some(peer.parse().expect("an address")), &headers, &proxies);
        visitor.signals.address.expect("an address").to_string()
    }

    #[test]
    fn a_strangers_word_about_addresses_is_worth_nothing() {
        // The published code believed the first entry of anyone's header.
        assert_eq!(seen("203.0.113.9", &["1.2.3.4"], &[]), "203.0.113.9");
        assert_eq!(seen("203.0.113.9", &["1.2.3.4"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn chains_are_read_from_the_right() {
        let proxies = ["10.0.0.0/8"];
        assert_eq!(seen("10.0.0.1", &["1.2.3.4, 198.51.100.7"], &proxies), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["6.6.6.6, 198.51.100.7, 10.0.0.2"], &proxies), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["6.6.6.6", "198.51.100.7"], &proxies), "198.51.100.7");
        assert_eq!(seen("10.0.0.1", &["10.0.0.3, 10.0.0.2"], &proxies), "10.0.0.3");
        assert_eq!(seen("10.0.0.1", &["1.2.3.4, garbage"], &proxies), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &[], &proxies), "10.0.0.1");
        assert_eq!(seen("::ffff:10.0.0.1", &["[2001:db8::1]:443"], &proxies), "2001:db8::1");
    }

    #[test]
    fn nothing_a_client_writes_hides_what_the_proxy_wrote() {
        assert_eq!(seen_in("10.0.0.1", &[b"\xff, 198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(seen_in("10.0.0.1", &[b"\xff", b"198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
    }

    #[test]
    fn only_a_trusted_proxy_scores() {
        let mut headers = HeaderMap::new();
        headers.insert(EDGE_SCORE_HEADER, HeaderValue::from_static("99"));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        let proxy = Network::parse("10.0.0.1").expect("a network");
        let score = |peer: &str| read(peer.parse().ok(), &headers, &[proxy]).signals.edge_score;
        assert_eq!((score("10.0.0.1"), score("10.0.0.2")), (Some(99), None));
    }

    #[test]
    fn a_fingerprint_is_64_digits() {
        assert_eq!(fingerprint(&"0aF".repeat(22)[..64]).map(|bytes| bytes[0]), Some(0x0a));
        for text in ["", "00", &"g".repeat(64), &"0".repeat(63), &"é".repeat(32)] {
            assert_eq!(fingerprint(text), None, "{text}");
        }
    }
}
