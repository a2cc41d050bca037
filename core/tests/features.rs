//! Features of synthesized music: halves find each other, and odd signals have masks instead of panics.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    reason = "short signals in a test binary"
)]

use std::f64::consts::TAU;
use wavemill_core::analysis::{Options, analyze};
use wavemill_core::audio::{PcmFormat, StreamSpec};
use wavemill_core::features::{
    DIMENSIONS, FeatureGroup, FeatureIndex, Features, GROUPS, Similarity,
};

const RATE_HZ: u32 = 22_050;

/// Seconds of a half.
const HALF_S: f64 = 6.0;

/// Other pieces among which a half has to find its other half.
const OTHERS: u64 = 200;

/// Pieces whose halves look for each other.
const PIECES: u64 = 10;

/// Of those, the halves that may find another piece first: recall of 0.9.
const MISSES_MAX: usize = 1;

/// Numbers from 0 to 1 that follow from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.roll()
    }
}

/// What a piece is made of.
struct Piece {
    beat_s: f64,
    chords: [f64; 4],
    third: f64,
    brightness: f64,
    bass: f64,
    hat: f64,
    decay: f64,
    width: f64,
    level: f64,
    noise: Dice,
}

impl Piece {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..9 {
            dice.roll();
        }
        let root = 110.0 * (dice.roll() * 12.0).floor().exp2().powf(1.0 / 12.0);
        let steps = [0.0, 2.0, 4.0, 5.0, 7.0, 9.0];
        let mut step = || steps[(dice.roll() * 6.0) as usize % 6];
        let degrees = [0.0, step(), step(), step()];
        Self {
            beat_s: 60.0 / dice.between(70.0, 170.0),
            chords: degrees.map(|degree: f64| root * (degree / 12.0).exp2()),
            third: if dice.roll() < 0.5 { 3.0 } else { 4.0 },
            brightness: dice.between(0.5, 2.5),
            bass: dice.between(0.05, 0.4),
            hat: dice.between(0.0, 0.15),
            decay: dice.between(1.0, 12.0),
            width: dice.between(0.0, 0.8),
            level: dice.between(0.2, 0.9),
            noise: dice,
        }
    }

    /// Left and right from a second on.
    fn play(&mut self, start_s: f64) -> [Vec<f32>; 2] {
        let count = (HALF_S * f64::from(RATE_HZ)) as usize;
        let mut planes = [Vec::with_capacity(count), Vec::with_capacity(count)];
        for frame in 0..count {
            let time_s = start_s + frame as f64 / f64::from(RATE_HZ);
            let (beat, since_s) = ((time_s / self.beat_s) as usize, time_s % self.beat_s);
            // All four within a half, as in music.
            let root = self.chords[beat / 2 % 4];
            let note = |semitones: f64| -> f64 {
                let hz = root * (semitones / 12.0).exp2();
                let wave = |n: f64| (TAU * hz * n * time_s).sin() / n.powf(self.brightness);
                (1..=6).map(|n| wave(f64::from(n))).sum()
            };
            let fade = (-self.decay * since_s).exp();
            let chord = 0.1 * fade * (note(12.0) + note(12.0 + self.third) + note(19.0));
            let bass = self.bass * (TAU * root / 2.0 * time_s).sin();
            let hat = self.hat * (-40.0 * (since_s % (self.beat_s / 2.0))).exp();
            let noise = [0; 2].map(|_| self.noise.between(-1.0, 1.0));
            for (side, plane) in planes.iter_mut().enumerate() {
                let own = self.width * noise[side] + (1.0 - self.width) * noise[0];
                plane.push((self.level * (chord + bass + hat * own)) as f32);
            }
        }
        planes
    }
}

fn features(planes: &[Vec<f32>], rate_hz: u32) -> Features {
    let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    let spec = StreamSpec::new(rate_hz, planes.len());
    let options = Options { groups: GROUPS.to_vec(), ..Options::default() };
    Features::of(&analyze(&planes, &spec, PcmFormat::FLOAT, &options).unwrap())
}

fn half(seed: u64, start_s: f64) -> Features {
    features(&Piece::new(seed).play(start_s), RATE_HZ)
}

#[test]
fn halves_of_a_piece_find_each_other_among_200_others() {
    let mut index = FeatureIndex::default();
    (0..OTHERS + PIECES).for_each(|seed| index.push(&half(seed, 0.0)));
    let mut misses = Vec::new();
    for seed in OTHERS..OTHERS + PIECES {
        let place = usize::try_from(seed).unwrap();
        let first = index.get(place).unwrap();
        assert_eq!(index.search(&first, 1, |_| true)[0].place, place, "itself, of {seed}");
        let second = half(seed, HALF_S);
        if index.search(&second, 1, |_| true)[0].place != place {
            misses.push(seed);
        }
    }
    assert!(misses.len() <= MISSES_MAX, "{misses:?}");
}

#[test]
fn silence_and_single_frames_have_masks() {
    for planes in [vec![vec![0.0; 44_100]; 2], vec![vec![0.5]; 2], vec![Vec::new(); 2]] {
        let found = features(&planes, 44_100);
        assert!(found.count() < 32, "{} of {} frames", found.count(), planes[0].len());
        assert_eq!(Similarity::between(&found, &found), None);
    }
}

#[test]
fn samples_far_beyond_full_scale_are_no_numbers_and_no_panic() {
    let plane = |sign: f32| (0..44_100).map(|n| sign * f32::MAX * (n as f32).sin()).collect();
    let found = features(&[plane(1.0), plane(-1.0)], 44_100);
    assert!((0..128).all(|index| found.value(index).is_none_or(f32::is_finite)));
}

#[test]
fn mono_is_compared_without_what_is_stereo() {
    let [left, right] = Piece::new(3).play(0.0);
    let sum: Vec<f32> = left.iter().zip(&right).map(|(left, right)| (left + right) / 2.0).collect();
    let (stereo, mono) = (features(&[left, right], RATE_HZ), features(&[sum], RATE_HZ));
    for (index, dimension) in DIMENSIONS.iter().enumerate() {
        if dimension.group == FeatureGroup::Stereo {
            assert_eq!(mono.value(index), None, "{}", dimension.name);
        }
    }
    let score = Similarity::between(&stereo, &mono).unwrap().score;
    assert!(score > 0.8, "{score}");
}

#[test]
fn rate_of_8_khz_has_no_bands_above_half_of_it() {
    let planes = [(0..80_000).map(|n| (n as f32 * 0.3).sin() * 0.3).collect::<Vec<f32>>()];
    let found = features(&planes, 8000);
    let level = |name| DIMENSIONS.iter().position(|dimension| dimension.name == name).unwrap();
    assert!(found.value(level("level_1000_hz")).is_some());
    assert_eq!(found.value(level("level_5000_hz")), None);
}
