//! Channel layouts as Core Audio names them, in the `CHAN` chunk of AIFF files and
//! the `chan` chunk of CAF.
//!
//! Source: Apple, `CoreAudioBaseTypes.h`: `AudioChannelLayout`, whose first fields are
//! `mChannelLayoutTag` and `mChannelBitmap`, `kAudioChannelLayoutTag_*` with the order of the channels
//! beside each, and `kAudioChannelBit_*`. The chunk holds the fields big-endian.

use super::chunks::u32_be;
use wavemill_audio::{ChannelLayout, ChannelPosition};

/// Bytes of the chunk that are looked at.
pub(super) const CHAN_BYTES: usize = 8;

/// `kAudioChannelLayoutTag_UseChannelBitmap`: the second field says which channels there are, in
/// ascending order.
const USE_CHANNEL_BITMAP: u32 = 1 << 16;

/// Bits of the bitmap that have a position; they are those of the WAVE channel mask.
const BITMAP: u32 = (1 << 18) - 1;

use ChannelPosition::{
    BackCenter as Cs, BackLeft as Bl, BackRight as Br, FrontCenter as C, FrontLeft as L,
    FrontLeftOfCenter as Lc, FrontRight as R, FrontRightOfCenter as Rc, LowFrequency as Lfe,
    SideLeft as Sl, SideRight as Sr,
};

/// Layout tags of loudspeakers with their channels in stored order.
///
/// Left and right surround are the back pair, as `kAudioChannelBit_LeftSurround` is the WAVE mask's,
/// but at the sides where there are channels behind them.
#[rustfmt::skip]
const LAYOUTS: [(u32, &[ChannelPosition]); 33] = [
    (tag(100, 1), &[C]),                            // Mono
    (tag(101, 2), &[L, R]),                         // Stereo
    (tag(102, 2), &[L, R]),                         // StereoHeadphones
    (tag(113, 3), &[L, R, C]),                      // MPEG_3_0_A
    (tag(114, 3), &[C, L, R]),                      // MPEG_3_0_B
    (tag(131, 3), &[L, R, Cs]),                     // ITU_2_1
    (tag(133, 3), &[L, R, Lfe]),                    // DVD_4
    (tag(108, 4), &[L, R, Bl, Br]),                 // Quadraphonic
    (tag(132, 4), &[L, R, Bl, Br]),                 // ITU_2_2
    (tag(185, 4), &[L, R, Bl, Br]),                 // WAVE_4_0_B
    (tag(115, 4), &[L, R, C, Cs]),                  // MPEG_4_0_A
    (tag(116, 4), &[C, L, R, Cs]),                  // MPEG_4_0_B
    (tag(136, 4), &[L, R, C, Lfe]),                 // DVD_10
    (tag(109, 5), &[L, R, Bl, Br, C]),              // Pentagonal
    (tag(117, 5), &[L, R, C, Bl, Br]),              // MPEG_5_0_A
    (tag(118, 5), &[L, R, Bl, Br, C]),              // MPEG_5_0_B
    (tag(119, 5), &[L, C, R, Bl, Br]),              // MPEG_5_0_C
    (tag(120, 5), &[C, L, R, Bl, Br]),              // MPEG_5_0_D
    (tag(186, 5), &[L, R, C, Bl, Br]),              // WAVE_5_0_B
    (tag(135, 5), &[L, R, Lfe, Bl, Br]),            // DVD_6
    (tag(138, 5), &[L, R, Bl, Br, Lfe]),            // DVD_18
    (tag(121, 6), &[L, R, C, Lfe, Bl, Br]),         // MPEG_5_1_A
    (tag(122, 6), &[L, R, Bl, Br, C, Lfe]),         // MPEG_5_1_B
    (tag(123, 6), &[L, C, R, Bl, Br, Lfe]),         // MPEG_5_1_C
    (tag(124, 6), &[C, L, R, Bl, Br, Lfe]),         // MPEG_5_1_D
    (tag(187, 6), &[L, R, C, Lfe, Bl, Br]),         // WAVE_5_1_B
    (tag(125, 7), &[L, R, C, Lfe, Sl, Sr, Cs]),     // MPEG_6_1_A
    (tag(188, 7), &[L, R, C, Lfe, Cs, Sl, Sr]),     // WAVE_6_1
    (tag(126, 8), &[L, R, C, Lfe, Bl, Br, Lc, Rc]), // MPEG_7_1_A
    (tag(127, 8), &[C, Lc, Rc, L, R, Bl, Br, Lfe]), // MPEG_7_1_B
    (tag(128, 8), &[L, R, C, Lfe, Sl, Sr, Bl, Br]), // MPEG_7_1_C
    (tag(129, 8), &[L, R, Bl, Br, C, Lfe, Lc, Rc]), // Emagic_Default_7_1
    (tag(189, 8), &[L, R, C, Lfe, Bl, Br, Sl, Sr]), // WAVE_7_1
];

/// A layout tag: its number, and in the low 16 bits how many channels it has.
const fn tag(number: u32, channel_count: u32) -> u32 {
    number << 16 | channel_count
}

/// The layout that a `CHAN` chunk describes for `channel_count` channels, in stored order; `None`
/// when it is of another count, or described in a way that is not read.
pub(super) fn layout(chan: &[u8], channel_count: usize) -> Option<ChannelLayout> {
    let (tag, bitmap) = (u32_be(chan, 0)?, u32_be(chan, 4)?);
    let layout = if tag == USE_CHANNEL_BITMAP {
        let is_known = bitmap & !BITMAP == 0 && bitmap.count_ones() as usize == channel_count;
        ChannelLayout::from_mask(is_known.then_some(bitmap)?, channel_count)
    } else {
        let (_, positions) = LAYOUTS.iter().find(|(known, _)| *known == tag)?;
        ChannelLayout::new(positions.to_vec())
    };
    (layout.channel_count() == channel_count).then_some(layout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_state_their_channel_counts_and_name_no_channel_twice() {
        for (tag, positions) in LAYOUTS {
            assert_eq!((tag & 0xffff) as usize, positions.len(), "{tag:#x}");
            let mut sorted = positions.to_vec();
            sorted.sort();
            sorted.dedup();
            assert_eq!(sorted.len(), positions.len(), "{tag:#x}");
        }
    }

    #[test]
    fn chunk_that_says_nothing_useful_has_no_layout() {
        let chan = |tag: u32, bitmap: u32| [tag.to_be_bytes(), bitmap.to_be_bytes()].concat();
        assert_eq!(layout(&chan(tag(121, 6), 0), 6), Some(ChannelLayout::usual(6)));
        assert_eq!(layout(&chan(tag(121, 6), 0), 5), None);
        // DiscreteInOrder, UseChannelDescriptions, a bitmap of too few and one of unknown channels.
        assert_eq!(layout(&chan(tag(147, 6), 0), 6), None);
        assert_eq!(layout(&chan(0, 0), 6), None);
        assert_eq!(layout(&chan(USE_CHANNEL_BITMAP, 0b11), 3), None);
        assert_eq!(layout(&chan(USE_CHANNEL_BITMAP, 1 << 18 | 0b11), 3), None);
        assert_eq!(layout(&[0, 121, 0, 6], 6), None);
    }
}
