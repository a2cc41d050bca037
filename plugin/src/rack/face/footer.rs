//! What goes in and comes out.

use super::Face;
use crate::window::panel;
use crate::window::theme;
use egui::{Rect, RichText, Ui};
use wavemill_core::units::Decibels;

impl Face {
    pub(super) fn footer(&self, ui: &mut Ui, rect: Rect) {
        let peaks = &self.levels.peaks;
        let latency = self.desk.latency_frames();
        let rate_hz = self.desk.spec().sample_rate.0;
        panel::inside(ui, rect, |ui| {
            ui.horizontal_centered(|ui| {
                for (name, peak) in [("In", peaks.input), ("Out", peaks.outputs[7])] {
                    ui.label(RichText::new(name).color(theme::FAINT));
                    let color = if peak > 1.0 { theme::BAD } else { theme::TEXT };
                    ui.label(RichText::new(level(peak)).font(theme::digits(12.0)).color(color));
                    ui.add_space(10.0);
                }
                ui.label(RichText::new("Latency").color(theme::FAINT));
                let milliseconds = latency as f64 / f64::from(rate_hz) * 1000.0;
                let words = format!("{latency} frames, {milliseconds:.1} ms");
                ui.label(RichText::new(words).font(theme::digits(12.0)));
            });
        });
    }
}

fn level(peak: f32) -> String {
    match Decibels::from_amplitude(f64::from(peak)).filter(|level| level.0 >= -100.0) {
        Some(level) => format!("{:6.1} dBFS", level.0),
        None => "  -inf dBFS".to_owned(),
    }
}
