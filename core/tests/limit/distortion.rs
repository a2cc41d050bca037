//! What sustained limiting adds to tones.

use super::oracle::{decibels, thd_n_db};
use super::signals::{samples, sine, times};
use super::{above_ceiling, limit_mono};

const RATE_HZ: u32 = 44_100;

/// THD+N of a tone at 3 dB of reduction, from `start_s` for 2 s.
fn limited_thd_n_db(hz: f64, start_s: f64) -> f64 {
    let rate_hz = f64::from(RATE_HZ);
    let tone = times(sine(6 * 44_100, hz / rate_hz, 0.3), |_| above_ceiling(3.0));
    let output = limit_mono(&samples(&tone), RATE_HZ);
    let start = (start_s * rate_hz) as usize;
    let thd_n = thd_n_db(&output[start..start + 88_200], hz, rate_hz);
    println!("{hz} Hz from {start_s} s on: THD+N {thd_n:.1} dB");
    thd_n
}

#[test]
fn tone_of_1_khz_is_distorted_by_less_than_80_db_at_3_db_of_reduction() {
    assert!(limited_thd_n_db(1000.0, 0.1) < -80.0);
    assert!(limited_thd_n_db(997.0, 0.1) < -80.0);
    assert!(limited_thd_n_db(9_973.0, 0.1) < -80.0);
}

#[test]
fn bass_is_distorted_by_less_than_60_db_at_3_db_of_reduction() {
    for hz in [41.2, 50.0, 55.0, 110.0] {
        assert!(limited_thd_n_db(hz, 0.1) < -60.0, "{hz} Hz");
    }
}

/// Below 33 Hz the gain moves within the wave at first, until the release knows that it goes on.
#[test]
fn lowest_bass_is_clean_after_a_second() {
    assert!(limited_thd_n_db(20.0, 3.0) < -60.0);
    assert!(limited_thd_n_db(27.5, 1.0) < -60.0);
}

/// A bass whose peaks all point one way comes once a period, not twice.
#[test]
fn uneven_bass_below_a_soft_tone_does_not_modulate_it() {
    let rate_hz = f64::from(RATE_HZ);
    let bass = |frame: usize| {
        let angle = std::f64::consts::TAU * 50.0 * frame as f64 / rate_hz;
        (angle.sin() + 0.5 * (2.0 * angle).cos()) / 1.5
    };
    let soft: Vec<f64> = sine(6 * 44_100, 3000.0 / rate_hz, 0.0);
    let mixed: Vec<f64> =
        (0..soft.len()).map(|n| above_ceiling(3.0) * (0.95 * bass(n) + 0.05 * soft[n])).collect();
    let output = limit_mono(&samples(&mixed), RATE_HZ);
    // The amplitude of the soft tone over each half period of the bass.
    let amplitudes: Vec<f64> = output[88_200..176_400]
        .chunks_exact(441)
        .map(|part| {
            let sum = part.iter().zip(&soft).map(|(&a, b)| f64::from(a) * b).sum::<f64>();
            sum / 220.5
        })
        .collect();
    let largest = amplitudes.iter().copied().fold(0.0, f64::max);
    let smallest = amplitudes.iter().copied().fold(1.0, f64::min);
    let swing_db = decibels(largest / smallest);
    println!("swing: {swing_db:.4} dB");
    assert!(swing_db < 0.1, "{swing_db}");
}
