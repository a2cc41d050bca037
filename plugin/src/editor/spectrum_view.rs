//! The spectrum drawn.

use super::overlay::{self, Sheet};
use super::spectrogram::{Shades, Spectrogram};
use super::spectrum::{HIGHEST_HZ, LOWEST_HZ, Spectrum};
use super::tip::Tip;
use super::{panel, theme, words};
use crate::meters::Music;
use crate::params::{Reference, WavemillParams};
use crate::window::scale::Axis;
use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Align, Align2, Layout, Painter, Pos2, Rect, RichText, Shape, Stroke, Ui, pos2};

/// Levels shown, in dB.
const LOW_DB: f32 = -84.0;
const HIGH_DB: f32 = 0.0;

/// Tilts one may choose, in dB an octave, of a spectrum by frequency: with 3 pink noise is level, with 4.5
/// most music.
const SLOPES: [(&str, f32); 3] = [("0", 0.0), ("3", 3.0), ("4.5", 4.5)];

/// Bands of equal parts of an octave are wider the higher they are: so much of a tilt they have by
/// themselves.
const BAND_SLOPE_DB: f32 = 3.0;

/// What all buttons beside the title take, in points.
const BUTTONS_WIDTH: f32 = 286.0;

const KEEP: &str = "Saves the held peaks with the project as a dashed line for comparison; click \
    again to clear it.";

const GENRE: &str = "Shows which built-in genre profile the last two minutes are nearest to, by the levels of \
    five bands alone, and its ranges for them at the level of the spectrum. Short lines: measured levels. Profiles are \
    targets from published practice, not measurements of records. None is shown for the first 8 s, and where none is \
    near.";

const TIME: &str = "Shows the last 20 s as a spectrogram: a column each 50 ms, the brighter, the louder. It begins anew \
    when it is chosen.";

const LINES: &str =
    "Also shows the FFT of 8192 samples, which is finer than the bands above 200 Hz.";

/// Where a tilt turns, in Hz.
const PIVOT_HZ: f32 = 1000.0;

/// How the spectrum is shown.
pub(super) struct View {
    slope_db: f32,
    /// Whether the lines of the transform are shown besides the bands.
    shows_lines: bool,
    is_frozen: bool,
    /// The levels when it was frozen.
    frozen_db: Vec<f32>,
    gram: Spectrogram,
}

impl Default for View {
    fn default() -> Self {
        Self {
            slope_db: 4.5,
            shows_lines: false,
            is_frozen: false,
            frozen_db: Vec::new(),
            gram: Spectrogram::default(),
        }
    }
}

impl View {
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        spectrum: &mut Spectrum,
        (params, music): (&WavemillParams, Option<&Music>),
    ) {
        let room = panel::ground(ui, rect, "SPECTRUM");
        let plot = Rect {
            min: pos2(room.left() + 22.0, room.top()),
            max: pos2(room.right(), room.bottom() - 13.0),
        };
        if params.choices.read().shows_spectrogram {
            self.over_time(ui, plot, spectrum);
        } else {
            self.gram.forget();
            self.now(ui, plot, spectrum, (params, music));
        }
        self.buttons(ui, rect, spectrum, params);
        let place = panel::place(ui, plot, "spectrum");
        panel::explained_by_title(ui, rect, place, words::SPECTRUM);
    }

    /// The window is another one.
    pub(super) fn begin(&mut self) {
        self.gram.forget();
    }

    /// The latest seconds.
    fn over_time(&mut self, ui: &Ui, plot: Rect, spectrum: &Spectrum) {
        let slope_db = self.slope_db;
        let tilt_db = |hz: f32| tilt_db(slope_db, hz);
        let shades = Shades { low_db: LOW_DB, high_db: HIGH_DB, tilt: &tilt_db, slope_db };
        if !self.is_frozen {
            self.gram.update(spectrum, ui.ctx(), shades);
        }
        self.gram.show(ui, plot, spectrum);
    }

    /// This moment.
    fn now(
        &self,
        ui: &Ui,
        plot: Rect,
        spectrum: &Spectrum,
        (params, music): (&WavemillParams, Option<&Music>),
    ) {
        let (across, up) =
            (Axis::octaves(plot, LOWEST_HZ, HIGHEST_HZ), Axis::upward(plot, LOW_DB, HIGH_DB));
        grid(ui.painter(), plot, across, up);
        let painter = ui.painter_at(plot);
        let levels = if self.is_frozen { &self.frozen_db } else { &spectrum.levels_db };
        let places = |levels: &[f32]| self.places(spectrum, levels, across, up);
        area(&painter, plot, &places(levels));
        painter.add(Shape::line(places(levels), Stroke::new(1.6, theme::SIGNAL)));
        if self.shows_lines && !self.is_frozen {
            let lines = self.lines(spectrum, across, up);
            painter.add(Shape::line(lines, Stroke::new(1.0, theme::veil(theme::TEXT, 0.8))));
        }
        let held = theme::veil(theme::HELD, 0.65);
        painter.add(Shape::line(places(&spectrum.held_db), Stroke::new(1.0, held)));
        if params.choices.read().shows_profile {
            let (total_db, tilt_db) = (spectrum.total_db(), |hz: f32| self.tilt_db(hz));
            let sheet = Sheet { painter: &painter, plot, across, up, tilt_db: &tilt_db, total_db };
            overlay::show(&sheet, music);
        }
        if let Some(reference) = &*params.reference.read() {
            let places = places(&reference.levels_db());
            painter.extend(Shape::dashed_line(&places, Stroke::new(1.4, theme::TARGET), 5.0, 4.0));
        }
        readout(ui, plot, across, up);
    }

    fn places(&self, spectrum: &Spectrum, levels: &[f32], across: Axis, up: Axis) -> Vec<Pos2> {
        let bands = spectrum.middles_hz.iter().zip(levels);
        bands.map(|(&hz, &db)| pos2(across.place(hz), up.place(db + self.tilt_db(hz)))).collect()
    }

    /// What the tilt adds to a band.
    fn tilt_db(&self, hz: f32) -> f32 {
        tilt_db(self.slope_db, hz)
    }

    /// The largest line of each place of the window, where there are several. Lines are equally wide, so that the
    /// whole tilt is theirs.
    fn lines(&self, spectrum: &Spectrum, across: Axis, up: Axis) -> Vec<Pos2> {
        let mut places: Vec<Pos2> = Vec::new();
        for (line, &db) in spectrum.lines_db.iter().enumerate() {
            let hz = line as f32 * spectrum.line_hz;
            if !(LOWEST_HZ..=HIGHEST_HZ).contains(&hz) {
                continue;
            }
            let tilt = self.slope_db * (hz / PIVOT_HZ).log2();
            let place = pos2(across.place(hz), up.place(db + tilt));
            match places.last_mut() {
                Some(last) if place.x - last.x < 1.0 => last.y = last.y.min(place.y),
                _ => places.push(place),
            }
        }
        places
    }

    /// Beside the title where there is room, else in a menu.
    fn buttons(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        spectrum: &mut Spectrum,
        params: &WavemillParams,
    ) {
        let row = Rect {
            min: pos2(rect.left() + 70.0, rect.top() + 1.0),
            max: pos2(rect.right() - 6.0, rect.top() + 19.0),
        };
        panel::inside(ui, row, |ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                ui.spacing_mut().button_padding.x = 4.0;
                if row.width() >= BUTTONS_WIDTH {
                    self.slopes(ui);
                    self.looks(ui, spectrum, params);
                } else {
                    ui.menu_button(small("view"), |ui| {
                        ui.horizontal(|ui| self.slopes(ui));
                        self.looks(ui, spectrum, params);
                    });
                }
            });
        });
    }

    fn slopes(&mut self, ui: &mut Ui) {
        for (name, slope_db) in SLOPES.into_iter().rev() {
            let is_chosen = (self.slope_db - slope_db).abs() < 0.1;
            let tip = format!(
                "Tilt of {name} dB per octave around 1 kHz: 3 makes pink noise look flat, 4.5 most \
                music."
            );
            if ui.selectable_label(is_chosen, small(name)).tip(&tip).clicked() {
                self.slope_db = slope_db;
            }
        }
        ui.label(small("tilt").color(theme::FAINT));
    }

    fn looks(&mut self, ui: &mut Ui, spectrum: &mut Spectrum, params: &WavemillParams) {
        let mut button =
            |name, is_on, tip| ui.selectable_label(is_on, small(name)).tip(tip).clicked();
        let has_reference = params.reference.read().is_some();
        if button("keep", has_reference, KEEP) {
            *params.reference.write() = (!has_reference).then(|| Reference::new(&spectrum.held_db));
        }
        let shows_profile = params.choices.read().shows_profile;
        if button("genre", shows_profile, GENRE) {
            params.choices.write().shows_profile = !shows_profile;
        }
        if button("lines", self.shows_lines, LINES) {
            self.shows_lines = !self.shows_lines;
        }
        if button("freeze", self.is_frozen, "Freezes the spectrum; peak hold continues.") {
            self.is_frozen = !self.is_frozen;
            self.frozen_db.clone_from(&spectrum.levels_db);
        }
        if button("release", false, "Resets held peaks.") {
            spectrum.release();
        }
        let shows_spectrogram = params.choices.read().shows_spectrogram;
        if button("time", shows_spectrogram, TIME) {
            params.choices.write().shows_spectrogram = !shows_spectrogram;
        }
    }
}

/// What a tilt adds to a band.
fn tilt_db(slope_db: f32, hz: f32) -> f32 {
    (slope_db - BAND_SLOPE_DB) * (hz / PIVOT_HZ).log2()
}

fn small(words: &str) -> RichText {
    RichText::new(words).size(10.5)
}

fn grid(painter: &Painter, plot: Rect, across: Axis, up: Axis) {
    painter.rect_filled(plot, 2.0, theme::GROUND);
    let is_wide = plot.width() > 260.0;
    for (hz, name) in [
        (20.0, "20"),
        (50.0, "50"),
        (100.0, "100"),
        (200.0, "200"),
        (500.0, "500"),
        (1_000.0, "1k"),
        (2_000.0, "2k"),
        (5_000.0, "5k"),
        (10_000.0, "10k"),
        (20_000.0, "20k"),
    ] {
        let x = across.place(hz);
        painter.vline(x, plot.y_range(), theme::hairline(theme::GRID));
        let is_decade = matches!(name, "100" | "1k" | "10k");
        if is_wide || is_decade {
            let place = pos2(x.clamp(plot.left() + 6.0, plot.right() - 9.0), plot.bottom() + 2.0);
            panel::text(painter, place, Align2::CENTER_TOP, name, 9.5, theme::FAINT);
        }
    }
    for db in [0.0, -12.0, -24.0, -36.0, -48.0, -60.0, -72.0] {
        let y = up.place(db);
        painter.hline(plot.x_range(), y, theme::hairline(theme::GRID));
        if plot.height() > 110.0 || (db / 24.0).fract().abs() < 0.1 {
            let words = format!("{db:.0}").replace('-', "\u{2212}");
            let place = pos2(plot.left() - 4.0, y.max(plot.top() + 5.0));
            panel::text(painter, place, Align2::RIGHT_CENTER, &words, 9.5, theme::FAINT);
        }
    }
}

/// The room below a line, fading downward.
fn area(painter: &Painter, plot: Rect, places: &[Pos2]) {
    let mut mesh = Mesh::default();
    for (index, place) in places.iter().enumerate() {
        let vertex = |y: f32, share: f32| Vertex {
            pos: pos2(place.x, y),
            uv: WHITE_UV,
            color: theme::veil(theme::SIGNAL, share),
        };
        mesh.vertices.extend([vertex(place.y, 0.35), vertex(plot.bottom(), 0.03)]);
        if index > 0 {
            #[expect(clippy::cast_possible_truncation, reason = "some hundred vertices")]
            let first = 2 * (index as u32 - 1);
            mesh.add_triangle(first, first + 1, first + 2);
            mesh.add_triangle(first + 1, first + 2, first + 3);
        }
    }
    painter.add(Shape::mesh(mesh));
}

/// Frequency and level under the pointer.
fn readout(ui: &Ui, plot: Rect, across: Axis, up: Axis) {
    let Some(pointer) = ui.input(|input| input.pointer.hover_pos()) else { return };
    if !plot.contains(pointer) {
        return;
    }
    let (hz, db) = (across.value(pointer.x), up.value(pointer.y));
    let words = if hz < 1000.0 {
        format!("{hz:.0} Hz  {db:.0} dB")
    } else {
        format!("{:.2} kHz  {db:.0} dB", hz / 1000.0)
    };
    let place = pos2(plot.right() - 4.0, plot.top() + 3.0);
    panel::text(ui.painter(), place, Align2::RIGHT_TOP, &words, 10.5, theme::TEXT);
}

#[cfg(test)]
mod tests {
    use super::{KEEP, LOW_DB, View};
    use crate::editor::focus::{go_to, press_at};
    use crate::editor::spectrum::{HIGHEST_HZ, LOWEST_HZ, Spectrum};
    use crate::editor::stage::Stage;
    use crate::editor::theme;
    use crate::params::Reference;
    use crate::plugin::SharedState;
    use crate::window::scale::Axis;
    use egui::{Key, Modifiers, Pos2, Rect, Shape, Stroke, pos2};
    use nice_plug::prelude::Params;

    fn dashes(stage: &Stage) -> usize {
        let is_dash = |shape: &&Shape| matches!(shape, Shape::LineSegment { stroke, .. } if stroke.color == theme::TARGET);
        stage.shapes().into_iter().filter(is_dash).count()
    }

    #[test]
    fn lines_of_the_transform_are_drawn_when_asked_and_no_closer_than_a_point() {
        let mut stage = Stage::new(SharedState::default());
        stage.play_tone();
        let drawn = |stage: &Stage| {
            let stroke = Stroke::new(1.0, theme::veil(theme::TEXT, 0.8)).into();
            stage.shapes().into_iter().find_map(|shape| match shape {
                Shape::Path(path) if path.stroke == stroke => Some(path.points.clone()),
                _ => None,
            })
        };
        assert_eq!(drawn(&stage), None);
        press_at(&mut stage, "lines", Key::Enter);
        stage.draw(Vec::new());
        let points = drawn(&stage).expect("a thin line");
        assert!(points.len() > 100, "{}", points.len());
        assert!(points.windows(2).all(|two| two[1].x - two[0].x >= 1.0), "a point for each place");
        press_at(&mut stage, "lines", Key::Enter);
        stage.draw(Vec::new());
        assert_eq!(drawn(&stage), None);
    }

    #[test]
    fn kept_spectrum_comes_back_with_the_project() {
        let mut stage = Stage::new(SharedState::default());
        stage.play_tone();
        let before = dashes(&stage);
        // What is held is more than what is there.
        let silence = vec![0.0; 8192];
        stage.desk.shared.tap.push(&silence, &silence);
        stage.draw(Vec::new());
        go_to(&mut stage, "keep");
        assert!(stage.shows(KEEP));
        let held = stage.held_db();
        stage.press(Key::Enter, Modifiers::NONE);
        assert_eq!(*stage.desk.params.reference.read(), Some(Reference::new(&held)), "as it says");
        assert!(dashes(&stage) > before + 20, "a dashed line");
        let saved = stage.desk.params.serialize_fields();
        assert!(saved["reference"].len() < 2000, "{}", saved["reference"].len());
        let desk = SharedState::default();
        desk.params.deserialize_fields(&saved);
        let kept = stage.desk.params.reference.read().clone().unwrap();
        let levels = kept.levels_db();
        assert!(levels.iter().any(|&db| db > -20.0) && levels.iter().any(|&db| db < -60.0));
        assert_eq!(desk.params.reference.read().as_ref(), Some(&kept));
        let mut opened = Stage::new(desk);
        assert!(dashes(&opened) > before + 20);
        press_at(&mut opened, "keep", Key::Enter);
        assert_eq!(dashes(&opened), before);
        let saved = opened.desk.params.serialize_fields();
        assert_eq!(saved["reference"], "null");
    }

    /// A plot in which a point is a decibel.
    fn places(slope_db: f32, spectrum: &Spectrum) -> Vec<Pos2> {
        let plot = Rect::from_min_max(pos2(0.0, 0.0), pos2(1000.0, -LOW_DB));
        let (across, up) =
            (Axis::octaves(plot, LOWEST_HZ, HIGHEST_HZ), Axis::upward(plot, LOW_DB, 0.0));
        let view = View { slope_db, ..View::default() };
        view.places(spectrum, &spectrum.levels_db, across, up)
    }

    /// White noise, of which every Hz has the same power.
    fn white_noise() -> Spectrum {
        let tap = crate::meters::Tap::default();
        tap.open(true);
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0 - 0.5
        };
        let mut spectrum = Spectrum::new();
        // Levels fall slowly: after a while they are the peaks of every band, all by as much above its mean.
        for _ in 0..200 {
            let samples: Vec<f32> = (0..4096).map(|_| noise()).collect();
            tap.push(&samples, &samples);
            spectrum.update(&tap, 48_000.0);
        }
        spectrum
    }

    /// How much a line rises an octave, in dB, from the means of octaves above 640 Hz, whose bands have some lines.
    fn rise_db(places: &[Pos2]) -> f32 {
        let octave = |first: usize| -> f32 {
            places[first * 24..(first + 1) * 24].iter().map(|place| -place.y).sum::<f32>() / 24.0
        };
        (octave(8) - octave(5)) / 3.0
    }

    #[test]
    fn white_noise_is_level_without_a_tilt_and_rises_by_it() {
        let spectrum = white_noise();
        for slope_db in [0.0, 3.0, 4.5] {
            let rise = rise_db(&places(slope_db, &spectrum));
            // Peaks of few lines stand out more than those of many.
            assert!((rise - slope_db).abs() < 1.0, "{rise} dB an octave instead of {slope_db}");
        }
    }

    #[test]
    fn tilt_turns_around_1_khz_by_as_many_decibels_an_octave_as_it_says() {
        let spectrum = white_noise();
        let band = |hz: f32| {
            let is_at = |&middle: &f32| (middle / hz).log2().abs() < 0.5 / 24.0;
            spectrum.middles_hz.iter().position(is_at).unwrap()
        };
        let (level, tilted) = (places(0.0, &spectrum), places(4.5, &spectrum));
        for (hz, octaves) in
            [(250.0, -2.0), (500.0, -1.0), (1000.0, 0.0), (2000.0, 1.0), (8000.0, 3.0)]
        {
            let raised = level[band(hz)].y - tilted[band(hz)].y;
            // A band's middle is at most half a band away.
            assert!(
                (raised - 4.5 * octaves).abs() < 4.5 * 0.5 / 24.0 + 1e-3,
                "{raised} at {hz} Hz"
            );
        }
    }

    /// The line of the spectrum.
    fn line(stage: &Stage) -> Vec<Pos2> {
        let stroke = Stroke::new(1.6, theme::SIGNAL);
        let line = |shape: &Shape| match shape {
            Shape::Path(path) if path.stroke == stroke.into() => Some(path.points.clone()),
            _ => None,
        };
        stage.shapes().into_iter().find_map(line).unwrap()
    }

    #[test]
    fn tilt_is_chosen_by_its_button() {
        let mut stage = Stage::new(SharedState::default());
        stage.play_tone();
        let mut peaks = Vec::new();
        for name in ["4.5", "3", "0"] {
            press_at(&mut stage, name, Key::Enter);
            // The tone lies below 1 kHz, around which the tilt turns.
            peaks.push(line(&stage).iter().map(|place| place.y).fold(f32::MAX, f32::min));
        }
        assert!(peaks[0] > peaks[1] && peaks[1] > peaks[2], "higher with less of it: {peaks:?}");
    }

    #[test]
    fn frozen_spectrum_stays_until_it_is_let_go_while_peaks_go_on() {
        let mut stage = Stage::new(SharedState::default());
        stage.play_tone();
        let playing = line(&stage);
        press_at(&mut stage, "freeze", Key::Enter);
        let held = stage.held_db();
        let silence = vec![0.0; 8192];
        for _ in 0..20 {
            stage.desk.shared.tap.push(&silence, &silence);
            stage.draw(Vec::new());
        }
        assert_eq!(line(&stage), playing, "it stands still");
        assert!(stage.held_db().iter().zip(&held).any(|(now, then)| now < then), "peaks fall on");
        stage.press(Key::Enter, Modifiers::NONE);
        assert_ne!(line(&stage), playing, "and is let go");
        assert!(line(&stage).iter().zip(&playing).all(|(now, then)| now.y >= then.y), "fallen");
    }
}
