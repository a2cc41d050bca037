//! What a run's report says that people want to know at once.

use serde_json::Value;

/// Smallest shortfall worth a line: half of what is shown as 0.1 LU.
const SHORTFALL_LU_MIN: f64 = 0.05;

/// Why a file without a limiter gets less than its target.
const CEILING_BINDS: &str = "the ceiling allows no more gain";

/// What a person should know beyond the numbers, a line each: a shortfall, a step that did nothing, a warning.
pub fn notes(report: &Value) -> Vec<String> {
    let mut notes = Vec::new();
    for (step, found) in findings(report) {
        let shortfall = found.get("shortfall_lu").and_then(Value::as_f64).unwrap_or(0.0);
        if shortfall >= SHORTFALL_LU_MIN {
            let reason = found.get("refused").and_then(Value::as_str).unwrap_or(CEILING_BINDS);
            notes.push(format!("{shortfall:.1} LU short of the target: {reason}"));
        }
        if let Some(reason) = found.get("left_alone").and_then(Value::as_str) {
            notes.push(format!("{step} left the audio alone ({reason})"));
        }
        if let Some(reason) = found.get("only_lowered_to_ceiling").and_then(Value::as_str) {
            notes.push(format!("{step} only lowered the audio to the ceiling ({reason})"));
        }
    }
    for output in entries(report, "outputs") {
        if let Some(reason) = output.get("skipped").and_then(Value::as_str) {
            let format = output.get("format").and_then(Value::as_str).unwrap_or("an output");
            notes.push(format!("{format} left out: {reason}"));
        }
    }
    if let Some(reason) = report.pointer("/chapters/skipped").and_then(Value::as_str) {
        notes.push(format!("chapters left out: {reason}"));
    }
    notes.extend(entries(report, "warnings").filter_map(Value::as_str).map(str::to_owned));
    notes
}

/// Steps' names with what they found.
pub fn findings(report: &Value) -> impl Iterator<Item = (&str, &Value)> {
    entries(report, "steps")
        .filter_map(|step| Some((step.get("use")?.as_str()?, step.get("findings")?)))
}

/// The entries of a list of a report; none where there is no such list.
pub fn entries<'v>(report: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    report.get(key).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn report_without_anything_has_no_notes() {
        assert!(notes(&Value::Null).is_empty());
    }

    #[test]
    fn shortfall_and_steps_that_did_nothing_are_noted() {
        let report = json!({
            "steps": [
                { "use": "loudness", "findings": { "shortfall_lu": 1.24 } },
                { "use": "loudness", "findings": {
                    "shortfall_lu": 0.5, "refused": "another decibel brings less than 0.1 LU",
                } },
                { "use": "peak-normalize", "findings": { "left_alone": "silent" } },
                { "use": "gain", "skipped": "not its channels" },
                { "use": "loudness", "findings": {
                    "only_lowered_to_ceiling": "no loudness", "gain_db": -1.0, "shortfall_lu": null,
                } },
            ],
            "outputs": [{ "format": "flac", "skipped": "/o/a.flac exists already" }],
            "chapters": { "skipped": "/o/a.json exists already" },
            "warnings": ["a tag was cut"],
        });
        assert_eq!(
            notes(&report),
            [
                "1.2 LU short of the target: the ceiling allows no more gain",
                "0.5 LU short of the target: another decibel brings less than 0.1 LU",
                "peak-normalize left the audio alone (silent)",
                "loudness only lowered the audio to the ceiling (no loudness)",
                "flac left out: /o/a.flac exists already",
                "chapters left out: /o/a.json exists already",
                "a tag was cut",
            ]
        );
    }
}
