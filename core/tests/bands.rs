//! The bands: scipy's numbers for signals made here, and their edges.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::synth::{bursts, noise, scaled, sum, sweep, tone};
use wavemill_core::analysis::{self, MeasureGroup, Options};
use wavemill_core::audio::{PcmFormat, StreamSpec};
use wavemill_core::measure::BandReport;

const NAN: f64 = f64::NAN;

fn bands(planes: &[&[f32]], rate_hz: u32) -> Vec<BandReport> {
    let options = Options { groups: vec![MeasureGroup::Bands], ..Options::default() };
    let spec = StreamSpec::new(rate_hz, planes.len());
    analysis::analyze(planes, &spec, PcmFormat::FLOAT, &options).unwrap().bands.unwrap()
}

/// Level, energy share, crest factor, width, correlation, centroid and flatness of each band, as scipy
/// 1.17 and librosa 0.11 say in `f64`, of `y` by channel:
///
/// ```python
/// sos = scipy.signal.butter(2, low, "high", fs=rate, output="sos"); y = sosfilt(sos, sosfilt(sos, y))
/// if high < rate / 2:
///     sos = scipy.signal.butter(2, high, "low", fs=rate, output="sos"); y = sosfilt(sos, sosfilt(sos, y))
/// level = 10 * log10(mean(y * y)); crest = 20 * log10(max(abs(y))) - level
/// S = abs(librosa.stft(mean_of_channels)); s = S[(low <= f) & (f < high)]; s = s[:, s.sum(0) > 0]
/// p = maximum(s * s, 1e-10); flatness = mean(exp(log(p).mean(0)) / p.mean(0))
/// centroid = mean((s * f).sum(0) / s.sum(0))
/// ```
type Golden = [Option<[f64; 7]>; 5];

/// A twentieth of a decibel for levels, half a percent for the rest.
const LEVEL_TOLERANCE_DB: f64 = 0.05;
const TOLERANCE: f64 = 0.005;

fn check(reports: &[BandReport], golden: &Golden) {
    assert_eq!(reports.len(), golden.len());
    for (report, golden) in reports.iter().zip(golden) {
        let ours = [
            report.level_dbfs.map(|level| level.0),
            report.energy_share,
            report.crest_factor_db.map(|crest| crest.0),
            report.width,
            report.correlation,
            report.centroid_hz.map(|hz| hz.0),
            report.flatness,
        ];
        let expected = golden.unwrap_or([NAN; 7]);
        for (index, (ours, expected)) in ours.into_iter().zip(expected).enumerate() {
            let name = &report.name;
            assert_eq!(ours.is_none(), expected.is_nan(), "{name}, number {index}: {ours:?}");
            let Some(ours) = ours else { continue };
            let tolerance = match index {
                0 | 2 => LEVEL_TOLERANCE_DB,
                // Where sides are nearly unrelated there is no relative exactness.
                4 => TOLERANCE * expected.abs().max(0.1),
                _ => TOLERANCE * expected,
            };
            assert!(
                (ours - expected).abs() < tolerance,
                "{name}, number {index}: {ours} {expected}"
            );
        }
    }
}

/// Noise and a low tone against a sweep and the same noise.
fn sides(rate_hz: u32) -> [Vec<f32>; 2] {
    let count = 2 * rate_hz as usize;
    let high_hz = f64::from(rate_hz) * 0.45;
    let noise = noise(count);
    let low = scaled(0.3, &tone(count, rate_hz, 60.0));
    let sweep = scaled(0.4, &sweep(count, rate_hz, 20.0, high_hz.min(20_000.0)));
    [sum(&scaled(0.4, &noise), &low), sum(&sweep, &scaled(0.2, &noise))]
}

#[test]
fn stereo_at_44_1_khz_has_scipys_numbers() {
    let [left, right] = sides(44_100);
    check(
        &bands(&[&left, &right], 44_100),
        &[
            Some([
                -14.9892685,
                0.577239823,
                7.17217149,
                0.512603549,
                -0.0540163962,
                69.7613402,
                0.0574968403,
            ]),
            Some([
                -25.3748196,
                0.0528203379,
                15.1091984,
                0.495452332,
                0.069545523,
                351.483647,
                0.517649929,
            ]),
            Some([
                -22.5119489,
                0.102114694,
                14.299949,
                0.488283693,
                0.103940073,
                1228.9192,
                0.455438761,
            ]),
            Some([
                -23.2779873,
                0.0856020966,
                15.1629131,
                0.46156935,
                0.212055579,
                3974.50367,
                0.486267829,
            ]),
            Some([
                -19.9967983,
                0.182223048,
                14.0596351,
                0.408378474,
                0.371146814,
                12921.3625,
                0.491203202,
            ]),
        ],
    );
}

#[test]
fn stereo_at_192_khz_has_scipys_numbers() {
    let [left, right] = sides(192_000);
    check(
        &bands(&[&left, &right], 192_000),
        &[
            Some([
                -14.9860161,
                0.651860259,
                6.98178884,
                0.511773316,
                -0.0504752352,
                118.363956,
                0.579934313,
            ]),
            Some([
                -25.4516737,
                0.058558338,
                15.1204362,
                0.498760784,
                0.0365295236,
                359.149985,
                0.589152751,
            ]),
            Some([
                -22.7351177,
                0.109457204,
                14.1398571,
                0.496370987,
                0.0640501866,
                1225.00908,
                0.472726833,
            ]),
            Some([
                -24.0424717,
                0.081004463,
                14.9522856,
                0.488052619,
                0.117412816,
                3948.84029,
                0.48336457,
            ]),
            Some([
                -23.1659598,
                0.0991197364,
                14.8660709,
                0.46793743,
                0.191803737,
                12877.793,
                0.473277667,
            ]),
        ],
    );
}

/// Half the rate cuts the fourth band; the fifth lies above.
#[test]
fn stereo_at_8_khz_has_scipys_numbers() {
    let [left, right] = sides(8000);
    check(
        &bands(&[&left, &right], 8000),
        &[
            Some([
                -14.5218697,
                0.627005093,
                6.88990004,
                0.48824462,
                0.0482809955,
                81.8974088,
                0.0372535401,
            ]),
            Some([
                -23.8281328,
                0.0735605139,
                13.9096623,
                0.482352611,
                0.140263074,
                345.562578,
                0.464674348,
            ]),
            Some([
                -20.1675038,
                0.170886462,
                12.9292136,
                0.452446214,
                0.246008951,
                1221.36067,
                0.453784745,
            ]),
            Some([
                -21.4039294,
                0.128547931,
                15.2932918,
                0.393821951,
                0.415098458,
                2974.95049,
                0.534469012,
            ]),
            None,
        ],
    );
}

#[test]
fn mono_with_pauses_has_scipys_numbers() {
    let signal = scaled(1.0, &bursts(44_100, 22_050));
    check(
        &bands(&[&signal], 22_050),
        &[
            Some([-32.9682524, 0.0161301882, 13.862378, NAN, NAN, 106.058247, 0.631175536]),
            Some([-32.3221104, 0.0187177497, 14.5021774, NAN, NAN, 350.886655, 0.594783076]),
            Some([-24.1663978, 0.122412253, 15.3624867, NAN, NAN, 1251.29675, 0.579487043]),
            Some([-20.0682185, 0.314516055, 13.5559358, NAN, NAN, 3998.31408, 0.576136167]),
            Some([-17.8164674, 0.528223755, 12.753497, NAN, NAN, 8514.35212, 0.570209204]),
        ],
    );
}

#[test]
fn shares_of_energy_sum_to_1() {
    for rate_hz in [8000, 11_025, 32_000, 48_000, 96_000] {
        let [left, right] = sides(rate_hz);
        let shares = bands(&[&left, &right], rate_hz);
        let sum: f64 = shares.iter().filter_map(|band| band.energy_share).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{rate_hz}: {sum}");
    }
}

/// At the edge a filter has -6 dB; the tone's own level is -3.01. The other edge takes up to 0.22 dB,
/// where it is 2.5 times as high.
#[test]
fn tone_at_an_edge_is_6_db_down_on_both_sides() {
    for (rate_hz, edge_hz, lower) in [(44_100, 200.0, 0), (48_000, 2000.0, 2), (96_000, 6000.0, 3)]
    {
        let tone = scaled(1.0, &tone(4 * rate_hz as usize, rate_hz, edge_hz));
        let bands = bands(&[&tone], rate_hz);
        for band in &bands[lower..=lower + 1] {
            let level = band.level_dbfs.unwrap().0;
            assert!((level + 3.01 + 6.02 + 0.11).abs() < 0.13, "{rate_hz} {}: {level}", band.name);
        }
    }
}

#[test]
fn silence_has_bands_without_values() {
    for planes in [&[&[0.0f32; 3000][..], &[0.0; 3000]][..], &[&[]], &[]] {
        let bands = bands(planes, 44_100);
        assert_eq!(bands.len(), 5);
        for band in bands {
            assert_eq!(
                (band.level_dbfs, band.energy_share, band.crest_factor_db),
                (None, None, None)
            );
            assert_eq!((band.width, band.correlation), (None, None));
            assert_eq!((band.centroid_hz, band.flatness), (None, None));
        }
    }
}

#[test]
fn single_sample_has_finite_values() {
    for rate_hz in [8000, 44_100, 192_000] {
        for band in bands(&[&[1.0], &[-1.0]], rate_hz) {
            let level = band.level_dbfs.map(|level| level.0);
            assert!(level.is_none_or(f64::is_finite), "{band:?}");
            assert!(band.width.is_none_or(|width| width > 0.999), "{band:?}");
        }
    }
}

#[test]
fn constant_leaves_the_bands_in_the_end() {
    let [mut left, right] = sides(44_100);
    let alone = bands(&[&left, &right], 44_100);
    for sample in &mut left {
        *sample += 0.25;
    }
    let shifted = bands(&[&left, &right], 44_100);
    for (shifted, alone) in shifted.iter().zip(&alone).skip(1) {
        // The step at the beginning is measured in every band.
        let difference = shifted.level_dbfs.unwrap().0 - alone.level_dbfs.unwrap().0;
        assert!(difference.abs() < 0.1, "{}: {difference}", alone.name);
    }
}

#[test]
fn surround_counts_all_channels_in_levels_and_the_front_in_width() {
    let [left, right] = sides(48_000);
    let zero = vec![0.0; left.len()];
    let stereo = bands(&[&left, &right], 48_000);
    let six = bands(&[&left, &right, &zero, &zero, &left, &right], 48_000);
    for (six, stereo) in six.iter().zip(&stereo) {
        // Four of six channels: 10 log10(4 / 6).
        let difference = six.level_dbfs.unwrap().0 - stereo.level_dbfs.unwrap().0;
        assert!((difference + 1.7609).abs() < 1e-3, "{}: {difference}", six.name);
        assert_eq!((six.width, six.correlation), (stereo.width, stereo.correlation));
    }
}

#[test]
fn keys_are_those_of_the_report() {
    let [left, right] = sides(8000);
    let json = serde_json::to_value(bands(&[&left, &right], 8000)).unwrap();
    let keys: Vec<&String> = json[4].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "name",
            "low_hz",
            "high_hz",
            "level_dbfs",
            "energy_share",
            "crest_factor_db",
            "width",
            "correlation",
            "centroid_hz",
            "rolloff_hz",
            "flatness"
        ]
    );
    assert_eq!(json[4]["name"], "high");
    assert_eq!(json[4]["level_dbfs"], serde_json::Value::Null);
}
