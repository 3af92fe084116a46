//! How a page was used before a picture was asked for, as a few numbers and never as a trail.
//!
//! A browser may send it with a request, in the header [`HEADER`]; nobody has to. It is a claim like
//! any other: it can raise suspicion, and its absence says nothing.

use serde::{Deserialize, Serialize};

/// Carries [`Behaviour::header`].
pub const HEADER: &str = "x-mindseye-behaviour";
/// Carries the browser's fingerprint: 64 hexadecimal digits.
pub const FINGERPRINT_HEADER: &str = "x-mindseye-fingerprint";
/// Carries the answer to a challenge.
pub const PROOF_HEADER: &str = "x-mindseye-proof";

/// Longest header that is read.
const LONGEST: usize = 120;

/// What moved most on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    #[default]
    None,
    Mouse,
    Touch,
    Keyboard,
}

/// Sums over the time since the page was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    pub input: Input,
    /// Pointer movements, touches or keystrokes that were counted; at most 9999.
    pub samples: u16,
    /// Shannon entropy of the pointer's changes of direction, in hundredths of a bit, over 8 directions: 0 to 300.
    pub entropy: u16,
    /// Variation of the pauses between taps or keys: standard deviation over mean, in hundredths; at most 999.
    pub rhythm: u16,
    /// Milliseconds from opening the page to the first request; at most a day.
    pub first_ms: u32,
    /// Times the page lost the focus.
    pub blurs: u16,
    /// The browser says that a program drives it (`navigator.webdriver`).
    pub driven: bool,
}

impl Behaviour {
    /// As it is sent: `1;in=mouse;n=120;e=241;r=0;t=8400;f=1;a=0`.
    pub fn header(&self) -> String {
        let input = match self.input {
            Input::None => "none",
            Input::Mouse => "mouse",
            Input::Touch => "touch",
            Input::Keyboard => "keyboard",
        };
        let Self { samples, entropy, rhythm, first_ms, blurs, driven, .. } = self;
        format!("1;in={input};n={samples};e={entropy};r={rhythm};t={first_ms};f={blurs};a={}", u8::from(*driven))
    }

    /// Reads what [`Behaviour::header`] writes. Anything else is no behaviour: unknown keys, missing ones, numbers
    /// out of range.
    pub fn parse(header: &str) -> Option<Self> {
        if header.len() > LONGEST {
            return None;
        }
        let mut parts = header.split(';');
        if parts.next()? != "1" {
            return None;
        }
        let mut next = |key: &str| parts.next()?.strip_prefix(key)?.strip_prefix('=');
        let input = match next("in")? {
            "none" => Input::None,
            "mouse" => Input::Mouse,
            "touch" => Input::Touch,
            "keyboard" => Input::Keyboard,
            _ => return None,
        };
        let read = Self {
            input,
            samples: next("n")?.parse().ok().filter(|n| *n <= 9_999)?,
            entropy: next("e")?.parse().ok().filter(|e| *e <= 300)?,
            rhythm: next("r")?.parse().ok().filter(|r| *r <= 999)?,
            first_ms: next("t")?.parse().ok().filter(|t| *t <= 86_400_000)?,
            blurs: next("f")?.parse().ok().filter(|f| *f <= 9_999)?,
            driven: match next("a")? {
                "0" => false,
                "1" => true,
                _ => return None,
            },
        };
        parts.next().is_none().then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let behaviour = Behaviour {
            input: Input::Touch,
            samples: 14,
            entropy: 0,
            rhythm: 63,
            first_ms: 8_400,
            blurs: 1,
            driven: false,
        };
        assert_eq!(behaviour.header(), "1;in=touch;n=14;e=0;r=63;t=8400;f=1;a=0");
        assert_eq!(Behaviour::parse(&behaviour.header()), Some(behaviour));
    }

    #[test]
    fn anything_else_is_no_behaviour() {
        for header in [
            "",
            "1",
            "2;in=mouse;n=1;e=1;r=1;t=1;f=1;a=0",
            "1;in=foot;n=1;e=1;r=1;t=1;f=1;a=0",
            "1;in=mouse;n=1;e=301;r=1;t=1;f=1;a=0",
            "1;in=mouse;n=-1;e=1;r=1;t=1;f=1;a=0",
            "1;in=mouse;n=1;e=1;r=1;t=1;f=1;a=2",
            "1;in=mouse;n=1;e=1;r=1;t=1;f=1;a=0;x=1",
            &"1;in=mouse;n=1;e=1;r=1;t=1;f=1;a=0".repeat(9),
        ] {
            assert_eq!(Behaviour::parse(header), None, "{header}");
        }
    }
}
