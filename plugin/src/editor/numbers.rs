//! The readings as numbers, the most important one the largest.

use super::tip::Tip;
use super::verdict::{Mark, TargetState};
use super::{channels, panel, theme, words};
use crate::meters::{Key, Music, Reading, Readings, Tempo};
use crate::plugin::SharedState;
use egui::{Align, Align2, Color32, Layout, Painter, Rect, RichText, Stroke, Ui, pos2, vec2};

/// What marks readings of the saved project.
pub(super) const SAVED: &str = "SAVED SESSION";

/// The readings, what is known of the music, and the channels if they are asked for.
pub(super) fn show(
    ui: &mut Ui,
    rect: Rect,
    desk: &SharedState,
    music: Option<&Music>,
    standing: &TargetState,
) {
    let (readings, is_saved) = desk.shared.shown();
    let room = panel::ground(ui, rect, "INTEGRATED");
    let shows_channels = desk.params.choices.read().shows_channels && !is_saved;
    if is_saved {
        let place = pos2(room.right(), rect.top() + 5.0);
        let words = panel::text(ui.painter(), place, Align2::RIGHT_TOP, SAVED, 10.5, theme::HELD);
        panel::explained(ui, words, "saved", words::SAVED);
    } else if channels_button(ui, rect, shows_channels) {
        desk.params.choices.write().shows_channels = !shows_channels;
    }
    let top_height = (room.height() * 0.27).clamp(106.0, 240.0);
    let top = Rect { max: pos2(room.right(), room.top() + top_height), ..room };
    integrated(ui, top, readings, standing);
    let mut below = Rect { min: pos2(room.left(), top.bottom() + 6.0), ..room };
    if shows_channels {
        let height = channels::height(desk.channel_count()).min(below.height() - HEADLINE_MIN);
        let table = Rect { min: pos2(below.left(), below.bottom() - height), ..below };
        below.max.y = table.top() - 4.0;
        channels::show(ui, table, desk, standing);
    }
    let rows = rows(readings, music);
    // The first row is a headline. As many of the others as have room.
    #[expect(clippy::cast_precision_loss, reason = "eight")]
    let share = |count: usize| below.height() / (count as f32 + HEAD - 1.0);
    let count = (1..=rows.len()).rev().find(|&count| share(count) >= ROW_MIN).unwrap_or(1);
    let height = share(count);
    let mut y = below.top();
    for row in rows.into_iter().take(count) {
        let height = if row.is_head { height * HEAD } else { height };
        let place = Rect::from_min_size(pos2(below.left(), y), vec2(below.width(), height));
        row.draw(ui.painter(), place, standing.mark(row.measure));
        panel::explained(ui, place, row.name, row.words);
        y += height;
    }
}

/// Beside the title; says whether it was pressed.
fn channels_button(ui: &mut Ui, rect: Rect, is_chosen: bool) -> bool {
    let mut is_clicked = false;
    let row = Rect {
        min: pos2(rect.right() - 64.0, rect.top() + 1.0),
        max: pos2(rect.right() - 6.0, rect.top() + 19.0),
    };
    panel::inside(ui, row, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().button_padding.x = 5.0;
            let button = ui.selectable_label(is_chosen, RichText::new("channels").size(10.5));
            is_clicked = button.tip(words::SHOW_CHANNELS).clicked();
        });
    });
    is_clicked
}

/// Room for the first row beside the table.
const HEADLINE_MIN: f32 = 32.0;

/// The lowest row: what all of them have in the smallest window.
const ROW_MIN: f32 = 20.0;

/// How much higher than the others the first row is.
const HEAD: f32 = 1.4;

/// All but the integrated loudness.
pub(super) fn rows(readings: &Readings, music: Option<&Music>) -> [Row; 8] {
    let row = |name, value, unit: &str, measure, words| Row {
        name,
        value: number(value),
        note: None,
        unit: unit.into(),
        measure,
        words,
        is_head: false,
    };
    let peak = readings.larger_true_peak();
    let [standard, precise] = [&readings.true_peak_dbtp, &readings.true_peak_precise_dbtp]
        .map(|reading| number(reading.get()));
    let max = |reading: &Reading| Some(format!("max {}", number(reading.get())));
    [
        Row {
            is_head: true,
            note: Some(format!("BS.1770 {standard}, 16x {precise}")),
            ..row("True peak", peak, "dBTP", "true_peak_dbtp", words::TRUE_PEAK)
        },
        Row {
            note: max(&readings.short_term_max_lufs),
            ..row(
                "Short-term",
                readings.short_term_lufs.get(),
                "LUFS",
                "short_term_max_lufs",
                words::SHORT_TERM,
            )
        },
        Row {
            note: max(&readings.momentary_max_lufs),
            ..row(
                "Momentary",
                readings.momentary_lufs.get(),
                "LUFS",
                "momentary_max_lufs",
                words::MOMENTARY,
            )
        },
        row("Range", readings.loudness_range_lu.get(), "LU", "loudness_range_lu", words::RANGE),
        row("PLR", readings.peak_to_loudness_lu.get(), "LU", "", words::PLR),
        row("PSR", readings.peak_to_short_term_lu.get(), "LU", "", words::PSR),
        tempo(music.and_then(|music| music.tempo)),
        key(music.and_then(|music| music.key.as_ref())),
    ]
}

fn tempo(tempo: Option<Tempo>) -> Row {
    #[expect(clippy::cast_possible_truncation, reason = "a display")]
    let bpm = tempo.map(|tempo| tempo.bpm as f32);
    Row {
        name: "Tempo",
        value: number(bpm),
        note: tempo.map(|tempo| certainty(tempo.confidence)),
        unit: "BPM".into(),
        measure: "",
        words: words::TEMPO,
        is_head: false,
    }
}

/// The place on the Camelot wheel stands where others have their unit.
fn key(key: Option<&Key>) -> Row {
    Row {
        name: "Key",
        value: key.map_or_else(|| number(None), |key| key.name.clone()),
        note: key.map(|key| certainty(key.confidence)),
        unit: key.map(|key| key.camelot.clone()).unwrap_or_default(),
        measure: "",
        words: words::KEY,
        is_head: false,
    }
}

fn certainty(confidence: f64) -> String {
    format!("{:.0} % certain", 100.0 * confidence)
}

/// One reading: name, number, unit, and what else is known of it.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// As the largest so far.
    pub(super) note: Option<String>,
    pub(super) unit: String,
    /// Its key in reports, where a target may ask for it.
    measure: &'static str,
    words: &'static str,
    /// Larger than the others, with its name above the number.
    is_head: bool,
}

/// The integrated loudness with the verdict below it.
fn integrated(ui: &mut Ui, rect: Rect, readings: &Readings, standing: &TargetState) {
    let painter = ui.painter();
    let size = (rect.height() * 0.46).min(rect.width() * 0.26);
    let value = readings.integrated_lufs.get();
    let color = color_of(standing.mark("integrated_lufs"));
    let place = pos2(rect.left(), rect.top());
    let shown = painter.text(place, Align2::LEFT_TOP, number(value), theme::digits(size), color);
    let unit = pos2(shown.right() + 6.0, shown.bottom() - size * 0.14);
    let unit = panel::text(painter, unit, Align2::LEFT_BOTTOM, "LUFS", 12.0, theme::FAINT);
    // The headline may be about something else.
    let place = pos2(unit.center().x, unit.top() - 9.0);
    sign(painter, place, standing.mark("integrated_lufs"));
    let line = Rect {
        min: pos2(rect.left(), shown.bottom() + 2.0),
        max: pos2(rect.right(), shown.bottom() + 26.0),
    };
    verdict(painter, line, standing);
    if let Some(prediction) = standing.prediction() {
        let galley = painter.layout(prediction, theme::font(11.0), theme::FAINT, rect.width());
        painter.galley(pos2(line.left(), line.bottom() + 4.0), galley, theme::FAINT);
    }
    panel::explained(ui, rect, "integrated", words::INTEGRATED);
}

/// The verdict as a sign of its own: one sees it from across the room.
fn verdict(painter: &Painter, rect: Rect, standing: &TargetState) {
    let (mark, words) = standing.headline();
    let mut color = color_of(mark);
    if mark != Mark::None {
        painter.rect_filled(rect, theme::CORNER, theme::veil(color, 0.16));
        // The sign has the color; words need more contrast.
        color = theme::TEXT;
    }
    let left = if mark == Mark::None { rect.left() } else { rect.left() + 7.0 };
    let left = left + sign(painter, pos2(left + 6.0, rect.center().y), mark);
    let room = rect.right() - 4.0 - left;
    let galley = |size| painter.layout_no_wrap(words.clone(), theme::font(size), color);
    let words = Some(galley(14.5)).filter(|galley| galley.size().x <= room);
    let words = words.unwrap_or_else(|| galley(11.5));
    painter.galley(pos2(left, rect.center().y - words.size().y / 2.0), words, color);
}

impl Row {
    fn draw(&self, painter: &Painter, row: Rect, mark: Mark) {
        painter.hline(row.x_range(), row.top(), theme::hairline(theme::GRID));
        let faint = |x: f32, y: f32, words: &str, size: f32| {
            panel::text(painter, pos2(x, y), Align2::LEFT_CENTER, words, size, theme::FAINT);
        };
        let height_min = if self.is_head { 54.0 } else { 34.0 };
        let note = self.note.as_ref().filter(|_| row.height() > height_min);
        let (left, middle) = (row.left(), row.center().y);
        let (name_y, middle, size) = if self.is_head {
            (row.top() + 11.0, middle + 5.0, (row.height() * 0.46).clamp(20.0, 34.0))
        } else {
            let name_y = if note.is_some() { middle - 7.0 } else { middle };
            (name_y, middle, (row.height() * 0.46).clamp(13.0, 22.0))
        };
        faint(left, name_y, self.name, 12.0);
        match note {
            // Beside the name, above the number.
            Some(note) if self.is_head => {
                let place = pos2(row.right(), name_y);
                panel::text(painter, place, Align2::RIGHT_CENTER, note, 10.5, theme::FAINT);
            }
            Some(note) => faint(left, middle + 8.0, note, 11.0),
            None => {}
        }
        let unit_left = row.right() - 32.0;
        faint(unit_left, middle, &self.unit, 11.0);
        let (place, font) = (pos2(unit_left - 5.0, middle), theme::digits(size));
        let shown = painter.text(place, Align2::RIGHT_CENTER, &self.value, font, color_of(mark));
        sign(painter, pos2(shown.left() - 12.0, middle), mark);
    }
}

/// A number with one decimal, or a dash where there is none.
pub(super) fn number(value: Option<f32>) -> String {
    // A true minus, as wide as a digit, and none before a zero.
    let plain = |value: f32| if value.abs() < 0.05 { 0.0 } else { value };
    value.map_or("\u{2013}".into(), |value| format!("{:.1}", plain(value)).replace('-', "\u{2212}"))
}

pub(super) fn color_of(mark: Mark) -> Color32 {
    match mark {
        Mark::Pass => theme::GOOD,
        Mark::Fail => theme::BAD,
        Mark::None => theme::TEXT,
    }
}

/// A tick, or a triangle: recognizable by its form as well as by its color. Returns the room it takes.
pub(super) fn sign(painter: &Painter, middle: egui::Pos2, mark: Mark) -> f32 {
    let stroke = Stroke::new(2.0, color_of(mark));
    match mark {
        Mark::Pass => {
            let points =
                vec![middle + vec2(-5.0, 0.0), middle + vec2(-1.0, 4.0), middle + vec2(6.0, -5.0)];
            painter.line(points, stroke);
            18.0
        }
        Mark::Fail => {
            let points = vec![
                middle + vec2(0.0, -5.0),
                middle + vec2(6.0, 5.0),
                middle + vec2(-6.0, 5.0),
                middle + vec2(0.0, -5.0),
            ];
            painter.line(points, stroke);
            18.0
        }
        Mark::None => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::stage::Stage;
    use crate::meters::readings::Values;
    use nice_plug::params::persist::PersistentField;

    #[test]
    fn numbers_have_one_decimal_and_a_true_minus() {
        assert_eq!(number(Some(-23.04)), "\u{2212}23.0");
        assert_eq!([number(Some(0.44)), number(Some(-0.04))], ["0.4", "0.0"]);
        assert_eq!(number(None), "\u{2013}");
    }

    #[test]
    fn tempo_and_key_are_shown_while_they_are_known() {
        let mut stage = Stage::new(SharedState::default());
        let dashes =
            |stage: &Stage| stage.texts().iter().filter(|text| *text == "\u{2013}").count();
        let before = dashes(&stage);
        stage.desk.shared.publish(Some(Music {
            tempo: Some(Tempo { bpm: 127.96, confidence: 0.93 }),
            key: Some(Key { name: "F#m".into(), camelot: "11A".into(), confidence: 0.555 }),
            ..Music::default()
        }));
        stage.draw(Vec::new());
        for words in ["128.0", "BPM", "93 % certain", "F#m", "11A", "56 % certain"] {
            assert!(stage.shows(words), "{words}: {:?}", stage.texts());
        }
        assert_eq!(dashes(&stage), before - 2);
        stage.desk.shared.publish(Some(Music::default()));
        stage.draw(Vec::new());
        assert_eq!(dashes(&stage), before);
        assert!(!stage.shows("11A"));
    }

    #[test]
    fn readings_of_the_saved_project_are_marked_until_something_is_measured() {
        let values = |integrated, peak| Values {
            integrated_lufs: Some(integrated),
            true_peak_dbtp: Some(peak),
            ..Values::default()
        };
        let desk = SharedState::default();
        desk.shared.set(values(-14.2, -1.7));
        let mut stage = Stage::new(desk);
        assert!(stage.shows(SAVED), "{:?}", stage.texts());
        assert!(stage.shows("\u{2212}14.2") && stage.shows("\u{2212}1.7"));
        stage.desk.shared.readings.set(&values(-20.4, -3.0));
        stage.draw(Vec::new());
        assert!(!stage.shows(SAVED) && stage.shows("\u{2212}20.4"));
        stage.desk.shared.reset();
        stage.desk.shared.readings.clear();
        stage.draw(Vec::new());
        assert!(!stage.shows(SAVED) && stage.shows("no program yet"));
    }
}
