//! The readings for other programs and for people: as text for the clipboard, and as files.

use super::numbers::{Row, number, rows};
use super::overs::{self, Over};
use super::tip::Tip;
use super::verdict::TargetState;
use super::{markers, report, theme};
use crate::lookup::{Answer, Lookup};
use crate::meters::{Music, Point, Readings, Snapshot};
use crate::plugin::SharedState;
use crate::window::new_file;
use crate::window::scale::clock;
use egui::{Button, RichText, TextEdit, Ui};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// What the menu remembers.
#[derive(Debug, Default)]
pub(super) struct View {
    /// Index of the chosen [`Document`].
    document: usize,
    path: String,
    /// What is being written.
    wanted: Option<NewFile>,
    disk: Lookup<NewFile, Result<(), String>>,
    /// What became of it.
    outcome: Option<Result<String, String>>,
}

#[derive(Clone, Debug, PartialEq)]
struct NewFile {
    path: PathBuf,
    text: String,
    /// Whether its folder is made where it is missing.
    makes_folder: bool,
}

/// A file that can be written. **Adding one: its line here.**
struct Document {
    name: &'static str,
    /// What its file is usually called.
    file: &'static str,
    tip: &'static str,
    text: fn(&Session<'_>, &SharedState) -> String,
}

const DOCUMENTS: [Document; 7] = [
    Document {
        name: "History (CSV)",
        file: "loudness.csv",
        tip: "Loudness and true peak each second, and overs.",
        text: |session, _| session.csv(),
    },
    Document {
        name: "Report (HTML)",
        file: "loudness.html",
        tip: "A page for clients: verdict, numbers and curve, as `wavemill analyze --html` makes it.",
        text: report::whole,
    },
    Document {
        name: "Report of the part shown",
        file: "loudness part.html",
        tip: "The same for the part of the timeline that the history shows. Turn on *timeline* and zoom in.",
        text: |session, desk| {
            session.part_s.map_or_else(String::new, |part_s| report::part(session, desk, part_s))
        },
    },
    Document {
        name: "REAPER markers (CSV)",
        file: "overs.csv",
        tip: "Misses and overs as markers and regions: Region/Marker Manager, Import.",
        text: |session, _| markers::reaper_csv(&markers::of(session)),
    },
    Document {
        name: "Audacity labels",
        file: "overs.txt",
        tip: "Misses and overs as a label track: File, Import, Labels.",
        text: |session, _| markers::audacity_labels(&markers::of(session)),
    },
    Document {
        name: "EDL, 25 frames",
        file: "overs.edl",
        tip: "Misses and overs as markers of a timeline with 25 frames a second (CMX 3600, DaVinci Resolve).",
        text: |session, _| markers::edl(&markers::of(session), 25),
    },
    Document {
        name: "EDL, 30 frames",
        file: "overs.edl",
        tip: "The same for 30 frames a second, no drop frame.",
        text: |session, _| markers::edl(&markers::of(session), 30),
    },
];

/// The one that needs a part.
const PART: usize = 2;

/// What is shown.
pub(super) struct Session<'s> {
    pub(super) readings: &'s Readings,
    pub(super) music: Option<&'s Music>,
    pub(super) history: &'s Snapshot,
    pub(super) standing: &'s TargetState,
    /// First and last second of the part that the history shows; `None` where it shows everything.
    pub(super) part_s: Option<(f64, f64)>,
}

impl View {
    pub(super) fn show(&mut self, ui: &mut Ui, session: &Session<'_>, desk: &SharedState) {
        ui.set_min_width(330.0);
        let copy = ui.button("Copy numbers").tip("Copies the readings as text.");
        if copy.clicked() {
            ui.ctx().copy_text(session.text());
            ui.close();
        }
        ui.separator();
        for (index, document) in DOCUMENTS.iter().enumerate() {
            let has_part = session.part_s.is_some() && desk.shared.shows_timeline();
            let button = Button::selectable(index == self.document, document.name);
            let response = ui.add_enabled(index != PART || has_part, button).tip(document.tip);
            if response.clicked() {
                self.document = index;
            }
            if !has_part && self.document == PART {
                self.document = 0;
            }
        }
        self.path(ui, session, desk);
        self.settle();
        match &self.outcome {
            Some(Ok(words)) => ui.label(RichText::new(words).color(theme::FAINT)),
            Some(Err(words)) => ui.label(RichText::new(words).color(theme::BAD)),
            None => return,
        };
    }

    /// Where the chosen document goes.
    fn path(&mut self, ui: &mut Ui, session: &Session<'_>, desk: &SharedState) {
        let document = &DOCUMENTS[self.document];
        ui.horizontal(|ui| {
            let usual = desk.capture_folder().join(document.file);
            let hint = usual.display().to_string();
            ui.add(TextEdit::singleline(&mut self.path).hint_text(hint).desired_width(250.0));
            let save = ui.add_enabled(self.wanted.is_none(), Button::new("Save"));
            if save.tip("Writes a new file; none is overwritten.").clicked() {
                let given = self.path.trim();
                let path = if given.is_empty() { usual } else { PathBuf::from(given) };
                self.save(path, given.is_empty(), (document.text)(session, desk));
            }
        });
    }

    fn save(&mut self, path: PathBuf, makes_folder: bool, text: String) {
        if path.is_relative() {
            let words = format!("write the full path, such as `/home/me/{}`", path.display());
            self.outcome = Some(Err(words));
            return;
        }
        self.wanted = Some(NewFile { path, text, makes_folder });
    }

    /// Writes, or looks whether it is written.
    fn settle(&mut self) {
        let Some(wanted) = &self.wanted else { return };
        self.outcome = match self.disk.ask(wanted, Duration::MAX, work) {
            Answer::Waiting => return,
            Answer::Late => Some(Err("the disk does not respond".to_owned())),
            Answer::Known(Ok(())) => Some(Ok(format!("saved {}", wanted.path.display()))),
            Answer::Known(Err(error)) => Some(Err(error.clone())),
        };
        self.wanted = None;
        self.disk.forget();
    }
}

fn work(file: &NewFile) -> Result<(), String> {
    if let Some(folder) = file.path.parent().filter(|_| file.makes_folder) {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    new_file::write(&file.path, &file.text)
}

impl Session<'_> {
    /// A line a reading.
    fn text(&self) -> String {
        let target = self.standing.target.as_ref().map_or("no target", |target| &target.name);
        let mut text = format!("Wavemill Meter, {target}: {}\n", self.standing.headline().1);
        let mut line = |name: &str, value: &str, unit: &str, note: Option<&str>| {
            let note = note.map(|note| format!("  ({note})")).unwrap_or_default();
            let line = format!("{name:<12}{:>8} {unit}{note}", value.replace('\u{2212}', "-"));
            let _ = writeln!(text, "{}", line.trim_end().replace('\u{2212}', "-"));
        };
        line("Integrated", &number(self.readings.integrated_lufs.get()), "LUFS", None);
        for Row { name, value, unit, note, .. } in rows(self.readings, self.music) {
            line(name, &value, &unit, note.as_deref());
        }
        let measured_s = self.readings.measured_s.get().unwrap_or(0.0);
        line("Measured", &clock(f64::from(measured_s)), "", None);
        text
    }

    /// About a row a second, in whole points of the history, with the largest values in it. Longer points are a row each.
    fn csv(&self) -> String {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most ten")]
        let points_per_row = (1.0 / self.history.point_s).round().max(1.0) as usize;
        let overs = overs::of(self.history, self.standing);
        let row_s = points_per_row as f64 * self.history.point_s;
        let mut csv =
            "time_s,momentary_max_lufs,short_term_max_lufs,true_peak_dbtp,over\n".to_owned();
        for (index, points) in self.history.points.chunks(points_per_row).enumerate() {
            let at_s = index as f64 * row_s;
            let point = points.iter().fold(Point::default(), |all, point| all.merged(*point));
            let values = [point.momentary_lufs, point.short_term_lufs, point.true_peak_dbtp];
            let values =
                values.map(|value| value.map_or(String::new(), |value| format!("{value:.2}")));
            let touches =
                |over: &Over| over.at_s < at_s + row_s && at_s < over.at_s + over.length_s;
            let over = if overs.iter().any(touches) { "yes" } else { "no" };
            let time_s = self.history.start_s + at_s;
            let _ = writeln!(csv, "{time_s:.1},{},{over}", values.join(","));
        }
        csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::stage::Stage;
    use crate::meters::readings::Values;
    use crate::plugin::SharedState;

    fn loud(lufs: f32) -> Point {
        Point { short_term_lufs: Some(lufs), ..Point::default() }
    }

    #[test]
    fn numbers_are_lines_of_text() {
        let readings = Readings::default();
        let values = Values {
            integrated_lufs: Some(-23.04),
            true_peak_dbtp: Some(-1.5),
            measured_s: Some(65.0),
            ..Values::default()
        };
        readings.set(&values);
        let (history, standing) = (Snapshot::default(), TargetState::new());
        let (music, history, standing) = (None, &history, &standing);
        let text = Session { readings: &readings, music, history, standing, part_s: None }.text();
        assert!(text.starts_with("Wavemill Meter, no target: no program yet\n"), "{text}");
        assert!(text.contains("\nIntegrated     -23.0 LUFS\n"), "{text}");
        assert!(
            text.contains("\nTrue peak       -1.5 dBTP  (BS.1770 -1.5, 16x \u{2013})\n"),
            "{text}"
        );
        assert!(text.ends_with("Measured        1:05\n"), "{text}");
    }

    #[test]
    fn history_has_a_row_a_second_with_the_largest_values() {
        let mut points = vec![loud(-30.0); 25];
        points[13] = Point { true_peak_dbtp: Some(-0.5), ..loud(-20.0) };
        let history = Snapshot { points, point_s: 0.1, start_s: 0.0 };
        let (readings, standing) = (Readings::default(), TargetState::new());
        let session = Session {
            readings: &readings,
            music: None,
            history: &history,
            standing: &standing,
            part_s: None,
        };
        assert_eq!(
            session.csv(),
            "time_s,momentary_max_lufs,short_term_max_lufs,true_peak_dbtp,over\n\
             0.0,,-30.00,,no\n1.0,,-20.00,-0.50,no\n2.0,,-30.00,,no\n"
        );
    }

    #[test]
    fn file_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session/loudness.csv");
        let mut view = View::default();
        for is_first in [true, false] {
            view.save(path.clone(), true, "text".to_owned());
            while view.wanted.is_some() {
                view.settle();
            }
            assert_eq!(view.outcome.as_ref().unwrap().is_ok(), is_first, "{:?}", view.outcome);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
        view.save(PathBuf::from("here.csv"), false, String::new());
        assert!(view.wanted.is_none() && view.outcome.unwrap().is_err());
    }

    #[test]
    fn menu_offers_both() {
        let mut stage = Stage::new(SharedState::default());
        crate::window::focus::press_at(&mut stage, "Numbers", egui::Key::Enter);
        assert!(stage.shows("Copy numbers") && stage.shows("Save"), "{:?}", stage.texts());
    }
}
