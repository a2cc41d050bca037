//! Text of tags as it is kept.

use wavemill_audio::limits::TAG_TEXT_BYTES_MAX;

/// The text without surrounding blanks and without the zeros and control characters that some
/// writers pad with; at most [`TAG_TEXT_BYTES_MAX`] bytes. `None` when nothing is left.
pub(crate) fn clean(text: &str) -> Option<String> {
    // ID3v2.4 separates several values by a zero.
    let values = text.split('\0').map(str::trim).filter(|value| !value.is_empty());
    let joined = values.collect::<Vec<_>>().join("; ");
    let is_kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    let mut kept: String = joined.chars().filter(is_kept).collect();
    kept.truncate(kept.floor_char_boundary(TAG_TEXT_BYTES_MAX));
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// Text in fields that the standard calls ASCII: writers put UTF-8 or Latin-1 there.
pub(super) fn from_latin1(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// The numbers of `3`, `03` or `3/12`.
pub(super) fn number_pair(text: &str) -> (Option<u32>, Option<u32>) {
    let mut parts = text.splitn(2, '/').map(|part| part.trim().parse().ok());
    (parts.next().flatten(), parts.next().flatten())
}

/// The year a date starts with.
pub(super) fn year_of(date: &str) -> Option<u32> {
    let digits = date.get(..4)?;
    let is_year = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_year.then(|| digits.parse().ok()).flatten().filter(|&year| year > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_joins_values_and_drops_padding() {
        assert_eq!(clean(" One\0Two \0\0").as_deref(), Some("One; Two"));
        assert_eq!(clean("a\u{7}b\nc").as_deref(), Some("ab\nc"));
        assert_eq!(clean(" \0 "), None);
    }

    #[test]
    fn clean_cuts_at_a_character() {
        let cut = clean(&"\u{e9}".repeat(TAG_TEXT_BYTES_MAX)).unwrap();
        assert_eq!(cut.len(), TAG_TEXT_BYTES_MAX);
        assert!(cut.chars().all(|c| c == '\u{e9}'));
    }

    #[test]
    fn numbers_may_carry_their_total() {
        assert_eq!(number_pair("3/12"), (Some(3), Some(12)));
        assert_eq!(number_pair("03"), (Some(3), None));
        assert_eq!(number_pair("A1"), (None, None));
    }

    #[test]
    fn year_needs_four_digits() {
        assert_eq!(year_of("2024-05-01"), Some(2024));
        assert_eq!(year_of("99"), None);
        assert_eq!(year_of("May 2024"), None);
    }
}
