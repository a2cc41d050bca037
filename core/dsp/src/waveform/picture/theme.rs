//! Colors, by what they say.

/// Colors of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on white.
    Light,
    /// Light on near black.
    Dark,
    /// What the viewer prefers; where it cannot be asked, as in PNG, light.
    #[default]
    Auto,
}

/// What a shape is. Its color follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Page,
    Panel,
    Grid,
    Zero,
    Text,
    Muted,
    Peak,
    Rms,
    Clip,
    Curve,
    CurveArea,
}

/// Name in style sheets, light and dark color, and opacity.
struct Tint {
    ink: Ink,
    name: &'static str,
    light: [u8; 3],
    dark: [u8; 3],
    opacity: f64,
}

const fn tint(ink: Ink, name: &'static str, light: [u8; 3], dark: [u8; 3], opacity: f64) -> Tint {
    Tint { ink, name, light, dark, opacity }
}

/// Text has a contrast of at least 4.5 to 1 on page and panel in both themes (WCAG 2.2, 1.4.3).
#[rustfmt::skip]
const TINTS: &[Tint] = &[
    tint(Ink::Page,      "pg", [0xff, 0xff, 0xff], [0x0e, 0x11, 0x16], 1.0),
    tint(Ink::Panel,     "pn", [0xf4, 0xf6, 0xf9], [0x17, 0x1b, 0x22], 1.0),
    tint(Ink::Grid,      "gr", [0xe1, 0xe5, 0xeb], [0x28, 0x2f, 0x39], 1.0),
    tint(Ink::Zero,      "ze", [0xc6, 0xcd, 0xd8], [0x3a, 0x44, 0x52], 1.0),
    tint(Ink::Text,      "tx", [0x16, 0x1b, 0x22], [0xe9, 0xed, 0xf2], 1.0),
    tint(Ink::Muted,     "mu", [0x5c, 0x66, 0x75], [0x93, 0x9e, 0xae], 1.0),
    tint(Ink::Peak,      "pk", [0x93, 0xbd, 0xee], [0x2f, 0x5d, 0x94], 1.0),
    tint(Ink::Rms,       "rm", [0x1f, 0x66, 0xc8], [0x6f, 0xb1, 0xff], 1.0),
    tint(Ink::Clip,      "cl", [0xd9, 0x2d, 0x20], [0xff, 0x5c, 0x52], 1.0),
    tint(Ink::Curve,     "cu", [0xb4, 0x53, 0x09], [0xfb, 0xb0, 0x3b], 1.0),
    tint(Ink::CurveArea, "ca", [0xf5, 0x9e, 0x0b], [0xfb, 0xb0, 0x3b], 0.28),
];

impl Ink {
    fn tint(self) -> &'static Tint {
        TINTS.iter().find(|tint| tint.ink == self).expect("every ink has a line in the table")
    }

    /// Name of its class in style sheets.
    pub(super) fn class(self) -> &'static str {
        self.tint().name
    }

    /// Color; with no preference the light one.
    pub(super) fn color(self, theme: Theme) -> [u8; 3] {
        match theme {
            Theme::Dark => self.tint().dark,
            Theme::Light | Theme::Auto => self.tint().light,
        }
    }

    /// Share of what lies beneath that is covered.
    pub(super) fn opacity(self) -> f64 {
        self.tint().opacity
    }

    pub(super) fn all() -> impl Iterator<Item = Self> {
        TINTS.iter().map(|tint| tint.ink)
    }
}
