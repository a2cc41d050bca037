//! The panel of what becomes of captures: folder, pipeline, watched folder, and how the latest render
//! went.

use super::field::{note_line, path_field, problem_line, row};
use super::theme;
use super::tip::Tip;
use crate::lookup::{Answer, Lookup};
use crate::plugin::SharedState;
use crate::render::{Line, Render, Stage, captures_problem, load, watched_problem};
use egui::{
    Align, Align2, Area, Color32, ComboBox, Frame, Id, Key, Layout, Order, ProgressBar, RichText,
    ScrollArea, Ui, vec2,
};
use std::path::PathBuf;
use std::time::Duration;
use wavemill_pipelines::shipped;

/// Width of the panel where the window has room, in points.
const WIDTH: f32 = 470.0;

/// Room for the header above and the footer below.
const MARGIN: f32 = 42.0;

/// How long a look at the disk holds.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// What the panel remembers.
pub(super) struct View {
    pub(super) is_open: bool,
    /// A path is to be written, though there may be none yet.
    is_own: bool,
    folder: String,
    pipeline: String,
    watch_folder: String,
    places: Lookup<OutputChoice, Checked>,
    checked: Checked,
    /// The shipped pipelines with what they say of themselves, or why they are refused.
    shipped: Vec<(&'static str, Result<String, String>)>,
}

/// What was chosen.
#[derive(Clone, PartialEq)]
struct OutputChoice {
    captures: PathBuf,
    pipeline: Option<String>,
    watch_folder: Option<PathBuf>,
}

impl OutputChoice {
    /// Looks at the disk.
    fn check(&self) -> Checked {
        let watched = self.watch_folder.as_deref();
        let described = |choice| load(choice).map(|pipeline| pipeline.description);
        Checked {
            folder_problem: captures_problem(&self.captures),
            verdict: self.pipeline.as_deref().map(described),
            watch_problem: watched.and_then(|folder| watched_problem(folder, &self.captures)),
        }
    }
}

/// What the disk says of it.
#[derive(Clone, Default)]
struct Checked {
    folder_problem: Option<String>,
    /// The pipeline's description, or why it is refused.
    verdict: Option<Result<String, String>>,
    watch_problem: Option<String>,
}

impl Default for View {
    fn default() -> Self {
        let describe = |name| load(name).map(|pipeline| pipeline.description);
        Self {
            is_open: false,
            is_own: false,
            folder: String::new(),
            pipeline: String::new(),
            watch_folder: String::new(),
            places: Lookup::default(),
            checked: Checked::default(),
            shipped: shipped::PIPELINES
                .iter()
                .map(|shipped| (shipped.name, describe(shipped.name)))
                .collect(),
        }
    }
}

impl View {
    /// The panel above the footer, when it is open.
    pub(super) fn show(&mut self, ui: &Ui, desk: &SharedState) {
        if !self.is_open {
            return;
        }
        if ui.input(|input| input.key_pressed(Key::Escape)) {
            self.is_open = false;
        }
        let window = ui.max_rect();
        let width = WIDTH.min(window.width() - 4.0 * theme::GAP);
        let height = window.height() - 2.0 * MARGIN;
        Area::new(Id::unique("output"))
            .order(Order::Middle)
            .anchor(Align2::LEFT_BOTTOM, vec2(theme::GAP, -MARGIN))
            .show(ui.ctx(), |ui| {
                Frame::popup(ui.style()).show(ui, |ui| {
                    ui.set_width(width);
                    ScrollArea::vertical()
                        .max_height(height - 2.0 * theme::GAP)
                        // As high as its lines, before it scrolls.
                        .min_scrolled_height(height - 2.0 * theme::GAP)
                        .show(ui, |ui| self.content(ui, desk));
                });
            });
    }

    fn content(&mut self, ui: &mut Ui, desk: &SharedState) {
        self.check(desk);
        ui.horizontal(|ui| {
            ui.label(RichText::new("AFTER A CAPTURE").size(10.5).color(theme::FAINT));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.small_button("Close").clicked() {
                    self.is_open = false;
                }
            });
        });
        self.folder(ui, desk);
        self.pipeline(ui, desk);
        self.watch_folder(ui, desk);
        ui.separator();
        unheld(ui, desk);
        latest(ui, desk);
    }

    /// Lets the disk be looked at when something was changed, and now and then.
    fn check(&mut self, desk: &SharedState) {
        let choices = desk.params.choices.read().clone();
        let chosen = OutputChoice {
            captures: desk.capture_folder(),
            pipeline: choices.pipeline,
            watch_folder: choices.watch_folder,
        };
        self.checked = match self.places.ask(&chosen, CHECK_INTERVAL, OutputChoice::check) {
            Answer::Known(checked) => checked.clone(),
            Answer::Waiting => Checked::default(),
            Answer::Late => Checked {
                folder_problem: Some("the disk of one of these paths does not respond".into()),
                ..Checked::default()
            },
        };
    }

    fn folder(&mut self, ui: &mut Ui, desk: &SharedState) {
        let mut folder = desk.params.choices.read().capture_folder.clone();
        let hint = desk.capture_folder().display().to_string();
        let tip = "The folder for captures; outputs of pipelines go below it.";
        let text = &mut self.folder;
        if row(ui, "Folder", tip, |ui| path_field(ui, "folder", text, &mut folder, &hint)) {
            desk.params.choices.write().capture_folder = folder;
        }
        problem_line(ui, self.checked.folder_problem.as_deref());
    }

    fn pipeline(&mut self, ui: &mut Ui, desk: &SharedState) {
        let stored = desk.params.choices.read().pipeline.clone();
        let is_shipped = stored.as_deref().is_some_and(|name| shipped::text(name).is_some());
        self.is_own = (stored.is_some() || self.is_own) && !is_shipped;
        let shown = match &stored {
            _ if self.is_own => "your own",
            Some(name) => name,
            None => "none",
        };
        let mut wanted = stored.clone();
        row(ui, "Pipeline", "Processes each complete capture.", |ui| {
            ComboBox::from_id_salt("pipeline").selected_text(shown).width(130.0).show_ui(
                ui,
                |ui| {
                    if ui.selectable_label(stored.is_none() && !self.is_own, "none").clicked() {
                        (wanted, self.is_own) = (None, false);
                    }
                    for (name, about) in &self.shipped {
                        let (Ok(tip) | Err(tip)) = about;
                        let words = RichText::new(*name);
                        let words = if about.is_ok() { words } else { words.color(theme::FAINT) };
                        let is_chosen = stored.as_deref() == Some(name);
                        if ui.selectable_label(is_chosen, words).tip(tip).clicked() {
                            (wanted, self.is_own) = (Some((*name).to_owned()), false);
                        }
                    }
                    if ui.selectable_label(self.is_own, "your own").clicked() && !self.is_own {
                        (wanted, self.is_own) = (None, true);
                    }
                },
            );
            if self.is_own {
                let mut path = wanted.as_ref().map(PathBuf::from);
                let hint = "/path/to/pipeline.toml";
                if path_field(ui, "own", &mut self.pipeline, &mut path, hint) {
                    wanted = path.map(|path| path.display().to_string());
                }
            }
        });
        if wanted != stored {
            desk.params.choices.write().pipeline = wanted;
        }
        match &self.checked.verdict {
            Some(Ok(description)) => note_line(ui, description, theme::FAINT),
            Some(Err(reason)) => problem_line(ui, Some(reason)),
            None => {}
        }
    }

    fn watch_folder(&mut self, ui: &mut Ui, desk: &SharedState) {
        let mut folder = desk.params.choices.read().watch_folder.clone();
        let tip = "A folder of `wavemill watch` that gets a copy of every capture.";
        let text = &mut self.watch_folder;
        if row(ui, "Send to", tip, |ui| path_field(ui, "send", text, &mut folder, "no folder")) {
            desk.params.choices.write().watch_folder = folder;
        }
        problem_line(ui, self.checked.watch_problem.as_deref());
    }
}

/// Captures that left no file, since the plugin was made.
fn unheld(ui: &mut Ui, desk: &SharedState) {
    let (captures, frames) = desk.captures.unheld();
    if captures > 0 {
        let seconds = frames as f64 / f64::from(desk.sample_rate_hz());
        let (who, their) =
            if captures == 1 { ("capture was", "its") } else { ("captures were", "their") };
        let words = format!(
            "{captures} {who} over before {their} recorder was ready: {seconds:.2} s were not \
            recorded"
        );
        ui.add(egui::Label::new(RichText::new(words).size(11.5).color(theme::BAD)).wrap());
    }
}

/// How the latest render goes, or went.
fn latest(ui: &mut Ui, desk: &SharedState) {
    let render = desk.renders.latest();
    ui.horizontal(|ui| {
        let (can, why) = desk.can_render_latest();
        let button = ui.add_enabled(can, egui::Button::new("Render latest capture"));
        if button.tip(why).on_disabled_hover_text(why).clicked() {
            desk.render_latest();
        }
        if let Some(render) = render.as_deref().filter(|render| !render.is_over()) {
            progress(ui, render, desk.renders.open_count());
        }
    });
    let Some(render) = render else {
        ui.label(RichText::new("Nothing rendered yet.").size(11.5).color(theme::FAINT));
        return;
    };
    for line in render.lines() {
        let (words, color) = words(&line);
        ui.add(egui::Label::new(RichText::new(words).size(11.5).color(color)).wrap());
    }
    if render.stage() == Stage::Canceled {
        let words = format!("{}: canceled; no incomplete files remain", render.name);
        ui.label(RichText::new(words).size(11.5).color(theme::FAINT));
    }
}

/// The bar of a render that waits or runs, and how to end it.
pub(super) fn progress(ui: &mut Ui, render: &Render, open_count: usize) {
    let more = if open_count > 1 { format!(" (+{})", open_count - 1) } else { String::new() };
    let words = match render.stage() {
        Stage::Waiting => format!("{} waits{more}", render.name),
        _ => format!("{} {:.0} %{more}", render.name, render.progress() * 100.0),
    };
    if ui.small_button("Cancel").tip("Cancels the render and removes its files.").clicked() {
        render.cancel();
    }
    let bar = ProgressBar::new(render.progress())
        .desired_width(130.0)
        .fill(theme::veil(theme::SIGNAL, 0.5))
        .text(RichText::new(words).size(11.5));
    ui.add(bar);
}

/// A line of a render with its color; words distinguish good from bad, too.
fn words(line: &Line) -> (String, Color32) {
    match line {
        Line::Made(path) => (format!("made {}", path.display()), theme::GOOD),
        Line::Note(note) => (format!("note: {note}"), theme::TEXT),
        Line::Error(error) => (format!("failed: {error}"), theme::BAD),
    }
}

/// What became of the latest render, in few words, with all of them for who wants to know.
pub(super) fn summary(render: &Render) -> (String, String, Color32) {
    let lines = render.lines();
    let all: Vec<_> = lines.iter().map(|line| words(line).0).collect();
    let made = lines.iter().filter(|line| matches!(line, Line::Made(_))).count();
    let error = lines.iter().find(|line| matches!(line, Line::Error(_)));
    let (brief, color) = match (render.stage(), error) {
        (_, Some(error)) => words(error),
        (Stage::Canceled, _) => (format!("{} canceled", render.name), theme::FAINT),
        (_, None) => {
            let files = if made == 1 { "1 file".into() } else { format!("{made} files") };
            (format!("{}: {files}", render.name), theme::GOOD)
        }
    };
    (brief, all.join("\n"), color)
}

#[cfg(test)]
mod tests {
    use super::super::focus::press_at;
    use super::super::stage::Stage;
    use super::*;
    use egui::{Event, Modifiers};

    fn opened(desk: SharedState) -> Stage {
        let mut stage = Stage::new(desk);
        assert!(!stage.shows("Send to"));
        press_at(&mut stage, "Output", Key::Enter);
        assert!(stage.shows("Send to"));
        stage
    }

    #[test]
    fn panel_opens_and_closes() {
        let mut stage = opened(SharedState::default());
        press_at(&mut stage, "Close", Key::Enter);
        assert!(!stage.shows("Send to"));
        press_at(&mut stage, "Output", Key::Enter);
        assert!(stage.shows("Send to"));
        stage.press(Key::Escape, Modifiers::NONE);
        assert!(!stage.shows("Send to"));
    }

    #[test]
    fn every_field_is_reached_by_the_keyboard_and_takes_spaces() {
        let mut stage = opened(SharedState::default());
        stage.desk.params.choices.write().pipeline = Some("/".into());
        // Lines come and go while folders are looked up, and take the focus with them: on a busy machine one
        // round is not enough.
        for _ in 0..1000 {
            stage.press(Key::Tab, Modifiers::NONE);
            for text in ["/my", " ", "takes"] {
                stage.draw(vec![Event::Text(text.into())]);
            }
            let choices = stage.desk.params.choices.read().clone();
            let shown = |folder: Option<PathBuf>| folder.map(|folder| folder.display().to_string());
            let fields =
                [shown(choices.capture_folder), choices.pipeline, shown(choices.watch_folder)];
            if fields.iter().flatten().filter(|text| text.contains("/my takes")).count() == 3 {
                return;
            }
        }
        panic!("{:?}", *stage.desk.params.choices.read());
    }

    #[test]
    fn pipeline_is_chosen_by_name_and_says_what_it_does_or_why_it_cannot() {
        let mut stage = opened(SharedState::default());
        press_at(&mut stage, "none", Key::Enter);
        press_at(&mut stage, "streaming", Key::Enter);
        assert_eq!(stage.desk.params.choices.read().pipeline.as_deref(), Some("streaming"));
        stage.wait_until(|text| text.starts_with("Music at -14 LUFS"));
        stage.desk.params.choices.write().pipeline = Some("voice".into());
        stage.wait_until(|text| text.starts_with("voice, line") && text.contains("de-esser"));
    }

    #[test]
    fn folders_that_cannot_be_used_are_reported_below_their_field() {
        let desk = SharedState::default();
        desk.params.choices.write().capture_folder = Some("/dev/null/takes".into());
        desk.params.choices.write().watch_folder = Some("/nowhere".into());
        let mut stage = opened(desk);
        stage.wait_for("/dev/null is not a folder");
        stage.wait_for(
            "the watched folder /nowhere does not exist; create it or choose another one",
        );
    }

    #[test]
    fn latest_capture_cannot_be_rendered_while_there_is_none() {
        let stage = opened(SharedState::default());
        assert!(stage.shows("Nothing rendered yet."));
        assert!(!stage.desk.can_render_latest().0);
        stage.desk.render_latest();
        assert!(stage.desk.renders.latest().is_none());
    }
}
