//! A table of what each channel had since the meters began.

use super::numbers::number;
use super::verdict::TargetState;
use super::{panel, theme, words};
use crate::meters::{CHANNELS_MAX, ChannelReading};
use crate::plugin::SharedState;
use egui::{Align2, Color32, Painter, Rect, Ui, pos2};
use wavemill_core::audio::ChannelLayout;
use wavemill_core::waveform::picture::channel_names;

/// Room for the names of the columns, with their units.
const HEAD: f32 = 28.0;

/// Room for a channel, where there is enough.
const ROW: f32 = 19.0;

/// Room for the names of channels.
const NAMES: f32 = 26.0;

/// Its columns.
const COLUMNS: [(&str, &str); 4] =
    [("Peak", "dBFS"), ("TP", "dBTP"), ("RMS", "dBFS"), ("Clips", "count")];

/// How high the table would be.
pub(super) fn height(channel_count: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "at most twelve")]
    let rows = names(channel_count).len() as f32;
    HEAD + ROW * rows
}

/// Short names of the channels; of two before there is a stream.
pub(super) fn names(channel_count: usize) -> Vec<String> {
    let channel_count = if channel_count == 0 { 2 } else { channel_count.min(CHANNELS_MAX) };
    channel_names(&ChannelLayout::usual(channel_count))
}

pub(super) fn show(ui: &Ui, rect: Rect, desk: &SharedState, standing: &TargetState) {
    let painter = ui.painter();
    painter.hline(rect.x_range(), rect.top(), theme::hairline(theme::GRID));
    let text = |x: f32, y: f32, words: &str, size: f32| {
        panel::text(painter, pos2(x, y), Align2::RIGHT_CENTER, words, size, theme::FAINT);
    };
    for (column, (name, unit)) in COLUMNS.into_iter().enumerate() {
        text(right(rect, column), rect.top() + 8.0, name, 10.5);
        text(right(rect, column), rect.top() + 20.0, unit, 9.5);
    }
    let names = names(desk.channel_count());
    #[expect(clippy::cast_precision_loss, reason = "at most twelve")]
    let row_height = (rect.height() - HEAD) / names.len() as f32;
    let mut y = rect.top() + HEAD + row_height / 2.0;
    for (name, reading) in names.iter().zip(&desk.shared.channels.readings) {
        let place = pos2(rect.left(), y);
        let size = row_height.min(11.0);
        panel::text(painter, place, Align2::LEFT_CENTER, name, size, theme::FAINT);
        row(painter, rect, (y, size), reading, standing);
        y += row_height;
    }
    panel::explained(ui, rect, "channels", words::CHANNELS);
}

/// The right edge of a column.
fn right(rect: Rect, column: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "one of four")]
    let share = (column + 1) as f32 / COLUMNS.len() as f32;
    rect.left() + NAMES + share * (rect.width() - NAMES)
}

fn row(
    painter: &Painter,
    rect: Rect,
    (y, size): (f32, f32),
    reading: &ChannelReading,
    standing: &TargetState,
) {
    let value = |column, words: String, color: Color32| {
        let place = pos2(right(rect, column), y);
        let size = if rect.width() < 190.0 { size } else { size * 12.0 / 11.0 };
        painter.text(place, Align2::RIGHT_CENTER, words, theme::digits(size), color)
    };
    let true_peak = reading.true_peak_dbtp.get();
    let is_over = standing.peak_max_dbtp().zip(true_peak).is_some_and(|(limit, peak)| peak > limit);
    value(0, number(reading.sample_peak_dbfs.get()), theme::TEXT);
    let shown = value(1, number(true_peak), if is_over { theme::BAD } else { theme::TEXT });
    if is_over {
        // Not by its color alone.
        painter.hline(shown.x_range(), shown.bottom(), (1.5, theme::BAD));
    }
    value(2, number(reading.rms_dbfs.get()), theme::TEXT);
    let clips = reading.clips();
    let words = if clips > 9999 { "> 9999".to_owned() } else { clips.to_string() };
    value(3, words, if clips > 0 { theme::BAD } else { theme::TEXT });
}

#[cfg(test)]
mod tests {
    use crate::editor::focus::{go_to, press_at};
    use crate::editor::stage::Stage;
    use crate::editor::words;
    use crate::meters::Meters;
    use crate::params::{LevelScale, WINDOW};
    use crate::plugin::SharedState;
    use crate::window::place::SIZE_MIN;
    use egui::Key;
    use nice_plug::prelude::Params;
    use std::sync::Arc;
    use wavemill_core::audio::StreamSpec;
    use wavemill_core::loudness::MonoMode;

    fn play(desk: &SharedState) {
        let spec = StreamSpec::new(48_000, 2);
        let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&desk.shared));
        let mut left = [1.5f32, 1.5, 1.5, -1.5, -1.5, 0.0].repeat(8_000);
        let mut right = vec![0.1; 48_000];
        meters.push(&[&mut left, &mut right]);
    }

    #[test]
    fn table_is_shown_by_keys_and_comes_back_with_the_project() {
        let mut stage = Stage::new(SharedState::default());
        assert!(!stage.shows("Clips") && stage.shows("Key"));
        press_at(&mut stage, "channels", Key::Space);
        stage.draw(Vec::new());
        play(&stage.desk);
        stage.draw(Vec::new());
        let true_peak = stage.desk.shared.channels.readings[1].true_peak_dbtp.get().unwrap();
        assert!((-20.0..-18.0).contains(&true_peak), "{true_peak}");
        // 8,000 runs; 20 log 1.5, and 20 log 0.1.
        for words in ["Clips", "8000", "3.5", "\u{2212}20.0", "dBTP", "Key"] {
            assert!(stage.shows(words), "{words}: {:?}", stage.texts());
        }
        let saved = stage.desk.params.serialize_fields();
        let desk = SharedState::default();
        desk.params.deserialize_fields(&saved);
        assert!(desk.params.choices.read().shows_channels);
        assert!(!Stage::new(desk).shows("Clips"), "channels of a saved session are not known");
    }

    #[test]
    fn small_window_has_the_table_and_the_most_important_numbers() {
        let desk = SharedState::default();
        desk.params.choices.write().shows_channels = true;
        let mut stage = Stage::sized(desk, SIZE_MIN);
        for words in ["Clips", "L", "R", "True peak", "Short-term"] {
            assert!(stage.shows(words), "{words}: {:?}", stage.texts());
        }
        go_to(&mut stage, "channels");
        // The button comes first, then the table.
        go_to(&mut stage, "channels");
        assert!(stage.shows(words::CHANNELS), "{:?}", stage.texts());
    }

    #[test]
    fn eight_channels_have_room_in_the_smallest_window() {
        let desk = SharedState::default();
        desk.begin(&StreamSpec::new(48_000, 8));
        let mut choices = desk.params.choices.write();
        (choices.shows_channels, choices.scale) = (true, LevelScale::PpmTwoB);
        drop(choices);
        let stage = Stage::sized(desk, SIZE_MIN);
        let places: Vec<_> = ["L", "R", "C", "LFE", "Lrs", "Rrs", "Ls", "Rs"]
            .map(|name| stage.place_of(name).y)
            .into();
        assert!(places.windows(2).all(|two| two[1] - two[0] > 13.0), "{places:?}");
        // Below the bars, where names have no room.
        let numbers: Vec<_> =
            ["1", "2", "3", "4", "5", "6", "7", "8"].map(|name| stage.place_of(name).x).into();
        assert!(numbers.windows(2).all(|two| two[1] - two[0] > 5.5), "{numbers:?}");
    }

    #[test]
    fn loudspeakers_above_have_rows_and_bars() {
        for size in [SIZE_MIN, WINDOW] {
            let desk = SharedState::default();
            desk.begin(&StreamSpec::new(48_000, 12));
            let mut choices = desk.params.choices.write();
            (choices.shows_channels, choices.scale) = (true, LevelScale::PpmTwoB);
            drop(choices);
            let stage = Stage::sized(desk, size);
            let names =
                ["L", "R", "C", "LFE", "Lrs", "Rrs", "Ls", "Rs", "Ltf", "Rtf", "Ltr", "Rtr"];
            let places: Vec<_> = names.map(|name| stage.place_of(name).y).into();
            let least = if size == SIZE_MIN { 8.5 } else { 13.0 };
            assert!(places.windows(2).all(|two| two[1] - two[0] > least), "{places:?}");
            assert!(stage.shows("11") && stage.shows("True peak"), "{:?}", stage.texts());
        }
    }
}
