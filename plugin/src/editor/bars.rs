//! Loudness, or the channels' levels, of this moment as bars, on the scale that was chosen.

use super::channels::names;
use super::level_scale::{self, Dial, DialAxis, dial};
use super::tip::Tip;
use super::verdict::TargetState;
use super::{panel, theme};
use crate::meters::{LevelKind, Levels, Readings};
use crate::params::LevelScale;
use crate::plugin::SharedState;
use egui::{Align2, Color32, ComboBox, Painter, Rangef, Rect, RichText, Ui, pos2, vec2};

/// What 0 LU is where the target has no loudness. Source: EBU R 128.
const USUAL_TARGET_LUFS: f32 = -23.0;

/// Room for the words of the marks.
const MARKS_WIDTH: f32 = 23.0;

/// One bar, in the unit of its dial.
struct Bar {
    name: String,
    value: Option<f32>,
    /// The thin line: the maximum so far, or the peak.
    line: Option<f32>,
    color: Color32,
    /// From here on a bar is orange.
    limit: f32,
    /// The thick line.
    aim: Option<f32>,
}

pub(super) fn show(ui: &mut Ui, rect: Rect, desk: &SharedState, standing: &TargetState) {
    let scale = desk.params.choices.read().scale;
    let dial = dial(scale);
    let room = panel::ground(ui, rect, "");
    // Words of the highest mark need half of their height above it.
    let plot = Rect {
        min: pos2(room.left(), room.top() + 3.0),
        max: pos2(room.right(), room.bottom() - 16.0),
    };
    let axis = dial.axis(plot);
    let painter = ui.painter();
    let left = plot.left() + MARKS_WIDTH;
    grid(painter, dial, axis, Rangef::new(left - 4.0, plot.right()));
    let readings = &desk.shared.readings;
    let bars = match scale {
        LevelScale::Lufs => absolute(readings, standing),
        LevelScale::EbuPlus9 | LevelScale::EbuPlus18 => relative(readings, standing),
        _ => channels(&desk.shared.levels, desk.channel_count(), dial),
    };
    let bars = fitting(painter, bars, plot.right() - left);
    #[expect(clippy::cast_precision_loss, reason = "at most twelve")]
    let width = (plot.right() - left) / bars.len() as f32;
    let gap = if bars.len() > 4 { 1.5 } else { 3.0 };
    let mut x = left;
    for bar in &bars {
        let place = Rect { min: pos2(x, plot.top()), max: pos2(x + width - gap, plot.bottom()) };
        draw(painter, place, axis, bar);
        let name = pos2(place.center().x, room.bottom());
        panel::text(painter, name, Align2::CENTER_BOTTOM, &bar.name, 10.5, theme::FAINT);
        x += width;
    }
    let words = explanation(dial, desk.channel_count(), standing);
    choose(ui, rect, desk, dial, &words);
}

/// The meters that the chosen scale needs; nothing else measures channels.
pub(super) fn kind(scale: LevelScale) -> LevelKind {
    dial(scale).kind
}

/// The list of scales, in place of the panel's title.
fn choose(ui: &mut Ui, rect: Rect, desk: &SharedState, shown: &Dial, words: &str) {
    let title = Rect::from_min_size(rect.min + vec2(3.0, 2.0), vec2(rect.width() - 6.0, 17.0));
    let mut wanted = None;
    panel::inside(ui, title, |ui| {
        let spacing = ui.spacing_mut();
        (spacing.interact_size.y, spacing.icon_width) = (17.0, 10.0);
        spacing.button_padding = vec2(5.0, 0.0);
        let name = RichText::new(shown.name).size(10.5).color(theme::FAINT);
        ComboBox::from_id_salt("scale")
            .selected_text(name)
            .width(title.width())
            .height(320.0)
            .show_ui(ui, |ui| {
                for scale in level_scale::ALL {
                    let dial = dial(scale);
                    let item = ui.selectable_label(dial.name == shown.name, dial.name);
                    if item.tip(dial.words).clicked() {
                        wanted = Some(scale);
                    }
                }
            })
            .response
            .tip(words);
    });
    if let Some(scale) = wanted {
        desk.params.choices.write().scale = scale;
    }
}

/// What the scale shows, and what this stream and this target add to it.
fn explanation(dial: &Dial, channel_count: usize, standing: &TargetState) -> String {
    let addition = if dial.kind == LevelKind::Off && dial.name != "LUFS" {
        let (aim, of) = match standing.aim_lufs() {
            Some(aim) => (aim, "Now 0 LU is"),
            None => (USUAL_TARGET_LUFS, "This target has no loudness: 0 LU is"),
        };
        format!(" {of} {aim:.1} LUFS.").replace('-', "\u{2212}")
    } else if dial.kind != LevelKind::Off && channel_count > 2 {
        let names = (1..).zip(names(channel_count));
        let names: Vec<_> = names.map(|(number, name)| format!("{number} {name}")).collect();
        format!(" Channels: {}.", names.join(", "))
    } else {
        String::new()
    };
    dial.words.to_owned() + &addition
}

/// Loudness as it is, and true peak.
fn absolute(readings: &Readings, standing: &TargetState) -> Vec<Bar> {
    let loudness = |name: &str, value, line| Bar {
        name: name.to_owned(),
        value,
        line,
        color: theme::SIGNAL,
        limit: f32::INFINITY,
        aim: standing.aim_lufs(),
    };
    let (peak, limit) = (readings.true_peak_now_dbtp.get(), standing.peak_max_dbtp());
    let is_over = limit.zip(peak).is_some_and(|(limit, peak)| peak > limit);
    vec![
        loudness("M", readings.momentary_lufs.get(), readings.momentary_max_lufs.get()),
        loudness("S", readings.short_term_lufs.get(), readings.short_term_max_lufs.get()),
        Bar {
            color: if is_over { theme::BAD } else { theme::GOOD },
            aim: limit,
            ..loudness("TP", peak, readings.larger_true_peak())
        },
    ]
}

/// Loudness from the target.
fn relative(readings: &Readings, standing: &TargetState) -> Vec<Bar> {
    let aim = standing.aim_lufs().unwrap_or(USUAL_TARGET_LUFS);
    let from_aim = |lufs: Option<f32>| lufs.map(|lufs| lufs - aim);
    let bar = |name: &str, value, line| Bar {
        name: name.to_owned(),
        value: from_aim(value),
        line: from_aim(line),
        color: theme::SIGNAL,
        limit: f32::INFINITY,
        aim: Some(0.0),
    };
    vec![
        bar("M", readings.momentary_lufs.get(), readings.momentary_max_lufs.get()),
        bar("S", readings.short_term_lufs.get(), readings.short_term_max_lufs.get()),
        bar("I", readings.integrated_lufs.get(), None),
    ]
}

/// The channels' levels.
fn channels(levels: &Levels, channel_count: usize, dial: &Dial) -> Vec<Bar> {
    let on_dial = |dbfs: Option<f32>| dbfs.map(|dbfs| dbfs - dial.zero_dbfs);
    let bars = names(channel_count).into_iter().zip(levels.channels()).map(|(name, channel)| {
        let line = match dial.kind {
            LevelKind::KSystem => &channel.peak_dbfs,
            _ => &channel.max_dbfs,
        };
        Bar {
            name,
            value: on_dial(channel.now_dbfs.get()),
            line: on_dial(line.get()),
            color: theme::SIGNAL,
            limit: dial.limit,
            aim: Some(dial.reference),
        }
    });
    bars.collect()
}

/// With numbers instead of names where these have no room.
fn fitting(painter: &Painter, mut bars: Vec<Bar>, width: f32) -> Vec<Bar> {
    let size = |name: &str| {
        painter.layout_no_wrap(name.to_owned(), theme::font(10.5), theme::FAINT).size().x
    };
    #[expect(clippy::cast_precision_loss, reason = "at most twelve")]
    let room = width / bars.len() as f32;
    if bars.iter().any(|bar| size(&bar.name) > room) {
        let bars_count = bars.len();
        for (number, bar) in (1..).zip(&mut bars) {
            // Of many, every second one has room for its number.
            let is_left_out = bars_count > 8 && number % 2 == 0;
            bar.name = if is_left_out { String::new() } else { i32::to_string(&number) };
        }
    }
    bars
}

fn grid(painter: &Painter, dial: &Dial, axis: DialAxis, across: Rangef) {
    for (value, words) in dial.marks {
        let y = axis.place(*value);
        painter.hline(across, y, theme::hairline(theme::GRID));
        let place = pos2(across.min - 2.0, y);
        panel::text(painter, place, Align2::RIGHT_CENTER, words, 9.5, theme::FAINT);
    }
}

fn draw(painter: &Painter, place: Rect, axis: DialAxis, bar: &Bar) {
    painter.rect_filled(place, 2.0, theme::GROUND);
    if let Some(value) = bar.value {
        let filled = Rect { min: pos2(place.left(), axis.place(value)), ..place };
        painter.rect_filled(filled, 2.0, bar.color);
        if value > bar.limit {
            // A gap shows where it begins, too.
            let limit = axis.place(bar.limit);
            let above = Rect { max: pos2(place.right(), limit), ..filled };
            painter.rect_filled(above, 2.0, theme::BAD);
            painter.hline(place.x_range(), limit, (2.0, theme::GROUND));
        }
    }
    if let Some(line) = bar.line {
        painter.hline(place.x_range(), axis.place(line), (1.5, theme::TEXT));
    }
    if let Some(aim) = bar.aim {
        painter.hline(place.x_range(), axis.place(aim), (2.0, theme::TARGET));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::focus::{go_to, press_at};
    use crate::editor::stage::Stage;
    use crate::meters::{CHANNELS_MAX, Meters};
    use crate::params::WINDOW;
    use crate::window::place::SIZE_MIN;
    use egui::{Key, Modifiers, Shape};
    use nice_plug::prelude::Params;
    use std::sync::Arc;
    use wavemill_core::audio::StreamSpec;
    use wavemill_core::loudness::MonoMode;

    fn with_scale(scale: LevelScale) -> SharedState {
        let desk = SharedState::default();
        desk.params.choices.write().scale = scale;
        desk
    }

    /// Two seconds of a sine of 1 kHz, each channel with its peak.
    fn play(desk: &SharedState, peaks: &[f64]) {
        let spec = StreamSpec::new(48_000, peaks.len());
        let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&desk.shared));
        let sine = |peak: f64| {
            let angle = 2.0 * std::f64::consts::PI / 48.0;
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let sample = |frame: u32| (peak * (angle * f64::from(frame)).sin()) as f32;
            (0..96_000).map(sample).collect::<Vec<f32>>()
        };
        let mut planes: Vec<Vec<f32>> = peaks.iter().map(|&peak| sine(peak)).collect();
        let planes: Vec<&mut [f32]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
        meters.push(&planes);
    }

    /// Tops of what is filled with a color, in points.
    fn tops(stage: &Stage, color: Color32) -> Vec<f32> {
        let top = |shape: &Shape| match shape {
            Shape::Rect(rect) if rect.fill == color => Some(rect.rect.top()),
            _ => None,
        };
        stage.shapes().into_iter().filter_map(top).collect()
    }

    #[test]
    fn scale_is_chosen_by_keys_and_comes_back_with_the_project() {
        let mut stage = Stage::new(SharedState::default());
        press_at(&mut stage, "LUFS", Key::Enter);
        press_at(&mut stage, "PPM IIa", Key::Enter);
        assert_eq!(stage.desk.params.choices.read().scale, LevelScale::PpmTwoA);
        for mark in ["1", "2", "3", "4", "5", "6", "7", "L", "R"] {
            assert!(stage.shows(mark), "{mark}: {:?}", stage.texts());
        }
        let saved = stage.desk.params.serialize_fields();
        assert!(saved["choices"].contains("\"scale\":\"ppm-2a\""), "{}", saved["choices"]);
        let desk = SharedState::default();
        desk.params.deserialize_fields(&saved);
        assert_eq!(desk.params.choices.read().scale, LevelScale::PpmTwoA);
    }

    #[test]
    fn scale_of_a_newer_version_is_the_usual_one_and_nothing_else_is_lost() {
        let desk = SharedState::default();
        let choices = r#"{"scale":"ppm-9","target":"spotify"}"#.to_owned();
        desk.params.deserialize_fields(&[("choices".to_owned(), choices)].into());
        let choices = desk.params.choices.read();
        assert_eq!((choices.scale, choices.target.as_str()), (LevelScale::Lufs, "spotify"));
    }

    #[test]
    fn every_scale_is_drawn_in_any_window_and_explained_to_the_keyboard() {
        for size in [SIZE_MIN, WINDOW] {
            for scale in level_scale::ALL {
                let mut stage = Stage::sized(with_scale(scale), size);
                let dial = dial(scale);
                for (_, mark) in dial.marks {
                    assert!(stage.shows(mark), "{} {mark}", dial.name);
                }
                go_to(&mut stage, dial.name);
                let is_explained = stage.texts().iter().any(|text| text.starts_with(dial.words));
                assert!(is_explained, "{}: {:?}", dial.name, stage.texts());
            }
        }
    }

    #[test]
    fn channels_are_measured_only_while_their_scale_is_shown() {
        let stage = Stage::new(SharedState::default());
        assert_eq!(stage.desk.shared.levels.wanted(), LevelKind::Off);
        let mut stage = Stage::new(with_scale(LevelScale::Vu));
        assert_eq!(stage.desk.shared.levels.wanted(), LevelKind::Vu);
        stage.desk.params.choices.write().scale = LevelScale::K14;
        stage.draw(Vec::new());
        assert_eq!(stage.desk.shared.levels.wanted(), LevelKind::KSystem);
        crate::window::WindowOwner::closed(&*stage.desk);
        assert_eq!(stage.desk.shared.levels.wanted(), LevelKind::Off);
    }

    #[test]
    fn tone_at_alignment_level_ends_at_the_thick_line_of_each_channel_scale() {
        for (scale, dbfs) in [
            (LevelScale::PpmOne, -18.0),
            (LevelScale::PpmTwoA, -18.0),
            (LevelScale::PpmTwoB, -18.0),
            (LevelScale::Vu, -18.0),
            (LevelScale::K20, -20.0),
            (LevelScale::K14, -14.0),
            (LevelScale::K12, -12.0),
        ] {
            let mut stage = Stage::new(with_scale(scale));
            let before = tops(&stage, theme::SIGNAL).len();
            play(&stage.desk, &[10f64.powf(dbfs / 20.0); 2]);
            stage.draw(Vec::new());
            let aims: Vec<f32> = stage
                .shapes()
                .into_iter()
                .filter_map(|shape| match shape {
                    Shape::LineSegment { points, stroke }
                        if *stroke == egui::Stroke::new(2.0, theme::TARGET) =>
                    {
                        Some(points[0].y)
                    }
                    _ => None,
                })
                .collect();
            let tops = tops(&stage, theme::SIGNAL);
            assert_eq!(tops.len(), before + 2, "{scale:?}");
            assert!(
                tops.iter().any(|top| aims.iter().any(|aim| (aim - top).abs() < 1.0)),
                "{scale:?} {tops:?} {aims:?}"
            );
        }
    }

    #[test]
    fn only_what_exceeds_the_limit_is_orange() {
        let mut stage = Stage::new(with_scale(LevelScale::PpmTwoA));
        // PPM 6 1/2 and PPM 5.
        play(&stage.desk, &[10f64.powf(-8.0 / 20.0), 10f64.powf(-14.0 / 20.0)]);
        stage.draw(Vec::new());
        assert_eq!(tops(&stage, theme::BAD).len(), 1);
    }

    #[test]
    fn ebu_scale_is_relative_to_the_target() {
        let desk = with_scale(LevelScale::EbuPlus9);
        desk.shared.readings.momentary_lufs.set(Some(-20.0));
        desk.params.choices.write().target = "spotify".into();
        let mut stage = Stage::new(desk);
        stage.draw(Vec::new());
        let quiet = tops(&stage, theme::SIGNAL);
        stage.desk.params.choices.write().target = "r128".into();
        stage.draw(Vec::new());
        let loud = tops(&stage, theme::SIGNAL);
        assert!(loud[0] < quiet[0], "higher above a softer target");
        go_to(&mut stage, "EBU +9");
        assert!(stage.texts().iter().any(|text| text.ends_with("Now 0 LU is \u{2212}23.0 LUFS.")));
        stage.press(Key::Escape, Modifiers::NONE);
    }

    #[test]
    fn eight_channels_have_numbers_and_their_names_in_words() {
        let words = explanation(dial(LevelScale::Vu), 6, &TargetState::new());
        assert!(words.ends_with("Channels: 1 L, 2 R, 3 C, 4 LFE, 5 Ls, 6 Rs."), "{words}");
        assert_eq!(names(8).len(), 8);
        assert_eq!(names(100).len(), CHANNELS_MAX);
    }
}
