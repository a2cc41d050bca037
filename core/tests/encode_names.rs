//! What formats are called, in pipelines and commands.

use wavemill_core::encode::{FORMATS, format, format_words, missing_formats};

#[test]
fn names_and_extensions_find_every_format() {
    for descriptor in FORMATS {
        for word in [descriptor.name, descriptor.extension] {
            assert_eq!(format(word).unwrap().name, descriptor.name);
            assert_eq!(format(&word.to_uppercase()).unwrap().name, descriptor.name);
        }
    }
    let meant = |word: &str| format(word).map(|format| format.name);
    assert_eq!(
        ["aif", "aifc", "wave", "au"].map(meant),
        [Some("aiff"), Some("aiff"), Some("wav"), None]
    );
}

#[test]
fn names_mean_one_format_each() {
    let mut words: Vec<_> = format_words().collect();
    words.sort_unstable();
    let count = words.len();
    words.dedup();
    assert_eq!(words.len(), count);
}

#[test]
fn names_of_what_is_not_built_in_are_known_by_every_word_for_it() {
    use wavemill_core::encode::missing_format;
    let is_built = format("aac").is_some();
    assert_eq!(missing_formats().any(|(name, _)| name == "aac"), !is_built);
    for word in ["aac", "m4a"] {
        assert_eq!(missing_format(word), (!is_built).then_some(("aac", "fdk-aac")));
    }
    assert_eq!(["wav", "au"].map(missing_format), [None; 2]);
}
