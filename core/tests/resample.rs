//! Quality of sample-rate conversion, by measures that share nothing with its arithmetic.

use proptest::prelude::*;
use std::f64::consts::{PI, TAU};
use wavemill_core::resample::{Quality, ResampleError, Resampler, Sample};
use wavemill_core::units::{Dbfs, Decibels, Frames, SampleRate};

/// Rates in use, odd ones that take two steps, and the widest ratios.
const RATES: [(u32, u32); 14] = [
    (44_100, 48_000),
    (48_000, 44_100),
    (44_100, 96_000),
    (96_000, 44_100),
    (192_000, 44_100),
    (96_000, 48_000),
    (44_100, 8_000),
    (8_000, 44_100),
    (44_100, 44_056),
    (44_056, 48_000),
    (96_000, 44_101),
    (8_000, 655_360),
    (8_000, 655_350),
    (655_350, 8_000),
];

/// What each quality promises of tones, aliases and images.
const PROMISES: [(Quality, f64); 3] =
    [(Quality::Best, -170.0), (Quality::High, -130.0), (Quality::Fast, -100.0)];

/// Amplitude of all tones: -1 dBFS.
const AMPLITUDE: f64 = 0.891;

/// Output frames that tones are measured over, before their ends are cut off.
const TONE_FRAMES: usize = 12_000;

/// What filters ring at a signal's ends, as a share of it on each side.
const ENDS: f64 = 0.2;

fn resampler(rates: (u32, u32), channel_count: usize, quality: Quality) -> Resampler {
    Resampler::new(SampleRate(rates.0), SampleRate(rates.1), channel_count, quality)
        .unwrap_or_else(|error| panic!("{rates:?}: {error}"))
}

/// Converts whole planes, pushed in pieces of `cuts` frames in turn.
fn convert<S: Sample>(resampler: &mut Resampler, planes: &[Vec<S>], cuts: &[usize]) -> Vec<Vec<S>> {
    let frame_count = planes[0].len();
    let length = resampler.output_length(Frames(frame_count as u64)).as_usize();
    let mut output = vec![vec![S::default(); length]; planes.len()];
    let (mut pushed, mut pulled) = (0, 0);
    let mut cuts = cuts.iter().cycle();
    while pulled < length {
        let wanted = cuts.next().map_or(usize::MAX, |&cut| cut);
        let count = resampler.room().min(wanted).min(frame_count - pushed);
        resampler.push(planes.iter().map(|plane| &plane[pushed..pushed + count]));
        pushed += count;
        if pushed == frame_count {
            resampler.push_silence(resampler.room());
        }
        let ready = resampler.available().min(length - pulled).min(wanted);
        resampler.pull(output.iter_mut().map(|plane| &mut plane[pulled..pulled + ready]));
        pulled += ready;
    }
    output
}

fn convert_one(rates: (u32, u32), quality: Quality, plane: &[f64]) -> Vec<f64> {
    let mut converted = convert(&mut resampler(rates, 1, quality), &[plane.to_vec()], &[]);
    converted.remove(0)
}

/// A sine of `frequency_hz`; long enough for [`TONE_FRAMES`] and the longest filter.
fn tone(rates: (u32, u32), frequency_hz: f64) -> Vec<f64> {
    let ratio = f64::from(rates.0) / f64::from(rates.1);
    let shortest = 600.0 * ratio.max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some millions")]
    let frame_count = (TONE_FRAMES as f64 * ratio).max(8.0 * shortest) as usize;
    let turn = TAU * frequency_hz / f64::from(rates.0);
    (0..frame_count).map(|frame| AMPLITUDE * (turn * frame as f64 + 0.3).sin()).collect()
}

/// Blackman's window, which falls fast enough that other tones do not leak into the fit.
fn window(place: f64) -> f64 {
    0.42 - 0.5 * (TAU * place).cos() + 0.08 * (2.0 * TAU * place).cos()
}

/// A sine of known frequency fitted by least squares, and what it leaves.
struct Fit {
    amplitude: f64,
    residual: f64,
}

/// Fits the middle of `signal`; `turn` is the frequency in radians per frame.
fn fit(signal: &[f64], turn: f64) -> Fit {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousand")]
    let end = (signal.len() as f64 * ENDS) as usize;
    let middle = &signal[end..signal.len() - end];
    let frames = || {
        middle.iter().enumerate().map(|(frame, &value)| {
            let (sine, cosine) = (turn * frame as f64).sin_cos();
            (window((frame as f64 + 0.5) / middle.len() as f64), value, cosine, sine)
        })
    };
    let (mut cc, mut ss, mut cs, mut vc, mut vs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (weight, value, cosine, sine) in frames() {
        cc += weight * cosine * cosine;
        ss += weight * sine * sine;
        cs += weight * cosine * sine;
        vc += weight * value * cosine;
        vs += weight * value * sine;
    }
    let determinant = cc * ss - cs * cs;
    let (a, b) = ((vc * ss - vs * cs) / determinant, (vs * cc - vc * cs) / determinant);
    let (mut left, mut weights) = (0.0, 0.0);
    for (weight, value, cosine, sine) in frames() {
        left += weight * (value - a * cosine - b * sine).powi(2);
        weights += weight;
    }
    Fit { amplitude: a.hypot(b), residual: (2.0 * left / weights).sqrt() }
}

/// Level against the amplitude of the tones.
fn relative(amplitude: f64) -> f64 {
    Dbfs::from_amplitude(amplitude / AMPLITUDE).map_or(-400.0, |level| level.0)
}

/// The amplitude of a tone as strong as the middle of `signal`.
fn strength(signal: &[f64]) -> f64 {
    let end = signal.len() / 4;
    let middle = &signal[end..signal.len() - end];
    let energy: f64 = middle.iter().map(|value| value * value).sum();
    (2.0 * energy / middle.len() as f64).sqrt()
}

/// Half of the lower rate.
fn limit_hz(rates: (u32, u32)) -> f64 {
    f64::from(rates.0.min(rates.1)) / 2.0
}

#[test]
fn tones_keep_their_amplitude_and_gain_neither_noise_nor_images() {
    for (quality, promise) in PROMISES {
        for rates in RATES {
            for share in [0.02, 0.6, quality.pass_band()] {
                let frequency_hz = share * limit_hz(rates);
                let converted = convert_one(rates, quality, &tone(rates, frequency_hz));
                let found = fit(&converted, TAU * frequency_hz / f64::from(rates.1));
                let (noise, gain) = (relative(found.residual), relative(found.amplitude));
                let at = format!("{quality:?}, {rates:?}, {frequency_hz:.0} Hz");
                assert!(noise <= promise, "{at}: noise and distortion {noise:.1} dB");
                assert!(gain.abs() <= 0.001, "{at}: {gain:.5} dB");
            }
        }
    }
}

#[test]
fn tones_in_the_transition_leave_no_image() {
    for (quality, promise) in PROMISES {
        for rates in RATES {
            let frequency_hz = 0.985 * limit_hz(rates);
            let converted = convert_one(rates, quality, &tone(rates, frequency_hz));
            let found = fit(&converted, TAU * frequency_hz / f64::from(rates.1));
            let image = relative(found.residual);
            assert!(image <= promise, "{quality:?}, {rates:?}: {image:.1} dB");
        }
    }
}

#[test]
fn tones_above_the_new_band_vanish() {
    for (quality, promise) in PROMISES {
        for rates in RATES.into_iter().filter(|rates| rates.0 > rates.1) {
            let limit_hz = limit_hz(rates);
            let top_hz = f64::from(rates.0) / 2.0;
            let shares = [1.0005, 1.02, 1.1, 1.5, 2.3];
            for frequency_hz in shares.map(|share| share * limit_hz).iter().filter(|&&f| f < top_hz)
            {
                let converted = convert_one(rates, quality, &tone(rates, *frequency_hz));
                let alias = relative(strength(&converted));
                assert!(
                    alias <= promise,
                    "{quality:?}, {rates:?}, {frequency_hz:.0} Hz: {alias:.1} dB"
                );
            }
        }
    }
}

#[test]
fn best_in_the_chain_is_limited_by_its_32_bits_only() {
    for rates in RATES {
        let frequency_hz = 0.31 * limit_hz(rates);
        let source: Vec<f64> = tone(rates, frequency_hz);
        #[expect(clippy::cast_possible_truncation, reason = "rounding is what is tested")]
        let rounded: Vec<f32> = source.iter().map(|&value| value as f32).collect();
        let converted = convert(&mut resampler(rates, 1, Quality::Best), &[rounded], &[]);
        let converted: Vec<f64> = converted[0].iter().map(|&value| f64::from(value)).collect();
        let noise = relative(fit(&converted, TAU * frequency_hz / f64::from(rates.1)).residual);
        assert!(noise <= -140.0, "{rates:?}: {noise:.1} dB");
    }
}

#[test]
fn impulse_comes_out_at_its_own_time_and_symmetric() {
    for rates in RATES {
        let common = (1..=rates.0).rev().find(|n| rates.0 % n == 0 && rates.1 % n == 0).unwrap();
        // A frame that both rates have.
        let periods = (8_000 / (rates.0 / common)).max(1);
        let source_frame = (periods * (rates.0 / common)) as usize;
        let middle = (periods * (rates.1 / common)) as usize;
        let mut source = vec![0.0; 2 * source_frame];
        source[source_frame] = 1.0;
        let converted = convert_one(rates, Quality::Best, &source);
        let peak = converted.iter().fold(0.0f64, |max, value| value.abs().max(max));
        assert!(converted[middle] >= peak, "{rates:?}: the peak is elsewhere");
        for distance in 1..middle.min(converted.len() - middle) {
            let difference = (converted[middle - distance] - converted[middle + distance]).abs();
            assert!(difference <= 1e-9 * peak, "{rates:?} at {distance}: {difference:e}");
        }
    }
}

#[test]
fn constant_stays_the_same_number() {
    for rates in RATES {
        let frame_count = 20_000 * (rates.0 / rates.1).max(1) as usize;
        let converted =
            convert(&mut resampler(rates, 1, Quality::Best), &[vec![0.7f32; frame_count]], &[]);
        let middle = converted[0].len() / 3..converted[0].len() / 2;
        assert!(
            converted[0][middle].iter().all(|value| value.to_bits() == 0.7f32.to_bits()),
            "{rates:?}"
        );
    }
}

/// Reproducible noise of a channel.
fn noise(channel: usize, frame_count: usize) -> Vec<f64> {
    let mut state = channel as u64 + 1;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 33) as u32) / f64::from(1u32 << 31) - 0.5
    };
    (0..frame_count).map(|_| next()).collect()
}

#[test]
fn channels_do_not_reach_each_other() {
    for rates in [(44_100, 48_000), (44_100, 44_056)] {
        let planes: Vec<Vec<f64>> = (0..5).map(|channel| noise(channel, 9_000)).collect();
        let together = convert(&mut resampler(rates, 5, Quality::Best), &planes, &[]);
        for (channel, plane) in planes.iter().enumerate() {
            let alone = convert_one(rates, Quality::Best, plane);
            let differences = alone.iter().zip(&together[channel]).map(|(a, b)| (a - b).abs());
            let largest = differences.fold(0.0, f64::max);
            assert!(largest < 1e-14, "{rates:?}, channel {channel}: {largest:e}");
        }
    }
}

#[test]
fn silent_channel_beside_a_loud_one_stays_exactly_silent() {
    for (quality, _) in PROMISES {
        for rates in [(44_100, 48_000), (44_100, 44_056)] {
            let planes = [noise(0, 9_000), vec![0.0; 9_000]];
            let converted = convert(&mut resampler(rates, 2, quality), &planes, &[]);
            assert!(converted[0].iter().any(|&value| value.abs() > 0.1));
            assert!(converted[1].iter().all(|&value| value == 0.0), "{quality:?}, {rates:?}");
        }
    }
}

#[test]
fn there_and_back_returns_the_same_signal() {
    for other in [96_000, 48_000, 88_211] {
        let tones = [997.0, 6_003.0, 15_101.0, 19_997.0];
        let value = |frame: usize| -> f64 {
            let turns = tones.map(|hz| 0.2 * (TAU * hz / 44_100.0 * frame as f64).sin());
            turns.iter().sum()
        };
        let source: Vec<f64> = (0..30_000).map(value).collect();
        let there = convert_one((44_100, other), Quality::Best, &source);
        let back = convert_one((other, 44_100), Quality::Best, &there);
        let differences: Vec<f64> = source.iter().zip(&back).map(|(a, b)| a - b).collect();
        let error = relative(strength(&differences));
        assert!(error <= -165.0, "{other} Hz: {error:.1} dB");
    }
}

#[test]
fn first_frames_of_odd_ratios_ring_as_those_of_round_ones() {
    // A step that begins at once: what is cut off before the file must not disturb what follows.
    let source = vec![0.5; 6_000];
    let odd = convert_one((44_100, 48_001), Quality::Best, &source);
    let round = convert_one((44_100, 48_000), Quality::Best, &source);
    // The places differ by frame / 48,000 of a frame; the slope at a step is below 2 per frame.
    for frame in 0..40 {
        let tolerance = 2.0 * frame as f64 / 48_000.0 + 1e-8;
        let difference = (odd[frame] - round[frame]).abs();
        assert!(difference <= tolerance, "frame {frame}: {difference:e}");
    }
}

#[test]
fn signal_after_a_reset_is_that_of_a_new_one() {
    for rates in [(44_100, 48_000), (44_100, 44_056)] {
        let planes = [noise(3, 7_000)];
        let mut used = resampler(rates, 1, Quality::High);
        let first = convert(&mut used, &planes, &[]);
        used.reset();
        assert!(convert(&mut used, &planes, &[]) == first, "{rates:?}");
    }
}

#[test]
fn rates_that_cannot_be_converted_are_refused_with_both_numbers() {
    let refused = |input, output| {
        let (input, output) = (SampleRate(input), SampleRate(output));
        Resampler::new(input, output, 2, Quality::Best).err()
    };
    let rate = SampleRate(48_000);
    assert_eq!(refused(48_000, 48_000), Some(ResampleError::SameRate { rate }));
    let error = refused(1_000, 655_350).unwrap().to_string();
    assert_eq!(
        error,
        "cannot convert 1000 Hz to 655350 Hz; one rate may be at most 128 times the other"
    );
    assert!(refused(0, 48_000).is_some() && refused(48_000, 0).is_some());
}

#[test]
fn ripple_of_the_whole_pass_band_is_below_a_thousandth_of_a_decibel() {
    // The spectrum of an impulse response, evaluated at 400 places.
    let mut source = vec![0.0; 8_000];
    source[4_000] = 1.0;
    for (quality, _) in PROMISES {
        let converted = convert_one((48_000, 96_000), quality, &source);
        let (response, scale) = (&converted[7_000..9_001], 0.5);
        for step in 0..=400 {
            let turn = PI / 2.0 * quality.pass_band() * f64::from(step) / 400.0;
            let real: f64 = response
                .iter()
                .enumerate()
                .map(|(frame, value)| scale * value * (turn * (frame as f64 - 1_000.0)).cos())
                .sum();
            let ripple = Decibels::from_amplitude(real).unwrap().0;
            assert!(ripple.abs() < 0.001, "{quality:?} at {turn:.3}: {ripple:.5} dB");
        }
    }
}

#[test]
fn ripple_between_the_usual_rates_is_below_a_hundredth_of_a_decibel_up_to_20_khz() {
    for (quality, _) in PROMISES {
        for rates in [(44_100, 48_000), (48_000, 44_100), (96_000, 44_100)] {
            // What `fast` passes ends before 20 kHz at these rates; its band is all that it promises.
            let end_hz = 20_000.0_f64.min(quality.pass_band() * limit_hz(rates));
            for step in 1..=40 {
                let frequency_hz = end_hz * f64::from(step) / 40.0;
                let converted = convert_one(rates, quality, &tone(rates, frequency_hz));
                let found = fit(&converted, TAU * frequency_hz / f64::from(rates.1));
                let ripple = relative(found.amplitude);
                assert!(
                    ripple.abs() < 0.01,
                    "{quality:?}, {rates:?}, {frequency_hz:.0} Hz: {ripple:.5} dB"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn output_does_not_depend_on_how_the_input_was_cut(
        rates in prop::sample::select(RATES[..11].to_vec()),
        cuts in prop::collection::vec(1usize..5_000, 1..6),
        best in any::<bool>(),
    ) {
        let quality = if best { Quality::Best } else { Quality::High };
        let planes: Vec<Vec<f64>> = (0..3).map(|channel| noise(channel, 7_001)).collect();
        let whole = convert(&mut resampler(rates, 3, quality), &planes, &[]);
        let cut = convert(&mut resampler(rates, 3, quality), &planes, &cuts);
        prop_assert!(whole == cut);
    }

    #[test]
    fn length_is_proportional_to_the_nearest_frame(
        input in 8_000u32..200_000,
        output in 8_000u32..200_000,
        frames in 0u32..5_000,
    ) {
        prop_assume!(input != output);
        let resampler = resampler((input, output), 1, Quality::High);
        let exact = f64::from(frames) * f64::from(output) / f64::from(input);
        let length = resampler.output_length(Frames(frames.into())).0;
        prop_assert!((length as f64 - exact).abs() <= 0.5 + 1e-9);
    }
}

/// The same tone by `rubato`'s transforms in `f64`, another design of another author.
#[expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]
fn by_rubato(rates: (u32, u32), plane: &[f64]) -> Vec<f64> {
    use rubato::audioadapter_buffers::direct::InterleavedSlice;
    use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};
    let (from, to) = (rates.0 as usize, rates.1 as usize);
    // An even multiple of the smallest block (all rates here share 300 Hz), so that half a transform is whole frames.
    let (block, window) = (from / 300 * 32, WindowFunction::BlackmanHarris2);
    let mut peer = Fft::<f64>::new_custom(from, to, block, 1, 1, window, FixedSync::Input).unwrap();
    let input = InterleavedSlice::new(plane, 1, plane.len()).unwrap();
    let mut output = vec![0.0; peer.process_all_needed_output_len(plane.len())];
    let room = output.len();
    let mut buffer = InterleavedSlice::new_mut(&mut output, 1, room).unwrap();
    let (_, frame_count) =
        peer.process_all_into_buffer(&input, &mut buffer, plane.len(), None).unwrap();
    output.truncate(frame_count);
    output
}

/// Both come out in the same place: they differ by what `rubato`'s tone is off by (-136 dB where it was looked at, 44.1
/// to
/// 96 kHz) and by what is promised of ours.
#[test]
fn tones_come_out_as_rubato_makes_them() {
    let (quality, promise_db) = PROMISES[0];
    let promised = AMPLITUDE * Decibels(promise_db).to_amplitude();
    for rates in [(44_100, 48_000), (48_000, 44_100), (44_100, 96_000), (96_000, 44_100)] {
        for share in [0.01, 0.3, 0.7] {
            let frequency_hz = share * limit_hz(rates);
            let tone = tone(rates, frequency_hz);
            let (ours, theirs) = (convert_one(rates, quality, &tone), by_rubato(rates, &tone));
            let Fit { amplitude, residual } = fit(&theirs, TAU * frequency_hz / f64::from(rates.1));
            let theirs_off = residual.hypot(amplitude - AMPLITUDE);
            let difference: Vec<f64> =
                ours.iter().zip(&theirs).map(|(our, their)| our - their).collect();
            let found = strength(&difference);
            assert!(
                found <= 2.0 * (theirs_off + promised),
                "{rates:?} at {share}: {found:e} apart, {theirs_off:e} off"
            );
        }
    }
}
