//! Text that modules say, made safe to show.

use thiserror::Error;

/// Why there is no text at an address.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum TextError {
    /// The address is outside the memory.
    #[error("returned the address {address}, which is outside its memory of {memory_bytes} bytes")]
    OutOfBounds {
        /// What it returned.
        address: u32,
        /// Size of the memory.
        memory_bytes: usize,
    },
    /// No zero byte ends it.
    #[error("returned text that no zero byte ends within {limit} bytes")]
    Unterminated {
        /// Most bytes looked at.
        limit: usize,
    },
}

/// The bytes at `address` up to, without, the first zero byte, of which there are at most `limit`.
pub(crate) fn terminated(memory: &[u8], address: u32, limit: usize) -> Result<&[u8], TextError> {
    let rest = memory
        .get(address as usize..)
        .filter(|rest| !rest.is_empty())
        .ok_or(TextError::OutOfBounds { address, memory_bytes: memory.len() })?;
    let window = &rest[..rest.len().min(limit + 1)];
    let end = window.iter().position(|&byte| byte == 0);
    end.map(|end| &window[..end]).ok_or(TextError::Unterminated { limit })
}

/// One line without control characters; what is not UTF-8 is replaced. `None` when nothing is left.
pub(crate) fn line(bytes: &[u8], bytes_max: usize) -> Option<String> {
    let bytes = &bytes[..bytes.len().min(bytes_max)];
    let clean: String = String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let trimmed = clean.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// An `AssemblyScript` string: UTF-16, its byte length in the four bytes before `address`. `None` for
/// address 0, for what lies outside the memory, and for nothing.
pub(crate) fn assembly_script(memory: &[u8], address: u32, bytes_max: usize) -> Option<String> {
    let start = address as usize;
    let header = memory.get(start.checked_sub(4)?..start)?;
    let length = u32::from_le_bytes(header.try_into().ok()?) as usize;
    let bytes = memory.get(start..start.checked_add(length.min(bytes_max) & !1)?)?;
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: String =
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    line(text.as_bytes(), bytes_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ends_at_the_first_zero() {
        assert_eq!(terminated(b"ab\0cd\0", 0, 10), Ok(&b"ab"[..]));
        assert_eq!(terminated(b"ab\0cd\0", 3, 2), Ok(&b"cd"[..]));
    }

    #[test]
    fn text_without_an_end_is_refused() {
        assert_eq!(terminated(b"abcd\0", 0, 3), Err(TextError::Unterminated { limit: 3 }));
        assert_eq!(terminated(b"abcd", 0, 30), Err(TextError::Unterminated { limit: 30 }));
    }

    #[test]
    fn address_outside_is_refused() {
        for address in [4, 5, u32::MAX] {
            let expected = TextError::OutOfBounds { address, memory_bytes: 4 };
            assert_eq!(terminated(b"abc\0", address, 9), Err(expected));
        }
    }

    #[test]
    fn line_has_no_control_characters() {
        assert_eq!(line(b"a\nb\x1b[2J", 99).as_deref(), Some("a b [2J"));
        assert_eq!(line(b"abc\xff", 99).as_deref(), Some("abc\u{fffd}"));
        assert_eq!(line(b" \n", 99), None);
        assert_eq!(line(b"abcdef", 3).as_deref(), Some("abc"));
    }

    #[test]
    fn string_of_assembly_script_is_decoded() {
        let memory = [4, 0, 0, 0, b'h', 0, b'i', 0];
        assert_eq!(assembly_script(&memory, 4, 99).as_deref(), Some("hi"));
        for outside in [0, 3, 5, 9, u32::MAX] {
            assert_eq!(assembly_script(&memory, outside, 99), None, "{outside}");
        }
    }
}
