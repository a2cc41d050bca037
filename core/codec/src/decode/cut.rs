//! Encoder delay and padding: which of the frames that a codec delivers are audio.

use symphonia::core::packet::{Packet, PacketBuilder};
use symphonia::core::units::{Duration, Timestamp};

/// The frames `[start, end)` of all that are decoded; the rest is delay and padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Cut {
    /// The frames `[start, end)` of `decoded` ones, as far as they exist.
    pub(super) fn new(start: u64, end: u64, decoded: u64) -> Self {
        let start = start.min(decoded);
        Self { start, end: end.min(decoded).max(start) }
    }

    /// Frames that are audio.
    pub(super) fn frame_count(self) -> u64 {
        self.end - self.start
    }

    /// A packet of `frame_count` frames, the first of which is frame `first` of all that are decoded;
    /// says how many of them to cut off at either end.
    pub(super) fn packet(self, first: u64, frame_count: u64, data: impl Into<Box<[u8]>>) -> Packet {
        let trim_start = self.start.saturating_sub(first).min(frame_count);
        let end = first.saturating_add(frame_count);
        let trim_end = end.saturating_sub(self.end).min(frame_count - trim_start);
        PacketBuilder::new()
            .track_id(0)
            .pts(Timestamp::new(i64::try_from(first).unwrap_or(i64::MAX)))
            .dur(Duration::new(frame_count - trim_start - trim_end))
            .data(data.into())
            .trim_start(Duration::new(trim_start))
            .trim_end(Duration::new(trim_end))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(cut: Cut, first: u64) -> (u64, u64, u64) {
        let packet = cut.packet(first, 10, Vec::new());
        (packet.trim_start.get(), packet.dur.get(), packet.trim_end.get())
    }

    #[test]
    fn packets_are_cut_where_they_cross_the_ends() {
        let cut = Cut::new(13, 27, 40);
        assert_eq!(
            [0, 10, 20, 30].map(|first| kept(cut, first)),
            [(10, 0, 0), (3, 7, 0), (0, 7, 3), (0, 0, 10)]
        );
        assert_eq!(kept(Cut::new(3, 5, 10), 0), (3, 2, 5));
    }

    #[test]
    fn cut_beyond_what_is_decoded_is_empty() {
        assert_eq!(Cut::new(50, 60, 40).frame_count(), 0);
        assert_eq!(Cut::new(5, 3, 40).frame_count(), 0);
    }
}
