//! Where the keyboard is.

use super::theme;
use egui::{Context, CornerRadius, Id, LayerId, Memory, Order, Stroke, StrokeKind};

/// Width of the ring, in points: seen from where one sits in front of a mix.
const WIDTH: f32 = 2.0;

/// Draws a ring around what has the focus, above everything.
pub(crate) fn ring(context: &Context) {
    let focused = context.memory(Memory::focused);
    let Some(response) = focused.and_then(|id| context.read_response(id)) else { return };
    let painter = context.layer_painter(LayerId::new(Order::Tooltip, Id::unique("focus")));
    let stroke = Stroke::new(WIDTH, theme::FOCUS);
    let rect = response.interact_rect.expand(1.0);
    painter.rect_stroke(rect, CornerRadius::same(3), stroke, StrokeKind::Inside);
}

#[cfg(test)]
pub(crate) use tests::{go_to, press_at};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::stage::Stage;
    use crate::params::{CaptureMode, WINDOW};
    use crate::plugin::SharedState;
    use crate::window::place::SIZE_MIN;
    use egui::accesskit::{Action, Node, NodeId, Role};
    use egui::{Key, Modifiers, Rect, Shape};
    use nice_plug::prelude::Param;
    use std::collections::HashSet;

    /// More than the editor has.
    const STEPS_MAX: usize = 100;

    fn stage() -> Stage {
        Stage::new(SharedState::default())
    }

    /// Rings that are drawn.
    fn rings(stage: &Stage) -> Vec<Rect> {
        let ring = |shape: &Shape| match shape {
            Shape::Rect(rect) if rect.stroke == Stroke::new(WIDTH, theme::FOCUS) => Some(rect.rect),
            _ => None,
        };
        stage.shapes().into_iter().filter_map(ring).collect()
    }

    /// Presses Tab until what has the focus says these words.
    pub(crate) fn go_to(stage: &mut Stage, words: &str) {
        for _ in 0..STEPS_MAX {
            stage.press(Key::Tab, Modifiers::NONE);
            if stage.focused_words() == Some(words) {
                return;
            }
        }
        panic!("Tab does not lead to `{words}`");
    }

    /// Goes there and presses a key.
    pub(crate) fn press_at(stage: &mut Stage, words: &str, key: Key) {
        go_to(stage, words);
        stage.press(key, Modifiers::NONE);
    }

    #[test]
    fn every_control_is_reached_by_tab_and_has_a_ring() {
        let mut stage = stage();
        assert_eq!(rings(&stage), []);
        let controls = stage.controls();
        assert!(controls.len() >= 15, "{controls:?}");
        let mut reached = HashSet::new();
        for _ in 0..controls.len() {
            stage.press(Key::Tab, Modifiers::NONE);
            let id = stage.focus().unwrap();
            let rings = rings(&stage);
            let [ring] = rings[..] else { panic!("{rings:?}") };
            let rect = stage.context.read_response(id).unwrap().interact_rect;
            assert!(ring.contains_rect(rect) && ring.width() < rect.width() + 4.0, "{ring}");
            reached.insert(id);
        }
        assert_eq!(reached, controls);
        stage.press(Key::Tab, Modifiers::SHIFT);
        assert!(controls.contains(&stage.focus().unwrap()), "and back");
        stage.press(Key::Escape, Modifiers::NONE);
        assert_eq!((stage.focus(), rings(&stage)), (None, Vec::new()), "keys are the DAW's again");
    }

    /// What a screen reader would say; see decision 19.
    #[test]
    fn every_control_has_a_name_and_a_role() {
        for opener in [None, Some("Settings"), Some("Output"), Some("Codecs")] {
            let mut stage = stage();
            if let Some(opener) = opener {
                press_at(&mut stage, opener, Key::Enter);
            }
            let tree = stage.accessible_tree();
            let is_control = |node: &&(NodeId, Node)| node.1.supports_action(Action::Focus);
            let controls: Vec<_> = tree.nodes.iter().filter(is_control).collect();
            assert!(controls.len() >= stage.controls().len(), "{} {opener:?}", controls.len());
            for (id, node) in controls {
                let is_named = node.label().is_some_and(|name| !name.trim().is_empty());
                let is_read = node.value().is_some() || node.placeholder().is_some();
                assert!(is_named || is_read, "{id:?} {node:?} {opener:?}");
                assert_ne!(node.role(), Role::Unknown, "{node:?}");
            }
        }
    }

    #[test]
    fn every_control_is_seen_in_windows_of_any_size() {
        for size in [SIZE_MIN, (700, 900), WINDOW, (1500, 1000)] {
            let stage = Stage::sized(SharedState::default(), size);
            let places = stage.places();
            assert!(places.len() >= 12, "{size:?}");
            for [place, seen] in places {
                assert!(seen.expand(0.5).contains_rect(place), "{place} but {seen} in {size:?}");
            }
        }
    }

    #[test]
    fn space_and_enter_do_what_a_click_does() {
        let mut stage = stage();
        let capture = |stage: &Stage| stage.desk.params.capture.value();
        press_at(&mut stage, "now", Key::Space);
        assert_eq!(capture(&stage), CaptureMode::Now);
        press_at(&mut stage, "off", Key::Enter);
        assert_eq!(capture(&stage), CaptureMode::Off);
        press_at(&mut stage, "Reset", Key::Space);
        assert!(stage.desk.shared.take_reset());
    }

    #[test]
    fn settings_are_reached_and_changed_by_keys() {
        let mut stage = stage();
        press_at(&mut stage, "Settings", Key::Enter);
        assert!(stage.shows("Zoom"));
        let inside = stage.controls();
        let before = stage.desk.params.dual_mono.value();
        press_at(&mut stage, "Measure mono as two loudspeakers", Key::Space);
        assert_ne!(stage.desk.params.dual_mono.value(), before);
        assert!(stage.shows("Zoom"), "it stays open");
        assert!(inside.len() > 20);
        stage.press(Key::Escape, Modifiers::NONE);
        stage.press(Key::Escape, Modifiers::NONE);
        assert!(!stage.shows("Zoom"), "and closes");
        assert_eq!(stage.desk.params.dual_mono.name(), "Dual mono");
    }

    #[test]
    fn target_is_chosen_by_keys() {
        let mut stage = stage();
        let target = |stage: &Stage| stage.desk.params.choices.read().target.clone();
        assert_eq!(target(&stage), "r128");
        let name = stage.texts().into_iter().find(|text| text.contains("R 128")).unwrap();
        press_at(&mut stage, &name, Key::Enter);
        press_at(&mut stage, "Spotify", Key::Enter);
        assert_eq!(target(&stage), "spotify");
    }

    #[test]
    fn history_moves_and_zooms_by_arrows() {
        let mut stage = stage();
        stage.fill_history(1200);
        let times = |stage: &Stage| {
            let texts = stage.texts();
            let is_time = |text: &String| text.contains(':') && text.len() < 9;
            texts.into_iter().filter(is_time).collect::<Vec<_>>()
        };
        let whole = times(&stage);
        go_to(&mut stage, "history");
        for _ in 0..12 {
            stage.press(Key::ArrowUp, Modifiers::NONE);
        }
        let near = times(&stage);
        assert_ne!(near, whole);
        for _ in 0..12 {
            stage.press(Key::ArrowLeft, Modifiers::NONE);
        }
        assert_ne!(times(&stage), near);
        stage.press(Key::Space, Modifiers::NONE);
        assert_eq!(times(&stage), whole);
    }
}
