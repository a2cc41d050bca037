//! What `Auto` and `Loud` keep of what `Clean` promises, and what they do better.

use super::oracle::{decibels, overshoot_db, thd_n_db};
use super::signals::{band_limited, dense, noise, normalized, random, samples, sine, times};
use super::{CEILING_DBTP, above_ceiling, limit_as, limiter};
use std::f64::consts::TAU;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::limit::{Character, Limited, Linking};
use wavemill_core::loudness::{LoudnessMeter, MonoMode};

const RATE_HZ: u32 = 44_100;
const LOUDER: [Character; 2] = [Character::Auto, Character::Loud];

fn limited(character: Character, signal: &[f64]) -> Vec<f32> {
    limit_as(character, &[samples(signal)], RATE_HZ, Linking::Linked, 4096).0.remove(0)
}

fn loudness(plane: &[f32]) -> f64 {
    let mut meter = LoudnessMeter::new(&StreamSpec::new(RATE_HZ, 1), MonoMode::Single);
    meter.push(&Block::from_planes(&[plane]));
    meter.finish().integrated_lufs.unwrap().0
}

#[test]
fn signal_below_the_ceiling_stays_as_it_is() {
    for seed in 0..20 {
        // Peaks between samples reach 3 dB above the samples at most in these signals.
        let planes = vec![samples(&times(random(3000, seed), |_| above_ceiling(-4.0)))];
        for character in LOUDER {
            let (output, done) = limit_as(character, &planes, RATE_HZ, Linking::Linked, 512);
            assert_eq!(done, Limited::default());
            assert!(output[0].iter().zip(&planes[0]).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}

#[test]
fn output_does_not_depend_on_the_blocks() {
    let planes: Vec<Vec<f32>> =
        (0..3).map(|seed| samples(&times(random(3000, seed), |_| 3.0))).collect();
    for character in LOUDER {
        let whole = limit_as(character, &planes, RATE_HZ, Linking::PerChannel, usize::MAX / 2);
        for block_frames in [1, 7, 64, 333] {
            let cut = limit_as(character, &planes, RATE_HZ, Linking::PerChannel, block_frames);
            assert!(cut == whole, "{character:?} {block_frames}");
        }
    }
}

#[test]
fn reset_limiter_is_a_new_one() {
    let input = samples(&times(random(5000, 3), |_| 3.0));
    for character in LOUDER {
        let mut limiter = limiter(character, &StreamSpec::new(RATE_HZ, 1), Linking::Linked);
        let [first, second] = [(); 2].map(|()| {
            let mut block = Block::from_planes(&[&input]);
            limiter.process(&mut block);
            let limited = limiter.limited();
            limiter.reset();
            (block.plane(0).to_vec(), limited)
        });
        assert!(first == second);
        assert!(first.1.reduction_max_db > 6.0);
    }
}

#[test]
fn ceiling_holds() {
    let band = normalized(band_limited(&noise(6000, 2)));
    let music = dense(3 * RATE_HZ as usize, RATE_HZ.into(), 1);
    for character in LOUDER {
        let mut worst = f64::NEG_INFINITY;
        for gain_db in [0.5, 3.0, 6.0, 12.0] {
            let louder = |signal: &[f64]| times(signal.to_vec(), |_| above_ceiling(gain_db));
            let mut signals = vec![band.clone(), music.clone()];
            signals.extend((0..40).map(|seed| random(1500, seed)));
            for signal in signals {
                let output = limited(character, &louder(&signal));
                worst = worst.max(overshoot_db(&[output], CEILING_DBTP));
            }
        }
        println!("{character:?}: {worst:+.4} dB");
        assert!(worst < 0.05, "{character:?}: {worst} dB above the ceiling");
    }
}

#[test]
fn loud_is_louder() {
    let music = dense(6 * RATE_HZ as usize, RATE_HZ.into(), 1);
    for gain_db in [6.0, 12.0] {
        let loud = times(music.clone(), |_| above_ceiling(gain_db));
        let of = |character| loudness(&limited(character, &loud));
        let [clean, auto, loud] = [Character::Clean, Character::Auto, Character::Loud].map(of);
        println!("{gain_db} dB: clean {clean:.2}, auto {auto:.2}, loud {loud:.2} LUFS");
        assert!(auto > clean && loud > auto);
    }
}

#[test]
fn steady_tone_is_clean_in_auto() {
    for hz in [55.0, 110.0, 1000.0] {
        let tone = times(sine(4 * 44_100, hz / f64::from(RATE_HZ), 0.3), |_| above_ceiling(2.5));
        let output = limited(Character::Auto, &tone);
        let thd_n = thd_n_db(&output[88_200 + 44_100..], hz, RATE_HZ.into());
        println!("{hz} Hz: THD+N {thd_n:.1} dB");
        assert!(thd_n < -60.0, "{hz} Hz: {thd_n}");
    }
}

/// A pad at -12 dBFS and one kick that lifts it to 6 dB above the ceiling.
#[test]
fn pad_under_a_kick_is_turned_down_for_half_as_long() {
    let rate_hz = f64::from(RATE_HZ);
    let pad = times(sine(2 * 44_100, 1000.0 / rate_hz, 0.0), |_| 0.25);
    let kick = |frame: usize| {
        let time_s = frame as f64 / rate_hz - 0.5;
        let sweep = 55.0 * time_s + 1.5 * (1.0 - (-40.0 * time_s).exp());
        if time_s < 0.0 { 0.0 } else { (-time_s / 0.03).exp() * (TAU * sweep).sin() }
    };
    let input: Vec<f64> = pad.iter().enumerate().map(|(n, pad)| pad + 1.9 * kick(n)).collect();
    // The pad's amplitude over each of its periods, ten of them 441 frames.
    let amplitudes = |signal: &[f64]| -> Vec<f64> {
        let near = signal.windows(441).step_by(44).enumerate();
        let tone = |(step, window): (usize, &[f64])| {
            let turn = |n: usize| TAU * 1000.0 * (n + 44 * step) as f64 / rate_hz;
            let sum = |of: fn(f64) -> f64| -> f64 {
                window.iter().enumerate().map(|(n, value)| value * of(turn(n))).sum()
            };
            sum(f64::sin).hypot(sum(f64::cos))
        };
        near.map(tone).collect()
    };
    let before = amplitudes(&input);
    let ducked_ms = |character| {
        let output: Vec<f64> = limited(character, &input).into_iter().map(f64::from).collect();
        let after = amplitudes(&output);
        let is_ducked = |(after, before): &(&f64, &f64)| decibels(*after / *before) < -1.0;
        after.iter().zip(&before).filter(is_ducked).count() as f64 * 44.0 / 44.1
    };
    let [clean, auto, loud] = [Character::Clean, Character::Auto, Character::Loud].map(ducked_ms);
    println!("clean {clean:.0} ms, auto {auto:.0} ms, loud {loud:.0} ms");
    assert!(auto < 0.65 * clean && loud < 0.65 * clean);
}
