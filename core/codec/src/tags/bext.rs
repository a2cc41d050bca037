//! The `bext` chunk of a Broadcast Wave file.
//!
//! Source: EBU Tech 3285, version 2, 2.3.

use super::Broadcast;
use super::text::{clean, from_latin1};

/// Bytes up to and with the time reference; what follows (loudness of the source, `UMID`) would be wrong for
/// processed audio.
const BYTES_MIN: usize = 346;

/// Where the coding history begins, which ends with the chunk.
const HISTORY_AT: usize = 602;

/// Reads the chunk's data; `None` when it is too short or holds nothing.
pub(super) fn parse(data: &[u8]) -> Option<Broadcast> {
    let history = data.get(HISTORY_AT..).unwrap_or_default();
    let history = history.split(|&byte| byte == 0).next().unwrap_or_default();
    let coding_history = clean(&from_latin1(history));
    let data: &[u8; BYTES_MIN] = data.first_chunk()?;
    let text = |range: std::ops::Range<usize>| {
        let field = &data[range];
        let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
        clean(&from_latin1(&field[..end]))
    };
    let time_reference = u64::from_le_bytes(*data.last_chunk()?);
    let broadcast = Broadcast {
        description: text(0..256),
        originator: text(256..288),
        reference: text(288..320),
        date: text(320..330),
        time: text(330..338),
        time_reference: Some(time_reference),
        coding_history,
        loudness: None,
    };
    // A chunk of zeros says nothing, not even midnight.
    let nothing = Broadcast { time_reference: Some(0), ..Broadcast::default() };
    (broadcast != nothing).then_some(broadcast)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bext_fields_end_at_their_first_zero() {
        let mut data = vec![0; 602];
        data.extend(b"A=PCM,F=48000\r\nA=PCM\r\n\0\0");
        data[..9].copy_from_slice(b"Take 3\0xy");
        data[256..288].copy_from_slice(&[b'o'; 32]);
        data[320..330].copy_from_slice(b"2024-05-01");
        data[330..338].copy_from_slice(b"12:30:00");
        data[338..346].copy_from_slice(&0x1_0000_0002_u64.to_le_bytes());
        let broadcast = parse(&data).unwrap();
        assert_eq!(broadcast.description.as_deref(), Some("Take 3"));
        assert_eq!(broadcast.originator.as_deref(), Some("o".repeat(32).as_str()));
        assert_eq!(broadcast.reference, None);
        assert_eq!(broadcast.date.as_deref(), Some("2024-05-01"));
        assert_eq!(broadcast.time.as_deref(), Some("12:30:00"));
        assert_eq!(broadcast.time_reference, Some(0x1_0000_0002));
        assert_eq!(broadcast.coding_history.as_deref(), Some("A=PCM,F=48000\r\nA=PCM"));
    }

    #[test]
    fn bext_of_zeros_or_too_short_is_none() {
        assert_eq!(parse(&[0; 602]), None);
        assert_eq!(parse(&[b'x'; 345]), None);
    }
}
