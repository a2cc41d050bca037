//! The ranges of the nearest genre profile, drawn over the spectrum.

use super::spectrum::{BANDS_PER_OCTAVE, decibels};
use super::{panel, theme};
use crate::meters::Music;
use crate::window::scale::Axis;
use egui::{Align2, Painter, Pos2, Rect, Shape, Stroke, pos2};
use wavemill_core::advice::{Band, Profile};

/// Where and how a spectrum is drawn.
pub(super) struct Sheet<'a> {
    pub(super) painter: &'a Painter,
    pub(super) plot: Rect,
    pub(super) across: Axis,
    pub(super) up: Axis,
    /// What the tilt adds at a frequency, in dB.
    pub(super) tilt_db: &'a dyn Fn(f32) -> f32,
    /// Level of all bands of the spectrum together, in dBFS.
    pub(super) total_db: f32,
}

/// Draws the profile's ranges and the music's own levels where the spectrum has as much in all; the name, or a dash
/// before anything is known.
pub(super) fn show(sheet: &Sheet<'_>, music: Option<&Music>) {
    let profile = music.and_then(|music| music.profile);
    if let Some((music, profile)) = music.zip(profile) {
        for band in 0..Band::ALL.len() {
            sheet.band(band, music, profile);
        }
    }
    let name = profile.map_or("\u{2013}", |profile| profile.name.as_str());
    let words = format!("nearest genre profile: {name}");
    // Below the readout of the pointer.
    let place = pos2(sheet.plot.right() - 4.0, sheet.plot.top() + 17.0);
    panel::text(sheet.painter, place, Align2::RIGHT_TOP, &words, 10.5, theme::TARGET);
}

impl Sheet<'_> {
    fn band(&self, band: usize, music: &Music, profile: &Profile) {
        let range = profile.bands[band].level_db;
        if let Some((min, max)) = range.min.zip(range.max) {
            let [low, high] = [min, max].map(|end| self.line(band, end.0));
            let corners = vec![low[0], low[1], high[1], high[0]];
            let fill = theme::veil(theme::TARGET, 0.2);
            let edge = Stroke::new(1.0, theme::veil(theme::TARGET, 0.55));
            self.painter.add(Shape::convex_polygon(corners, fill, edge));
        }
        if let Some(level) = music.balance[band] {
            self.painter.line_segment(self.line(band, level.0), Stroke::new(2.0, theme::TEXT));
        }
    }

    /// Both ends of a band with so much of all energy, in dB, if every octave of it had equally much.
    fn line(&self, band: usize, share_db: f64) -> [Pos2; 2] {
        #[expect(clippy::cast_possible_truncation, reason = "a display")]
        let ends_hz = Band::ALL[band].edges().map(|edge| edge.0 as f32);
        let count = BANDS_PER_OCTAVE * (ends_hz[1] / ends_hz[0]).log2();
        #[expect(clippy::cast_possible_truncation, reason = "a display")]
        let db = self.total_db + share_db as f32 - decibels(count);
        let place = |hz: f32| pos2(self.across.place(hz), self.up.place(db + (self.tilt_db)(hz)));
        let [left, right] = ends_hz.map(place);
        // One band ends where the next begins.
        [pos2(left.x + 1.0, left.y), pos2(right.x - 1.0, right.y)]
    }
}

#[cfg(test)]
mod tests {
    use crate::editor::focus::press_at;
    use crate::editor::stage::Stage;
    use crate::editor::theme;
    use crate::meters::Music;
    use crate::plugin::SharedState;
    use egui::{Key, Shape};
    use nice_plug::prelude::Params;
    use wavemill_core::advice::Band;
    use wavemill_core::units::Decibels;
    use wavemill_pipelines::profiles;

    /// Filled polygons of the profile's color.
    fn ranges(stage: &Stage) -> usize {
        let fill = theme::veil(theme::TARGET, 0.2);
        let is_range = |shape: &&Shape| matches!(shape, Shape::Path(path) if path.fill == fill);
        stage.shapes().into_iter().filter(is_range).count()
    }

    fn music() -> Music {
        let profile = profiles::shipped().iter().find(|profile| profile.id == "techno-deep");
        let balance = [-2.0, -10.0, -11.0, -16.0, -20.0].map(|level| Some(Decibels(level)));
        Music { balance, profile, ..Music::default() }
    }

    #[test]
    fn profile_is_drawn_when_asked_named_and_saved_with_the_project() {
        let mut stage = Stage::new(SharedState::default());
        stage.play_tone();
        stage.desk.shared.publish(Some(music()));
        stage.draw(Vec::new());
        assert_eq!(ranges(&stage), 0);
        press_at(&mut stage, "genre", Key::Enter);
        stage.draw(Vec::new());
        assert_eq!(ranges(&stage), Band::ALL.len());
        assert!(stage.shows("nearest genre profile: Techno, deep"), "{:?}", stage.texts());
        let saved = stage.desk.params.serialize_fields();
        let desk = SharedState::default();
        desk.params.deserialize_fields(&saved);
        assert!(desk.params.choices.read().shows_profile);
        press_at(&mut stage, "genre", Key::Enter);
        stage.draw(Vec::new());
        assert_eq!(ranges(&stage), 0);
    }

    #[test]
    fn nothing_is_drawn_before_a_profile_is_known() {
        let desk = SharedState::default();
        desk.params.choices.write().shows_profile = true;
        let mut stage = Stage::new(desk);
        stage.play_tone();
        assert_eq!(ranges(&stage), 0);
        assert!(stage.shows("nearest genre profile: \u{2013}"));
        stage.desk.shared.publish(Some(Music { profile: None, ..music() }));
        stage.draw(Vec::new());
        assert_eq!(ranges(&stage), 0);
    }

    /// What the meters found before belongs to another program.
    #[test]
    fn profile_goes_with_the_meters_reset() {
        let desk = SharedState::default();
        desk.params.choices.write().shows_profile = true;
        let mut stage = Stage::new(desk);
        stage.play_tone();
        stage.desk.shared.publish(Some(music()));
        stage.draw(Vec::new());
        assert_eq!(ranges(&stage), Band::ALL.len());
        stage.desk.shared.tap.begin();
        stage.draw(Vec::new());
        assert_eq!(ranges(&stage), 0);
    }
}
