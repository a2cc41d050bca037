//! What flags of several commands mean, and messages about a pipeline that flags made, in the words of these.

use super::export::step_flags::{EDITS, LEVELS, StepFlag};
use wavemill_core::decode::Damaged;

/// Keys of an export, and the flags of `wavemill export` that stand for them.
const FLAGS: [(&str, &str); 9] = [
    ("bit_depth", "--bit-depth"),
    ("bit_rate_kbps", "--bit-rate"),
    ("bit_rate_mode", "--bit-rate-mode"),
    ("channels", "--channels"),
    ("compression_level", "--compression-level"),
    ("dither", "--dither"),
    ("sample_format", "--sample-format"),
    ("sample_rate_hz", "--sample-rate"),
    ("vbr_quality", "--vbr-quality"),
];

/// What `--damaged` of several commands is given.
pub(super) fn damaged(name: &str) -> Result<Damaged, String> {
    Damaged::of_name(name).ok_or_else(|| format!("expected one of {}", Damaged::NAMES.join(", ")))
}

/// A message with flags where it has keys: `` `sample_rate_hz = 48000` `` is `` `--sample-rate 48000` ``. Keys of
/// steps are named for the step that it is about, else those that mean one flag only; a step is named by its first flag.
pub(super) fn in_flags(message: &str, step: Option<&str>) -> String {
    let (step, message) = match failed_step(message) {
        Some((step, reason)) => (Some(step), reason),
        None => (step, message),
    };
    let mut text = message.to_owned();
    let flags = || EDITS.iter().chain(LEVELS).filter_map(|flag| Some((flag.key()?, flag)));
    let is_clear = |key: &str, flag: &StepFlag| {
        flags().all(|(other, its)| other != key || its.name == flag.name)
    };
    let of_steps = flags().filter(|(key, flag)| match step {
        Some(step) => flag.steps.contains(&step),
        None => is_clear(key, flag),
    });
    let of_steps = of_steps.map(|(key, flag)| (key, format!("--{}", flag.name)));
    let others = FLAGS.map(|(key, flag)| (key, flag.to_owned()));
    for (key, flag) in of_steps.chain(others) {
        text = text.replace(&format!("`{key} = "), &format!("`{flag} "));
        text = text.replace(&format!("`{key}`"), &format!("`{flag}`"));
    }
    for flag in EDITS.iter().chain(LEVELS) {
        text = text.replace(&format!("`{}`", flag.steps[0]), &format!("`--{}`", flag.name));
    }
    text
}

/// The step that cannot run, and why: nobody who gave flags named it.
fn failed_step(message: &str) -> Option<(&str, &str)> {
    message.strip_prefix("step `")?.split_once("` cannot run: ")
}

/// The step that a line, counted from 1, of a pipeline made of flags belongs to.
pub(super) fn step_at(pipeline: &str, line: usize) -> Option<&str> {
    let before: Vec<&str> = pipeline.lines().take(line).collect();
    // Every step says first which it is, and an export is none.
    let section = before.iter().rposition(|line| line.starts_with("[["))?;
    let name = before.get(section + 1)?.strip_prefix("use = \"")?;
    name.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_flags_with_and_without_a_value() {
        assert_eq!(
            in_flags("use `sample_rate_hz = 48000`, or remove `vbr_quality`", None),
            "use `--sample-rate 48000`, or remove `--vbr-quality`"
        );
        assert_eq!(in_flags("the channels of `a.wav`", None), "the channels of `a.wav`");
        assert_eq!(
            in_flags("step `range` cannot run: `start_s` is 99 s, but the audio lasts 33 s", None),
            "`--start` is 99 s, but the audio lasts 33 s"
        );
        assert_eq!(
            in_flags("opus cannot store 44100 Hz, the output of `resample`", None),
            "opus cannot store 44100 Hz, the output of `--sample-rate`"
        );
    }

    #[test]
    fn keys_of_several_steps_are_named_for_the_step() {
        let pipeline = "version = 1\n\n[[step]]\nuse = \"pad\"\nwith = { start_s = -1 }\n\n[[export]]\nx = 1\n";
        assert_eq!(
            [1, 4, 5, 8].map(|line| step_at(pipeline, line)),
            [None, Some("pad"), Some("pad"), None]
        );
        let named = |step| in_flags("`start_s` is -1 s", step);
        assert_eq!(named(Some("pad")), "`--pad-start` is -1 s");
        assert_eq!(named(Some("range")), "`--start` is -1 s");
        assert_eq!(named(None), "`start_s` is -1 s");
        assert_eq!(
            in_flags("`target_lufs` and `ceiling_dbtp`", None),
            "`--loudness` and `--ceiling`"
        );
    }
}
