//! A target as it is written in a file.

use toml::Value;
use wavemill_core::delivery::Target;

/// The section of a target, with the keys it has, in the order of the manual. The reader of files makes the same target
/// of it.
pub(super) fn section(target: &Target) -> String {
    let mut lines = vec!["[[target]]".to_owned()];
    let mut key = |key: &str, value: Option<Value>| {
        lines.extend(value.map(|value| format!("{key} = {value}")));
    };
    let text = |text: &str| (!text.is_empty()).then(|| Value::from(text));
    let flag = |flag: bool| flag.then_some(Value::Boolean(true));
    key("id", Some(Value::from(target.id.as_str())));
    key("name", Some(Value::from(target.name.as_str())));
    key("purpose", text(&target.purpose));
    key("integrated_lufs", target.integrated_lufs.map(|lufs| lufs.0.into()));
    key("tolerance_lu", target.tolerance_lu.map(|lu| lu.0.into()));
    key("dialogue_gated", flag(target.is_dialogue_gated));
    key("short_term_max_lufs", target.short_term_max_lufs.map(|lufs| lufs.0.into()));
    key("momentary_max_lufs", target.momentary_max_lufs.map(|lufs| lufs.0.into()));
    key("loudness_range_max_lu", target.loudness_range_max_lu.map(|lu| lu.0.into()));
    key("true_peak_max_dbtp", target.true_peak_max_dbtp.map(|peak| peak.0.into()));
    let louder = target.true_peak_max_if_louder_dbtp;
    key("true_peak_max_if_louder_dbtp", louder.map(|peak| peak.0.into()));
    key("channels", channels(&target.channels));
    key("note", target.note.as_deref().map(Value::from));
    if let Some(playback) = target.playback {
        lines.push("[target.playback]".to_owned());
        lines.push(format!("level_lufs = {}", Value::from(playback.level_lufs.0)));
        lines.push(format!("raises = {}", playback.raises));
        let ceiling = playback.ceiling_dbtp.map(|peak| Value::from(peak.0));
        lines.extend(ceiling.map(|peak| format!("ceiling_dbtp = {peak}")));
    }
    let source = &target.source;
    if !source.document.is_empty() {
        let url = source.url.as_deref().and_then(text);
        let confirmed = flag(source.is_confirmed);
        let keys = [
            ("document", text(&source.document)),
            ("url", url),
            ("checked", text(&source.checked)),
            ("confirmed", confirmed),
        ];
        lines.push("[target.source]".to_owned());
        let keys = keys.into_iter().filter_map(|(key, value)| Some((key, value?)));
        lines.extend(keys.map(|(key, value)| format!("{key} = {value}")));
    }
    lines.join("\n") + "\n"
}

fn channels(counts: &[usize]) -> Option<Value> {
    let counts = counts.iter().filter_map(|&count| i64::try_from(count).ok());
    let counts: Vec<Value> = counts.map(Value::Integer).collect();
    (!counts.is_empty()).then_some(Value::Array(counts))
}
