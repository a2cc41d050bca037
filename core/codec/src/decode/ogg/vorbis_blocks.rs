//! How many frames a Vorbis packet holds.
//!
//! Source: Xiph.Org, "Vorbis I specification", 4.2.2 (block sizes), 4.2.4 (modes), 4.3.1 (a packet's mode),
//! 4.3.8 (a packet's sound reaches from the middle of the block before to the middle of its own).

use crate::decode::vorbis_setup;

/// The lengths of blocks.
pub(super) struct Blocks {
    /// Frames of a short and of a long block.
    lengths: [u64; 2],
    /// For each mode whether its block is long.
    modes: Vec<bool>,
    /// Frames of the block before.
    previous: Option<u64>,
}

impl Blocks {
    /// From the identification and the setup header.
    pub(super) fn new(identification: &[u8], setup: &[u8]) -> Option<Self> {
        let channel_count = u32::from(*identification.get(11)?);
        let sizes = *identification.get(28)?;
        let modes = vorbis_setup::modes(setup, channel_count)?;
        Some(Self { lengths: [1 << (sizes & 15), 1 << (sizes >> 4)], modes, previous: None })
    }

    /// Frames that decoding a packet gives, and how many of them are none of the sound: the first one
    /// only prepares the second.
    pub(super) fn frames(&mut self, packet: &[u8]) -> Option<(u64, u64)> {
        let bits = self.modes.len().saturating_sub(1).checked_ilog2().map_or(0, |bits| bits + 1);
        let mode = u32::from(packet.first()? >> 1) & ((1 << bits) - 1);
        let length = self.lengths[usize::from(*self.modes.get(mode as usize)?)];
        Some(match self.previous.replace(length) {
            Some(previous) => (previous / 4 + length / 4, 0),
            None => (length / 2, length / 2),
        })
    }

    /// Forgets the block before.
    pub(super) fn tear(&mut self) {
        self.previous = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_hold_half_of_their_block_and_half_of_the_one_before() {
        let mut blocks = Blocks { lengths: [256, 2048], modes: vec![false, true], previous: None };
        // A long, a long, a short, a short and a long block.
        let frames = [2, 2, 0, 0, 2].map(|first| blocks.frames(&[first]).unwrap());
        assert_eq!(frames, [(1024, 1024), (1024, 0), (576, 0), (128, 0), (576, 0)]);
        blocks.tear();
        assert_eq!(blocks.frames(&[0]), Some((128, 128)));
        assert_eq!(blocks.frames(&[]), None);
    }
}
