//! Spectral band replication (HE-AAC) that no header announces.
//!
//! Source: ISO/IEC 14496-3:2019, 1.6.5.2 (implicit signaling): only the fill elements of the packets
//! tell. A packet's elements can be found from its front by decoding them alone; the last ones, though,
//! can be looked for from its end, where the terminator and up to seven zeros stand. A stretch that
//! happens to look like such an element is found in one or two of a hundred packets of other streams;
//! in most of several it is no chance.

/// Element of 3 bits that ends a packet.
const TERMINATOR: u32 = 7;

/// Fill element.
const FILL: u32 = 6;

/// Types of a fill element's payload: replication without and with a checksum.
const REPLICATION: [u32; 2] = [13, 14];

/// Payloads that only fill, without and with a pattern.
const FILLINGS: [u32; 2] = [0, 1];

/// Whether three of four of these packets end in data for spectral band replication. The first ones of a
/// stream may have none.
pub(in crate::decode) fn has_replication(packets: &[Vec<u8>]) -> bool {
    let count = packets.iter().filter(|packet| ends_in_replication(packet)).count();
    packets.len() > 2 && 4 * count >= 3 * packets.len()
}

fn ends_in_replication(packet: &[u8]) -> bool {
    let Some(last) = packet.iter().rposition(|&byte| byte != 0) else { return false };
    let end = last * 8 + 8 - packet[last].trailing_zeros() as usize;
    if packet.len() * 8 - end > 7 || bits(packet, end, 3) != Some(TERMINATOR) {
        return false;
    }
    let holds = |end| fills(packet, end).any(|(_, kind)| kind.is_some_and(is_replication));
    // Filling may follow the data.
    let is_filling = |kind: Option<u32>| kind.is_none_or(|kind| FILLINGS.contains(&kind));
    let mut last = fills(packet, end - 3);
    holds(end - 3) || last.any(|(start, kind)| is_filling(kind) && holds(start))
}

fn is_replication(kind: u32) -> bool {
    REPLICATION.contains(&kind)
}

/// Where the fill elements that could end at bit `end` start, and the types of their payloads; those of 0
/// bytes have none.
fn fills(packet: &[u8], end: usize) -> impl Iterator<Item = (usize, Option<u32>)> {
    // A count of 15 is followed by 8 bits that add to it, less 1.
    (0..15 + 255).filter_map(move |count: u32| {
        let payload = end.checked_sub(8 * count as usize)?;
        let (head, head_bits) = match count {
            ..15 => (FILL << 4 | count, 7),
            _ => (FILL << 12 | 15 << 8 | (count - 14), 15),
        };
        let start = payload.checked_sub(head_bits)?;
        let is_head = bits(packet, payload, head_bits)? == head;
        let kind = if count == 0 { None } else { bits(packet, payload + 4, 4) };
        is_head.then_some((start, kind))
    })
}

/// The `count` bits before bit `end`.
fn bits(packet: &[u8], end: usize, count: usize) -> Option<u32> {
    let start = end.checked_sub(count)?;
    (end <= packet.len() * 8).then(|| {
        (start..end)
            .fold(0, |value, bit| value << 1 | u32::from(packet[bit / 8] >> (7 - bit % 8) & 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of these fields of (value, bits).
    fn packet(fields: &[(u32, usize)]) -> Vec<u8> {
        let bits = fields.iter().flat_map(|&(value, count)| {
            (0..count).rev().map(move |bit| u8::from(value >> bit & 1 == 1))
        });
        let bits: Vec<u8> = bits.collect();
        bits.chunks(8)
            .map(|c| c.iter().enumerate().fold(0, |b, (i, bit)| b | bit << (7 - i)))
            .collect()
    }

    #[test]
    fn replication_at_the_end_of_every_packet_is_found() {
        let short = packet(&[(0x155, 9), (6, 3), (2, 4), (13, 4), (0xabc, 12), (7, 3)]);
        let filled =
            packet(&[(1, 5), (6, 3), (1, 4), (14, 4), (9, 4), (6, 3), (1, 4), (0, 8), (7, 3)]);
        let long = [vec![(1, 3), (6, 3), (15, 4), (2, 8), (13, 4), (1, 4)], vec![(0x77, 8); 15]];
        let long = packet(&[long.concat(), vec![(7, 3)]].concat());
        assert!(has_replication(&[short.clone(), filled, long]));
        let empty = packet(&[(3, 5), (6, 3), (1, 4), (14, 4), (9, 4), (6, 3), (0, 4), (7, 3)]);
        assert!(has_replication(&[short.clone(), short.clone(), empty]));
        let plain = packet(&[(0x155, 9), (6, 3), (2, 4), (0, 4), (0xabc, 12), (7, 3)]);
        assert!(!has_replication(&[short.clone(), plain, short]));
    }

    #[test]
    fn few_or_empty_packets_prove_nothing() {
        assert!(!has_replication(&[]));
        assert!(!has_replication(&[vec![], vec![0; 40], vec![7]]));
    }
}
