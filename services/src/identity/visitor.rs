//! The owner cookie, as a request carries it and as an answer sets it.

use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use super::{Secret, Signals};

/// Browsers keep a cookie for at most 400 days.
const KEPT_FOR: Duration = Duration::days(400);

/// Who sent a request, as far as their cookie tells.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub(super) secret: Option<Secret>,
    /// The request came over HTTPS.
    pub(super) secure: bool,
    /// What else it tells.
    pub signals: Signals,
}

impl Visitor {
    /// Reads the `Cookie` header values of a request.
    pub fn from_cookies<'a>(headers: impl Iterator<Item = &'a str>, secure: bool) -> Self {
        let secret = headers
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .find(|cookie| cookie.name() == name(secure))
            .and_then(|cookie| Secret::parse(cookie.value()));
        Self { secret, secure, signals: Signals::default() }
    }

    /// Adds what else the request tells.
    #[must_use]
    pub fn with(self, signals: Signals) -> Self {
        Self { signals, ..self }
    }

    /// The secret that came, whether it opens anything or not.
    pub(crate) fn secret_bytes(&self) -> Option<&[u8; 32]> {
        self.secret.as_ref().map(|secret| &secret.0)
    }

    /// The `Set-Cookie` value that hands this visitor a secret.
    pub(super) fn set_cookie(&self, secret: &Secret) -> String {
        Cookie::build((name(self.secure), secret.encode()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .max_age(KEPT_FOR)
            .to_string()
    }
}

/// The `__Host-` prefix binds the cookie to this very host, but browsers take it over HTTPS only.
fn name(secure: bool) -> &'static str {
    if secure { "__Host-mindseye" } else { "mindseye" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_cookie_comes_back_as_the_same_secret() {
        for secure in [true, false] {
            let visitor = Visitor::from_cookies(std::iter::empty(), secure);
            let secret = Secret::random();
            let set = visitor.set_cookie(&secret);
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
            assert_eq!(set.contains("Secure"), secure);
            let pair = set.split(';').next().unwrap_or_default();
            let back = Visitor::from_cookies([format!("a=b; {pair}").as_str()].into_iter(), secure);
            assert_eq!(back.secret, Some(secret));
        }
    }

    #[test]
    fn other_cookies_are_nobody() {
        for header in ["", "mindseye=", "mindseye=short", "other=1", ";;=;", "__Host-mindseye=x"] {
            assert!(Visitor::from_cookies([header].into_iter(), false).secret.is_none(), "{header}");
        }
    }
}
