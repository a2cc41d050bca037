//! The scales of the level bars: their marks, and what they mean.

use crate::meters::LevelKind;
use crate::params::LevelScale;
use crate::window::scale::Axis;
use egui::Rect;

/// All of them, as the list shows them.
pub(super) const ALL: [LevelScale; 10] = [
    LevelScale::Lufs,
    LevelScale::EbuPlus9,
    LevelScale::EbuPlus18,
    LevelScale::PpmOne,
    LevelScale::PpmTwoA,
    LevelScale::PpmTwoB,
    LevelScale::Vu,
    LevelScale::K20,
    LevelScale::K14,
    LevelScale::K12,
];

/// How a scale is drawn. Values are in the unit of its marks.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) name: &'static str,
    /// Which of the channels' meters it shows; [`LevelKind::Off`] for loudness.
    pub(super) kind: LevelKind,
    low: f32,
    high: f32,
    /// Where the marks are, and what they say.
    pub(super) marks: &'static [(f32, &'static str)],
    /// What its zero is in dBFS of a sine; of no meaning for loudness.
    pub(super) zero_dbfs: f32,
    /// The level to aim at.
    pub(super) reference: f32,
    /// What program should not exceed.
    pub(super) limit: f32,
    /// Whether places are proportional to amplitudes, as on a moving-coil meter, and not to decibels.
    is_of_amplitude: bool,
    pub(super) words: &'static str,
}

impl Dial {
    pub(super) fn axis(&self, plot: Rect) -> DialAxis {
        let ends = [self.low, self.high].map(|value| position(value, self.is_of_amplitude));
        DialAxis {
            axis: Axis::upward(plot, ends[0], ends[1]),
            is_of_amplitude: self.is_of_amplitude,
        }
    }
}

/// Places of a dial's values.
#[derive(Clone, Copy, Debug)]
pub(super) struct DialAxis {
    axis: Axis,
    is_of_amplitude: bool,
}

impl DialAxis {
    pub(super) fn place(&self, value: f32) -> f32 {
        self.axis.place(position(value, self.is_of_amplitude))
    }
}

fn position(value: f32, is_of_amplitude: bool) -> f32 {
    if is_of_amplitude { 10f32.powf(value / 20.0) } else { value }
}

/// Level of a sine that stands for 0 dBu, alignment level. Source: EBU R 68-2000.
const ALIGNMENT_DBFS: f32 = -18.0;

/// Permitted maximum level, 9 dB above alignment level. Source: EBU R 68-2000; ITU-R BS.645.
const PERMITTED_DBFS: f32 = ALIGNMENT_DBFS + 9.0;

/// The dial of a scale.
pub(super) fn dial(scale: LevelScale) -> &'static Dial {
    match scale {
        LevelScale::Lufs => &LUFS,
        LevelScale::EbuPlus9 => &EBU_PLUS_9,
        LevelScale::EbuPlus18 => &EBU_PLUS_18,
        LevelScale::PpmOne => &PPM_ONE,
        LevelScale::PpmTwoA => &PPM_TWO_A,
        LevelScale::PpmTwoB => &PPM_TWO_B,
        LevelScale::Vu => &VU,
        LevelScale::K20 => &K20,
        LevelScale::K14 => &K14,
        LevelScale::K12 => &K12,
    }
}

const LUFS: Dial = Dial {
    name: "LUFS",
    kind: LevelKind::Off,
    low: -48.0,
    high: 3.0,
    marks: &[
        (0.0, "0"),
        (-6.0, "\u{2212}6"),
        (-12.0, "\u{2212}12"),
        (-18.0, "\u{2212}18"),
        (-24.0, "\u{2212}24"),
        (-30.0, "\u{2212}30"),
        (-36.0, "\u{2212}36"),
        (-42.0, "\u{2212}42"),
    ],
    zero_dbfs: 0.0,
    reference: 0.0,
    limit: 0.0,
    is_of_amplitude: false,
    words: "Current momentary (M) and short-term (S) loudness in LUFS, and true peak (TP) in dBTP. Thin lines: maximum so \
        far; thick lines: target.",
};

/// Source: EBU Tech 3341, scales.
const EBU_PLUS_9: Dial = Dial {
    name: "EBU +9",
    low: -18.0,
    high: 9.0,
    marks: &[
        (9.0, "+9"),
        (6.0, "+6"),
        (3.0, "+3"),
        (0.0, "0"),
        (-3.0, "\u{2212}3"),
        (-6.0, "\u{2212}6"),
        (-9.0, "\u{2212}9"),
        (-12.0, "\u{2212}12"),
        (-15.0, "\u{2212}15"),
        (-18.0, "\u{2212}18"),
    ],
    words: "EBU Mode: current momentary (M), short-term (S) and integrated (I) loudness in LU; 0 LU is the loudness of the \
        target. EBU +9 scale, \u{2212}18 to +9 LU. Thin lines: maximum so far; thick line: target. EBU Tech 3341.",
    ..LUFS
};

const EBU_PLUS_18: Dial = Dial {
    name: "EBU +18",
    low: -36.0,
    high: 18.0,
    marks: &[
        (18.0, "+18"),
        (12.0, "+12"),
        (6.0, "+6"),
        (0.0, "0"),
        (-6.0, "\u{2212}6"),
        (-12.0, "\u{2212}12"),
        (-18.0, "\u{2212}18"),
        (-24.0, "\u{2212}24"),
        (-30.0, "\u{2212}30"),
        (-36.0, "\u{2212}36"),
    ],
    words: "EBU Mode: current momentary (M), short-term (S) and integrated (I) loudness in LU; 0 LU is the loudness of the \
        target. EBU +18 scale, \u{2212}36 to +18 LU. Thin lines: maximum so far; thick line: target. EBU Tech 3341.",
    ..LUFS
};

/// Marks of meters by DIN 45406; alignment level is at -9.
const PPM_ONE: Dial = Dial {
    name: "PPM I",
    kind: LevelKind::PpmTypeOne,
    low: -50.0,
    high: 5.0,
    marks: &[
        (5.0, "+5"),
        (0.0, "0"),
        (-5.0, "\u{2212}5"),
        (-10.0, "\u{2212}10"),
        (-20.0, "\u{2212}20"),
        (-30.0, "\u{2212}30"),
        (-40.0, "\u{2212}40"),
        (-50.0, "\u{2212}50"),
    ],
    zero_dbfs: PERMITTED_DBFS,
    reference: ALIGNMENT_DBFS - PERMITTED_DBFS,
    limit: 0.0,
    words: "Program meter of type I (DIN), for each channel: quasi-peaks. A tone of 5 ms reads 2 dB low; falls 20 dB in \
        1.7 s. 0 dB is the permitted maximum, \u{2212}9 dBFS; thick line: alignment level, \u{2212}18 dBFS. Thin lines: \
        maximum so far. Orange: above the permitted maximum. IEC 60268-10, EBU R 68.",
    ..LUFS
};

const PPM_TWO_A: Dial = Dial {
    name: "PPM IIa",
    kind: LevelKind::PpmTypeTwo,
    low: -14.0,
    high: 14.0,
    marks: &[
        (12.0, "7"),
        (8.0, "6"),
        (4.0, "5"),
        (0.0, "4"),
        (-4.0, "3"),
        (-8.0, "2"),
        (-12.0, "1"),
    ],
    zero_dbfs: ALIGNMENT_DBFS,
    // Program peaks to 6.
    limit: 8.0,
    words: "Program meter of type IIa (BBC), for each channel: quasi-peaks. A tone of 10 ms reads 2 dB low; falls 24 dB \
        in 2.8 s. Marks are 4 dB apart; 4 (thick line) is alignment level, 0 dBu or \u{2212}18 dBFS. Thin lines: maximum so \
        far. Orange: above 6, the permitted maximum. IEC 60268-10, EBU R 68.",
    ..LUFS
};

const PPM_TWO_B: Dial = Dial {
    name: "PPM IIb",
    marks: &[
        (12.0, "+12"),
        (9.0, "+9"),
        (4.0, "+4"),
        (0.0, "TEST"),
        (-4.0, "\u{2212}4"),
        (-8.0, "\u{2212}8"),
        (-12.0, "\u{2212}12"),
    ],
    limit: PERMITTED_DBFS - ALIGNMENT_DBFS,
    words: "Program meter of type IIb (EBU), for each channel: quasi-peaks in dB. A tone of 10 ms reads 2 dB low; falls \
        24 dB in 2.8 s. TEST (thick line) is alignment level, 0 dBu or \u{2212}18 dBFS. Thin lines: maximum so far. Orange: \
        above +9, the permitted maximum. IEC 60268-10, EBU R 68.",
    ..PPM_TWO_A
};

const VU: Dial = Dial {
    name: "VU",
    kind: LevelKind::Vu,
    low: -20.0,
    high: 3.0,
    marks: &[
        (3.0, "+3"),
        (2.0, "+2"),
        (1.0, "+1"),
        (0.0, "0"),
        (-1.0, "\u{2212}1"),
        (-2.0, "\u{2212}2"),
        (-3.0, "\u{2212}3"),
        (-5.0, "\u{2212}5"),
        (-7.0, "\u{2212}7"),
        (-10.0, "\u{2212}10"),
        (-20.0, "\u{2212}20"),
    ],
    zero_dbfs: ALIGNMENT_DBFS,
    limit: 0.0,
    is_of_amplitude: true,
    words: "VU meter, for each channel: the mean, 99 % of it after 0.3 s. 0 VU (thick line) is a sine of \u{2212}18 dBFS. \
        Thin lines: maximum so far. Orange: above 0 VU. IEC 60268-17.",
    ..LUFS
};

/// What a scale of the K-System shows.
macro_rules! k_words {
    ($zero:literal) => {
        concat!(
            "K-",
            $zero,
            ", for each channel: RMS as a bar, 99 % of it after 0.6 s, and sample peak as a thin line. A full-scale \
             sine reads 0 dBFS on both. 0 dB (thick line) is \u{2212}",
            $zero,
            " dBFS, 83 dB SPL where loudspeakers are calibrated so. Orange: RMS above +4. Bob Katz, K-System."
        )
    };
}

const K20: Dial = Dial {
    name: "K-20",
    kind: LevelKind::KSystem,
    low: -40.0,
    high: 20.0,
    marks: &[
        (20.0, "+20"),
        (16.0, "+16"),
        (12.0, "+12"),
        (8.0, "+8"),
        (4.0, "+4"),
        (0.0, "0"),
        (-4.0, "\u{2212}4"),
        (-8.0, "\u{2212}8"),
        (-12.0, "\u{2212}12"),
        (-16.0, "\u{2212}16"),
        (-20.0, "\u{2212}20"),
        (-30.0, "\u{2212}30"),
        (-40.0, "\u{2212}40"),
    ],
    zero_dbfs: -20.0,
    limit: 4.0,
    words: k_words!("20"),
    ..LUFS
};

const K14: Dial = Dial {
    name: "K-14",
    high: 14.0,
    marks: &[
        (14.0, "+14"),
        (12.0, "+12"),
        (8.0, "+8"),
        (4.0, "+4"),
        (0.0, "0"),
        (-4.0, "\u{2212}4"),
        (-8.0, "\u{2212}8"),
        (-12.0, "\u{2212}12"),
        (-16.0, "\u{2212}16"),
        (-20.0, "\u{2212}20"),
        (-30.0, "\u{2212}30"),
        (-40.0, "\u{2212}40"),
    ],
    zero_dbfs: -14.0,
    words: k_words!("14"),
    ..K20
};

const K12: Dial = Dial {
    name: "K-12",
    high: 12.0,
    // Those of K-14, without its highest.
    marks: K14.marks.split_at(1).1,
    zero_dbfs: -12.0,
    words: k_words!("12"),
    ..K20
};

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;

    const PLOT: Rect = Rect { min: pos2(0.0, 0.0), max: pos2(50.0, 300.0) };

    #[test]
    fn marks_lie_in_order_on_their_dial_with_room_for_words() {
        for scale in ALL {
            let dial = dial(scale);
            let axis = dial.axis(PLOT);
            let places: Vec<f32> = dial.marks.iter().map(|(value, _)| axis.place(*value)).collect();
            for pair in places.windows(2) {
                assert!(pair[1] - pair[0] >= 9.5, "{}: {places:?}", dial.name);
            }
            assert!(dial.marks.iter().all(|(value, _)| (dial.low..=dial.high).contains(value)));
        }
    }

    /// Source: EBU Tech 3341: the target's place is the same on both scales.
    #[test]
    fn ebu_3341_scales_have_the_target_at_the_same_place() {
        for (scale, low, high) in
            [(LevelScale::EbuPlus9, -18.0, 9.0), (LevelScale::EbuPlus18, -36.0, 18.0)]
        {
            let dial = dial(scale);
            assert_eq!([dial.low, dial.high].map(f32::to_bits), [low, high].map(f32::to_bits));
            assert!((dial.axis(PLOT).place(0.0) - 100.0).abs() < 1e-3);
        }
    }

    /// Source: EBU R 68: 0 dBu is -18 dBFS; the marks are those at [`PPM_ONE`] and below.
    #[test]
    fn alignment_level_is_at_the_reference_of_each_program_meter() {
        for scale in [LevelScale::PpmOne, LevelScale::PpmTwoA, LevelScale::PpmTwoB, LevelScale::Vu]
        {
            let dial = dial(scale);
            assert!((dial.reference + dial.zero_dbfs + 18.0).abs() < 1e-6, "{}", dial.name);
        }
        let mark = |scale, words| {
            let (value, _) = dial(scale).marks.iter().find(|mark| mark.1 == words).unwrap();
            value + dial(scale).zero_dbfs
        };
        for (scale, words, dbfs) in [
            (LevelScale::PpmOne, "0", -9.0),
            (LevelScale::PpmTwoA, "1", -30.0),
            (LevelScale::PpmTwoA, "4", -18.0),
            (LevelScale::PpmTwoA, "6", -10.0),
            (LevelScale::PpmTwoA, "7", -6.0),
            (LevelScale::PpmTwoB, "TEST", -18.0),
            (LevelScale::PpmTwoB, "+9", -9.0),
            (LevelScale::K20, "+20", 0.0),
            (LevelScale::K14, "+14", 0.0),
            (LevelScale::K12, "+12", 0.0),
        ] {
            assert!((mark(scale, words) - dbfs).abs() < 1e-6, "{words}");
        }
    }

    /// A pointer at 0 VU has gone 71 % of its way, as it goes by the voltage.
    #[test]
    fn vu_goes_by_amplitude() {
        let axis = dial(LevelScale::Vu).axis(PLOT);
        let share = |value| 1.0 - axis.place(value) / PLOT.height();
        assert!((share(3.0) - 1.0).abs() < 1e-6 && share(-20.0).abs() < 1e-6);
        let low = 10f32.powf(-23.0 / 20.0);
        let expected = (10f32.powf(-3.0 / 20.0) - low) / (1.0 - low);
        assert!((share(0.0) - expected).abs() < 1e-4, "{}", share(0.0));
    }
}
