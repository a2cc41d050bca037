//! Name, target and settings.

use super::tip::{Tip, label};
use super::{audition, export, panel, targets, theme};
use crate::plugin::SharedState;
use crate::window::set_param;
use egui::{Align, Button, Layout, Rect, RichText, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::BoolParam;

/// From this width on the header has room for our name, in points.
const NAME_MIN: f32 = 720.0;

/// Zooms one may choose.
const ZOOMS: [f32; 6] = [1.0, 1.25, 1.5, 2.0, 2.5, 3.0];

const INVALID: &str = "Samples that are NaN or infinite, or beyond +100 dBFS. They pass unchanged; \
    the meters treat them as silence. Something before this plugin is broken.";

const AUTO: &str = "Text and everything else grow with the window, up to 300 %.";

const MOTION: &str =
    "Draws four times a second instead of thirty, and lists open and scroll without animation.";

/// The button that switches between the states of EBU Tech 3341, running and standby.
const PAUSE: (&str, &str) = ("Pause", "Pauses all measurements; captures continue. Not saved.");
const CONTINUE: (&str, &str) = ("Continue", "Continues all measurements where they were paused.");

pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    desk: &SharedState,
    (targets, export): (&mut targets::View, &mut export::View),
    session: &export::Session<'_>,
    context: &GuiContext,
) {
    panel::inside(ui, rect, |ui| {
        ui.horizontal_centered(|ui| {
            if rect.width() >= NAME_MIN {
                ui.label(RichText::new("Wavemill").size(17.0).strong());
                ui.add_space(10.0);
            }
            targets.show(ui, desk, session.standing);
            audition::button(ui, desk, session.standing);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.menu_button("Settings", |ui| settings(ui, desk, context));
                ui.menu_button("Numbers", |ui| {
                    export.show(ui, session, desk);
                });
                let tip = "Resets all measurements.";
                if ui.add(Button::new("Reset")).tip(tip).clicked() {
                    desk.shared.reset();
                }
                let is_paused = desk.shared.is_paused();
                let (name, tip) = if is_paused { CONTINUE } else { PAUSE };
                if ui.add(Button::new(name).selected(is_paused)).tip(tip).clicked() {
                    desk.shared.pause(!is_paused);
                }
                let invalid = desk.shared.invalid_samples();
                if invalid > 0 {
                    let words = format!("{invalid} invalid samples");
                    ui.add(label(RichText::new(words).color(theme::BAD))).tip(INVALID);
                }
                let (readings, is_saved) = desk.shared.shown();
                let measured = readings.measured_s.get().unwrap_or(0.0);
                let clock = crate::window::scale::clock(f64::from(measured));
                let clock = if is_paused { format!("paused {clock}") } else { clock };
                ui.add(label(RichText::new(clock).font(theme::digits(13.0)).color(theme::FAINT)))
                    .tip(if is_saved {
                        "Time measured when the project was saved."
                    } else {
                        "Time measured since the last reset."
                    });
            });
        });
    });
}

fn settings(ui: &mut Ui, desk: &SharedState, context: &GuiContext) {
    ui.set_min_width(270.0);
    let params = &desk.params;
    for (param, words) in [
        (&params.follow, "Pause while the transport is stopped"),
        (&params.reset_on_start, "Reset when the transport starts or jumps"),
        (&params.dual_mono, "Measure mono as two loudspeakers"),
    ] {
        checkbox(ui, param, words, context);
    }
    log(ui, desk);
    ui.separator();
    zoom(ui, desk);
    let mut reduces_motion = params.choices.read().reduces_motion;
    let motion = ui.checkbox(&mut reduces_motion, "Reduce motion");
    if motion.tip(MOTION).changed() {
        params.choices.write().reduces_motion = reduces_motion;
    }
}

fn zoom(ui: &mut Ui, desk: &SharedState) {
    let follows = desk.params.choices.read().zoom_follows;
    let follow = |follows| desk.params.choices.write().zoom_follows = follows;
    ui.horizontal(|ui| {
        ui.label("Zoom");
        if ui.selectable_label(follows, "auto").tip(AUTO).clicked() {
            follow(true);
        }
        let now = ui.ctx().zoom_factor();
        for zoom in ZOOMS {
            let is_now = !follows && (now - zoom).abs() < 0.01;
            if ui.selectable_label(is_now, format!("{:.0} %", zoom * 100.0)).clicked() {
                follow(false);
                ui.ctx().set_zoom_factor(zoom);
            }
        }
    });
}

/// The switch of the log, and what became of it.
fn log(ui: &mut Ui, desk: &SharedState) {
    let mut logs = desk.params.choices.read().logs;
    let tip = "A CSV file in the folder of captures, with a line each second: position in the song, loudness, true peak.";
    if ui.checkbox(&mut logs, "Log each second to a file").tip(tip).changed() {
        desk.params.choices.write().logs = logs;
        desk.wake();
    }
    let state = desk.shared.log.state();
    if let Some(error) = &state.error {
        ui.label(RichText::new(error).color(theme::BAD).size(11.0));
    } else if let Some(path) = state.path.as_ref().filter(|_| logs) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        ui.add(label(RichText::new(name).color(theme::FAINT).size(11.0)))
            .tip(&path.display().to_string());
    }
}

fn checkbox(ui: &mut Ui, param: &BoolParam, words: &str, context: &GuiContext) {
    let mut value = param.value();
    if ui.checkbox(&mut value, words).changed() {
        set_param(param, value, context);
    }
}

#[cfg(test)]
mod tests {
    use crate::editor::focus::press_at;
    use crate::editor::stage::Stage;
    use crate::plugin::SharedState;
    use egui::{Event, Key, Modifiers, PointerButton, Pos2};
    use nice_plug::prelude::Params;

    const OWN: &str = r#"version = 1
[[target]]
id = "house"
name = "The house"
purpose = "own programmes"
integrated_lufs = -18.0
tolerance_lu = 0.5
source = { document = "House rules", checked = "2026-11-21" }
"#;

    const HINT: &str = "your targets: /PATH.toml#ID";

    fn chosen(stage: &Stage) -> String {
        stage.desk.params.choices.read().target.clone()
    }

    /// A stage whose programme has -18 LUFS, with the list open.
    fn opened() -> Stage {
        let desk = SharedState::default();
        desk.shared.readings.integrated_lufs.set(Some(-18.0));
        desk.shared.readings.true_peak_dbtp.set(Some(-3.0));
        let mut stage = Stage::new(desk);
        assert!(stage.shows("5.0 LU too loud"));
        let name = stage.texts().into_iter().find(|text| text.contains("R 128")).unwrap();
        press_at(&mut stage, &name, Key::Enter);
        stage
    }

    fn type_in(stage: &mut Stage, words: &str) {
        for letter in words.chars() {
            stage.draw(vec![Event::Text(letter.into())]);
        }
        stage.draw(Vec::new());
    }

    fn click(stage: &mut Stage, pos: Pos2) {
        stage.draw(vec![Event::PointerMoved(pos)]);
        for pressed in [true, false] {
            let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
            stage.draw(vec![Event::PointerButton { pos, button, pressed, modifiers }]);
        }
        stage.draw(Vec::new());
    }

    #[test]
    fn meters_are_paused_continued_and_reset_by_keys() {
        let mut stage = Stage::new(SharedState::default());
        press_at(&mut stage, "Pause", Key::Space);
        assert!(stage.desk.shared.is_paused());
        assert!(stage.shows("paused 0:00"), "{:?}", stage.texts());
        press_at(&mut stage, "Reset", Key::Space);
        assert!(stage.desk.shared.take_reset(), "in either state");
        assert!(stage.desk.shared.is_paused());
        press_at(&mut stage, "Continue", Key::Space);
        assert!(!stage.desk.shared.is_paused() && stage.shows("0:00"));
    }

    #[test]
    fn zoom_that_follows_and_less_motion_are_chosen_by_keys_and_saved() {
        let mut stage = Stage::new(SharedState::default());
        press_at(&mut stage, "Settings", Key::Enter);
        press_at(&mut stage, "auto", Key::Space);
        press_at(&mut stage, "Reduce motion", Key::Space);
        let saved = stage.desk.params.serialize_fields();
        let desk = SharedState::default();
        desk.params.deserialize_fields(&saved);
        let choices = desk.params.choices.read().clone();
        assert!(choices.zoom_follows && choices.reduces_motion);
        press_at(&mut stage, "150 %", Key::Space);
        assert!(!stage.desk.params.choices.read().zoom_follows);
    }

    #[test]
    fn own_target_is_typed_and_judged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my targets.toml");
        std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), OWN.as_bytes())
            .unwrap();
        let mut stage = opened();
        let field = stage.place_of(HINT);
        click(&mut stage, field);
        assert!(stage.shows(HINT), "the list stays open");
        type_in(&mut stage, &format!("{}#house", path.display()));
        assert_eq!(chosen(&stage), format!("{}#house", path.display()));
        stage.wait_for("The house");
        assert!(stage.shows("within the target"), "{:?}", stage.texts());
        stage.press(Key::Enter, Modifiers::NONE);
        assert!(!stage.shows("Spotify"), "and closes");
    }

    #[test]
    fn own_target_is_reached_by_tab() {
        let mut stage = opened();
        for _ in 0..100 {
            stage.press(Key::Tab, Modifiers::NONE);
            if stage.focus() == Some(egui::Id::unique("own target")) {
                type_in(&mut stage, "/a.toml");
                assert_eq!(chosen(&stage), "/a.toml");
                return;
            }
        }
        panic!("Tab does not lead to the field");
    }
}
