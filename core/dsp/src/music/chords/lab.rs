//! Chords as a text file.

use super::chord::Chord;
use std::fmt::Write;

/// One line for each chord: start and end in seconds and the label, with tabs between.
///
/// Source: MIREX, audio chord estimation, output format.
pub fn write_lab(chords: &[Chord]) -> String {
    let mut text = String::new();
    for chord in chords {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:.3}\t{:.3}\t{}", chord.start_s, chord.end_s, chord.label);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lab_has_one_line_for_each_chord() {
        let chord = |start_s, end_s, label: &str| Chord { start_s, end_s, label: label.to_owned() };
        let text = write_lab(&[chord(0.0, 0.5, "N"), chord(0.5, 2.25, "A:min7")]);
        assert_eq!(text, "0.000\t0.500\tN\n0.500\t2.250\tA:min7\n");
    }
}
