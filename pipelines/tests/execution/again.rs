//! Exports that are made again for a ceiling's sake, whatever their format.

use crate::lab::{Lab, floats, noise, pipeline, wav};
use serde_json::{Value, json};
use std::f64::consts::LN_10;
use wavemill_core::audio::{PcmFormat, Samples, StreamSpec};
use wavemill_core::encode::{
    self, BitRates, EncodeError, EncodeSettings, Encoder, FormatDescriptor, Lossy, LossyQuality,
    Refusal, Sink,
};
use wavemill_pipelines::Pipeline;

/// What a lossy format here makes of a sample.
#[derive(Clone, Copy)]
enum Loss {
    /// It becomes so many times as large.
    Factor(f32),
    /// It is lost, and full scale comes in its place.
    FullScale,
}

/// A WAV file of what is left.
struct Lossily(Box<dyn Encoder>, Loss);

impl Encoder for Lossily {
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        let Samples::Float { planes } = samples else { panic!("floats") };
        let decoded = |sample: &f32| match self.1 {
            Loss::Factor(factor) => sample * factor,
            Loss::FullScale => 1.0_f32.copysign(*sample),
        };
        let planes = planes.iter().map(|plane| plane.iter().map(decoded).collect()).collect();
        self.0.write(&Samples::Float { planes })
    }

    fn finish(self: Box<Self>) -> Result<(), EncodeError> {
        self.0.finish()
    }
}

fn lossily(
    sink: Box<dyn Sink>,
    settings: EncodeSettings,
    loss: Loss,
) -> Result<Box<dyn Encoder>, EncodeError> {
    let wav = encode::format("wav").unwrap();
    let encoder = (wav.create)(sink, EncodeSettings { quality: None, ..settings })?;
    Ok(Box::new(Lossily(encoder, loss)))
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of every format's `resolve`")]
fn any_quality(_: &StreamSpec, asked: Option<LossyQuality>) -> Result<LossyQuality, Refusal> {
    Ok(asked.unwrap_or(LossyQuality::Vbr(0)))
}

const fn format(name: &'static str, create: encode::CreateEncoder) -> FormatDescriptor {
    FormatDescriptor {
        name,
        extension: "wav",
        summary: "Lossy in a way that one can compute.",
        lossy: Some(Lossy {
            bit_rates_kbps: BitRates::Of(&[]),
            bit_rate_modes: &[],
            vbr_qualities: Some((0, 0)),
            default: "quality 0",
            usual_kbps: 1,
            decoded_rate_hz: None,
            resolve: any_quality,
        }),
        formats: &[PcmFormat::FLOAT],
        channel_count_max: 2,
        sample_rate_hz_max: 48_000,
        sample_rates_hz: None,
        byte_count_max: None,
        compression_levels: None,
        create,
        retag: |_, _| Ok(()),
    }
}

/// Raises everything by 1.58 dB.
static RAISING: FormatDescriptor =
    format("raising", |sink, settings| lossily(sink, settings, Loss::Factor(1.2)));

/// Never becomes quieter.
static STUBBORN: FormatDescriptor =
    format("stubborn", |sink, settings| lossily(sink, settings, Loss::FullScale));

/// A pipeline whose first export has such a format.
fn with_format(format: &'static FormatDescriptor, body: &str) -> Pipeline {
    let mut pipeline = pipeline(body);
    pipeline.exports[0].format = format;
    pipeline
}

const FLOAT: &str = "[[export]]\nformat = \"wav\"\nbit_depth = \"FLOAT\"\n";
const REPORT: &str = "[report]\njson = \"r.json\"\n";

fn step(name: &str, with: &str) -> String {
    format!("[[step]]\nuse = \"{name}\"\nwith = {{ {with} }}\n")
}

/// The gain that keeps a ceiling of -1 dBTP after a factor of 1.2, and the margin of 0.1 dB.
const GAIN_DB: f64 = -1.684;

/// By how much a limiter's true peak may differ from its ceiling on white noise, as its manual says.
const GAIN_TOLERANCE_DB: f64 = 0.2;

fn close(found: &Value, expected: f64, tolerance: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

/// Chains that end at a ceiling, fed by the source and by a spool, with steps that remember much.
fn chains() -> [String; 4] {
    let limit = step("limit", "ceiling_dbtp = -1.0");
    let loud = step("gain", "gain_db = 15.0");
    let most = step("loudness", "target_lufs = -2.0, mode = \"limit\", ceiling_dbtp = -1.0");
    [
        format!("{loud}{limit}"),
        format!("{}{}{most}", step("high-pass", "cutoff_hz = 20"), step("fade", "in_s = 0.1")),
        format!("{}{loud}{limit}", step("speech-level", "range_db = 6.0")),
        format!("{}{loud}{limit}{}", step("trim-silence", ""), step("fade", "out_s = 0.1")),
    ]
}

/// Noise that becomes quieter by a half after two seconds.
fn uneven(seed: u32) -> Vec<f32> {
    let soft = noise(seed + 9, 132_300).into_iter().map(|sample| 0.5 * sample);
    noise(seed, 88_200).into_iter().chain(soft).collect()
}

#[test]
fn export_made_again_is_what_a_lower_ceiling_would_have_made_of_it() {
    // Behind this no ceiling is still meant, and more than full scale is allowed.
    let nothing_promised = step("gain", "gain_db = 0.0");
    let allowed = "[[require]]\non = \"output\"\ntrue_peak_dbtp = { max = 6.0 }\n";
    let [limited, _, leveled, trimmed] = chains();
    for steps in [limited, leveled, trimmed] {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(44_100, 24, &[uneven(1), uneven(2)]));
        let exports = format!(
            "{FLOAT}path = \"{{stem}}-lossy.wav\"\n{FLOAT}path = \"{{stem}}.wav\"\n{REPORT}"
        );
        let body = format!("{steps}{exports}");
        let again = lab.run(&with_format(&RAISING, &body), &input).unwrap().report;
        let output = &again["outputs"][0];
        let lower = output["ceiling_lowered_db"].as_f64().unwrap();
        close(&output["ceiling_lowered_db"], -GAIN_DB, GAIN_TOLERANCE_DB);
        assert!((2..=3).contains(&output["attempts"].as_u64().unwrap()), "{output:#}");
        let once = |name: &str, by: f64| {
            let ceiling = format!("ceiling_dbtp = {:?}", -1.0 - by);
            let steps = steps.replace("ceiling_dbtp = -1.0", &ceiling);
            let exports =
                exports.replace("{stem}", name).replace("r.json", &format!("{name}.json"));
            let body = format!("{allowed}{steps}{nothing_promised}{exports}");
            let report = lab.run(&with_format(&RAISING, &body), &input).unwrap().report;
            assert!(report["outputs"][0]["attempts"].is_null());
            report
        };
        once("lower", lower);
        assert!(
            floats(&lab.path("out/a-lossy.wav")).1 == floats(&lab.path("out/lower-lossy.wav")).1
        );
        let once = once("once", 0.0);
        // The other export, and what the steps found, are those of the first time.
        assert!(floats(&lab.path("out/a.wav")).1 == floats(&lab.path("out/once.wav")).1);
        let found = again["steps"].as_array().unwrap();
        for (index, step) in found.iter().enumerate() {
            assert_eq!(step["findings"], once["steps"][index]["findings"], "{steps}");
        }
        assert_eq!(lab.files("spool"), [""; 0]);
    }
}

#[test]
fn export_behind_a_limiter_keeps_its_ceiling_and_its_loudness() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 24, &[uneven(1), uneven(2)]));
    let exports = format!("{FLOAT}path = \"1.wav\"\n{FLOAT}path = \"2.wav\"\n{REPORT}");
    let most = step("loudness", "target_lufs = -8.0, mode = \"limit\", ceiling_dbtp = -1.0");
    let softening =
        format("softening", |sink, settings| lossily(sink, settings, Loss::Factor(0.9)));
    let softening: &FormatDescriptor = Box::leak(Box::new(softening));
    for (format, is_lowered, raised) in [(&RAISING, true, -1.58), (softening, false, 0.92)] {
        let body = format!("{most}{}", exports.replace(".wav", &format!("-{}.wav", format.name)));
        let report = lab.run(&with_format(format, &body), &input).unwrap().report;
        let (lossy, lossless) = (&report["outputs"][0], &report["outputs"][1]);
        close(&lossy["decoded_integrated_lufs"], -8.0, 0.1);
        close(&lossless["loudness"]["integrated_lufs"], -8.0, 0.05);
        assert_eq!(lossy["ceiling_lowered_db"].as_f64().unwrap() > 1.0, is_lowered);
        close(&lossy["target_raised_lu"], raised, 0.1);
        assert_ne!(lossy["ceiling_kept"], false);
        assert_eq!(report["warnings"], json!([]));
        std::fs::remove_file(lab.path("out/r.json")).unwrap();
    }
}

#[test]
fn loudness_that_no_reduction_brings_back_is_named() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 24, &[uneven(1), uneven(2)]));
    let most = "target_lufs = -2.0, mode = \"limit\", ceiling_dbtp = -1.0, max_reduction_db = 2.0";
    let body = format!("{}{FLOAT}path = \"a.wav\"\n{REPORT}", step("loudness", most));
    let softening =
        format("softening", |sink, settings| lossily(sink, settings, Loss::Factor(0.9)));
    let softening: &FormatDescriptor = Box::leak(Box::new(softening));
    let report = lab.run(&with_format(softening, &body), &input).unwrap().report;
    let warnings = report["warnings"].as_array().unwrap();
    let line = warnings.last().unwrap().as_str().unwrap();
    assert!(line.contains("LU below the target"), "{warnings:?}");
}

#[test]
fn each_export_gets_the_gain_that_it_needs_itself() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 24, &[noise(1, 100_000)]));
    let body = format!(
        "{}{FLOAT}path = \"1.wav\"\n{FLOAT}path = \"2.wav\"\n{FLOAT}path = \"3.wav\"\n{REPORT}",
        chains()[0]
    );
    let mut pipeline = with_format(&RAISING, &body);
    pipeline.exports[2].format = &RAISING;
    let outcome = lab.run(&pipeline, &input).unwrap();
    let outputs = &outcome.report["outputs"];
    for lossy in [0, 2] {
        close(&outputs[lossy]["ceiling_lowered_db"], -GAIN_DB, GAIN_TOLERANCE_DB);
        close(&outputs[lossy]["decoded_true_peak_dbtp"], -1.1, GAIN_TOLERANCE_DB);
    }
    assert!(outputs[1]["attempts"].is_null());
    let one = std::fs::read(lab.path("out/1.wav")).unwrap();
    assert!(one == std::fs::read(lab.path("out/3.wav")).unwrap());
    assert_eq!(outcome.outputs[0].blake3, blake3::hash(&one).to_hex().as_str());
}

#[test]
fn ceiling_that_cannot_be_kept_is_reported_after_five_repeats() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 24, &[noise(1, 100_000)]));
    let body = format!("{}{FLOAT}path = \"a.wav\"\n{REPORT}", chains()[0]);
    let outcome = lab.run(&with_format(&STUBBORN, &body), &input).unwrap();
    let output = &outcome.report["outputs"][0];
    assert_eq!((&output["attempts"], &output["ceiling_kept"]), (&json!(6), &json!(false)));
    assert_eq!(output["ceiling_dbtp"], -1.0);
    let line = outcome.report["warnings"][0].as_str().unwrap();
    assert!(line.starts_with("export 1 (stubborn): decoded, it reaches "), "{line}");
    assert!(line.contains("above the ceiling of -1.00 dBTP, after 6 attempts"), "{line}");
    assert_eq!(outcome.rejected, None);
    assert_eq!(lab.files("out"), ["a.wav", "r.json"]);
    // A gate is the way to have none rather than such a one.
    let lab = Lab::new();
    let gate = "[[require]]\non = \"output\"\ntrue_peak_dbtp = { max = -1.0 }\n";
    let outcome = lab.run(&with_format(&STUBBORN, &format!("{gate}{body}")), &input).unwrap();
    assert!(outcome.rejected.unwrap().contains("true peak"));
    assert_eq!(lab.files("out"), ["r.json"]);
}

/// Noise whose true peak is at so many dBTP.
fn noise_at(dbtp: f64) -> String {
    step("loudness", &format!("target_lufs = 0.0, ceiling_dbtp = {dbtp}"))
        + &step("gain", "gain_db = 0.0")
}

#[test]
fn lossy_export_with_no_ceiling_is_kept_below_full_scale_if_what_was_encoded_was() {
    let loud = step("gain", "gain_db = 5.0");
    let limit = step("limit", "");
    // The second is limited and made louder again; all are below 0 dBTP before the format comes.
    for steps in [noise_at(-1.1), format!("{loud}{limit}{}", step("gain", "gain_db = 0.5"))] {
        // Without a report nothing else would have measured what is encoded.
        for report in [REPORT, ""] {
            let lab = Lab::new();
            let input = lab.file("a.wav", &wav(44_100, 24, &[noise(1, 50_000)]));
            let exports = format!("{FLOAT}path = \"a.wav\"\n{FLOAT}path = \"b.wav\"\n{report}");
            let pipeline = with_format(&RAISING, &format!("{steps}{exports}"));
            let outcome = lab.run(&pipeline, &input).unwrap();
            let output = &outcome.report["outputs"][0];
            assert_eq!(output["attempts"], 2, "{steps}");
            assert_eq!(
                (&output["ceiling_dbtp"], &output["ceiling_kept"]),
                (&json!(0.0), &json!(true))
            );
            close(&output["decoded_true_peak_dbtp"], -0.1, 0.01);
            let line = outcome.report["warnings"][0].as_str().unwrap();
            assert!(
                line.ends_with("so that, decoded, it stays below the ceiling of 0.00 dBTP"),
                "{line}"
            );
            // Only the gain differs: the lossless sibling is as loud as it was.
            let (lossy, lossless) =
                (floats(&lab.path("out/a.wav")).1, floats(&lab.path("out/b.wav")).1);
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let factor = (output["gain_db"].as_f64().unwrap() / 20.0 * LN_10).exp() as f32 * 1.2;
            for (lossy, lossless) in lossy.iter().zip(&lossless) {
                assert!((lossy - lossless * factor).abs() < 1e-6, "{lossy} for {lossless}");
            }
        }
    }
}

#[test]
fn lossy_export_of_what_was_above_full_scale_is_reported_and_left_as_loud() {
    for report in [REPORT, ""] {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(44_100, 24, &[noise(1, 50_000)]));
        let body = format!("{}{FLOAT}path = \"a.wav\"\n{report}", step("gain", "gain_db = 12.0"));
        let outcome = lab.run(&with_format(&RAISING, &body), &input).unwrap();
        assert!(outcome.report["outputs"][0]["attempts"].is_null());
        let warnings = outcome.report["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let line = warnings[0].as_str().unwrap();
        assert!(line.starts_with("export 1 (raising): decoded, it reaches "), "{line}");
        assert!(line.ends_with(" dBTP, so its gain was not reduced"), "{line}");
    }
}

#[test]
fn lossy_export_that_stays_below_full_scale_is_made_once() {
    let mixed = step("limit", "ceiling_dbtp = -3.0") + &step("remix", "channels = 2");
    for steps in [noise_at(-1.7), mixed] {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(44_100, 24, &[noise(1, 50_000)]));
        let body = format!("{steps}{FLOAT}path = \"a.wav\"\n{REPORT}");
        let outcome = lab.run(&with_format(&RAISING, &body), &input).unwrap();
        assert!(outcome.report["outputs"][0]["attempts"].is_null(), "{steps}");
        assert_eq!(outcome.report["warnings"].to_string().matches("dBTP").count(), 0, "{steps}");
    }
}

#[test]
fn sample_peak_of_a_normalized_file_is_kept_as_sample_peak() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 24, &[noise(1, 50_000)]));
    let peak = step("peak-normalize", "target_dbfs = -3.0");
    let body = format!("{peak}{FLOAT}path = \"a.wav\"\n{REPORT}");
    let outcome = lab.run(&with_format(&RAISING, &body), &input).unwrap();
    let output = &outcome.report["outputs"][0];
    close(&output["gain_db"], GAIN_DB, 0.002);
    assert_eq!((&output["ceiling_dbfs"], &output["ceiling_kept"]), (&json!(-3.0), &json!(true)));
}
