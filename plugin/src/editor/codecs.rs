//! The panel of what codecs do to peaks.

use super::numbers::number;
use super::theme;
use super::tip::{Tip, label};
use crate::codecs::{CODECS, Clip, Codec, Preview, SECONDS, Source, Trial, Trials};
use crate::plugin::SharedState;
use egui::{Align, Align2, Area, Color32, Frame, Grid, Id, Key, Layout, Order, RichText, Ui, vec2};
use wavemill_core::units::Dbtp;

/// Width of the panel, in points.
const WIDTH: f32 = 400.0;

/// Room for the footer below.
const MARGIN: f32 = 42.0;

/// How much plays from one trial to the next, in seconds.
const EVERY_S: f32 = 5.0;

const ABOUT: &str = "Encodes, decodes and measures front left and right: the true peak that listeners get. Orange: beyond \
    the target's limit. Nothing is played or saved.";

const LATEST: &str = "Tries the last 10 s again and again while this is open and something plays.";
const CAPTURE: &str = "Tries the first 3 minutes of the latest capture.";
const MISSING: &str = "This build does not have it; see the manual.";

/// What the panel remembers.
#[derive(Default)]
pub(super) struct View {
    pub(super) is_open: bool,
    preview: Preview,
    /// Whether a capture is tried instead of what plays.
    is_of_capture: bool,
    /// Where the tap was when the latest seconds were tried last.
    tried_at: u64,
}

impl View {
    /// The panel above the footer, when it is open.
    pub(super) fn show(&mut self, ui: &Ui, desk: &SharedState, peak_max_dbtp: Option<f32>) {
        if ui.input(|input| input.key_pressed(Key::Escape)) {
            self.is_open = false;
        }
        let is_latest = self.is_open && !self.is_of_capture;
        desk.clip.lock().want(is_latest);
        if !self.is_open {
            self.preview.cancel();
            return;
        }
        if is_latest {
            self.try_latest(desk);
        }
        Area::new(Id::unique("codecs"))
            .order(Order::Middle)
            .anchor(Align2::LEFT_BOTTOM, vec2(theme::GAP, -MARGIN))
            .show(ui.ctx(), |ui| {
                Frame::popup(ui.style()).show(ui, |ui| {
                    ui.set_width(WIDTH);
                    self.content(ui, desk, peak_max_dbtp);
                });
            });
    }

    /// Begins when enough is new.
    fn try_latest(&mut self, desk: &SharedState) {
        let position = desk.shared.tap.position();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some seconds of frames"
        )]
        let every = (EVERY_S * desk.sample_rate_hz()) as u64;
        if self.preview.is_busy() || position < self.tried_at.saturating_add(every) {
            return;
        }
        let clip: Option<Clip> = desk.clip.lock().clip();
        if let Some(clip) = clip {
            self.tried_at = position;
            self.preview.begin(Source::Latest(clip));
        }
    }

    fn content(&mut self, ui: &mut Ui, desk: &SharedState, peak_max_dbtp: Option<f32>) {
        ui.horizontal(|ui| {
            ui.add(label(RichText::new("AFTER A CODEC").size(10.5).color(theme::FAINT))).tip(ABOUT);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.small_button("Close").clicked() {
                    self.is_open = false;
                }
                if ui.small_button("Clear").tip("Forgets all peaks.").clicked() {
                    self.preview.cancel();
                    self.preview.clear();
                    self.tried_at = 0;
                }
            });
        });
        self.sources(ui, desk);
        ui.separator();
        let trials = self.preview.trials().clone();
        table(ui, &trials, peak_max_dbtp);
        let words = self.state(desk, &trials);
        ui.label(RichText::new(words.0).size(11.5).color(words.1));
    }

    fn sources(&mut self, ui: &mut Ui, desk: &SharedState) {
        ui.horizontal(|ui| {
            if ui.selectable_label(!self.is_of_capture, "last 10 s").tip(LATEST).clicked() {
                (self.is_of_capture, self.tried_at) = (false, 0);
                self.preview.cancel();
            }
            let capture = desk.captures.all().pop().map(|capture| capture.state());
            let path = capture
                .filter(|state| state.is_complete)
                .and_then(|state| state.parts.first().cloned());
            let button = egui::Button::selectable(self.is_of_capture, "latest capture");
            let button = ui.add_enabled(path.is_some(), button).tip(CAPTURE);
            if let Some(path) = path.filter(|_| button.clicked()) {
                self.is_of_capture = true;
                self.preview.begin(Source::Capture(path));
            }
        });
    }

    /// What the trials are waiting for, in a line.
    fn state(&self, desk: &SharedState, trials: &Trials) -> (String, Color32) {
        let missing_s = desk.clip.lock().missing_s();
        match &trials.problem {
            Some(problem) => (problem.clone(), theme::BAD),
            None if self.preview.is_busy() => ("measuring".into(), theme::FAINT),
            None if !self.is_of_capture && missing_s > 0 => {
                (format!("{missing_s} of {SECONDS} s to play"), theme::FAINT)
            }
            None => (" ".into(), theme::FAINT),
        }
    }
}

fn table(ui: &mut Ui, trials: &Trials, peak_max_dbtp: Option<f32>) {
    let faint = |words: &str| RichText::new(words).size(10.5).color(theme::FAINT);
    Grid::new("codecs").num_columns(4).min_col_width(86.0).show(ui, |ui| {
        for words in ["kbit/s", "true peak, dBTP", "change, dB", "largest, dBTP"] {
            ui.label(faint(words));
        }
        ui.end_row();
        ui.label("as it is");
        ui.label(peak(trials.original, peak_max_dbtp));
        ui.end_row();
        for (index, codec) in CODECS.into_iter().enumerate() {
            row(ui, codec, trials, index, peak_max_dbtp);
            ui.end_row();
        }
    });
}

fn row(ui: &mut Ui, codec: Codec, trials: &Trials, index: usize, peak_max_dbtp: Option<f32>) {
    let title = codec.title();
    let trial = trials.codecs[index].as_ref();
    match trial {
        Some(Trial::Missing) => {
            ui.add(label(RichText::new(title).color(theme::FAINT))).tip(MISSING);
            ui.label(RichText::new("not in this build").size(11.0).color(theme::FAINT));
        }
        Some(Trial::Failed(problem)) => {
            ui.add(label(RichText::new(title).color(theme::TEXT))).tip(codec.words);
            ui.add(label(RichText::new("failed").color(theme::BAD))).tip(problem);
        }
        trial => {
            ui.add(label(RichText::new(title).color(theme::TEXT))).tip(codec.words);
            let decoded = trial.and_then(Trial::true_peak);
            ui.label(peak(decoded, peak_max_dbtp));
            let change = decoded.zip(trials.original).map(|(after, before)| after.0 - before.0);
            let change = change.map_or("\u{2013}".into(), |db| format!("{:+.1}", plain(db)));
            ui.label(RichText::new(change.replace('-', "\u{2212}")).font(theme::digits(13.0)));
            ui.label(peak(trials.largest[index], peak_max_dbtp));
        }
    }
}

/// Without the sign of a zero.
fn plain(db: f64) -> f64 {
    if db.abs() < 0.05 { 0.0 } else { db }
}

/// A peak, marked by more than its color where it is beyond the limit.
fn peak(peak: Option<Dbtp>, peak_max_dbtp: Option<f32>) -> RichText {
    #[expect(clippy::cast_possible_truncation, reason = "a display")]
    let dbtp = peak.map(|peak| peak.0 as f32);
    let is_over = dbtp.zip(peak_max_dbtp).is_some_and(|(peak, max)| peak > max);
    let words = RichText::new(number(dbtp)).font(theme::digits(13.0));
    if is_over { words.color(theme::BAD).underline() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::focus::press_at;
    use crate::editor::stage::Stage;
    use crate::worker::Task as _;
    use wavemill_core::audio::StreamSpec;

    /// Seconds of a tone of 997 Hz with the worker beside it.
    fn play(stage: &mut Stage, seconds: u32) {
        let tap = &stage.desk.shared.tap;
        let sample = |frame: u32| {
            let phase = f64::from(frame % 48_000) * 997.0 / 48_000.0;
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let sample = (0.9 * (phase * std::f64::consts::TAU).sin()) as f32;
            sample
        };
        for block in 0..seconds * 48_000 / 4_800 {
            let tone: Vec<f32> = (block * 4_800..(block + 1) * 4_800).map(sample).collect();
            tap.push(&tone, &tone);
            stage.desk.tend();
        }
        stage.draw(Vec::new());
    }

    #[test]
    fn peaks_after_codecs_are_shown_while_the_panel_is_open() {
        let desk = SharedState::default();
        desk.begin(&StreamSpec::new(48_000, 2));
        let mut stage = Stage::new(desk);
        stage.desk.shared.tap.open(true);
        play(&mut stage, 1);
        assert!(stage.desk.clip.lock().clip().is_none());
        press_at(&mut stage, "Codecs", Key::Enter);
        assert!(stage.shows("10 of 10 s to play"), "{:?}", stage.texts());
        play(&mut stage, 11);
        // 20 log 0.9, and R 128 allows -1 dBTP.
        stage.wait_for("\u{2212}0.9");
        stage.wait_until(|text| text == "+0.0" || text == "+0.1");
        for codec in CODECS {
            assert!(stage.shows(&codec.title()), "{codec:?}");
        }
        stage.press(Key::Escape, egui::Modifiers::NONE);
        stage.draw(Vec::new());
        assert!(!stage.shows("AFTER A CODEC"));
        assert!(stage.desk.clip.lock().clip().is_none(), "nothing is kept");
    }
}
