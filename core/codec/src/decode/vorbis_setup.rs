//! Turns the channel couplings of a Vorbis setup header around, and finds its modes.
//!
//! Symphonia 0.6.1 undoes the couplings in the order of the header; the specification (4.3.5) asks
//! for the opposite one. It matters where couplings share a channel, as in 5.1: the channels bleed
//! into each other. With the list turned around, its order is the right one.
//!
//! Source: Xiph.Org, "Vorbis I specification": 2.1 (bit packing), 3.2.1 (codebooks), 4.2.4 (setup
//! header), 6.2.1 and 7.2.2 (floors), 8.6.1 (residues).

/// Turns the couplings of every mapping around. `setup` is the packet with its type and signature;
/// `None` when it is not a setup header as the specification describes it.
pub(super) fn reverse_couplings(setup: &mut [u8], channel_count: u32) -> Option<()> {
    if !setup.starts_with(b"\x05vorbis") {
        return None;
    }
    let channel_bits = bits_for(channel_count.checked_sub(1)?);
    let (lists, _) = find_couplings(setup, channel_count, channel_bits)?;
    for list in lists {
        let step_bits = 2 * channel_bits;
        let steps: Vec<u32> = {
            let mut bits = Bits { bytes: setup, position: list.position };
            (0..list.count).map(|_| bits.read(step_bits)).collect::<Option<_>>()?
        };
        for (index, step) in steps.into_iter().rev().enumerate() {
            write(setup, list.position + index * step_bits as usize, step_bits, step);
        }
    }
    Some(())
}

/// Where the couplings of a mapping stand.
struct CouplingList {
    /// In bits.
    position: usize,
    count: usize,
}

/// For each mode of a setup header whether its block is a long one.
pub(super) fn modes(setup: &[u8], channel_count: u32) -> Option<Vec<bool>> {
    if !setup.starts_with(b"\x05vorbis") {
        return None;
    }
    let channel_bits = bits_for(channel_count.checked_sub(1)?);
    let (_, mut bits) = find_couplings(setup, channel_count, channel_bits)?;
    (0..=bits.read(6)?)
        .map(|_| {
            let is_long = bits.read(1)? == 1;
            bits.skip(16 + 16 + 8)?;
            Some(is_long)
        })
        .collect()
}

/// The couplings of all mappings, and the bits behind the mappings.
fn find_couplings(
    setup: &[u8],
    channel_count: u32,
    channel_bits: u32,
) -> Option<(Vec<CouplingList>, Bits<'_>)> {
    let mut bits = Bits { bytes: setup, position: 7 * 8 };
    for _ in 0..=bits.read(8)? {
        skip_codebook(&mut bits)?;
    }
    for _ in 0..=bits.read(6)? {
        bits.skip(16)?;
    }
    for _ in 0..=bits.read(6)? {
        skip_floor(&mut bits)?;
    }
    for _ in 0..=bits.read(6)? {
        skip_residue(&mut bits)?;
    }
    let mut lists = Vec::new();
    for _ in 0..=bits.read(6)? {
        skip_mapping(&mut bits, channel_count, channel_bits, &mut lists)?;
    }
    Some((lists, bits))
}

fn skip_codebook(bits: &mut Bits<'_>) -> Option<()> {
    const SYNC: u32 = 0x56_4342;
    if bits.read(24)? != SYNC {
        return None;
    }
    let (dimensions, entries) = (bits.read(16)?, bits.read(24)?);
    let is_ordered = bits.read(1)? == 1;
    if is_ordered {
        skip_ordered_lengths(bits, entries)?;
    } else {
        skip_lengths(bits, entries)?;
    }
    let value_count = match bits.read(4)? {
        0 => return Some(()),
        1 => u64::from(lookup_values(entries, dimensions)),
        2 => u64::from(entries) * u64::from(dimensions),
        _ => return None,
    };
    bits.skip(32 + 32)?;
    let value_bits = u64::from(bits.read(4)? + 1);
    bits.skip(1 + value_count * value_bits)
}

fn skip_lengths(bits: &mut Bits<'_>, entries: u32) -> Option<()> {
    let is_sparse = bits.read(1)? == 1;
    if !is_sparse {
        return bits.skip(5 * u64::from(entries));
    }
    for _ in 0..entries {
        let is_used = bits.read(1)? == 1;
        bits.skip(if is_used { 5 } else { 0 })?;
    }
    Some(())
}

fn skip_ordered_lengths(bits: &mut Bits<'_>, entries: u32) -> Option<()> {
    bits.skip(5)?;
    let mut done = 0;
    while done < entries {
        // A count of zero is allowed: it only passes over a length.
        done += bits.read(bits_for(entries - done))?;
    }
    (done == entries).then_some(())
}

/// The largest integer whose power `dimensions` does not exceed `entries`.
fn lookup_values(entries: u32, dimensions: u32) -> u32 {
    let fits = |value: u32| {
        u64::from(value).checked_pow(dimensions).is_some_and(|power| power <= u64::from(entries))
    };
    // With one dimension or more the answer is at most `entries`, which has 24 bits.
    let (mut low, mut high) = (0, entries);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

fn skip_floor(bits: &mut Bits<'_>) -> Option<()> {
    match bits.read(16)? {
        0 => {
            bits.skip(8 + 16 + 16 + 6 + 8)?;
            let books = u64::from(bits.read(4)? + 1);
            bits.skip(8 * books)
        }
        1 => skip_floor_1(bits),
        _ => None,
    }
}

fn skip_floor_1(bits: &mut Bits<'_>) -> Option<()> {
    let partitions = bits.read(5)?;
    let classes: Vec<usize> =
        (0..partitions).map(|_| bits.read(4).map(|class| class as usize)).collect::<Option<_>>()?;
    let class_count = classes.iter().max().map_or(0, |max| max + 1);
    let mut dimensions = [0u64; 16];
    for dimension in &mut dimensions[..class_count] {
        *dimension = u64::from(bits.read(3)? + 1);
        let subclass_bits = bits.read(2)?;
        if subclass_bits > 0 {
            bits.skip(8)?;
        }
        bits.skip(8 << subclass_bits)?;
    }
    bits.skip(2)?;
    let range_bits = u64::from(bits.read(4)?);
    bits.skip(classes.iter().map(|&class| dimensions[class] * range_bits).sum())
}

fn skip_residue(bits: &mut Bits<'_>) -> Option<()> {
    bits.skip(16 + 24 + 24 + 24)?;
    let classifications = bits.read(6)? + 1;
    bits.skip(8)?;
    let mut books = 0;
    for _ in 0..classifications {
        let low = bits.read(3)?;
        let high = if bits.read(1)? == 1 { bits.read(5)? } else { 0 };
        books += u64::from(low.count_ones() + high.count_ones());
    }
    bits.skip(8 * books)
}

/// Skips a mapping and notes its couplings, if it has any.
fn skip_mapping(
    bits: &mut Bits<'_>,
    channel_count: u32,
    channel_bits: u32,
    lists: &mut Vec<CouplingList>,
) -> Option<()> {
    if bits.read(16)? != 0 {
        return None;
    }
    let submaps = if bits.read(1)? == 1 { bits.read(4)? + 1 } else { 1 };
    if bits.read(1)? == 1 {
        let count = bits.read(8)? + 1;
        lists.push(CouplingList { position: bits.position, count: count as usize });
        bits.skip(u64::from(2 * channel_bits * count))?;
    }
    bits.skip(2)?;
    if submaps > 1 {
        bits.skip(4 * u64::from(channel_count))?;
    }
    bits.skip(24 * u64::from(submaps))
}

/// Bits that the largest value needs: the specification's `ilog`.
fn bits_for(value: u32) -> u32 {
    32 - value.leading_zeros()
}

/// Reads bits, the lowest of a byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    position: usize,
}

impl Bits<'_> {
    /// The next up to 24 bits.
    fn read(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for bit in 0..count {
            let byte = *self.bytes.get(self.position / 8)?;
            value |= u32::from(byte >> (self.position % 8) & 1) << bit;
            self.position += 1;
        }
        Some(value)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        let position = (self.position as u64).checked_add(count)?;
        let is_inside = position <= self.bytes.len() as u64 * 8;
        self.position = usize::try_from(position).ok().filter(|_| is_inside)?;
        Some(())
    }
}

fn write(bytes: &mut [u8], position: usize, count: u32, value: u32) {
    for bit in 0..count {
        let position = position + bit as usize;
        let mask = 1 << (position % 8);
        let byte = &mut bytes[position / 8];
        *byte = if value >> bit & 1 == 1 { *byte | mask } else { *byte & !mask };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookup_values_is_the_largest_root() {
        for (entries, dimensions, expected) in
            [(81, 4, 3), (80, 4, 2), (1, 8, 1), (0, 3, 0), (16_777_215, 1, 16_777_215)]
        {
            assert_eq!(lookup_values(entries, dimensions), expected, "{entries} {dimensions}");
        }
    }

    #[test]
    fn bits_are_read_and_written_lowest_first() {
        let mut bytes = [0b1010_0101, 0b0000_0011];
        assert_eq!(Bits { bytes: &bytes, position: 6 }.read(4), Some(0b1110));
        write(&mut bytes, 6, 4, 0b0101);
        assert_eq!(bytes, [0b0110_0101, 0b0000_0001]);
        assert_eq!(Bits { bytes: &bytes, position: 10 }.read(7), None);
    }
}
