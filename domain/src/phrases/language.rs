//! The languages of the studio, and which of them a browser asks for.

/// A language in which the studio knows what to say at a moment of friction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    #[default]
    English,
    Hindi,
    BrazilianPortuguese,
    Indonesian,
    Vietnamese,
    Spanish,
    Filipino,
    Urdu,
    German,
    French,
    Turkish,
    Polish,
    Thai,
}

impl Language {
    pub const ALL: [Self; 13] = [
        Self::English,
        Self::Hindi,
        Self::BrazilianPortuguese,
        Self::Indonesian,
        Self::Vietnamese,
        Self::Spanish,
        Self::Filipino,
        Self::Urdu,
        Self::German,
        Self::French,
        Self::Turkish,
        Self::Polish,
        Self::Thai,
    ];

    /// The BCP 47 tag, for `lang` and `Content-Language`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hindi => "hi",
            Self::BrazilianPortuguese => "pt-BR",
            Self::Indonesian => "id",
            Self::Vietnamese => "vi",
            Self::Spanish => "es",
            Self::Filipino => "fil",
            Self::Urdu => "ur",
            Self::German => "de",
            Self::French => "fr",
            Self::Turkish => "tr",
            Self::Polish => "pl",
            Self::Thai => "th",
        }
    }

    /// `ltr` or `rtl`, for `dir`.
    pub fn direction(self) -> &'static str {
        match self {
            Self::Urdu => "rtl",
            _ => "ltr",
        }
    }

    /// The language that a tag or a language range names, by RFC 4647 lookup:
    /// the tag is shortened from its end until something matches.
    pub fn lookup(range: &str) -> Option<Self> {
        if range.len() > MAX_RANGE || !range.split('-').all(is_subtag) {
            return None;
        }
        let mut rest = range;
        loop {
            if let Some(language) = Self::named(rest) {
                return Some(language);
            }
            rest = shortened(rest)?;
        }
    }

    /// The language for the value of an `Accept-Language` header.
    ///
    /// The matching range with the greatest quality wins, the earlier of two
    /// equals (RFC 9110, 12.5.4). `*` and languages that the studio does not
    /// speak lead to English, and so does a header that makes no sense.
    pub fn negotiate(accept_language: &str) -> Self {
        let wishes = || accept_language.split(',').take(MAX_WISHES).filter_map(wish);
        let refused = |language: Self| {
            wishes().any(|(range, quality)| quality == 0 && range.eq_ignore_ascii_case(language.tag()))
        };
        let mut best = (Self::English, 0);
        for (range, quality) in wishes() {
            if quality <= best.1 {
                continue;
            }
            if let Some(language) = Self::lookup(range).filter(|language| !refused(*language)) {
                best = (language, quality);
            }
        }
        best.0
    }

    fn named(range: &str) -> Option<Self> {
        // What has more than one name: Portuguese is here as Brazil writes it,
        // Tagalog is what browsers call Filipino, and `in` was Indonesian.
        const OTHER_NAMES: [(&str, Language); 3] =
            [("pt", Language::BrazilianPortuguese), ("tl", Language::Filipino), ("in", Language::Indonesian)];
        let own_names = Self::ALL.map(|language| (language.tag(), language));
        own_names
            .into_iter()
            .chain(OTHER_NAMES)
            .find(|(name, _)| name.eq_ignore_ascii_case(range))
            .map(|(_, language)| language)
    }
}

/// As long as a tag without extensions gets (RFC 5646, 4.4.1).
const MAX_RANGE: usize = 35;

/// Nobody speaks more languages than this; a longer header is a trick.
const MAX_WISHES: usize = 32;

fn is_subtag(subtag: &str) -> bool {
    (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The range without its last subtag, and without the single letter or digit
/// before it, which means nothing alone: `zh-Hant-x-private` to `zh-Hant`.
fn shortened(range: &str) -> Option<&str> {
    let (rest, _) = range.rsplit_once('-')?;
    match rest.rsplit_once('-') {
        Some((before, single)) if single.len() == 1 => Some(before),
        _ => Some(rest),
    }
}

/// One element of the header: a range and its quality in thousandths.
fn wish(element: &str) -> Option<(&str, u16)> {
    let (range, weight) = match element.split_once(';') {
        Some((range, weight)) => (range, Some(weight)),
        None => (element, None),
    };
    let quality = match weight {
        Some(weight) => {
            let (name, value) = weight.trim_matches(WHITE).split_once('=')?;
            if !name.eq_ignore_ascii_case("q") {
                return None;
            }
            thousandths(value)?
        }
        None => 1_000,
    };
    Some((range.trim_matches(WHITE), quality))
}

const WHITE: [char; 2] = [' ', '\t'];

/// A `qvalue`: from 0 to 1 with at most three decimals.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, fraction) {
        ("0", fraction) => Some(fraction),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_answers_to_its_tag() {
        for language in Language::ALL {
            assert_eq!(Language::lookup(language.tag()), Some(language));
            assert_eq!(Language::lookup(&language.tag().to_ascii_uppercase()), Some(language));
            assert_eq!(Language::negotiate(language.tag()), language);
        }
    }

    #[test]
    fn only_urdu_runs_from_right_to_left() {
        let rtl: Vec<_> = Language::ALL.into_iter().filter(|language| language.direction() == "rtl").collect();
        assert_eq!(rtl, [Language::Urdu]);
    }

    #[test]
    fn lookup_shortens_until_something_matches() {
        for (range, language) in [
            ("pt", Some(Language::BrazilianPortuguese)),
            ("pt-PT", Some(Language::BrazilianPortuguese)),
            ("PT-br", Some(Language::BrazilianPortuguese)),
            ("tl", Some(Language::Filipino)),
            ("tl-PH", Some(Language::Filipino)),
            ("in", Some(Language::Indonesian)),
            ("in-ID", Some(Language::Indonesian)),
            ("es-419", Some(Language::Spanish)),
            ("de-Latn-AT-1996-x-private", Some(Language::German)),
            ("hi-Deva-IN", Some(Language::Hindi)),
            ("zh-Hant-TW", None),
            ("deu", None),
            ("*", None),
            ("", None),
            ("-de", None),
            ("de-", None),
            ("de_AT", None),
            ("pt-toolongsubtag", None),
        ] {
            assert_eq!(Language::lookup(range), language, "{range}");
        }
    }

    #[test]
    fn the_greatest_quality_wins_and_then_the_first() {
        for (header, language) in [
            ("de-CH, de;q=0.9, en;q=0.8", Language::German),
            ("en;q=0.5, fr;q=0.9", Language::French),
            ("en;q=0.5,fr;q=0.501", Language::French),
            ("pl, th", Language::Polish),
            ("ja, zh-CN;q=0.9, vi ; q=0.8 , en;q=0.7", Language::Vietnamese),
            ("tr;Q=0.4", Language::Turkish),
            ("*, ur;q=0.1", Language::Urdu),
        ] {
            assert_eq!(Language::negotiate(header), language, "{header}");
        }
    }

    #[test]
    fn what_is_refused_is_not_given() {
        assert_eq!(Language::negotiate("de;q=0, fr;q=0.1"), Language::French);
        assert_eq!(Language::negotiate("de-AT, de;q=0.000, fr;q=0.1"), Language::French);
        assert_eq!(Language::negotiate("de;q=0"), Language::English);
    }

    #[test]
    fn nonsense_leads_to_english() {
        for header in [
            "",
            "*",
            "ja, zh",
            "de;q=2",
            "de;q=1.001",
            "de;q=-1",
            "de;q=NaN",
            "de;q=0.1234",
            "de;q=",
            "de;level=1",
            "de;q=1;q=1",
            ",,;,=;",
            "\u{202e}de\0",
        ] {
            assert_eq!(Language::negotiate(header), Language::English, "{header:?}");
        }
    }

    #[test]
    fn a_hostile_header_is_read_only_so_far() {
        assert_eq!(Language::negotiate(&format!("{}de", "x,".repeat(1_000_000))), Language::English);
        assert_eq!(Language::negotiate(&format!("{}, de", "a-".repeat(1_000_000))), Language::German);
        assert_eq!(Language::negotiate(&"-".repeat(1_000_000)), Language::English);
    }
}
