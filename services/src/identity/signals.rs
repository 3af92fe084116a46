//! What a request tells about where it comes from. All of it may be invented, except the address.

use std::net::IpAddr;

use domain::Behaviour;

/// What sent the request, by its own word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Agent {
    #[default]
    Browser,
    /// A library or command-line tool, or nothing that says what it is.
    Program,
    /// A browser without a screen.
    Headless,
}

/// What a request carries besides its cookie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// As the outermost trusted proxy saw it; unknown only inside this process.
    pub address: Option<IpAddr>,
    /// Made in the browser; see `docs/limits.md`.
    pub fingerprint: Option<[u8; 32]>,
    pub behaviour: Option<Behaviour>,
    pub agent: Agent,
    /// What a trusted proxy thinks: 1 is a bot, 99 a person.
    pub edge_score: Option<u8>,
    /// The answer to a challenge, as it came.
    pub proof: Option<String>,
}

impl Agent {
    /// Reads a `User-Agent`.
    pub fn of(header: Option<&str>) -> Self {
        let Some(agent) = header.filter(|agent| !agent.trim().is_empty()) else { return Self::Program };
        let agent = agent.to_ascii_lowercase();
        if ["headless", "phantomjs", "puppeteer", "playwright", "selenium"].iter().any(|name| agent.contains(name)) {
            return Self::Headless;
        }
        // Every browser calls itself Mozilla, for reasons of its own.
        if agent.starts_with("mozilla/") || agent.starts_with("opera/") { Self::Browser } else { Self::Program }
    }
}

/// What an address is one of: a /24 or a /64, which one household or company has.
pub fn range(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4((address.to_bits() & 0xffff_ff00).into()),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

/// Whether an address says where a request comes from. One of a private network does not: it is this very machine, the
/// house, or a proxy that nobody has named, behind which the whole world may be.
pub fn tells_place(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !(address.is_loopback() || address.is_private() || address.is_link_local()),
        IpAddr::V6(address) => !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_range_and_strangers_do_not() {
        let range = |address: &str| range(address.parse().expect("an address"));
        assert_eq!(range("198.51.100.1"), range("198.51.100.254"));
        assert_ne!(range("198.51.100.1"), range("198.51.101.1"));
        assert_eq!(range("2001:db8:1:2::1"), range("2001:db8:1:2:ffff::9"));
        assert_ne!(range("2001:db8:1:2::1"), range("2001:db8:1:3::1"));
        assert_eq!(range("::ffff:198.51.100.1"), range("198.51.100.9"));
    }

    #[test]
    fn private_networks_tell_no_place() {
        for address in
            ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.1.1", "::1", "fd00::1", "fe80::1"]
        {
            assert!(!tells_place(address.parse().expect("an address")), "{address}");
        }
        for address in ["198.51.100.7", "2001:db8::1", "100.64.1.1"] {
            assert!(tells_place(address.parse().expect("an address")), "{address}");
        }
    }

    #[test]
    fn programs_say_so() {
        assert_eq!(Agent::of(Some("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0")), Agent::Browser);
        assert_eq!(Agent::of(Some("Mozilla/5.0 HeadlessChrome/140.0")), Agent::Headless);
        for program in [None, Some(""), Some("curl/8.5"), Some("python-requests/2.32")] {
            assert_eq!(Agent::of(program), Agent::Program);
        }
    }
}
