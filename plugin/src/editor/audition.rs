//! The switch of the audition, and what says that it is on.

use super::theme;
use super::tip::Tip;
use super::verdict::TargetState;
use crate::plugin::SharedState;
use egui::{Button, Color32, RichText, Stroke, StrokeKind, Ui};

/// What it is called.
const NAME: &str = "Audition";

const OFF: &str = "Plays the program as loud as the target's platform will. Meters, captures and offline renders are \
    not affected. Not saved; off when the window closes.";

const NO_PLATFORM: &str =
    "Nothing is known of what playback does to this target: it is heard as it is.";

/// On yellow.
const INK: Color32 = theme::GROUND;

/// Switches it; says by how much the signal is changed while it is on.
pub(super) fn button(ui: &mut Ui, desk: &SharedState, standing: &TargetState) {
    let is_on = desk.audition.is_on();
    let has_platform = standing.target.as_ref().is_some_and(|target| target.playback.is_some());
    let words = if is_on { state(standing) } else { NAME.to_owned() };
    let button = if is_on {
        Button::new(RichText::new(words).color(INK).strong()).fill(theme::HELD)
    } else {
        Button::new(words)
    };
    let tip = if has_platform { OFF } else { NO_PLATFORM };
    let button = ui.add_enabled(is_on || has_platform, button).on_disabled_hover_text(NO_PLATFORM);
    if button.tip(tip).clicked() {
        desk.audition.switch(!is_on);
    }
}

fn state(standing: &TargetState) -> String {
    match standing.playback_gain() {
        Some(gain) => format!("{NAME} {:+.1} dB", gain.0 + 0.0).replace('-', "\u{2212}"),
        None => format!("{NAME}: no change"),
    }
}

/// A frame around the window while it is on.
pub(super) fn frame(ui: &Ui, desk: &SharedState) {
    if desk.audition.is_on() {
        let stroke = Stroke::new(3.0, theme::HELD);
        ui.painter().rect_stroke(ui.max_rect(), 0.0, stroke, StrokeKind::Inside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::focus::press_at;
    use crate::editor::stage::Stage;
    use crate::window::WindowOwner as _;
    use egui::{Key, Shape};
    use nice_plug::prelude::Params;
    use wavemill_core::units::Decibels;

    fn is_framed(stage: &Stage) -> bool {
        let is_frame = |shape: &&Shape| matches!(shape, Shape::Rect(rect) if rect.stroke == Stroke::new(3.0, theme::HELD));
        stage.shapes().iter().any(is_frame)
    }

    fn stage(target: &str) -> Stage {
        let desk = SharedState::default();
        desk.shared.readings.integrated_lufs.set(Some(-11.5));
        desk.params.choices.write().target = target.into();
        Stage::new(desk)
    }

    #[test]
    fn audition_says_by_how_much_it_changes_what_is_heard_and_is_never_saved() {
        let mut stage = stage("spotify");
        assert!(!is_framed(&stage));
        assert_eq!(stage.desk.audition.wanted(), None);
        press_at(&mut stage, NAME, Key::Enter);
        stage.draw(Vec::new());
        assert!(is_framed(&stage) && stage.shows("Audition \u{2212}2.5 dB"), "{:?}", stage.texts());
        assert_eq!(stage.desk.audition.wanted(), Some(Decibels(-2.5)));
        let saved = stage.desk.params.serialize_fields();
        let desk = SharedState::default();
        desk.params.deserialize_fields(&saved);
        assert!(!desk.audition.is_on());
        // It follows the target, and where nothing is known there is no gain.
        stage.desk.params.choices.write().target = "apple-music".into();
        stage.draw(Vec::new());
        stage.draw(Vec::new());
        assert_eq!(stage.desk.audition.wanted(), Some(Decibels(-4.5)));
        stage.desk.params.choices.write().target = "r128".into();
        stage.draw(Vec::new());
        stage.draw(Vec::new());
        assert_eq!(stage.desk.audition.wanted(), None);
        assert!(stage.shows("Audition: no change") && is_framed(&stage));
        stage.desk.closed();
        assert!(!stage.desk.audition.is_on(), "nobody would see it");
    }

    #[test]
    fn target_without_a_platform_cannot_be_auditioned() {
        let stage = stage("r128");
        let place = stage.place_of(NAME);
        let is_there = |[place_of, _]: &[egui::Rect; 2]| place_of.contains(place);
        assert!(!stage.places().iter().any(is_there), "no control");
    }
}
