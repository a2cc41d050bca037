//! Of the whole: hand-made signals with a known rhythm, or none.

use super::options::{RhythmOptions, TempoPrior};
use super::{RhythmMeter, RhythmReport};

const RATE_HZ: u32 = 44_100;

/// Tempo that is found in what repeats exactly; clicks last for hundreds of frames.
const TEMPO_PART: f64 = 0.001;

/// Numbers between -1 and 1, the same each time.
fn noise(mut state: u32) -> impl FnMut() -> f32 {
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0
    }
}

fn index(time_s: f64, rate_hz: u32) -> usize {
    super::number::index(time_s * f64::from(rate_hz))
}

/// Adds a decaying stroke: a tone where there is a frequency, noise else.
fn strike(samples: &mut [f32], time_s: f64, rate_hz: u32, tone_hz: Option<f32>, gain: f32) {
    let mut noise = noise(7);
    let rate = rate_hz as f32;
    let rest = samples.iter_mut().skip(index(time_s, rate_hz)).take(index(0.15, rate_hz));
    for (n, sample) in rest.enumerate() {
        let time = n as f32 / rate;
        let wave = tone_hz.map_or_else(&mut noise, |hz| (std::f32::consts::TAU * hz * time).sin());
        *sample += gain * wave * (-time * 30.0).exp();
    }
}

/// Bass drum on 1 and 3, snare on 2 and 4, hi-hat on eighths.
fn rock(bpm: f64, rate_hz: u32, seconds: f64) -> Vec<f32> {
    let mut samples = vec![0.0; index(seconds, rate_hz)];
    let eighth_s = 30.0 / bpm;
    for eighth in 0..index(seconds / eighth_s, 1) {
        let time_s = 0.2 + eighth as f64 * eighth_s;
        strike(&mut samples, time_s, rate_hz, None, 0.08);
        match eighth % 8 {
            0 | 4 => strike(&mut samples, time_s, rate_hz, Some(55.0), 0.7),
            2 | 6 => strike(&mut samples, time_s, rate_hz, None, 0.4),
            _ => {}
        }
    }
    samples
}

fn measure(samples: &[f32], rate_hz: u32, options: RhythmOptions) -> RhythmReport {
    let mut meter = RhythmMeter::with(rate_hz, 1, options);
    meter.take(&[samples]);
    meter.end()
}

fn plainly(samples: &[f32]) -> RhythmReport {
    measure(samples, RATE_HZ, RhythmOptions::default())
}

#[test]
fn tempo_of_a_drum_loop_is_found() {
    for bpm in [84.0, 97.3, 120.0, 140.0] {
        let report = plainly(&rock(bpm, RATE_HZ, 25.0));
        assert!(
            (report.tempo_bpm.unwrap() / bpm - 1.0).abs() < TEMPO_PART,
            "{bpm}: {}",
            report.tempo_bpm.unwrap()
        );
        assert_eq!(report.is_steady, Some(true));
        assert!(report.tempo_drift_percent.unwrap().abs() < 0.5);
    }
}

#[test]
fn beats_of_a_drum_loop_are_within_15_ms() {
    let report = plainly(&rock(120.0, RATE_HZ, 25.0));
    assert!(report.beats_s.len() >= 45);
    for beat_s in &report.beats_s {
        let beats = (beat_s - 0.2) / 0.5;
        assert!((beats - beats.round()).abs() * 0.5 < 0.015, "beat at {beat_s} s");
    }
}

#[test]
fn half_and_double_are_always_listed() {
    let report = plainly(&rock(120.0, RATE_HZ, 25.0));
    for ratio in [0.5, 2.0] {
        let near = |bpm: f64| (bpm / report.tempo_bpm.unwrap() / ratio - 1.0).abs() < 0.01;
        assert!(report.alternatives.iter().any(|other| near(other.tempo_bpm)), "{ratio}");
    }
}

#[test]
fn sample_rate_and_gain_do_not_matter() {
    let expected = plainly(&rock(110.0, RATE_HZ, 25.0)).tempo_bpm.unwrap();
    for rate_hz in [22_050, 48_000, 96_000] {
        let samples: Vec<f32> = rock(110.0, rate_hz, 25.0).iter().map(|x| x * 0.01).collect();
        let report = measure(&samples, rate_hz, RhythmOptions::default());
        assert!((report.tempo_bpm.unwrap() / expected - 1.0).abs() < TEMPO_PART, "at {rate_hz} Hz");
    }
}

#[test]
fn split_does_not_change_the_result() {
    let samples = rock(110.0, RATE_HZ, 20.0);
    let run = |size: usize| {
        let mut meter = RhythmMeter::with(RATE_HZ, 2, RhythmOptions::default());
        samples.chunks(size).for_each(|block| meter.take(&[block, block]));
        meter.end()
    };
    let whole = run(samples.len());
    for size in [64, 4097] {
        assert_eq!(run(size), whole);
    }
}

#[test]
fn prior_moves_the_tempo_by_an_octave() {
    let prior = Some(TempoPrior { mean_bpm: 180.0, width_octaves: 0.1 });
    let options = RhythmOptions { prior, ..RhythmOptions::default() };
    let report = measure(&rock(90.0, RATE_HZ, 25.0), RATE_HZ, options);
    assert!(
        (report.tempo_bpm.unwrap() / 180.0 - 1.0).abs() < TEMPO_PART,
        "{}",
        report.tempo_bpm.unwrap()
    );
}

/// Equal clicks say nothing of the beat's level: each is a beat, or every other one.
#[test]
fn range_and_genre_choose_between_a_tempo_and_its_half() {
    let mut samples = vec![0.0; index(25.0, RATE_HZ)];
    for click in 0..58 {
        strike(&mut samples, 0.5 + 0.42 * f64::from(click), RATE_HZ, None, 0.5);
    }
    let tempo = |options: RhythmOptions| measure(&samples, RATE_HZ, options).tempo_bpm.unwrap();
    let usual = RhythmOptions::default();
    // Every 0.42 s is 142.86 BPM.
    let slow = tempo(RhythmOptions { tempo_bpm_max: 100.0, ..usual });
    assert!((slow / 71.43 - 1.0).abs() < TEMPO_PART, "{slow}");
    let fast = tempo(RhythmOptions { tempo_bpm_min: 100.0, ..usual });
    assert!((fast / 142.86 - 1.0).abs() < TEMPO_PART, "{fast}");
    for (range, expected) in [((142.0, 150.0), 142.86), ((65.0, 80.0), 71.43)] {
        let prior = Some(TempoPrior::of_range(range.0, range.1));
        let found = tempo(RhythmOptions { prior, ..usual });
        assert!((found / expected - 1.0).abs() < TEMPO_PART, "{range:?}: {found}");
    }
}

#[test]
fn prior_of_a_range_is_its_middle_and_never_narrow() {
    let prior = TempoPrior::of_range(80.0, 160.0);
    assert!((prior.mean_bpm - 113.137).abs() < 1e-3 && (prior.width_octaves - 0.5).abs() < 1e-9);
    let narrow = TempoPrior::of_range(142.0, 150.0);
    assert!((narrow.width_octaves - 0.2).abs() < 1e-9);
}

#[test]
fn silence_noise_and_a_sine_have_no_pulse() {
    let mut noise = noise(1);
    let count = index(20.0, RATE_HZ);
    let noise: Vec<f32> = (0..count).map(|_| 0.2 * noise()).collect();
    let sine: Vec<f32> = (0..count).map(|n| 0.5 * (n as f32 * 0.0627).sin()).collect();
    for (name, samples) in [("silence", vec![0.0; count]), ("noise", noise), ("sine", sine)] {
        assert_eq!(plainly(&samples).tempo_bpm, None, "{name}");
    }
}

#[test]
fn clicks_at_random_times_have_no_pulse() {
    let mut samples = vec![0.0; index(30.0, RATE_HZ)];
    let (mut noise, mut time_s) = (noise(3), 0.1);
    while time_s < 29.5 {
        strike(&mut samples, time_s, RATE_HZ, None, 0.5);
        time_s += 0.1 + 0.45 * f64::from(noise() + 1.0);
    }
    assert_eq!(plainly(&samples).tempo_bpm, None);
}

#[test]
fn nothing_and_one_frame_have_no_pulse() {
    assert_eq!(plainly(&[]).tempo_bpm, None);
    assert_eq!(plainly(&[0.5]).tempo_bpm, None);
    assert_eq!(RhythmMeter::with(RATE_HZ, 0, RhythmOptions::default()).end().tempo_bpm, None);
}
