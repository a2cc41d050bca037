//! Where values begin and cease to exist.

use crate::common::music;
use crate::signals::{
    RATE_HZ, assert_loudness, assert_true_peak, measure, peak_tone, stereo, tone,
};
use wavemill_core::analysis::{Options, analyze};
use wavemill_core::audio::{Block, ChannelLayout, PcmFormat, Samples, StreamSpec, convert};
use wavemill_core::loudness::{LoudnessMeter, LoudnessReport, MonoMode};
use wavemill_core::units::{Frames, Seconds};

#[test]
fn true_peak_at_96_khz_is_found_between_samples() {
    assert_true_peak(&peak_tone(96_000, 8.0, 67.5, 0.5), -6.0);
}

#[test]
fn true_peak_of_the_last_sample_is_not_missed() {
    let plane = [vec![0.0; 1000], vec![0.6, 0.6]].concat();
    let report = measure(&StreamSpec::new(RATE_HZ, 1), &[plane], MonoMode::Single, 4096);
    assert!(report.true_peak_dbtp.unwrap().0 > report.sample_peak_dbfs.unwrap().0 + 1.0);
}

#[test]
fn dual_mono_is_3_lu_louder_than_single() {
    let plane = tone(&[(-23.0, 5.0)]);
    let spec = StreamSpec::new(RATE_HZ, 1);
    let single = measure(&spec, std::slice::from_ref(&plane), MonoMode::Single, 4096);
    let dual = measure(&spec, std::slice::from_ref(&plane), MonoMode::Dual, 4096);
    let difference = dual.integrated_lufs.unwrap() - single.integrated_lufs.unwrap();
    assert!((difference.0 - 10.0 * 2f64.ln() / 10f64.ln()).abs() < 1e-9, "{difference}");
    assert_loudness(
        measure(&StreamSpec::new(RATE_HZ, 2), &[plane.clone(), plane], MonoMode::Dual, 64)
            .integrated_lufs,
        dual.integrated_lufs.unwrap().0,
    );
}

#[test]
fn silence_has_no_loudness_and_no_peak() {
    let report =
        measure(&StreamSpec::new(RATE_HZ, 2), &vec![vec![0.0; 500_000]; 2], MonoMode::Single, 4096);
    assert_eq!(report, LoudnessReport::default());
}

#[test]
fn nothing_at_all_has_no_loudness() {
    for channel_count in [0, 1, 99] {
        let spec = StreamSpec::new(RATE_HZ, channel_count);
        let planes = vec![Vec::new(); channel_count];
        assert_eq!(measure(&spec, &planes, MonoMode::Single, 1), LoudnessReport::default());
    }
}

#[test]
fn short_signal_has_a_peak_but_no_loudness() {
    let plane = tone(&[(-20.0, 0.3)]);
    let report = measure(&StreamSpec::new(RATE_HZ, 1), &[plane], MonoMode::Single, 64);
    assert_eq!(report.integrated_lufs, None);
    assert_eq!(report.momentary_max_lufs, None);
    assert!(report.true_peak_dbtp.is_some());
}

#[test]
fn one_second_has_momentary_but_no_short_term_loudness() {
    let report = stereo(&[(-23.0, 1.0)]);
    assert_loudness(report.momentary_max_lufs, -23.0);
    assert_loudness(report.integrated_lufs, -23.0);
    assert_eq!(report.short_term_max_lufs, None);
    assert_eq!(report.loudness_range_lu, None);
}

#[test]
fn report_does_not_depend_on_blocks() {
    let Samples::Float { planes } = music(PcmFormat::FLOAT, 2, 200_000) else { panic!("floats") };
    let spec = StreamSpec::new(44_100, 2);
    let whole = measure(&spec, &planes, MonoMode::Single, 200_000);
    assert!(whole.integrated_lufs.is_some() && whole.short_term_max_lufs.is_some());
    for block in [1, 7, 64, 4096] {
        assert_eq!(measure(&spec, &planes, MonoMode::Single, block), whole, "blocks of {block}");
    }
}

#[test]
fn sides_of_7_1_weigh_more_than_its_back() {
    let spec = StreamSpec::new(RATE_HZ, 8);
    let loudness_with_tone_in = |channel: usize| {
        let mut planes = vec![vec![0.0; 48_000]; 8];
        planes[channel] = tone(&[(-20.0, 1.0)]);
        measure(&spec, &planes, MonoMode::Single, 4096).integrated_lufs.map(|lufs| lufs.0)
    };
    let front = loudness_with_tone_in(0).unwrap();
    let (back, side) = (loudness_with_tone_in(4).unwrap(), loudness_with_tone_in(6).unwrap());
    assert!((back - front).abs() < 1e-9);
    assert!((side - front - 1.49).abs() < 0.01, "{side} {front}");
    assert_eq!(loudness_with_tone_in(3), None);
}

#[test]
fn unknown_positions_weigh_one() {
    let plane = tone(&[(-23.0, 1.0)]);
    let mut spec = StreamSpec::new(RATE_HZ, 2);
    let planes = [plane.clone(), plane];
    let known = measure(&spec, &planes, MonoMode::Single, 4096);
    spec.layout = ChannelLayout::new(vec![wavemill_core::audio::ChannelPosition::Unknown; 2]);
    assert_eq!(measure(&spec, &planes, MonoMode::Single, 4096), known);
}

#[test]
fn report_has_the_keys_of_the_json() {
    let json = serde_json::to_value(stereo(&[(-23.0, 4.0)])).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "integrated_lufs",
        "loudness_range_lu",
        "momentary_max_lufs",
        "momentary_max_at_s",
        "short_term_max_lufs",
        "short_term_max_at_s",
        "true_peak_dbtp",
        "true_peak_precise_dbtp",
        "sample_peak_dbfs",
        "peak_to_loudness_lu",
        "peak_to_short_term_lu",
        "invalid_samples",
    ];
    assert_eq!(keys, expected);
    assert!(json.as_object().unwrap().values().all(serde_json::Value::is_number));
    let silent = serde_json::to_value(LoudnessReport::default()).unwrap();
    let mut silent = silent.as_object().unwrap().clone();
    assert_eq!(silent.remove("invalid_samples").unwrap(), 0);
    assert!(silent.values().all(serde_json::Value::is_null));
}

#[test]
fn blocks_of_the_decoder_measure_like_their_floats() {
    let ints = music(PcmFormat::int(24), 2, 50_000);
    let mut block = Block::new(2, 50_000);
    convert::to_block(&ints, &mut block);
    let mut meter = LoudnessMeter::new(&StreamSpec::new(44_100, 2), MonoMode::Single);
    meter.push(&block);
    let planes: Vec<Vec<f32>> = block.planes().map(<[f32]>::to_vec).collect();
    let spec = StreamSpec::new(44_100, 2);
    assert_eq!(meter.finish(), measure(&spec, &planes, MonoMode::Single, 512));
}

fn of_mono(plane: Vec<f32>) -> LoudnessReport {
    measure(&StreamSpec::new(RATE_HZ, 1), &[plane], MonoMode::Single, 4096)
}

#[test]
fn one_frame_has_peaks_and_nothing_else() {
    let report = of_mono(vec![0.5]);
    let sample_peak_dbfs = report.sample_peak_dbfs;
    assert!((sample_peak_dbfs.unwrap().0 + 6.0206).abs() < 1e-4);
    let (true_peak_dbtp, true_peak_precise_dbtp) =
        (report.true_peak_dbtp, report.true_peak_precise_dbtp);
    assert!(true_peak_dbtp.is_some() && true_peak_precise_dbtp.is_some());
    let expected = LoudnessReport {
        sample_peak_dbfs,
        true_peak_dbtp,
        true_peak_precise_dbtp,
        ..LoudnessReport::default()
    };
    assert_eq!(report, expected);
}

#[test]
fn loudness_begins_with_the_last_frame_of_400_ms() {
    let plane = tone(&[(-20.0, 0.4)]);
    assert_eq!(plane.len(), 19_200);
    let short = of_mono(plane[1..].to_vec());
    assert_eq!((short.integrated_lufs, short.momentary_max_lufs), (None, None));
    assert_eq!(short.peak_to_loudness_lu, None);
    let full = of_mono(plane);
    assert!(full.integrated_lufs.is_some() && full.momentary_max_lufs.is_some());
    assert_eq!(full.momentary_max_at_s, Some(Seconds(0.4)));
}

#[test]
fn short_term_range_and_psr_begin_with_the_last_frame_of_3_s() {
    let plane = tone(&[(-20.0, 3.0)]);
    let short = of_mono(plane[1..].to_vec());
    assert_eq!((short.short_term_max_lufs, short.loudness_range_lu), (None, None));
    assert_eq!(short.peak_to_short_term_lu, None);
    let full = of_mono(plane);
    assert!(full.short_term_max_lufs.is_some() && full.loudness_range_lu.is_some());
    // A sine of -20 dBFS at 1 kHz is at -23 LUFS in one channel.
    assert!((full.peak_to_short_term_lu.unwrap().0 - 3.0).abs() < 0.1, "{full:?}");
}

/// A tone of 3 s is as loud wherever it begins. Of one that begins 50 ms beside a grid of 100 ms, windows on the grid
/// hold 2.95 s: 10 log10(2.95 / 3) = -0.073 LU.
#[test]
fn short_term_maximum_of_3_s_does_not_depend_on_where_they_begin() {
    let maximum = |offset_ms: u32| {
        let before = vec![0.0; 48 * (1000 + offset_ms as usize)];
        let report = of_mono([before, tone(&[(-20.0, 3.0)]), vec![0.0; 96_000]].concat());
        assert_eq!(report.short_term_max_at_s, Some(Seconds(f64::from(4000 + offset_ms) / 1000.0)));
        report.short_term_max_lufs.unwrap().0
    };
    let aligned = maximum(0);
    for offset_ms in (10..100).step_by(10) {
        let difference = maximum(offset_ms) - aligned;
        assert!(difference.abs() < 1e-6, "{offset_ms} ms: {difference}");
    }
}

/// Numbers below the smallest normal one are silence: whether they exist depends on a thread's mode.
#[test]
fn denormal_numbers_are_silence() {
    let tiny = f32::MIN_POSITIVE / 8.0;
    let plane: Vec<f32> = (0..200_000).map(|i| if i % 50 < 25 { tiny } else { -tiny }).collect();
    assert_eq!(of_mono(plane), LoudnessReport::default());
}

#[test]
fn smallest_normal_numbers_have_peaks() {
    let plane = vec![f32::MIN_POSITIVE; 48_000];
    assert!(of_mono(plane).sample_peak_dbfs.is_some());
}

#[test]
fn silence_after_sound_changes_no_loudness() {
    let loud = tone(&[(-20.0, 5.0)]);
    let with_silence = [loud.clone(), vec![0.0; 480_000]].concat();
    let (alone, followed) = (of_mono(loud), of_mono(with_silence));
    assert_eq!(alone.momentary_max_lufs, followed.momentary_max_lufs);
    // Three more blocks end in the tone's last ring: they are quieter.
    let difference = alone.integrated_lufs.unwrap() - followed.integrated_lufs.unwrap();
    assert!((0.0..0.2).contains(&difference.0), "{difference}");
}

#[test]
fn samples_that_are_no_finite_numbers_are_refused() {
    let spec = StreamSpec::new(RATE_HZ, 2);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let good = vec![0.1; 10_000];
        let mut broken = good.clone();
        broken[7_000] = bad;
        let result = analyze(&[&good, &broken], &spec, PcmFormat::FLOAT, &Options::default());
        assert_eq!(result.unwrap_err().frame, Frames(7_000));
    }
}

/// 16-bit integers stored as floats without scaling reach 20 log10(32768) = 90.309 dBFS.
#[test]
fn integers_of_16_bits_stored_as_floats_are_measured() {
    let plane: Vec<f32> =
        (0..48_000).map(|i| if i % 50 < 25 { 32_768.0 } else { -32_768.0 }).collect();
    let report = of_mono(plane);
    assert!((report.sample_peak_dbfs.unwrap().0 - 90.309).abs() < 1e-3);
    assert!(report.integrated_lufs.unwrap().0 > 80.0);
    assert_eq!(report.invalid_samples, 0);
}

/// One of them held integrated loudness at 727 LUFS, or made all values vanish.
#[test]
fn invalid_samples_count_as_silence_and_are_counted() {
    let good = tone(&[(-20.0, 5.0)]);
    for bad in [3e38, -3e38, 100_001.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (mut broken, mut silenced) = (good.clone(), good.clone());
        for frame in [0, 100_000, 239_999] {
            (broken[frame], silenced[frame]) = (bad, 0.0);
        }
        let expected = LoudnessReport { invalid_samples: 3, ..of_mono(silenced) };
        assert_eq!(of_mono(broken.clone()), expected, "{bad}");
        let mut meter = LoudnessMeter::new(&StreamSpec::new(RATE_HZ, 1), MonoMode::Single);
        meter.push(&Block::from_planes(&[&broken]));
        assert_eq!(meter.reading().invalid_samples, 3);
        meter.reset();
        assert_eq!(meter.reading().invalid_samples, 0);
    }
}
