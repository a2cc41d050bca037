//! The meter against `ebur128` and `ffmpeg`.

use crate::common::{encode, music, run_tool, settings};
use crate::signals::{RATE_HZ, blocks, measure, stereo, tone};
use ebur128::{Channel, EbuR128, Mode};
use proptest::prelude::*;
use wavemill_core::audio::{ChannelLayout, ChannelPosition, PcmFormat, Samples, StreamSpec};
use wavemill_core::loudness::{LoudnessMeter, LoudnessReport, MonoMode};

/// How far loudness may lie from the library's: what sums in another order cost is far less.
const AGREEMENT_LU: f64 = 1e-6;

/// The library's name for a position; it knows how much each counts.
fn position_of(layout: &ChannelLayout, position: ChannelPosition) -> Channel {
    use ChannelPosition as P;
    let has_sides = layout.index_of(P::SideLeft).is_some();
    match position {
        P::LowFrequency => Channel::Unused,
        P::SideLeft => Channel::Mp090,
        P::SideRight => Channel::Mm090,
        P::BackLeft if has_sides => Channel::Mp135,
        P::BackRight if has_sides => Channel::Mm135,
        P::BackLeft => Channel::LeftSurround,
        P::BackRight => Channel::RightSurround,
        P::BackCenter => Channel::Mp180,
        P::TopFrontLeft => Channel::Up045,
        P::TopFrontRight => Channel::Um045,
        P::TopBackLeft => Channel::Up135,
        P::TopBackRight => Channel::Um135,
        _ => Channel::Center,
    }
}

/// The signal of a seed: noise whose color differs between channels and whose level jumps every now and
/// then, to silence too.
fn noise(seed: u32, channel_count: usize, frame_count: usize) -> Vec<Vec<f32>> {
    let mut state = seed;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1u32 << 24)
    };
    let mut plane = || {
        let smooth = 0.95 * random();
        let (mut level, mut left, mut held) = (0.0, 0, 0.0);
        let mut next = || {
            if left == 0 {
                left = 1 + (random() * 0.3 * frame_count as f64) as usize;
                let choice = random();
                level = if choice < 0.15 { 0.0 } else { 10f64.powf(-3.5 * random()) };
            }
            left -= 1;
            held = smooth * held + (1.0 - smooth) * (2.0 * random() - 1.0);
            (level * held) as f32
        };
        (0..frame_count).map(|_| next()).collect()
    };
    let mut planes: Vec<Vec<f32>> = (0..channel_count).map(|_| plane()).collect();
    // The library does not look for peaks behind the last frame, as we do: there shall be none.
    for plane in &mut planes {
        plane.extend([0.0; 64]);
    }
    planes
}

/// The library's loudness of a signal, and its momentary and short-term loudness every 100 ms.
fn oracle(spec: &StreamSpec, planes: &[Vec<f32>], mode: Mode) -> (EbuR128, Vec<(f64, f64)>) {
    let rate_hz = spec.sample_rate.0;
    let channel_count = u32::try_from(planes.len()).unwrap();
    let mut oracle = EbuR128::new(channel_count, rate_hz, mode).unwrap();
    let map: Vec<Channel> =
        spec.layout.positions().iter().map(|&at| position_of(&spec.layout, at)).collect();
    oracle.set_channel_map(&map).unwrap();
    let mut curve = Vec::new();
    for block in blocks(planes, rate_hz as usize / 10) {
        let planes: Vec<&[f32]> = block.planes().collect();
        oracle.add_frames_planar_f32(&planes).unwrap();
        if mode.contains(Mode::S) && block.frame_count() == rate_hz as usize / 10 {
            let both = (oracle.loudness_momentary(), oracle.loudness_shortterm());
            curve.push((both.0.unwrap(), both.1.unwrap()));
        }
    }
    (oracle, curve)
}

/// What rings on after a sound; below this nobody agrees about the last digits of almost nothing.
const RINGING_LUFS: f64 = -150.0;

fn assert_agrees(value: Option<f64>, expected: f64, what: &str) {
    if expected < RINGING_LUFS && value.is_none_or(|value| value < RINGING_LUFS) {
        return;
    }
    match value {
        Some(value) => {
            assert!((value - expected).abs() < AGREEMENT_LU, "{what}: {value} {expected}");
        }
        None => assert!(!expected.is_finite(), "{what}: none, expected {expected}"),
    }
}

fn assert_peaks_agree(report: &LoudnessReport, oracle: &EbuR128) {
    let largest = |of: &dyn Fn(u32) -> f64| (0..oracle.channels()).map(of).fold(0.0, f64::max);
    let peaks = [
        (report.true_peak_dbtp.map(|peak| peak.0), largest(&|i| oracle.true_peak(i).unwrap())),
        (report.sample_peak_dbfs.map(|peak| peak.0), largest(&|i| oracle.sample_peak(i).unwrap())),
    ];
    for (measured, expected) in peaks {
        let measured = measured.map_or(0.0, |db| 10f64.powf(db / 20.0));
        assert!((measured - expected).abs() <= 1e-6 * expected, "{measured} {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(256) / 8,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Multiples of 10 Hz, where the library's 100 ms are whole frames: at others it drifts.
    #[test]
    fn loudness_and_peaks_of_random_signals_agree_with_the_library(
        seed in any::<u32>(),
        rate_10_hz in prop_oneof![800u32..=19_200, Just(4_410), Just(4_800), Just(9_600), Just(19_200)],
        channel_count in 1usize..=12,
        // Long enough for some windows, short enough for many signals.
        thousand_frames in 10usize..120,
        block in 1usize..5000,
    ) {
        let spec = StreamSpec::new(rate_10_hz * 10, channel_count);
        let planes = noise(seed, channel_count, thousand_frames * 1000 / channel_count);
        let report = measure(&spec, &planes, MonoMode::Single, block);
        let mode = Mode::I | Mode::TRUE_PEAK | Mode::SAMPLE_PEAK;
        let (oracle, _) = oracle(&spec, &planes, mode);
        let integrated = report.integrated_lufs.map(|lufs| lufs.0);
        assert_agrees(integrated, oracle.loudness_global().unwrap(), "integrated");
        assert_peaks_agree(&report, &oracle);
    }

    #[test]
    fn loudness_curves_of_random_signals_agree_with_the_library(
        seed in any::<u32>(),
        rate_10_hz in 800u32..=4_800,
        channel_count in 1usize..=3,
    ) {
        let spec = StreamSpec::new(rate_10_hz * 10, channel_count);
        let planes = noise(seed, channel_count, rate_10_hz as usize * 45);
        let mut meter = LoudnessMeter::new(&spec, MonoMode::Single).with_history();
        blocks(&planes, 999).for_each(|block| meter.push(&block));
        meter.end();
        let history = meter.take_history();
        let mode = Mode::M | Mode::S | Mode::TRUE_PEAK | Mode::SAMPLE_PEAK;
        let (oracle, curve) = oracle(&spec, &planes, mode);
        assert_eq!(history.len(), curve.len());
        for (index, (point, (momentary, short_term))) in history.iter().zip(curve).enumerate() {
            // The library takes what is missing at the beginning for silence.
            if index >= 3 {
                assert_agrees(point.momentary_lufs.map(|lufs| lufs.0), momentary, "momentary");
            }
            if index >= 29 {
                assert_agrees(point.short_term_lufs.map(|lufs| lufs.0), short_term, "short-term");
            }
        }
        assert_peaks_agree(&meter.finish(), &oracle);
    }
}

#[test]
fn loudness_agrees_with_the_library_at_every_rate() {
    for rate_hz in [8_000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000] {
        // Where the library's hop is no whole number of frames it drifts, and a single gating block
        // that falls on the other side of the gate must not weigh much: hence a longer signal.
        let (duration_s, tolerance_lu) = if rate_hz % 100 == 0 { (8, 1e-6) } else { (60, 0.02) };
        let frame_count = rate_hz as usize * duration_s;
        let Samples::Float { planes } = music(PcmFormat::FLOAT, 2, frame_count) else {
            panic!("floats")
        };
        let report = measure(&StreamSpec::new(rate_hz, 2), &planes, MonoMode::Single, 4096);
        let mut oracle = EbuR128::new(2, rate_hz, Mode::I | Mode::LRA | Mode::TRUE_PEAK).unwrap();
        oracle.add_frames_planar_f32(&[&planes[0], &planes[1]]).unwrap();
        let integrated = report.integrated_lufs.unwrap().0;
        let difference = integrated - oracle.loudness_global().unwrap();
        assert!(difference.abs() < tolerance_lu, "{rate_hz} Hz: {difference} LU");
        let peak = oracle.true_peak(0).unwrap().max(oracle.true_peak(1).unwrap());
        let measured = 10f64.powf(report.true_peak_dbtp.unwrap().0 / 20.0);
        assert!((measured / peak - 1.0).abs() < 1e-6, "{rate_hz} Hz: {measured} {peak}");
    }
}

/// What `ffmpeg` measures: integrated loudness and its range; `None`, after saying so, where it is not
/// installed.
fn ffmpeg(planes: &[Vec<f32>]) -> Option<(f64, f64)> {
    let samples = Samples::Float { planes: planes.to_vec() };
    let mut settings = settings(&samples);
    settings.spec = StreamSpec::new(RATE_HZ, planes.len());
    let file = encode("wav", &samples, settings, 4096).unwrap();
    let arguments =
        ["-hide_banner", "-nostats", "-i", "-", "-filter_complex", "ebur128", "-f", "null", "-"];
    let output = run_tool("ffmpeg", &arguments, &file)?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = &text[text.rfind("Summary:").unwrap()..];
    let value = |key: &str| -> f64 {
        let rest = &summary[summary.find(key).unwrap() + key.len()..];
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    Some((value("I:"), value("LRA:")))
}

/// `ffmpeg` prints one digit after the point, of percentiles in bins of 0.1 LU.
fn assert_agrees_with_ffmpeg(report: &LoudnessReport, ffmpeg: (f64, f64)) {
    let (integrated, range) = ffmpeg;
    assert!((report.loudness_range_lu.unwrap().0 - range).abs() < 0.2, "{report:?} {range}");
    assert!((report.integrated_lufs.unwrap().0 - integrated).abs() < 0.06, "{integrated}");
}

#[test]
fn loudness_range_of_tones_agrees_with_ffmpeg() {
    let parts: Vec<(f64, f64)> =
        (0..40).map(|i| (-20.0 - f64::from(i * 7 % 23), 1.0 + f64::from(i % 5) * 0.7)).collect();
    let plane = tone(&parts);
    let Some(expected) = ffmpeg(&[plane.clone(), plane]) else { return };
    assert_agrees_with_ffmpeg(&stereo(&parts), expected);
}

#[test]
fn loudness_range_of_noise_agrees_with_ffmpeg() {
    for seed in [1, 2, 3] {
        let planes = noise(seed, 2, 30 * RATE_HZ as usize);
        let Some(expected) = ffmpeg(&planes) else { return };
        let spec = StreamSpec::new(RATE_HZ, 2);
        assert_agrees_with_ffmpeg(&measure(&spec, &planes, MonoMode::Single, 4096), expected);
    }
}
