//! The order of channels in Vorbis and Opus.
//!
//! Sources: Xiph.Org, "Vorbis I specification", 4.3.9; RFC 7845, 5.1.1.2, which takes it over.

use ChannelPosition::{
    BackCenter as Bc, BackLeft as Bl, BackRight as Br, FrontCenter as C, FrontLeft as L,
    FrontRight as R, LowFrequency as Lfe, SideLeft as Sl, SideRight as Sr,
};
use wavemill_audio::{ChannelLayout, ChannelPosition};

/// Most channels that have an order.
pub(crate) const CHANNEL_COUNT_MAX: usize = 8;

/// By channel count, from one on.
const ORDERS: [&[ChannelPosition]; CHANNEL_COUNT_MAX] = [
    &[C],
    &[L, R],
    &[L, C, R],
    &[L, R, Bl, Br],
    &[L, C, R, Bl, Br],
    &[L, C, R, Bl, Br, Lfe],
    &[L, C, R, Sl, Sr, Bc, Lfe],
    &[L, C, R, Sl, Sr, Bl, Br, Lfe],
];

/// For each channel in this order the index of that channel in `layout`; `None` where the order has no
/// such channels. A pair at the sides counts as the rear one where there is no other.
pub(crate) fn indices(layout: &ChannelLayout) -> Option<Vec<usize>> {
    let order = ORDERS.get(layout.channel_count().checked_sub(1)?)?;
    // One channel is mono, wherever it is said to stand.
    if order.len() == 1 {
        return Some(vec![0]);
    }
    let at_sides = |position| match position {
        Bl => Some(Sl),
        Br => Some(Sr),
        _ => None,
    };
    let find = |&position: &ChannelPosition| {
        let beside = || layout.index_of(at_sides(position)?);
        layout.index_of(position).or_else(beside)
    };
    let found: Vec<usize> = order.iter().map(find).collect::<Option<_>>()?;
    let is_each_once = (0..order.len()).all(|index| found.contains(&index));
    is_each_once.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_layouts_have_an_order_and_the_center_comes_second() {
        let of = |count| indices(&ChannelLayout::usual(count));
        assert_eq!(of(1), Some(vec![0]));
        assert_eq!(of(2), Some(vec![0, 1]));
        assert_eq!(of(3), Some(vec![0, 2, 1]));
        assert_eq!(of(4), Some(vec![0, 1, 2, 3]));
        assert_eq!(of(5), Some(vec![0, 2, 1, 3, 4]));
        assert_eq!(of(6), Some(vec![0, 2, 1, 4, 5, 3]));
        assert_eq!(of(7), Some(vec![0, 2, 1, 5, 6, 4, 3]));
        assert_eq!(of(8), Some(vec![0, 2, 1, 6, 7, 4, 5, 3]));
        assert_eq!((of(0), of(9)), (None, None));
    }

    #[test]
    fn surround_at_the_sides_is_the_rear_pair_and_strange_layouts_have_no_order() {
        let five_one = ChannelLayout::from_mask(0x60f, 6);
        assert_eq!(indices(&five_one), Some(vec![0, 2, 1, 4, 5, 3]));
        assert_eq!(indices(&ChannelLayout::from_mask(0x5, 2)), None);
        assert_eq!(indices(&ChannelLayout::from_mask(0x107, 4)), None);
    }
}
