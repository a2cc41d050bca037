//! Chords as a `.lab` file: start, end and label, one chord a line, separated by tabs.
//!
//! Times are in seconds. Labels are those of Harte et al., "Symbolic Representation of Musical Chords", ISMIR 2005. Tools
//! of MIREX, `mir_eval` and Sonic Visualiser read such files.

use super::{CliError, Record};
use serde_json::Value;

/// Whether chords are printed so.
#[derive(Debug, clap::Args)]
pub(super) struct Lab {
    /// Print the chords of one file as a .lab file instead: start, end and label of each, as tools of MIREX read it
    #[arg(
        long,
        conflicts_with_all = ["csv", "json", "only", "target", "history", "html", "recommend"]
    )]
    lab: bool,
}

impl Lab {
    pub(super) fn is_asked(&self) -> bool {
        self.lab
    }

    /// # Errors
    /// When there is not exactly one file: such files have no names in them.
    pub(super) fn check(&self, file_count: usize) -> Result<(), CliError> {
        if self.lab && file_count != 1 {
            return Err(CliError::usage("--lab takes one file"));
        }
        Ok(())
    }
}

/// The chords of an analysis; nothing where there are none.
pub(super) fn lines(record: &Record) -> Vec<String> {
    let chords = record.get("chords").and_then(Value::as_array);
    chords.into_iter().flatten().filter_map(line).collect()
}

fn line(chord: &Value) -> Option<String> {
    let [start_s, end_s] = ["start_s", "end_s"].map(|key| chord[key].as_f64());
    Some(format!("{:.6}\t{:.6}\t{}", start_s?, end_s?, chord["label"].as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn chord_is_a_line() {
        let chords = json!([
            { "start_s": 0.0, "end_s": 1.5, "label": "N" },
            { "start_s": 1.5, "end_s": 2.25, "label": "A:min7" },
        ]);
        let record: Record = [("chords".to_owned(), chords)].into_iter().collect();
        assert_eq!(lines(&record), ["0.000000\t1.500000\tN", "1.500000\t2.250000\tA:min7"]);
        assert_eq!(lines(&Record::new()), [""; 0]);
    }
}
