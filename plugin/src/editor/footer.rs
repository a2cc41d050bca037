//! Captures: when, how long, what was lost, where they are.

use super::tip::{Tip, label};
use super::{codecs, output, panel, theme};
use crate::params::CaptureMode;
use crate::plugin::SharedState;
use egui::{Align, Button, Color32, Layout, Rect, RichText, Ui, pos2, vec2};

/// The modes with their words and what they mean.
const MODES: [(CaptureMode, &str, &str); 4] = [
    (CaptureMode::Off, "off", "Capture is off."),
    (CaptureMode::Now, "now", "Captures until you turn it off."),
    (CaptureMode::Playing, "while playing", "Starts a new capture each time the transport starts."),
    (CaptureMode::Bounce, "bounce", "Captures offline renders of the DAW."),
];

const UNHELD: &str = "The latest capture ended before its recorder was ready, so it has no file. \
    To include the first sample, arm the capture a moment before it starts.";

pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    desk: &SharedState,
    (view, codecs): (&mut output::View, &mut codecs::View),
) {
    ui.painter().rect_filled(rect, theme::CORNER, theme::PANEL);
    panel::inside(ui, rect.shrink2(vec2(8.0, 3.0)), |ui| {
        ui.horizontal_centered(|ui| {
            ui.label(RichText::new("CAPTURE").size(10.5).color(theme::FAINT));
            let chosen = desk.params.capture.value();
            for (mode, words, tip) in MODES {
                if ui.selectable_label(mode == chosen, words).tip(tip).clicked() {
                    if mode != CaptureMode::Off {
                        desk.arm();
                    }
                    desk.params.capture.set(mode);
                }
            }
            let tip = "Where captures go, and which pipeline processes them.";
            let button = Button::selectable(view.is_open, "Output").frame_when_inactive(true);
            if ui.add(button).tip(tip).clicked() {
                view.is_open = !view.is_open;
                codecs.is_open = false;
            }
            let tip = "What lossy codecs do to the true peak.";
            let button = Button::selectable(codecs.is_open, "Codecs").frame_when_inactive(true);
            if ui.add(button).tip(tip).clicked() {
                codecs.is_open = !codecs.is_open;
                view.is_open = false;
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| state(ui, desk, chosen));
        });
    });
}

/// What the latest capture is doing, or became.
fn state(ui: &mut Ui, desk: &SharedState, mode: CaptureMode) {
    if let Some(error) = desk.captures.error() {
        ui.label(RichText::new(error).color(theme::BAD));
        return;
    }
    let is_unheld = desk.captures.is_latest_unheld();
    if is_unheld {
        let words = "too short: not captured";
        ui.add(label(RichText::new(words).color(theme::BAD).strong())).tip(UNHELD);
    }
    let Some(capture) = desk.captures.all().pop() else {
        let words = if mode == CaptureMode::Off || is_unheld { "" } else { "armed" };
        ui.label(RichText::new(words).color(theme::FAINT));
        return;
    };
    let state = capture.state();
    if !state.is_complete {
        let (place, _) = ui.allocate_exact_size(vec2(12.0, 12.0), egui::Sense::hover());
        let middle = pos2(place.center().x, place.center().y);
        ui.painter().circle_filled(middle, 5.0, theme::BAD);
    }
    let rate_hz = f64::from(desk.sample_rate_hz());
    let seconds = |frames: u64| frames as f64 / rate_hz;
    let clock = crate::window::scale::clock(seconds(capture.recorded_frames()));
    ui.label(RichText::new(clock).font(theme::digits(13.0)));
    let lost = capture.lost_frames();
    if lost > 0 {
        let words = format!("{:.2} s lost", seconds(lost));
        let tip = "The disk could not keep up or is full, or the capture was armed too late; these \
            samples are silent in the file.";
        ui.add(label(RichText::new(words).color(theme::BAD).strong())).tip(tip);
    }
    let render = desk.renders.latest().filter(|render| render.parts == state.parts);
    match (&state.error, render, state.parts.last()) {
        (Some(error), ..) => brief(ui, error, error, theme::BAD),
        (None, Some(render), _) if render.is_over() => {
            let (words, all, color) = output::summary(&render);
            brief(ui, &words, &all, color);
        }
        (None, Some(render), _) => output::progress(ui, &render, desk.renders.open_count()),
        (None, None, Some(part)) => {
            let name = part.file_name().unwrap_or_default().to_string_lossy();
            brief(ui, &name, &part.display().to_string(), theme::FAINT);
        }
        (None, None, None) => {}
    }
}

/// As many words as there is room for; all of them where the pointer rests.
fn brief(ui: &mut Ui, words: &str, all: &str, color: Color32) {
    ui.add(label(RichText::new(words).color(color)).truncate()).tip(all);
}

#[cfg(test)]
mod tests {
    use crate::capture::{Tape, Timing};
    use crate::editor::focus::press_at;
    use crate::editor::stage::Stage;
    use crate::plugin::SharedState;
    use egui::Key;
    use std::sync::Arc;

    #[test]
    fn capture_without_a_file_is_reported() {
        let words = "too short: not captured";
        let desk = SharedState::default();
        let mut tape = Tape::new(Arc::clone(&desk.captures));
        let mut stage = Stage::new(desk);
        assert!(!stage.shows(words));
        tape.run(&[&mut [0.25; 480]], true, true, Timing::RealTime);
        tape.run(&[&mut [0.25; 480]], false, false, Timing::RealTime);
        stage.draw(Vec::new());
        assert!(stage.shows(words), "{:?}", stage.texts());
        press_at(&mut stage, "Output", Key::Enter);
        let all = "1 capture was over before its recorder was ready: 0.01 s were not recorded";
        assert!(stage.shows(all), "{:?}", stage.texts());
    }
}
