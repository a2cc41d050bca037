//! What a misspelled word was meant to be: one measure for pipelines, configuration, effects and commands.

/// The known word nearest to a misspelled one, if one is near enough to be meant.
pub fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let plain = |word: &str| word.to_lowercase().replace('_', "-");
    let typed = plain(word);
    known
        .map(|known| (strsim::jaro_winkler(&typed, &plain(known)), known))
        .filter(|&(likeness, _)| likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// Jaro-Winkler likeness from which a word counts as a misspelling of another: one or two wrong
/// letters in a word of six pass, unrelated words do not.
const LIKENESS_MIN: f64 = 0.8;

/// `did you mean ...?`, or the list of what is known.
pub fn did_you_mean<'w>(
    word: &str,
    what: &str,
    known: impl Iterator<Item = &'w str> + Clone,
) -> String {
    match nearest(word, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{what}: {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// As [`did_you_mean`], of names that are made of words: where none is near, those with a word of the one that was
/// typed, as `podcast` and `apple-music` for `apple-podcasts`.
pub fn did_you_mean_one_of<'w>(
    word: &str,
    what: &str,
    known: impl Iterator<Item = &'w str> + Clone,
) -> String {
    let typed = word.to_lowercase().replace(['_', ' '], "-");
    let is_near = |near: &str| strsim::jaro_winkler(&typed, near) >= NAME_LIKENESS_MIN;
    if nearest(word, known.clone()).is_some_and(is_near) {
        return did_you_mean(word, what, known);
    }
    // The share of words in common; names that come first are the better known.
    let share = |name: &str| {
        let words = name.split('-');
        let common =
            words.clone().filter(|word| typed.split('-').any(|typed| is_same(typed, word)));
        common.count() as f64 / words.count() as f64
    };
    let mut names: Vec<_> = known.clone().filter(|name| share(name) > 0.0).collect();
    names.sort_by(|a, b| share(b).total_cmp(&share(a)));
    names.truncate(NAMES_MAX);
    match names.as_slice() {
        [] => did_you_mean(word, what, known),
        [name] => format!("did you mean `{name}`?"),
        [names @ .., last] => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("did you mean {} or `{last}`?", names.join(", "))
        }
    }
}

/// Jaro-Winkler likeness from which a name of several words is surely misspelled: `aple-music` has 0.97,
/// `apple-podcasts` 0.83 with `apple-music`.
const NAME_LIKENESS_MIN: f64 = 0.9;

/// Most names that are suggested at once.
const NAMES_MAX: usize = 3;

/// Whether two words are the same but for a plural.
fn is_same(typed: &str, known: &str) -> bool {
    !typed.is_empty() && (typed == known || typed.strip_suffix('s') == Some(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_a_misspelling_and_leaves_strangers_alone() {
        let known = ["cutoff_hz", "gain_db"];
        assert_eq!(nearest("cutof_hz", known.into_iter()), Some("cutoff_hz"));
        assert_eq!(nearest("cutoff-hz", known.into_iter()), Some("cutoff_hz"));
        assert_eq!(nearest("colour", known.into_iter()), None);
        assert_eq!(nearest("Slab", ["Slap", "Plain"].into_iter()), Some("Slap"));
    }
}
