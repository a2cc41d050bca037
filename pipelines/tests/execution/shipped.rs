//! Every pipeline that is shipped loads without a doubt and does what it says.

use crate::lab::{Lab, integers, noise, wav};
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use wavemill_core::audio::Samples;
use wavemill_core::decode;
use wavemill_pipelines::Effects;
use wavemill_pipelines::model::Defaults;
use wavemill_pipelines::schema::LoadedPipeline;
use wavemill_pipelines::{Pipeline, load};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shipped(name: &str) -> Pipeline {
    let text = std::fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
    let LoadedPipeline { pipeline, warnings } =
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
    let known = [
        "acx-audiobook",
        "apple-music",
        "archive",
        "broadcast-r128",
        "cd-master",
        "measure",
        "podcast",
        "streaming",
        "voice",
        "youtube",
    ];
    assert_eq!(names, known.map(|name| format!("{name}.toml")));
}

#[cfg(feature = "mp3")]
#[test]
fn podcast_comes_out_at_minus_16_as_mp3_wav_and_flac() {
    let lab = Lab::new();
    let input = programme(&lab);
    lab.run(&shipped("podcast"), &input).unwrap();
    let names = ["flac", "json", "mp3", "wav"].map(|it| format!("outbox/podcast/show.{it}"));
    assert_eq!(lab.files("out"), names);
    for name in ["show.wav", "show.flac"] {
        let (loudness, peak) = measured(&lab.path("out/outbox/podcast").join(name));
        assert!((loudness + 16.0).abs() < 0.05, "{name}: {loudness}");
        assert!(peak <= -1.0, "{name}: {peak}");
    }
    let (spec, samples) = integers(&lab.path("out/outbox/podcast/show.wav"));
    assert_eq!((spec.bits_per_sample, samples.len()), (24, 960_000));
    let report = report(&lab, "outbox/podcast/show.json");
    let mp3 = &report["outputs"][2];
    assert_eq!((&mp3["bit_rate_kbps"], &mp3["frames"]), (&128.into(), &441_000.into()));
    assert!(measured(&lab.path("out/outbox/podcast/show.mp3")).1 <= -1.0);
}

/// Rates and channels that the MP3 does not have are converted for it alone.
#[cfg(feature = "mp3")]
#[test]
fn podcast_takes_recordings_of_any_rate() {
    for rate in [8_000, 96_000] {
        let lab = Lab::new();
        let sound = noise(3, 3 * rate as usize).iter().map(|sample| sample * 0.1).collect();
        lab.run(&shipped("podcast"), &lab.file("show.wav", &wav(rate, 16, &[sound]))).unwrap();
        let report = report(&lab, "outbox/podcast/show.json");
        let frames = [0, 1, 2].map(|index| report["outputs"][index]["frames"].as_u64().unwrap());
        let same = 3 * u64::from(rate);
        assert_eq!(frames, [same, same, 132_300]);
    }
}

#[test]
fn streaming_comes_out_at_minus_14() {
    let lab = Lab::new();
    lab.run(&shipped("streaming"), &programme(&lab)).unwrap();
    let (loudness, _) = measured(&lab.path("out/outbox/streaming/show.flac"));
    assert!((loudness + 14.0).abs() < 0.05, "{loudness}");
    let report = report(&lab, "outbox/streaming/show.json");
    let reported = report["outputs"][0]["loudness"]["integrated_lufs"].as_f64().unwrap();
    assert!((reported - loudness).abs() < 0.001, "{reported} and {loudness}");
}

/// Twelve seconds of drums over noise: the peaks stand 15.0 dB above the loudness, a little more than the
/// pipelines that limit have room for.
fn drums(lab: &Lab, rate: u32) -> PathBuf {
    let frames = 12 * rate as usize;
    let side = |seed: u32| -> Vec<f32> {
        let dirt = noise(seed, frames);
        // Below some kilohertz, so that no other rate loses any of it.
        let mut dull = 0.0;
        (0..frames)
            .map(|frame| {
                let beat_s = (frame as f64 / f64::from(rate)) % 0.5;
                let drum = 0.7 * (-60.0 * beat_s).exp() * (TAU * 400.0 * beat_s).sin();
                dull += 4_800.0 / f64::from(rate) * (f64::from(dirt[frame]) - dull);
                #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
                let sample = (drum + 1.4 * dull) as f32;
                sample
            })
            .collect()
    };
    lab.file("show.wav", &wav(rate, 24, &[side(1), side(2)]))
}

/// How near a target the limiting mode comes, and how far above its ceiling a true peak may lie.
const LIMITED_LU: f64 = 0.1;
const CEILING_DB: f64 = 0.05;

/// A pipeline whose peaks would pass the ceiling reaches its loudness all the same.
fn check_limited(name: &str, target_lufs: f64, ceiling_dbtp: f64, path: &str, most_db: f64) {
    let lab = Lab::new();
    let outcome = lab.run(&shipped(name), &drums(&lab, 48_000)).unwrap();
    assert_eq!(outcome.rejected, None);
    let (loudness, peak) = measured(&lab.path("out").join(path));
    assert!((loudness - target_lufs).abs() <= LIMITED_LU, "{name}: {loudness}");
    assert!(peak <= ceiling_dbtp + CEILING_DB, "{name}: {peak}");
    let steps = outcome.report["steps"].as_array().unwrap();
    let found = &steps.iter().find(|step| step["use"] == "loudness").unwrap()["findings"];
    assert_eq!(found["mode"], "limit");
    let reduced = found["reduction_max_db"].as_f64().unwrap();
    assert!(reduced > 0.0 && reduced <= most_db, "{name}: {found:#}");
}

#[test]
fn pipelines_that_limit_reach_their_target_under_the_ceiling() {
    check_limited("streaming", -14.0, -1.0, "outbox/streaming/show.flac", 3.0);
    #[cfg(feature = "mp3")]
    check_limited("podcast", -16.0, -1.0, "outbox/podcast/show.wav", 12.0);
    check_limited("youtube", -14.0, -1.0, "outbox/youtube/show.wav", 6.0);
    check_limited("apple-music", -16.0, -1.2, "outbox/apple-music/show.wav", 3.0);
}

/// Syllables with pauses, and every second a plosive whose peak stands 25 dB above the loudness, as in an uneven
/// recording.
fn peaky_speech(lab: &Lab) -> PathBuf {
    const RATE: u32 = 48_000;
    let room = noise(7, 20 * RATE as usize);
    let plane: Vec<f32> = (0..room.len())
        .map(|frame| {
            let time_s = frame as f64 / f64::from(RATE);
            let syllable = (TAU * 2.0 * time_s).sin().abs().sqrt();
            let voice: f64 = (1..12)
                .map(|partial| {
                    (TAU * 140.0 * f64::from(partial) * time_s).sin() / f64::from(partial)
                })
                .sum();
            let plosive = (-400.0 * (time_s % 1.0)).exp() * (TAU * 900.0 * (time_s % 1.0)).sin();
            let word = 0.06 * syllable * voice + 0.9 * plosive;
            let word = if time_s % 4.0 > 3.2 { 0.0 } else { word };
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let sample = (word + 0.000_3 * f64::from(room[frame])) as f32;
            sample
        })
        .collect();
    lab.file("talk.wav", &wav(RATE, 24, &[plane]))
}

#[test]
fn pipelines_for_speech_reach_their_loudness_below_their_ceiling() {
    let speech = [("podcast", cfg!(feature = "mp3")), ("voice", cfg!(feature = "effects"))];
    for (name, _) in speech.into_iter().filter(|&(_, is_built)| is_built) {
        let lab = Lab::new();
        let input = peaky_speech(&lab);
        let (loudness, peak) = measured(&input);
        assert!(peak - loudness > 25.0, "{loudness} {peak}");
        lab.run(&shipped(name), &input).unwrap();
        let output = lab.path(&format!("out/outbox/{name}/talk.wav"));
        let (loudness, peak) = measured(&output);
        assert!((loudness + 16.0).abs() <= LIMITED_LU, "{name}: {loudness}");
        assert!(peak <= -1.0 + CEILING_DB, "{name}: {peak}");
        let frames = |path: &Path| {
            let mut decoder =
                decode::open(Box::new(std::fs::File::open(path).unwrap()), None).unwrap();
            let mut samples = Samples::empty(decoder.info().format, 1);
            std::iter::from_fn(|| {
                Some(decoder.read(&mut samples, 4096).unwrap()).filter(|n| *n > 0)
            })
            .sum::<usize>()
        };
        assert_eq!(frames(&output), frames(&input), "{name}");
    }
}

#[test]
fn apple_music_keeps_the_rate_and_stores_24_bits() {
    let lab = Lab::new();
    let soft: Vec<f32> = noise(1, 480_000).iter().map(|sample| sample * 0.1).collect();
    let input = lab.file("show.wav", &wav(96_000, 24, &[soft.clone(), soft]));
    let outcome = lab.run(&shipped("apple-music"), &input).unwrap();
    assert_eq!(outcome.rejected, None);
    let path = lab.path("out/outbox/apple-music/show.wav");
    let (spec, samples) = integers(&path);
    assert_eq!((spec.sample_rate, spec.bits_per_sample, samples.len()), (96_000, 24, 960_000));
    let (loudness, peak) = measured(&path);
    assert!((loudness + 16.0).abs() < 0.05 && peak <= -1.0, "{loudness} {peak}");
}

#[test]
fn youtube_comes_out_at_48_khz_and_minus_14() {
    let lab = Lab::new();
    let soft: Vec<f32> = noise(1, 441_000).iter().map(|sample| sample * 0.1).collect();
    let input = lab.file("show.wav", &wav(44_100, 16, &[soft.clone(), soft]));
    lab.run(&shipped("youtube"), &input).unwrap();
    let path = lab.path("out/outbox/youtube/show.wav");
    let (spec, samples) = integers(&path);
    assert_eq!((spec.sample_rate, spec.bits_per_sample, samples.len()), (48_000, 24, 960_000));
    let (loudness, _) = measured(&path);
    assert!((loudness + 14.0).abs() < 0.05, "{loudness}");
}

#[test]
fn cd_master_is_16_bit_at_44_1_khz_with_shaped_dither_and_as_loud_as_the_mix() {
    let lab = Lab::new();
    let input = drums(&lab, 96_000);
    let outcome = lab.run(&shipped("cd-master"), &input).unwrap();
    assert_eq!(outcome.rejected, None);
    let path = lab.path("out/outbox/cd-master/show.wav");
    let (spec, samples) = integers(&path);
    assert_eq!((spec.sample_rate, spec.bits_per_sample, spec.channels), (44_100, 16, 2));
    assert_eq!(samples.len(), 2 * 12 * 44_100);
    let output = &outcome.report["outputs"][0];
    assert!(output["dither"].as_str().unwrap().starts_with("shaped"), "{output:#}");
    assert_eq!(output["clipped_samples"], 0);
    let (before, _) = measured(&input);
    let (after, _) = measured(&path);
    // What lies above 22 kHz of the noise is gone.
    assert!((after - before).abs() < 0.1, "{before} became {after}");
}

#[test]
fn cd_master_of_hot_mono_keeps_its_ceiling_on_two_channels() {
    let lab = Lab::new();
    let hot: Vec<f32> = noise(1, 480_000).iter().map(|sample| sample * 1.99).collect();
    let input = lab.file("show.wav", &wav(48_000, 24, &[hot]));
    let outcome = lab.run(&shipped("cd-master"), &input).unwrap();
    assert_eq!(outcome.rejected, None);
    let path = lab.path("out/outbox/cd-master/show.wav");
    assert_eq!(integers(&path).0.channels, 2);
    let (_, peak) = measured(&path);
    assert!(peak <= -0.1 && peak > -1.0, "{peak}");
}

/// Half a minute of syllables with pauses, over a room of so much RMS.
fn reading(lab: &Lab, room_dbfs: f64) -> PathBuf {
    const RATE: u32 = 48_000;
    let frames = 30 * RATE as usize;
    let (breath, room) = (noise(5, frames), noise(6, frames));
    // The RMS of noise between -0.5 and 0.5 is -10.79 dBFS.
    let room_gain = ((room_dbfs + 10.79) / 20.0 * std::f64::consts::LN_10).exp();
    let plane: Vec<f32> = (0..frames)
        .map(|frame| {
            let time_s = frame as f64 / f64::from(RATE);
            let is_pause = time_s % 4.0 > 3.2;
            let syllable = (TAU * 2.0 * time_s).sin().abs().sqrt();
            let voice: f64 = (1..12)
                .map(|partial| {
                    (TAU * 140.0 * f64::from(partial) * time_s).sin() / f64::from(partial)
                })
                .sum();
            let word = syllable * (0.12 * voice + 0.03 * f64::from(breath[frame]));
            let word = if is_pause { 0.0 } else { word };
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let sample = (word + room_gain * f64::from(room[frame])) as f32;
            sample
        })
        .collect();
    lab.file("chapter.wav", &wav(RATE, 24, &[plane.clone(), plane]))
}

/// A level in dB of a mean square.
fn db(mean_square: f64) -> f64 {
    10.0 * mean_square.ln() / std::f64::consts::LN_10
}

#[test]
fn audiobook_keeps_the_limits_of_acx() {
    let lab = Lab::new();
    let outcome = lab.run(&shipped("acx-audiobook"), &reading(&lab, -75.0)).unwrap();
    assert_eq!(outcome.rejected, None);
    let path = lab.path("out/outbox/acx-audiobook/chapter.wav");
    let (spec, samples) = integers(&path);
    assert_eq!((spec.sample_rate, spec.bits_per_sample, spec.channels), (44_100, 16, 1));
    let squares: Vec<f64> =
        samples.iter().map(|sample| (f64::from(*sample) / 32_768.0).powi(2)).collect();
    let rms = db(squares.iter().sum::<f64>() / squares.len() as f64);
    assert!((-23.0..=-18.0).contains(&rms), "{rms}");
    let peak = db(squares.iter().copied().fold(0.0, f64::max));
    assert!(peak <= -3.0, "{peak}");
    let windows = squares.windows(22_050).step_by(441);
    let softest = windows.map(|window| window.iter().sum::<f64>()).fold(f64::MAX, f64::min);
    let floor = db(softest / 22_050.0);
    assert!(floor <= -60.0, "{floor}");
    // The report has what was measured for the gates.
    let gates = outcome.report["gates"].as_array().unwrap();
    let reported = |measure: &str| {
        let gate = gates.iter().find(|gate| gate["measure"] == measure).unwrap();
        gate["value"].as_f64().unwrap()
    };
    assert!((reported("rms_dbfs") - rms).abs() < 0.01);
    // Windows begin every 50 ms there.
    assert!((reported("noise_floor_dbfs") - floor).abs() < 0.5);
}

#[test]
fn audiobook_of_a_noisy_room_is_rejected_by_its_noise_floor() {
    let lab = Lab::new();
    let outcome = lab.run(&shipped("acx-audiobook"), &reading(&lab, -55.0)).unwrap();
    let line = outcome.rejected.unwrap();
    assert!(line.contains("noise floor") && line.contains("at most -60.00 dBFS"), "{line}");
    assert_eq!(lab.files("out"), ["outbox/acx-audiobook/chapter.json"]);
}

#[test]
fn levels_of_the_source_can_be_gated_too() {
    let lab = Lab::new();
    let body = "[[require]]\nnoise_floor_dbfs = { max = -60.0 }\n\
                [[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n";
    let gated = crate::lab::pipeline(body);
    let line = lab.run(&gated, &reading(&lab, -55.0)).unwrap().rejected.unwrap();
    assert!(line.starts_with("the source has noise floor -5"), "{line}");
    assert_eq!(lab.files("out"), [""; 0]);
    let fine = lab.run(&gated, &reading(&lab, -75.0)).unwrap();
    assert_eq!(fine.rejected, None);
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
