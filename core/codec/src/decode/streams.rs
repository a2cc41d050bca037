//! Names for the audio streams of a file that has several, of which the first is read.

use std::fmt;
use wavemill_audio::ChannelLayout;

/// What is reported of a stream that is left out.
#[derive(Clone, Debug)]
pub(super) struct StreamName {
    pub(super) codec: String,
    /// 0 when it is not known.
    pub(super) channel_count: usize,
    /// As the container writes it; `None` when it does not say.
    pub(super) language: Option<String>,
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.codec)?;
        if self.channel_count > 0 {
            write!(f, " {}", ChannelLayout::usual(self.channel_count.min(64)))?;
        }
        match &self.language {
            Some(language) => write!(f, " ({language})"),
            None => Ok(()),
        }
    }
}

/// Most streams named one by one.
const NAMED_COUNT_MAX: usize = 8;

/// What is reported of a file whose streams `names` are left out; nothing when there are none.
pub(super) fn left_out(names: &[StreamName]) -> Vec<String> {
    let mut named: Vec<_> = names.iter().take(NAMED_COUNT_MAX).map(ToString::to_string).collect();
    if names.len() > NAMED_COUNT_MAX {
        named.push("...".to_owned());
    }
    let named = named.join(", ");
    match names.len() {
        0 => Vec::new(),
        1 => vec![format!("1 more audio stream was ignored: {named}")],
        count => vec![format!("{count} more audio streams were ignored: {named}")],
    }
}

/// A language code that can be shown: lower-case letters and hyphens, and not the one for "unknown".
pub(super) fn language(code: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_shown = (2..=35).contains(&code.len()) && code.chars().all(is_plain) && code != "und";
    is_shown.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_left_out_are_counted_and_named() {
        let vorbis =
            StreamName { codec: "Vorbis".to_owned(), channel_count: 2, language: language("eng") };
        let aac = StreamName { codec: "AAC".to_owned(), channel_count: 6, language: None };
        assert_eq!(left_out(&[]), Vec::<String>::new());
        assert_eq!(
            left_out(std::slice::from_ref(&vorbis)),
            ["1 more audio stream was ignored: Vorbis stereo (eng)"]
        );
        assert_eq!(
            left_out(&[vorbis, aac]),
            ["2 more audio streams were ignored: Vorbis stereo (eng), AAC 5.1"]
        );
    }

    #[test]
    fn languages_that_are_none_are_not_shown() {
        assert_eq!(language("und"), None);
        assert_eq!(language("x"), None);
        assert_eq!(language("a\nb"), None);
        assert_eq!(language("pt-BR").as_deref(), Some("pt-BR"));
    }
}
