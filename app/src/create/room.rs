//! Room around a picture, as forms say it: a side, or all of them, and how much.

use domain::source::Extend;

/// How much, as a fraction of the picture, and what that is called.
pub const AMOUNTS: [(&str, &str); 2] = [("0.25", "A quarter"), ("0.5", "Half")];

/// Where there is to be more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Around,
    Left,
    Right,
    Above,
    Below,
}

impl Side {
    pub const ALL: [Self; 5] = [Self::Around, Self::Left, Self::Right, Self::Above, Self::Below];

    pub fn name(self) -> &'static str {
        match self {
            Self::Around => "around",
            Self::Left => "left",
            Self::Right => "right",
            Self::Above => "above",
            Self::Below => "below",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Around => "All around",
            Self::Left => "To the left",
            Self::Right => "To the right",
            Self::Above => "Above",
            Self::Below => "Below",
        }
    }

    /// Reads what [`Side::name`] wrote.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.name() == name.trim())
    }

    /// So much room there.
    pub fn room(self, by: f32) -> Extend {
        let none = Extend::default();
        match self {
            Self::Around => Extend { left: by, top: by, right: by, bottom: by },
            Self::Left => Extend { left: by, ..none },
            Self::Right => Extend { right: by, ..none },
            Self::Above => Extend { top: by, ..none },
            Self::Below => Extend { bottom: by, ..none },
        }
    }

    /// Where some room is, and how much; `None` where that can't be said in a form.
    pub fn of(room: Extend) -> Option<(Self, f32)> {
        let by = [room.left, room.top, room.right, room.bottom].into_iter().fold(0.0, f32::max);
        Self::ALL.into_iter().find(|side| side.room(by) == room).map(|side| (side, by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_forms_say_is_read_and_said_again() {
        for side in Side::ALL {
            assert_eq!(Side::parse(side.name()), Some(side));
            assert_eq!(Side::of(side.room(0.25)), Some((side, 0.25)));
        }
        assert_eq!(Side::parse("up"), None);
        assert_eq!(Side::of(Extend { left: 0.25, top: 0.5, ..Extend::default() }), None);
        for (amount, _) in AMOUNTS {
            assert_eq!((amount.parse::<f32>().expect("a number") / domain::source::ROOM_UNIT).fract(), 0.0);
        }
    }
}
