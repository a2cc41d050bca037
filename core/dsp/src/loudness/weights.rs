//! How much each channel counts.

use wavemill_audio::{ChannelLayout, ChannelPosition};

/// How a mono file counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MonoMode {
    /// One channel, as ITU-R BS.1770 measures it.
    #[default]
    Single,
    /// As if it were played by two loudspeakers: 3.01 LU louder.
    Dual,
}

/// Weight of loudspeakers between 60 and 120 degrees beside the listener, +1.5 dB.
/// Source: ITU-R BS.1770-5, Annex 1, table 3; Annex 3, table 4.
const SURROUND: f64 = 1.41;

/// The weights of a layout's channels.
///
/// Low-frequency effects do not count; loudspeakers at the sides (60 to 120 degrees, less than 30 above)
/// count more; all others, those above included, and channels of unknown position count once. The back
/// pair of 5.1 and 5.1.4 is its surrounds at 110 degrees; that of 7.1 and 7.1.4, which have side
/// channels too, stands behind the listener at 135 degrees and counts once.
///
/// Source: ITU-R BS.1770-5, Annex 1 (5.1) and Annex 3 (any other loudspeaker positions).
pub(super) fn of(layout: &ChannelLayout, mono: MonoMode) -> Vec<f64> {
    use ChannelPosition as P;
    if layout.channel_count() == 1 && mono == MonoMode::Dual {
        return vec![2.0];
    }
    let has_sides =
        layout.index_of(P::SideLeft).is_some() || layout.index_of(P::SideRight).is_some();
    let weight = |&position: &ChannelPosition| match position {
        P::LowFrequency => 0.0,
        P::SideLeft | P::SideRight => SURROUND,
        P::BackLeft | P::BackRight if !has_sides => SURROUND,
        _ => 1.0,
    };
    layout.positions().iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrounds_of_5_1_count_more_and_effects_do_not() {
        let weights = of(&ChannelLayout::usual(6), MonoMode::Single);
        assert_eq!(weights, [1.0, 1.0, 1.0, 0.0, 1.41, 1.41]);
    }

    #[test]
    fn back_pair_of_7_1_counts_once() {
        let weights = of(&ChannelLayout::usual(8), MonoMode::Single);
        assert_eq!(weights, [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.41, 1.41]);
    }

    #[test]
    fn dual_mono_counts_twice() {
        assert_eq!(of(&ChannelLayout::usual(1), MonoMode::Dual), [2.0]);
        assert_eq!(of(&ChannelLayout::usual(1), MonoMode::Single), [1.0]);
    }

    #[test]
    fn loudspeakers_above_count_once() {
        let weights = of(&ChannelLayout::usual(10), MonoMode::Single);
        assert_eq!(weights, [1.0, 1.0, 1.0, 0.0, 1.41, 1.41, 1.0, 1.0, 1.0, 1.0]);
        let weights = of(&ChannelLayout::usual(12), MonoMode::Single);
        assert_eq!(weights, [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.41, 1.41, 1.0, 1.0, 1.0, 1.0]);
    }
}
