//! What a room acoustician would measure, and a comparison with Freeverb, the reverberator everyone knows.

mod freeverb;
mod spectrum;

use effect_reverb::Reverb;
use spectrum::{octave, power_spectrum};
use wavemill_effect::testing;

const RATE_HZ: f64 = 48_000.0;

/// Largest deviation of a decay time from what was asked: the just noticeable difference is 5 % to 10 %
/// (ISO 3382-1, annex A).
const DECAY_TOLERANCE: f64 = 0.1;

/// Two channels' response to an impulse on the left.
fn response(params: &[(&str, f64)]) -> Vec<Vec<f32>> {
    let mut all = vec![("dry", 0.0), ("wet", 1.0), ("damping", 0.0), ("low_cut_hz", 10.0)];
    all.push(("pre_delay_ms", 0.0));
    all.extend_from_slice(params);
    testing::render::<Reverb>(RATE_HZ, &all, &[vec![1.0], vec![0.0]], 256)
}

/// Reverberation time by Schroeder's backward integration: the line through -5 dB and -35 dB (ISO 3382-1, T30).
fn decay_s(response: &[f32]) -> f64 {
    let mut energy = 0.0;
    let mut left: Vec<f64> = response
        .iter()
        .rev()
        .map(|sample| {
            energy += f64::from(*sample) * f64::from(*sample);
            energy
        })
        .collect();
    left.reverse();
    let level_db = |at: usize| 10.0 * (left[at] / left[0]).ln() / 10_f64.ln();
    let points: Vec<(f64, f64)> = (0..left.len())
        .map(|at| (at as f64 / RATE_HZ, level_db(at)))
        .filter(|(_, db)| (-35.0..=-5.0).contains(db))
        .collect();
    let count = points.len() as f64;
    let (mean_s, mean_db) = points
        .iter()
        .fold((0.0, 0.0), |(s, db), point| (s + point.0 / count, db + point.1 / count));
    let (product, square) = points.iter().fold((0.0, 0.0), |(product, square), (s, db)| {
        (product + (s - mean_s) * (db - mean_db), square + (s - mean_s) * (s - mean_s))
    });
    -60.0 * square / product
}

#[test]
fn decay_time_is_the_one_asked_for_in_every_octave() {
    for (room_size, asked_s) in [(0.2, 0.5), (0.5, 1.6), (0.8, 3.0), (1.0, 6.0)] {
        let response = response(&[("room_size", room_size), ("decay_s", asked_s)]);
        for center_hz in [125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0] {
            for plane in &response {
                let measured_s = decay_s(&octave(plane, center_hz, RATE_HZ));
                let ratio = measured_s / asked_s;
                assert!(
                    (ratio - 1.0).abs() < DECAY_TOLERANCE,
                    "{measured_s} s instead of {asked_s} s at {center_hz} Hz, size {room_size}"
                );
            }
        }
    }
}

#[test]
fn damping_shortens_the_decay_at_8_khz_and_not_at_250_hz() {
    let response = response(&[("decay_s", 2.0), ("damping", 0.5)]);
    let low_s = decay_s(&octave(&response[0], 250.0, RATE_HZ));
    let high_s = decay_s(&octave(&response[0], 8000.0, RATE_HZ));
    assert!((low_s / 2.0 - 1.0).abs() < DECAY_TOLERANCE, "{low_s} s");
    // 0.525 of the decay at 8 kHz itself; the octave around it spans some of both sides.
    assert!((0.9..1.3).contains(&high_s), "{high_s} s");
}

#[test]
fn energy_does_not_depend_on_room_and_decay() {
    for (room_size, decay_s) in
        [(0.0, 0.3), (0.0, 2.0), (0.5, 0.5), (0.5, 1.6), (1.0, 1.0), (1.0, 8.0)]
    {
        let response = response(&[("room_size", room_size), ("decay_s", decay_s)]);
        let energy: f64 =
            response.iter().flatten().map(|sample| f64::from(*sample) * f64::from(*sample)).sum();
        let level_db = 10.0 * energy.ln() / 10_f64.ln();
        assert!(level_db.abs() < 1.0, "{level_db} dB with size {room_size}, {decay_s} s");
    }
}

/// Share of a window's samples beyond one standard deviation, as a multiple of what noise has: 1 once
/// echoes cannot be distinguished.
///
/// Source: J. S. Abel and P. Huang, "A simple, robust measure of reverberation echo density", 121st AES Convention, 2006.
fn echo_density(window: &[f32]) -> f64 {
    const OF_NOISE: f64 = 0.317_310_5;
    let count = window.len() as f64;
    let power =
        window.iter().map(|sample| f64::from(*sample) * f64::from(*sample)).sum::<f64>() / count;
    let beyond = window.iter().filter(|sample| f64::from(**sample).abs() > power.sqrt()).count();
    beyond as f64 / count / OF_NOISE
}

/// When the echo density of 20 ms first reaches 0.9, in seconds.
fn mixing_s(response: &[f32]) -> f64 {
    let window = 960;
    let at = (0..response.len() - window)
        .step_by(48)
        .find(|at| echo_density(&response[*at..at + window]) > 0.9);
    at.map_or(f64::INFINITY, |at| at as f64 / RATE_HZ)
}

/// Largest bin of a third of a second of tail over the mean around it, in dB: noise has about 10, a standing mode sticks
/// out.
fn ringing_db(tail: &[f32]) -> f64 {
    const AROUND: usize = 100;
    let power = power_spectrum(&tail[..16_384]);
    // 100 Hz to 10 kHz.
    let bins = 34..3413;
    let peaks = bins.map(|bin| {
        let around = &power[bin.max(AROUND) - AROUND.min(bin)..bin + AROUND];
        power[bin] / (around.iter().sum::<f64>() / around.len() as f64)
    });
    10.0 * peaks.fold(0.0, f64::max).ln() / 10_f64.ln()
}

#[test]
fn echoes_become_dense_sooner_than_freeverb_s() {
    let ours = response(&[("decay_s", 1.6)]);
    let theirs = freeverb::response(0.5, 0.0, 96_000);
    let (our_s, their_s) = (mixing_s(&ours[0]), mixing_s(&theirs[0]));
    println!("dense after {our_s} s, Freeverb after {their_s} s");
    assert!(our_s < 0.1, "{our_s} s");
    assert!(our_s < their_s, "{our_s} s, Freeverb {their_s} s");
}

/// Geometric mean of a sixth of a second's power spectrum as a share of its mean: 0.56 for noise, less the more it
/// is made of separate modes.
fn flatness(tail: &[f32]) -> f64 {
    let power = power_spectrum(&tail[..8192]);
    // 200 Hz to 20 kHz.
    let bins = &power[34..3400];
    let count = bins.len() as f64;
    let geometric = (bins.iter().map(|bin| bin.ln()).sum::<f64>() / count).exp();
    geometric / (bins.iter().sum::<f64>() / count)
}

#[test]
fn tail_is_as_flat_as_freeverb_s() {
    let theirs = flatness(&freeverb::response(0.5, 0.0, 96_000)[0][4800..]);
    let ours = flatness(&response(&[("room_size", 0.5), ("decay_s", 1.6)])[0][4800..]);
    println!("flatness of {ours}, Freeverb {theirs}, noise 0.56");
    assert!(ours > theirs, "{ours}, Freeverb {theirs}");
}

#[test]
fn tail_rings_no_more_than_noise_does() {
    for (room_size, decay_s) in [(0.25, 0.6), (0.5, 1.6), (0.75, 2.4), (1.0, 6.0)] {
        let response = response(&[("room_size", room_size), ("decay_s", decay_s)]);
        let ringing_db = ringing_db(&response[0][9600..]);
        println!("{ringing_db} dB with size {room_size}, {decay_s} s");
        assert!(ringing_db < 13.0, "{ringing_db} dB with size {room_size}, {decay_s} s");
    }
}

/// Largest correlation of a third of a second of tail with itself 5 ms to 100 ms later: what repeats is heard as
/// flutter or as a pitch.
fn repetition(tail: &[f32], decay_s: f64) -> f64 {
    let flat: Vec<f64> = tail[..16_384 + 4800]
        .iter()
        .enumerate()
        .map(|(at, sample)| f64::from(*sample) * 10_f64.powf(3.0 * at as f64 / RATE_HZ / decay_s))
        .collect();
    let product = |lag: usize| -> f64 { (0..16_384).map(|at| flat[at] * flat[at + lag]).sum() };
    (240..4800).map(product).fold(0.0, |most: f64, this| most.max(this.abs())) / product(0)
}

#[test]
fn tail_repeats_itself_less_than_freeverb_s() {
    let theirs = freeverb::response(0.8, 0.0, 96_000);
    let their = repetition(&theirs[0][9600..], decay_s(&theirs[0]));
    let ours = response(&[("room_size", 0.5), ("decay_s", decay_s(&theirs[0]))]);
    let our = repetition(&ours[0][9600..], decay_s(&ours[0]));
    println!("repetition of {our}, Freeverb {their}");
    assert!(our < their, "{our}, Freeverb {their}");
}
