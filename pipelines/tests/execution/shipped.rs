//! Every pipeline that is shipped loads without a doubt and does what it says.

use crate::lab::{Lab, integers, noise, wav};
use std::path::{Path, PathBuf};
use wavemill_core::audio::Samples;
use wavemill_core::decode;
use wavemill_pipelines::Effects;
use wavemill_pipelines::model::Defaults;
use wavemill_pipelines::schema::Loaded;
use wavemill_pipelines::{Pipeline, load};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shipped(name: &str) -> Pipeline {
    let text = std::fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
    let Loaded { pipeline, warnings } =
        load(&text, &Defaults::default(), &Effects::default()).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(pipeline.name, name);
    assert!(!pipeline.description.is_empty());
    assert_eq!(pipeline.watches.len(), 1);
    pipeline
}

/// Ten seconds of noise that is neither at any target nor near a ceiling.
fn programme(lab: &Lab) -> PathBuf {
    let soft = |seed| noise(seed, 480_000).iter().map(|sample| sample * 0.1).collect();
    lab.file("show.wav", &wav(48_000, 24, &[soft(1), soft(2)]))
}

fn report(lab: &Lab, name: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(lab.path("out").join(name)).unwrap()).unwrap()
}

/// Integrated loudness and true peak of a file, measured from what our decoder reads.
fn measured(path: &Path) -> (f64, f64) {
    let mut decoder = decode::open(Box::new(std::fs::File::open(path).unwrap()), None).unwrap();
    let spec = decoder.info().spec.clone();
    let mut samples = Samples::empty(decoder.info().format, spec.channel_count());
    let mut block = wavemill_core::audio::Block::new(spec.channel_count(), 4096);
    let mut meter = wavemill_core::loudness::LoudnessMeter::new(
        &spec,
        wavemill_core::loudness::MonoMode::Single,
    );
    while decoder.read(&mut samples, 4096).unwrap() > 0 {
        wavemill_core::audio::convert::to_block(&samples, &mut block);
        meter.push(&block);
    }
    let found = meter.finish();
    (found.integrated_lufs.unwrap().0, found.true_peak_dbtp.unwrap().0)
}

#[test]
fn all_shipped_pipelines_are_known_here() {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            Path::new(name).extension().is_some_and(|extension| extension == "toml")
                && name != "Cargo.toml"
        })
        .collect();
    names.sort();
    let known = ["archive", "broadcast-r128", "measure", "podcast", "streaming", "voice"];
    assert_eq!(names, known.map(|name| format!("{name}.toml")));
}

#[test]
fn podcast_comes_out_at_minus_16_as_wav_and_flac() {
    let lab = Lab::new();
    let input = programme(&lab);
    lab.run(&shipped("podcast"), &input).unwrap();
    assert_eq!(
        lab.files("out"),
        ["outbox/podcast/show.flac", "outbox/podcast/show.json", "outbox/podcast/show.wav"]
    );
    for name in ["show.wav", "show.flac"] {
        let (loudness, peak) = measured(&lab.path("out/outbox/podcast").join(name));
        assert!((loudness + 16.0).abs() < 0.05, "{name}: {loudness}");
        assert!(peak <= -1.0, "{name}: {peak}");
    }
    let (spec, samples) = integers(&lab.path("out/outbox/podcast/show.wav"));
    assert_eq!((spec.bits_per_sample, samples.len()), (24, 960_000));
}

#[test]
fn streaming_comes_out_at_minus_14() {
    let lab = Lab::new();
    lab.run(&shipped("streaming"), &programme(&lab)).unwrap();
    let (loudness, _) = measured(&lab.path("out/outbox/streaming/show.flac"));
    assert!((loudness + 14.0).abs() < 0.05, "{loudness}");
    let report = report(&lab, "outbox/streaming/show.json");
    let told = report["outputs"][0]["loudness"]["integrated_lufs"].as_f64().unwrap();
    assert!((told - loudness).abs() < 0.001, "{told} and {loudness}");
}

#[cfg(feature = "effects")]
#[test]
fn voice_comes_out_at_minus_16_and_its_report_names_the_effects() {
    let lab = Lab::new();
    lab.run(&shipped("voice"), &programme(&lab)).unwrap();
    let (loudness, peak) = measured(&lab.path("out/outbox/voice/show.wav"));
    assert!((loudness + 16.0).abs() < 0.05 && peak <= -1.0, "{loudness} {peak}");
    let report = report(&lab, "outbox/voice/show.json");
    let steps = report["steps"].as_array().unwrap();
    let effects: Vec<_> = steps.iter().filter_map(|step| step["effect"].as_str()).collect();
    assert_eq!(effects, ["de-esser", "compressor"]);
    assert_eq!(report["steps"][2]["params"]["makeup_db"], 0.0);
    assert_eq!(report["warnings"], serde_json::json!([]));
}

#[test]
fn broadcast_is_delivered_within_its_tolerance() {
    let lab = Lab::new();
    let outcome = lab.run(&shipped("broadcast-r128"), &programme(&lab)).unwrap();
    assert_eq!(outcome.rejected, None);
    let (loudness, peak) = measured(&lab.path("out/outbox/broadcast/show.wav"));
    assert!((loudness + 23.0).abs() <= 0.2 && peak <= -1.0, "{loudness} {peak}");
}

#[test]
fn broadcast_rejects_what_its_ceiling_keeps_too_soft() {
    let lab = Lab::new();
    let mut plane: Vec<f32> = noise(1, 480_000).iter().map(|sample| sample * 0.02).collect();
    plane[100_000] = 0.95;
    let input = lab.file("show.wav", &wav(48_000, 24, &[plane]));
    let outcome = lab.run(&shipped("broadcast-r128"), &input).unwrap();
    let line = outcome.rejected.unwrap();
    assert!(
        line.contains("integrated loudness") && line.contains("at least -23.20 LUFS"),
        "{line}"
    );
    assert_eq!(lab.files("out"), ["outbox/broadcast/show.json"]);
    let report = report(&lab, "outbox/broadcast/show.json");
    assert_eq!(report["steps"][0]["findings"]["ceiling_bound"], true);
}

#[test]
fn archive_keeps_every_sample_in_a_folder_by_date() {
    let lab = Lab::new();
    let input = programme(&lab);
    lab.run(&shipped("archive"), &input).unwrap();
    let files = lab.files("out");
    assert!(files[0].starts_with("archive/2026/03/31/show-") && files[0].contains(".flac"));
    let mut decoder =
        decode::open(Box::new(std::fs::File::open(lab.path("out").join(&files[0])).unwrap()), None)
            .unwrap();
    let mut samples = Samples::empty(decoder.info().format, 2);
    let mut copy = Vec::new();
    while decoder.read(&mut samples, 4096).unwrap() > 0 {
        let Samples::Int { bit_depth: 24, planes } = &samples else { panic!("not 24 bits") };
        for (left, right) in planes[0].iter().zip(&planes[1]) {
            copy.extend([*left, *right]);
        }
    }
    assert!(integers(&input).1 == copy);
}

#[test]
fn measure_makes_a_report_and_no_audio() {
    let lab = Lab::new();
    lab.run(&shipped("measure"), &programme(&lab)).unwrap();
    assert_eq!(lab.files("out"), ["reports/show.json"]);
    let report = report(&lab, "reports/show.json");
    assert!(report["loudness"]["loudness_range_lu"].is_number());
    assert_eq!(report["outputs"], serde_json::json!([]));
}
