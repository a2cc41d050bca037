//! Damage to the bytes of a module: anywhere, and along its sections.

use crate::check::Random;

/// Bytes with a special meaning: ends of ranges, opcodes of blocks, calls, memory and constants.
const SPECIAL: &[u8] = &[
    0x00, 0x01, 0x02, 0x03, 0x04, 0x0b, 0x0c, 0x0d, 0x10, 0x11, 0x20, 0x21, 0x28, 0x36, 0x40, 0x41,
    0x43, 0x7c, 0x7d, 0x7e, 0x7f, 0x80, 0xfd, 0xfe, 0xff,
];

/// Damages a module in one of many ways.
pub(super) fn damage(module: &mut Vec<u8>, random: &mut Random) {
    if module.len() < 9 {
        return;
    }
    // The first eight bytes say that it is a module; damaged, they end everything early.
    let from = if random.below(50) == 0 { 0 } else { 8 };
    let at = from + random.below(module.len() - from);
    match random.below(9) {
        0 => module[at] ^= 1 << random.below(8),
        1 | 2 => module[at] = SPECIAL[random.below(SPECIAL.len())],
        3 => module[at] = random.byte(),
        4 => module.truncate(at),
        5 => drop(module.drain(at..(at + 1 + random.below(8)).min(module.len()))),
        6 => {
            let end = (at + 1 + random.below(64)).min(module.len());
            let copy = module[at..end].to_vec();
            let place = 8 + random.below(module.len() - 8);
            module.splice(place..place, copy);
        }
        _ => damage_sections(module, random),
    }
}

/// Number of a section, and where it begins and ends with its head.
type Section = (u8, usize, usize);

fn sections(module: &[u8]) -> Vec<Section> {
    let mut found = Vec::new();
    let mut at = 8;
    while at < module.len() {
        let Some((size, head)) = leb(&module[at + 1..]) else { break };
        let end = (at + 1 + head).saturating_add(size);
        if end > module.len() {
            break;
        }
        found.push((module[at], at, end));
        at = end;
    }
    found
}

/// An unsigned LEB128 number and its bytes.
fn leb(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0usize;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// Drops, repeats, exchanges, renames or lies about the length of a section.
fn damage_sections(module: &mut Vec<u8>, random: &mut Random) {
    let sections = sections(module);
    if sections.is_empty() {
        return;
    }
    let (_, start, end) = sections[random.below(sections.len())];
    let (_, other_start, other_end) = sections[random.below(sections.len())];
    match random.below(5) {
        0 => drop(module.drain(start..end)),
        1 => {
            let copy = module[start..end].to_vec();
            module.splice(other_start..other_start, copy);
        }
        2 if end <= other_start => {
            let (first, second) =
                (module[start..end].to_vec(), module[other_start..other_end].to_vec());
            module.splice(other_start..other_end, first);
            module.splice(start..end, second);
        }
        3 => module[start] = random.byte() % 15,
        _ => module[start + 1] = random.byte(),
    }
}
