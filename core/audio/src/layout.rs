//! What each channel of a stream is.

use serde::Serialize;
use std::fmt;

/// Place of a channel, in the order of the bits of the WAVE channel mask.
///
/// Source: Microsoft `WAVEFORMATEXTENSIBLE`, `dwChannelMask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[repr(u8)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of the mask's bits")]
pub enum ChannelPosition {
    FrontLeft,
    FrontRight,
    FrontCenter,
    LowFrequency,
    BackLeft,
    BackRight,
    FrontLeftOfCenter,
    FrontRightOfCenter,
    BackCenter,
    SideLeft,
    SideRight,
    TopCenter,
    TopFrontLeft,
    TopFrontCenter,
    TopFrontRight,
    TopBackLeft,
    TopBackCenter,
    TopBackRight,
    /// A channel whose place nobody stated.
    Unknown,
}

impl ChannelPosition {
    /// Whether the loudspeaker is above the listener.
    fn is_above(self) -> bool {
        (P::TopCenter..=P::TopBackRight).contains(&self)
    }
}

use ChannelPosition as P;

/// All positions that have a bit in the mask, in its order.
const MASK_ORDER: [P; 18] = [
    P::FrontLeft,
    P::FrontRight,
    P::FrontCenter,
    P::LowFrequency,
    P::BackLeft,
    P::BackRight,
    P::FrontLeftOfCenter,
    P::FrontRightOfCenter,
    P::BackCenter,
    P::SideLeft,
    P::SideRight,
    P::TopCenter,
    P::TopFrontLeft,
    P::TopFrontCenter,
    P::TopFrontRight,
    P::TopBackLeft,
    P::TopBackCenter,
    P::TopBackRight,
];

/// The loudspeakers above of 5.1.4 and 7.1.4.
const TOP_FOUR: [P; 4] = [P::TopFrontLeft, P::TopFrontRight, P::TopBackLeft, P::TopBackRight];

/// The channels of a stream in the order they are stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ChannelLayout(Vec<ChannelPosition>);

impl ChannelLayout {
    /// A layout from its positions in stored order.
    pub fn new(positions: Vec<ChannelPosition>) -> Self {
        Self(positions)
    }

    /// The usual layout of a count of channels: mono, stereo, 3.0, quad, 5.0, 5.1 (L R C LFE Ls Rs),
    /// 6.1, 7.1, 5.1.4 (ten) and 7.1.4 (twelve: 7.1, then the front and the back pair above), all in the
    /// order of the mask; any other count has unknown places.
    ///
    /// Source: ITU-R BS.2051-3, systems B (5.1), D (5.1.4) and J (7.1.4); of the layouts with ten and
    /// twelve channels these are the ones that `FFmpeg` assumes where a file states none.
    pub fn usual(channel_count: usize) -> Self {
        let positions: &[P] = match channel_count {
            1 => &[P::FrontCenter],
            2 => &[P::FrontLeft, P::FrontRight],
            3 => &[P::FrontLeft, P::FrontRight, P::FrontCenter],
            4 => &[P::FrontLeft, P::FrontRight, P::BackLeft, P::BackRight],
            5 => &[P::FrontLeft, P::FrontRight, P::FrontCenter, P::BackLeft, P::BackRight],
            6 => &MASK_ORDER[..6],
            7 => &[
                P::FrontLeft,
                P::FrontRight,
                P::FrontCenter,
                P::LowFrequency,
                P::BackCenter,
                P::SideLeft,
                P::SideRight,
            ],
            8 => &[
                P::FrontLeft,
                P::FrontRight,
                P::FrontCenter,
                P::LowFrequency,
                P::BackLeft,
                P::BackRight,
                P::SideLeft,
                P::SideRight,
            ],
            10 => return Self([&MASK_ORDER[..6], &TOP_FOUR].concat()),
            12 => return Self([Self::usual(8).positions(), &TOP_FOUR].concat()),
            _ => return Self(vec![P::Unknown; channel_count]),
        };
        Self(positions.to_vec())
    }

    /// The layout a WAVE channel mask describes for `channel_count` channels.
    ///
    /// A mask with too few bits leaves the rest unknown, one with too many is cut; a mask of 0 means
    /// the usual layout.
    pub fn from_mask(mask: u32, channel_count: usize) -> Self {
        if mask == 0 {
            return Self::usual(channel_count);
        }
        let mut positions: Vec<P> = (0..MASK_ORDER.len())
            .filter(|bit| mask & (1 << bit) != 0)
            .map(|bit| MASK_ORDER[bit])
            .take(channel_count)
            .collect();
        positions.resize(channel_count, P::Unknown);
        Self(positions)
    }

    /// The WAVE channel mask, or `None` when a place is unknown or out of the mask's order.
    pub fn mask(&self) -> Option<u32> {
        let ascending = self.0.windows(2).all(|pair| pair[0] < pair[1]);
        let known = self.0.iter().all(|&position| position != P::Unknown);
        (ascending && known)
            .then(|| self.0.iter().fold(0, |mask, &position| mask | 1 << position as u32))
    }

    /// The same channels in the mask's order, unknown ones last, and for each its index in this one.
    pub fn into_mask_order(self) -> (Self, Vec<usize>) {
        let mut indices: Vec<usize> = (0..self.0.len()).collect();
        indices.sort_by_key(|&index| self.0[index]);
        (Self(indices.iter().map(|&index| self.0[index]).collect()), indices)
    }

    /// Number of channels.
    pub fn channel_count(&self) -> usize {
        self.0.len()
    }

    /// The positions in stored order.
    pub fn positions(&self) -> &[ChannelPosition] {
        &self.0
    }

    /// Index of the channel at a position, if there is one.
    pub fn index_of(&self, position: ChannelPosition) -> Option<usize> {
        self.0.iter().position(|&other| other == position)
    }
}

impl fmt::Display for ChannelLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("mono"),
            2 => f.write_str("stereo"),
            count if self.index_of(P::LowFrequency).is_some() => {
                let above = self.0.iter().filter(|&&p| p.is_above()).count();
                write!(f, "{}.1", count - 1 - above)?;
                if above > 0 { write!(f, ".{above}") } else { Ok(()) }
            }
            count => write!(f, "{count} channels"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_of_5_1_is_0x3f() {
        assert_eq!(ChannelLayout::usual(6).mask(), Some(0x3f));
        assert_eq!(ChannelLayout::from_mask(0x3f, 6), ChannelLayout::usual(6));
    }

    #[test]
    fn mask_with_too_few_bits_leaves_places_unknown() {
        let layout = ChannelLayout::from_mask(0b11, 3);
        assert_eq!(layout.positions(), [P::FrontLeft, P::FrontRight, P::Unknown]);
        assert_eq!(layout.mask(), None);
    }

    #[test]
    fn channels_are_sorted_into_the_order_of_the_mask() {
        let stored = ChannelLayout::new(vec![P::Unknown, P::FrontCenter, P::FrontLeft, P::Unknown]);
        let (sorted, indices) = stored.into_mask_order();
        assert_eq!(sorted.positions(), [P::FrontLeft, P::FrontCenter, P::Unknown, P::Unknown]);
        assert_eq!(indices, [2, 1, 0, 3]);
    }

    #[test]
    fn usual_layouts_have_masks() {
        for count in [1, 2, 3, 4, 5, 6, 7, 8, 10, 12] {
            let layout = ChannelLayout::usual(count);
            assert_eq!(ChannelLayout::from_mask(layout.mask().unwrap(), count), layout);
        }
    }

    #[test]
    fn layouts_with_loudspeakers_above_are_in_the_order_of_the_mask() {
        // FL FR FC LFE BL BR (SL SR) TFL TFR TBL TBR: bits 0-5, 9, 10, 12, 14, 15 and 17.
        assert_eq!(ChannelLayout::usual(10).mask(), Some(0x2d03f));
        assert_eq!(ChannelLayout::usual(12).mask(), Some(0x2d63f));
    }

    #[test]
    fn layouts_are_named_by_their_loudspeakers() {
        let names = [1, 2, 5, 6, 8, 10, 12].map(|count| ChannelLayout::usual(count).to_string());
        assert_eq!(names, ["mono", "stereo", "5 channels", "5.1", "7.1", "5.1.4", "7.1.4"]);
    }
}
