//! User CPU of four exports in one run against the sum of what they take by themselves.

use crate::master::five_minutes;
use crate::record::{Record, median};
use crate::usage;
use std::path::{Path, PathBuf};
use wavemill_tests::lab::Lab;

const ROUNDS: usize = 7;

const HEAD: &str = r#"
version = 1
[pipeline]
name = "exports"
[[step]]
use = "loudness"
with = { target_lufs = -16.0, ceiling_dbtp = -1.0, mode = "limit" }
"#;

/// What each export asks for, beside its path.
const EXPORTS: [&str; 4] = [
    "format = \"flac\"\nbit_depth = 24",
    "format = \"wav\"\nbit_depth = 24",
    "format = \"flac\"\nbit_depth = 16\nsample_rate_hz = 48000",
    "format = \"wav\"\nbit_depth = 16\nchannels = 1",
];

pub(crate) fn run(arguments: &[String]) -> Record {
    let lab = Lab::new();
    let input = arguments.first().map_or_else(|| five_minutes(&lab), PathBuf::from);
    let report = lab.pipeline("report", &format!("{HEAD}[report]\njson = \"out/report.json\"\n"));
    let singles: Vec<PathBuf> = (0..EXPORTS.len())
        .map(|index| pipeline(&lab, &format!("single-{index}"), &EXPORTS[index..=index]))
        .collect();
    let all = pipeline(&lab, "all", &EXPORTS);
    let user_s =
        |pipeline: &Path| usage::of(&mut lab.command([Path::new("run"), pipeline, &input])).user_s;
    let mut record = Record {
        columns: vec!["round", "no_export_user_s", "sum_user_s", "all_user_s"],
        ..Record::default()
    };
    let mut ratios = Vec::new();
    for round in 0..=ROUNDS {
        // Decoding and measuring once, and what each export adds to that. A report is never replaced.
        let _ = std::fs::remove_file(lab.root().join("out/report.json"));
        let base = user_s(&report);
        let sum = singles.iter().fold(base, |sum, single| sum + user_s(single) - base);
        let together = user_s(&all);
        // The first round warms the caches.
        if round > 0 {
            let cells = [base, sum, together].map(|value| format!("{value:.2}"));
            record.rows.push([vec![round.to_string()], cells.to_vec()].concat());
            ratios.push(together / sum);
        }
    }
    record.findings = vec![format!(
        "four exports in one run take {:.3} of decoding and measuring once and what each export adds by itself (median of {ROUNDS} rounds; promised: at most 1.1)",
        median(&ratios)
    )];
    record
}

fn pipeline(lab: &Lab, name: &str, exports: &[&str]) -> PathBuf {
    let text = exports.iter().enumerate().fold(HEAD.to_owned(), |text, (index, export)| {
        let path = format!("path = \"out/{name}-{index}.{{ext}}\"");
        format!("{text}[[export]]\n{export}\n{path}\non_conflict = \"replace\"\n")
    });
    lab.pipeline(name, &text)
}
