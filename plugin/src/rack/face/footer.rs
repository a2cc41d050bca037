//! What goes in and comes out.

use super::Face;
use crate::window::tip::Tip;
use crate::window::{panel, set_param, theme};
use egui::{Align, Button, Layout, Rect, RichText, Ui};
use nice_plug::context::gui::GuiContext;
use wavemill_core::units::Decibels;

/// From this width on, in points, there is room for frames, too.
const WIDE: f32 = 760.0;

impl Face {
    pub(super) fn footer(&self, ui: &mut Ui, rect: Rect, context: &GuiContext) {
        let peaks = &self.levels.peaks;
        let latency = self.desk.latency_frames();
        let rate_hz = self.desk.spec().sample_rate.0;
        panel::inside(ui, rect, |ui| {
            ui.horizontal_centered(|ui| {
                for (name, peak) in [("In", peaks.input), ("Out", peaks.outputs[7])] {
                    ui.label(RichText::new(name).color(theme::FAINT));
                    let color = if peak > 1.0 { theme::BAD } else { theme::TEXT };
                    ui.label(RichText::new(level(peak)).font(theme::digits(12.0)).color(color));
                    ui.add_space(4.0);
                }
                self.loudness(ui, context);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let milliseconds = latency as f64 / f64::from(rate_hz) * 1000.0;
                    let words = if rect.width() < WIDE {
                        format!("{milliseconds:.1} ms")
                    } else {
                        format!("{latency} frames, {milliseconds:.1} ms")
                    };
                    ui.label(RichText::new(words).font(theme::digits(12.0)));
                    ui.label(RichText::new("Latency").color(theme::FAINT));
                });
            });
        });
    }

    /// Short-term loudness before and behind, and the match.
    fn loudness(&self, ui: &mut Ui, context: &GuiContext) {
        let reading = self.desk.strip.reading();
        for (name, value) in [("Before", reading.before_lufs), ("After", reading.behind_lufs)] {
            ui.label(RichText::new(name).color(theme::FAINT));
            ui.label(RichText::new(lufs(value)).font(theme::digits(12.0)));
            ui.add_space(4.0);
        }
        if self.desk.params.is_exported {
            return;
        }
        let param = &self.desk.params.matches;
        let gain_db = reading.gain_db.filter(|_| param.value());
        let words =
            gain_db.map_or_else(|| "Match".to_owned(), |gain| format!("Match {gain:+.1} dB"));
        let button = ui.add(Button::selectable(param.value(), words));
        let tip = "Plays the output as loud as the input, to judge the sound alone. Never in offline renders.";
        if button.tip(tip).clicked() {
            set_param(param, !param.value(), context);
        }
    }
}

fn lufs(value: Option<f32>) -> String {
    value.map_or_else(|| "- LUFS".to_owned(), |value| format!("{value:.1} LUFS"))
}

fn level(peak: f32) -> String {
    match Decibels::from_amplitude(f64::from(peak)).filter(|level| level.0 >= -100.0) {
        Some(level) => format!("{:.1} dBFS", level.0),
        None => "-inf dBFS".to_owned(),
    }
}
