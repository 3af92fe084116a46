//! What a browser tells about itself with a request for pictures: a fingerprint, unless it or the operator objects,
//! and how the page was used, as a few numbers. `docs/signals.md` says all of it in plain words.
//!
//! None of this runs on the server, and nothing of it is needed: a request without it is as good as any.

mod behaviour;
mod fingerprint;
mod watch;

pub use watch::watch;

use domain::behaviour::{FINGERPRINT_HEADER, HEADER as BEHAVIOUR_HEADER};

/// The headers of a request that is being sent now.
pub fn headers() -> Vec<(&'static str, String)> {
    let mut headers = vec![(BEHAVIOUR_HEADER, watch::summary().header())];
    headers.extend(fingerprint::fingerprint().map(|digits| (FINGERPRINT_HEADER, digits)));
    headers
}
