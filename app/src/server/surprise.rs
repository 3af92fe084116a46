use domain::surprise::surprise;

use crate::create::settings::ComposerForm;

/// A form whose button was "Surprise me", with words out of `random`; any other as it is.
pub(crate) fn filled_in(form: ComposerForm, random: u64) -> ComposerForm {
    if form.how.trim() != "surprise" {
        return form;
    }
    let prompt = surprise(random, form.style.trim().is_empty());
    // Chance chooses among what the built-in model draws at its own settings; a picture to go on from is not among it.
    ComposerForm { prompt, how: String::new(), from: String::new(), seed: String::new(), ..form }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_surprise_is_filled_in() {
        let form = |how: &str, style: &str| ComposerForm {
            prompt: "my own".into(),
            how: how.into(),
            style: style.into(),
            ..ComposerForm::default()
        };
        assert_eq!(filled_in(form("", ""), 7), form("", ""));
        let filled = filled_in(form("surprise", "ink"), 7);
        assert!(filled.prompt != "my own" && filled.how.is_empty(), "{filled:?}");
    }
}
