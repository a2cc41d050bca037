//! Waveforms: points worked out by hand, independence of blocks, the data format of others, pictures.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::music;
use wavemill_core::audio::{Block, PcmFormat, Samples, StreamSpec};
use wavemill_core::loudness::HistoryPoint;
use wavemill_core::units::{Dbtp, Frames, Lu, Lufs, SampleRate, Seconds};
use wavemill_core::waveform::audiowaveform::{Bits, Data};
use wavemill_core::waveform::json::Document;
use wavemill_core::waveform::picture::{Numbers, Picture, Settings, Theme};
use wavemill_core::waveform::{Level, Point, Resolution, Waveform, WaveformMeter};

fn collect(
    planes: &[Vec<f32>],
    is_known: bool,
    resolutions: &[Resolution],
    block: usize,
) -> Waveform {
    let frame_count = planes.first().map_or(0, Vec::len);
    let known = is_known.then_some(Frames(frame_count as u64));
    let spec = StreamSpec::new(48_000, planes.len());
    let mut meter = WaveformMeter::new(&spec, PcmFormat::int(16), known, resolutions);
    for start in (0..frame_count).step_by(block) {
        let end = (start + block).min(frame_count);
        let cut: Vec<&[f32]> = planes.iter().map(|plane| &plane[start..end]).collect();
        meter.push(&Block::from_planes(&cut));
    }
    meter.finish()
}

fn level(planes: &[Vec<f32>], is_known: bool, resolution: Resolution) -> Level {
    collect(planes, is_known, &[resolution], 4096).levels.remove(0)
}

fn noise(channel_count: usize, frame_count: usize) -> Vec<Vec<f32>> {
    let Samples::Float { planes } = music(PcmFormat::FLOAT, channel_count, frame_count) else {
        panic!("floats")
    };
    planes
}

fn extremes(lane: &[Point]) -> Vec<(f32, f32)> {
    lane.iter().map(|point| (point.min, point.max)).collect()
}

#[test]
fn points_of_ten_frames_are_those_worked_out_by_hand() {
    // Three points begin at frames 0, 3 and 6 (10/3 and 20/3 rounded down).
    let plane = vec![0.1, -0.2, 0.3, 0.5, 0.5, 0.5, -1.0, 0.0, 0.25, 0.75];
    let level = level(&[plane], true, Resolution::Even(3));
    assert_eq!(extremes(&level.mix), [(-0.2, 0.3), (0.5, 0.5), (-1.0, 0.75)]);
    assert_eq!(level.mix.iter().map(|point| point.frame_count).collect::<Vec<_>>(), [3, 3, 4]);
    assert!((level.mix[0].rms() - (0.14f64 / 3.0).sqrt()).abs() < 1e-7);
    assert!((level.mix[1].rms() - 0.5).abs() < 1e-12);
    assert!((level.mix[2].rms() - (1.625f64 / 4.0).sqrt()).abs() < 1e-12);
    assert_eq!(level.channels[0], level.mix);
}

#[test]
fn mix_is_the_mean_of_the_channels() {
    let planes = [vec![1.0, 0.5, -1.0], vec![-1.0, 0.5, 0.5]];
    let level = level(&planes, true, Resolution::Even(1));
    assert_eq!(extremes(&level.mix), [(-0.25, 0.5)]);
    assert_eq!(extremes(&level.channels[1]), [(-1.0, 0.5)]);
}

/// The plain way: every point from its samples.
fn plain(plane: &[f32], point_count: usize) -> Vec<(f32, f32, f64)> {
    (0..point_count)
        .map(|index| {
            let frame = |index: usize| index * plane.len() / point_count;
            let samples = &plane[frame(index)..frame(index + 1)];
            let square_sum: f64 = samples.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
            let low = samples.iter().copied().fold(f32::INFINITY, f32::min);
            let high = samples.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            (low, high, (square_sum / samples.len() as f64).sqrt())
        })
        .collect()
}

#[test]
fn any_number_of_points_is_exact_when_the_length_is_known() {
    let planes = noise(2, 30_011);
    let counts = [1, 2, 3, 7, 100, 999, 1000, 4096, 15_005, 30_010, 30_011];
    let resolutions = counts.map(Resolution::Even);
    let waveform = collect(&planes, true, &resolutions, 4096);
    for (level, count) in waveform.levels.iter().zip(counts) {
        for (lane, plane) in level.channels.iter().zip(&planes) {
            let expected = plain(plane, count);
            assert_eq!(lane.len(), count);
            for (point, (low, high, rms)) in lane.iter().zip(expected) {
                assert_eq!((point.min, point.max), (low, high));
                assert!((point.rms() - rms).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn waveform_does_not_depend_on_blocks() {
    let planes = noise(2, 50_000);
    let resolutions = [
        Resolution::Even(1000),
        Resolution::Even(77),
        Resolution::Uniform(300),
        Resolution::Even(9),
    ];
    for is_known in [true, false] {
        let whole = collect(&planes, is_known, &resolutions, 50_000);
        for block in [1, 7, 64, 4096] {
            let cut = collect(&planes, is_known, &resolutions, block);
            assert_eq!(cut, whole, "blocks of {block}, length known: {is_known}");
        }
    }
}

#[test]
fn more_points_than_frames_are_as_many_as_there_are_frames() {
    for is_known in [true, false] {
        let level = level(&[vec![0.5, -0.25]], is_known, Resolution::Even(1000));
        assert_eq!(extremes(&level.mix), [(0.5, 0.5), (-0.25, -0.25)]);
    }
}

#[test]
fn points_of_an_unknown_length_are_within_a_sixteenth() {
    for frame_count in [100, 10_000, 123_457, 400_000] {
        let planes = noise(1, frame_count);
        let level = level(&planes, false, Resolution::Even(100));
        assert_eq!(level.mix.len(), 100);
        let mut start = 0;
        for (index, point) in level.mix.iter().enumerate() {
            let end = start + point.frame_count as usize;
            let exact = (index + 1) * frame_count / 100;
            assert!(end.abs_diff(exact) <= frame_count / 1600 + 1, "{end} is not {exact}");
            let samples = &planes[0][start..end];
            let max = samples.iter().copied().fold(f32::MIN, f32::max);
            assert_eq!(point.max.to_bits(), max.to_bits());
            start = end;
        }
        assert_eq!(start, frame_count);
    }
}

#[test]
fn uniform_points_have_one_length() {
    for (is_known, frame_count) in [(true, 100_003), (false, 100_003), (true, 5), (false, 5)] {
        let level = level(&noise(1, frame_count), is_known, Resolution::Uniform(700));
        let each = level.frames_per_point.unwrap();
        assert!(each >= 2 && level.mix.len() <= 700 && level.mix.len() >= 350.min(frame_count / 2));
        let (last, others) = level.mix.split_last().unwrap();
        assert!(others.iter().all(|point| point.frame_count == each));
        assert!(last.frame_count <= each);
        let sum: u64 = level.mix.iter().map(|point| point.frame_count).sum();
        assert_eq!(sum, frame_count as u64);
    }
}

#[test]
fn clipping_is_a_run_of_three_wherever_it_is_cut() {
    let top = 32_767.0 / 32_768.0;
    let plane = vec![top, top, 0.0, 0.0, top, -1.0, top, 0.0, 0.0, 0.0];
    for block in [1, 2, 10] {
        let waveform =
            collect(&[plane.clone(), vec![0.0; 10]], true, &[Resolution::Even(5)], block);
        let level = &waveform.levels[0];
        let clipped: Vec<bool> = level.channels[0].iter().map(|point| point.is_clipped).collect();
        // The third sample of the run is in the fourth point.
        assert_eq!(clipped, [false, false, false, true, false]);
        assert!(level.mix[3].is_clipped && !level.channels[1][3].is_clipped);
    }
}

#[test]
fn nothing_has_no_points() {
    for is_known in [true, false] {
        let waveform = collect(&[vec![]], is_known, &[Resolution::Even(10)], 1);
        assert!(waveform.levels[0].mix.is_empty());
        let waveform = collect(&[], is_known, &[Resolution::Uniform(10)], 1);
        assert!(waveform.levels[0].mix.is_empty() && waveform.levels[0].channels.is_empty());
    }
}

/// The example at the end of "Waveform data file format", as samples: 512 a point, whose extremes
/// are these values of 8 bits.
fn documented_example() -> Level {
    let values = [-65, 63, -66, 64, -40, 41, -39, 45, -55, 43, -55, 44];
    let mut planes = [vec![0.0; 1536], vec![0.0; 1536]];
    for (index, value) in values.into_iter().enumerate() {
        let (point, channel, is_max) = (index / 4, index / 2 % 2, index % 2);
        planes[channel][point * 512 + 100 + is_max] = value as f32 / 128.0;
    }
    level(&planes, true, Resolution::Uniform(3))
}

#[test]
fn audiowaveform_json_is_the_documented_example() {
    let data = Data::new(SampleRate(48_000), &documented_example(), true, Bits::Eight).unwrap();
    let expected = concat!(
        r#"{"version":2,"channels":2,"sample_rate":48000,"samples_per_pixel":512,"bits":8,"#,
        r#""length":3,"data":[-65,63,-66,64,-40,41,-39,45,-55,43,-55,44]}"#,
        "\n"
    );
    assert_eq!(data.to_json(), expected);
}

#[test]
fn audiowaveform_dat_has_the_documented_bytes() {
    let level = documented_example();
    let data = Data::new(SampleRate(48_000), &level, true, Bits::Eight).unwrap();
    let bytes = data.to_dat();
    #[rustfmt::skip]
    let header = [2, 0, 0, 0, 1, 0, 0, 0, 0x80, 0xbb, 0, 0, 0, 2, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0];
    assert_eq!(bytes[..24], header);
    assert_eq!(bytes[24..28], [0xbf, 63, 0xbe, 64]);
    assert_eq!(bytes.len(), 24 + 12);
    let bytes = Data::new(SampleRate(48_000), &level, false, Bits::Sixteen).unwrap().to_dat();
    assert_eq!(bytes[4..8], [0, 0, 0, 0]);
    assert_eq!(bytes[20..24], [1, 0, 0, 0]);
    // The mean of -65/128 and -66/128 is -16768 in 16 bits.
    assert_eq!(bytes[24..26], (-16_768i16).to_le_bytes());
    assert_eq!(bytes.len(), 24 + 3 * 2 * 2);
}

#[test]
fn audiowaveform_values_are_cut_as_that_program_cuts_them() {
    // 16-bit samples 3 and -3 with 0 have means of 1.5 and -1.5: towards zero. In 8 bits, -300 / 256.
    let planes = [vec![3.0 / 32_768.0, -3.0 / 32_768.0, -300.0 / 32_768.0, 1.5], vec![0.0; 4]];
    let level = level(&planes, true, Resolution::Uniform(2));
    let json =
        |is_split, bits| Data::new(SampleRate(8000), &level, is_split, bits).unwrap().to_json();
    assert!(json(false, Bits::Sixteen).contains("\"data\":[-1,1,-150,24576]"));
    assert!(json(true, Bits::Sixteen).contains("\"data\":[-3,3,0,0,-300,32767,0,0]"));
    assert!(json(true, Bits::Eight).contains("\"data\":[0,0,0,0,-1,127,0,0]"));
}

#[test]
fn audiowaveform_data_of_uneven_points_is_refused() {
    let level = level(&noise(1, 100), true, Resolution::Even(7));
    assert_eq!(Data::new(SampleRate(8000), &level, true, Bits::Eight), None);
}

#[test]
fn json_has_the_keys_of_its_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../dsp/src/waveform/waveform.schema.json")).unwrap();
    let waveform = collect(&noise(2, 100), true, &[Resolution::Even(5), Resolution::Even(2)], 9);
    let document =
        serde_json::to_value(Document::new("a.wav", &waveform, Seconds(1.5), true)).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&document), keys(&schema["properties"]));
    let definitions = &schema["$defs"];
    let level = &document["levels"][0];
    assert_eq!(keys(level), keys(&definitions["level"]["properties"]));
    assert_eq!(keys(&level["channels"][0]), keys(&definitions["lane"]["properties"]));
    assert_eq!(level["mix"]["min"].as_array().unwrap().len(), 5);
    assert_eq!(level["frames_per_point"], 20.0);
    assert_eq!(document["levels"][1]["points"], 2);
    assert_eq!(document["from_s"], 1.5);
}

fn settings(width: u32, height: Option<u32>) -> Settings {
    Settings { width, height, theme: Theme::Auto, is_split: true, is_plain: false }
}

fn curve(seconds: usize) -> Vec<HistoryPoint> {
    (1..=10 * seconds)
        .map(|index| HistoryPoint {
            at_s: Seconds(index as f64 / 10.0),
            momentary_lufs: (index % 50 > 4).then(|| Lufs(-20.0 + (index % 37) as f64 / 4.0)),
            short_term_lufs: (index > 30).then(|| Lufs(-18.0 - (index % 100) as f64 / 20.0)),
            true_peak_dbtp: None,
        })
        .collect()
}

fn picture<'a>(title: &'a str, waveform: &'a Waveform, curve: &'a [HistoryPoint]) -> Picture<'a> {
    let numbers = Numbers {
        integrated_lufs: Some(Lufs(-14.25)),
        loudness_range_lu: Some(Lu(6.0)),
        true_peak_dbtp: Some(Dbtp(-1.0)),
        clipped_samples: 1234,
    };
    Picture { title, subtitle: "1:00", waveform, start: Seconds(0.0), numbers, curve }
}

/// Width, height and colors of each pixel.
fn decoded(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height, pixels)
}

#[test]
fn pictures_of_any_size_and_signal_can_be_drawn() {
    let curve = curve(20);
    for (channels, frames) in [(1, 0), (1, 1), (2, 60), (2, 40_000), (6, 5000), (24, 5000), (0, 0)]
    {
        let waveform = collect(&noise(channels, frames), true, &[Resolution::Even(300)], 4096);
        for (width, height) in [(120, Some(32)), (300, Some(200)), (360, None), (900, Some(1500))] {
            for is_plain in [false, true] {
                let settings = Settings { is_plain, ..settings(width, height) };
                let picture = picture("a.wav", &waveform, &curve);
                let (seen_width, seen_height, _) = decoded(&picture.to_png(&settings));
                assert_eq!(seen_width, width);
                assert!(height.is_none_or(|height| height == seen_height));
                assert!(picture.to_svg(&settings).ends_with("</svg>\n"));
            }
        }
    }
}

#[test]
fn svg_is_small_at_its_default_width() {
    for (channels, points) in [(1, 1200), (2, 1200), (6, 833), (24, 208)] {
        let waveform = collect(&noise(channels, 200_000), true, &[Resolution::Even(points)], 4096);
        let curve = curve(3600);
        let svg = picture("a.wav", &waveform, &curve).to_svg(&settings(1280, None));
        assert!(svg.len() < 200_000, "{channels} channels: {} bytes", svg.len());
    }
}

#[test]
fn svg_escapes_whatever_a_file_is_called() {
    let waveform = collect(&noise(1, 100), true, &[Resolution::Even(10)], 64);
    let svg = picture("<a>&\"b\"\u{1}.wav", &waveform, &[]).to_svg(&settings(1280, None));
    assert!(svg.contains("&lt;a&gt;&amp;&quot;b&quot;\u{fffd}.wav"));
    assert_eq!(svg.matches("<a>").count(), 0);
    assert!(svg.matches("<text").count() == svg.matches("</text>").count());
}

#[test]
fn title_that_is_too_long_ends_in_an_ellipsis() {
    let waveform = collect(&noise(1, 100), true, &[Resolution::Even(10)], 64);
    let svg = picture(&"long ".repeat(100), &waveform, &[]).to_svg(&settings(600, None));
    let text = svg.split("<text").find(|text| text.contains('\u{2026}')).unwrap();
    assert!(text.len() < 150, "{text}");
}

#[test]
fn clipping_is_red_and_dark_pictures_are_dark() {
    let mut plane = vec![0.1; 1000];
    plane[500..520].fill(1.0);
    let waveform = collect(&[plane], true, &[Resolution::Even(100)], 64);
    let mut settings = Settings { is_plain: true, ..settings(120, Some(64)) };
    let picture = picture("a.wav", &waveform, &[]);
    let reds = |pixels: &[u8]| {
        let (pixels, _) = pixels.as_chunks::<3>();
        pixels.iter().filter(|[r, g, b]| *r > 200 && *g < 100 && *b < 100).count()
    };
    let (_, _, light) = decoded(&picture.to_png(&settings));
    // Two points of 1.2 pixels, four pixels high, at both edges.
    assert!((16..=32).contains(&reds(&light)), "{}", reds(&light));
    settings.theme = Theme::Dark;
    let (_, _, dark) = decoded(&picture.to_png(&settings));
    let sum = |pixels: &[u8]| pixels.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    assert!(sum(&dark) < sum(&light) / 2);
}

#[test]
fn pictures_are_the_same_bytes_every_time() {
    let waveform = collect(&noise(2, 5000), true, &[Resolution::Even(300)], 64);
    let curve = curve(10);
    let picture = picture("a.wav", &waveform, &curve);
    let settings = settings(360, None);
    assert_eq!(picture.to_png(&settings), picture.to_png(&settings));
    assert_eq!(picture.to_svg(&settings), picture.to_svg(&settings));
}
