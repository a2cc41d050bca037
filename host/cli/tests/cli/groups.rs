//! One gain for files that belong together.

use super::{Lab, code, json, stderr, stdout};
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use serde_json::Value;

const RATE_HZ: u32 = 44_100;

/// The pieces of an album: seconds and amplitude. Their own loudness differs by 18 LU.
const PIECES: [(&str, u32, f64); 3] =
    [("1 loud.wav", 20, 0.8), ("2 soft.wav", 30, 0.3), ("3 softer.wav", 25, 0.1)];

/// Noise that swells, of a fixed seed: Numerical Recipes' "quick and dirty" generator.
pub(super) fn piece(lab: &Lab, name: &str, seconds: u32, amplitude: f64) {
    piece_of(lab, name, seconds, |_| amplitude);
}

/// The same with an amplitude for each frame.
fn piece_of(lab: &Lab, name: &str, seconds: u32, amplitude: impl Fn(u32) -> f64) {
    let spec = WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 24,
        sample_format: SampleFormat::Int,
    };
    let path = lab.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = WavWriter::create(path, spec).unwrap();
    let mut state = 7u32;
    for frame in 0..seconds * RATE_HZ {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = 2.0 * f64::from(state) / f64::from(u32::MAX) - 1.0;
        let swell = 0.75 + 0.25 * (f64::from(frame) / f64::from(RATE_HZ)).sin();
        #[expect(clippy::cast_possible_truncation, reason = "below full scale")]
        let sample = (noise * swell * amplitude(frame) * f64::from(1 << 23)) as i32;
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
}

pub(super) fn album(lab: &Lab) {
    for (name, seconds, amplitude) in PIECES {
        piece(lab, &format!("album/{name}"), seconds, amplitude);
    }
}

/// A pipeline that brings files together to a loudness.
pub(super) fn pipeline(lab: &Lab, with: &str) {
    let text = format!(
        "version = 1\n[pipeline]\nname = \"album\"\n\
         [[step]]\nuse = \"high-pass\"\nwith = {{ cutoff_hz = 40 }}\n\
         [[step]]\nuse = \"loudness\"\nwith = {{ {with} }}\n\
         [[export]]\nformat = \"wav\"\nbit_depth = 24\npath = \"out/{{stem}}.{{ext}}\"\n\
         [report]\njson = \"out/{{stem}}.json\"\n"
    );
    lab.write("album.toml", &text);
}

fn run(lab: &Lab, files: &[&str]) -> std::process::Output {
    lab.run(&[&["run", "album.toml"], files].concat())
}

/// Integrated loudness of a file, as another reading of it by the program says.
pub(super) fn loudness(lab: &Lab, name: &str) -> f64 {
    let output = lab.run(&["analyze", name, "--only", "loudness", "--json", "--no-cache"]);
    json(&output)["files"][0]["loudness"]["integrated_lufs"].as_f64().unwrap()
}

/// The samples of files, one after the other, as a file of its own.
pub(super) fn concatenate(lab: &Lab, names: &[&str], to: &str) {
    let spec = WavReader::open(lab.path(names[0])).unwrap().spec();
    let mut writer = WavWriter::create(lab.path(to), spec).unwrap();
    for name in names {
        for sample in WavReader::open(lab.path(name)).unwrap().samples::<i32>() {
            writer.write_sample(sample.unwrap()).unwrap();
        }
    }
    writer.finalize().unwrap();
}

fn report(lab: &Lab, stem: &str) -> Value {
    serde_json::from_slice(&std::fs::read(lab.path(&format!("out/{stem}.json"))).unwrap()).unwrap()
}

/// What the loudness step found.
fn findings(lab: &Lab, stem: &str) -> Value {
    report(lab, stem)["steps"][1]["findings"].clone()
}

fn gain(lab: &Lab, stem: &str) -> f64 {
    findings(lab, stem)["gain_db"].as_f64().unwrap()
}

pub(super) const FILES: [&str; 3] = ["album/1 loud.wav", "album/2 soft.wav", "album/3 softer.wav"];

#[test]
fn album_keeps_its_differences_and_lands_at_the_target_as_a_whole() {
    let lab = Lab::new();
    album(&lab);
    pipeline(&lab, "target_lufs = -23.0, group = \"folder\"");
    let output = run(&lab, &FILES);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let outputs = ["out/1 loud.wav", "out/2 soft.wav", "out/3 softer.wav"];
    let after: Vec<f64> = outputs.iter().map(|name| loudness(&lab, name)).collect();
    let found = findings(&lab, "1 loud");
    assert_eq!((&found["group"], &found["group_files"]), (&"folder".into(), &3.0.into()));
    // Differences are those at the step's place, behind the high-pass.
    let before: Vec<f64> = ["1 loud", "2 soft", "3 softer"]
        .iter()
        .map(|stem| findings(&lab, stem)["measured_integrated_lufs"].as_f64().unwrap())
        .collect();
    for (before, after) in before.windows(2).zip(after.windows(2)) {
        let moved = (before[1] - before[0]) - (after[1] - after[0]);
        assert!(moved.abs() < 0.01, "{before:?} {after:?}");
    }
    concatenate(&lab, &outputs, "all.wav");
    let whole = loudness(&lab, "all.wav");
    // Blocks across the two joins are in the concatenation only.
    assert!((whole + 23.0).abs() < 0.05, "{whole}");
    assert!((after.iter().sum::<f64>() / 3.0 - whole).abs() > 3.0, "{after:?}");
}

#[test]
fn order_of_files_changes_no_byte() {
    let lab = Lab::new();
    album(&lab);
    pipeline(&lab, "target_lufs = -23.0, group = \"batch\"");
    assert_eq!(code(&run(&lab, &FILES)), 0);
    let read = |name: &str| std::fs::read(lab.path(name)).unwrap();
    let first: Vec<_> = ["out/1 loud.wav", "out/2 soft.wav"].map(read).to_vec();
    std::fs::remove_dir_all(lab.path("out")).unwrap();
    std::fs::remove_dir_all(lab.path(".local")).unwrap();
    assert_eq!(code(&run(&lab, &[FILES[2], FILES[0], FILES[1]])), 0);
    assert_eq!(["out/1 loud.wav", "out/2 soft.wav"].map(read).to_vec(), first);
}

#[test]
fn folders_of_one_command_have_gains_of_their_own_and_a_batch_has_one() {
    let lab = Lab::new();
    piece(&lab, "a/1.wav", 5, 0.5);
    piece(&lab, "a/2.wav", 5, 0.2);
    piece(&lab, "b/3.wav", 5, 0.1);
    let files = ["a/1.wav", "b/3.wav", "a/2.wav"];
    pipeline(&lab, "target_lufs = -30.0, group = \"folder\"");
    assert_eq!(code(&run(&lab, &files)), 0);
    assert!((gain(&lab, "1") - gain(&lab, "2")).abs() < 1e-9);
    assert!(gain(&lab, "3") - gain(&lab, "1") > 8.0);
    std::fs::remove_dir_all(lab.path("out")).unwrap();
    pipeline(&lab, "target_lufs = -30.0, group = \"batch\"");
    assert_eq!(code(&run(&lab, &files)), 0);
    assert!((gain(&lab, "3") - gain(&lab, "1")).abs() < 1e-9);
    assert_eq!(findings(&lab, "3")["group_files"], 3.0);
}

#[test]
fn largest_peak_lowers_the_gain_of_all_and_the_shortfall_is_reported() {
    let lab = Lab::new();
    album(&lab);
    pipeline(&lab, "target_lufs = -5.0, group = \"batch\"");
    assert_eq!(code(&run(&lab, &FILES)), 0);
    let loud = findings(&lab, "1 loud");
    let softer = findings(&lab, "3 softer");
    assert_eq!(loud["gain_db"], softer["gain_db"]);
    assert_eq!(softer["ceiling_bound"], true);
    assert!(softer["shortfall_lu"].as_f64().unwrap() > 1.0);
    let peak = loud["expected_true_peak_dbtp"].as_f64().unwrap();
    assert!(peak <= -1.0 && peak > -1.01, "{peak}");
    // It alone would be allowed far more.
    assert!(softer["expected_true_peak_dbtp"].as_f64().unwrap() < -10.0);
}

#[test]
fn limited_album_lands_at_its_target_and_every_export_keeps_its_balance() {
    let lab = Lab::new();
    // Two beats a second, which alone must be limited.
    let beats = |amplitude: f64| {
        move |frame: u32| if frame % (RATE_HZ / 2) < 900 { amplitude } else { 0.3 * amplitude }
    };
    for (file, (_, seconds, amplitude)) in FILES.iter().zip(PIECES) {
        piece_of(&lab, file, seconds, beats(amplitude));
    }
    let with = "target_lufs = -16.0, ceiling_dbtp = -3.0, mode = \"limit\", group = \"folder\", \
                max_reduction_db = 12.0";
    pipeline(&lab, with);
    let text = std::fs::read_to_string(lab.path("album.toml")).unwrap();
    let export = |format: &str| {
        format!(
            "[[export]]\nformat = \"{format}\"\npath = \"out/{{stem}}.{{ext}}\"\nreplay_gain = true\n"
        )
    };
    let exports = format!("{}{}[report]", export("flac"), export("vorbis"));
    lab.write("album.toml", &text.replace("[report]", &exports));
    let output = run(&lab, &FILES);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    concatenate(&lab, &["out/1 loud.wav", "out/2 soft.wav", "out/3 softer.wav"], "all.wav");
    let whole = loudness(&lab, "all.wav");
    assert!((whole + 16.0).abs() < 0.1, "{whole}");
    let outputs = |stem: &str| report(&lab, stem)["outputs"].as_array().unwrap().clone();
    let first = outputs("1 loud");
    // What the limiter takes is given before it.
    assert!(first[0]["target_raised_lu"].as_f64().unwrap() > 0.1, "{:#}", first[0]);
    // Vorbis raises peaks, so all files are turned down alike behind the limiter.
    assert!(first[2]["gain_db"].as_f64().unwrap() < 0.0, "{:#}", first[2]);
    let coding_lu = |outputs: &[Value]| {
        let stored = outputs[1]["loudness"]["integrated_lufs"].as_f64().unwrap();
        outputs[2]["decoded_integrated_lufs"].as_f64().unwrap() - stored
    };
    for stem in ["1 loud", "2 soft", "3 softer"] {
        let outputs = outputs(stem);
        let (here, there) = (coding_lu(&outputs), coding_lu(&first));
        assert!((here - there).abs() < 0.3, "{stem}: {here} LU, the first {there} LU");
        for (output, first) in outputs.iter().zip(&first) {
            for key in ["gain_db", "target_raised_lu"] {
                assert_eq!(output[key], first[key], "{stem}: {output:#}");
            }
        }
        let album = |output: &Value| output["replay_gain"]["album_gain_db"].as_f64().unwrap();
        // -18 LUFS is what players bring it to.
        assert!((album(&outputs[1]) + 2.0).abs() < 0.1, "{stem}: {:#}", outputs[1]);
        assert!((album(&outputs[2]) - album(&first[2])).abs() < 1e-9);
        let peak = outputs[2]["decoded_true_peak_dbtp"].as_f64().unwrap();
        assert!(peak <= -2.95, "{stem}: {peak}");
    }
}

#[test]
fn broken_file_is_left_out_named_and_fails_by_itself() {
    let lab = Lab::new();
    album(&lab);
    lab.write("album/0 broken.wav", "RIFF, or not");
    pipeline(&lab, "target_lufs = -23.0, group = \"folder\"");
    let files = ["album/0 broken.wav", FILES[0], FILES[1], FILES[2]];
    let output = run(&lab, &files);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("0 broken.wav"), "{}", stderr(&output));
    let written = report(&lab, "2 soft");
    let warning = written["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("left out of the group: album/0 broken.wav: "), "{warning}");
    assert_eq!(findings(&lab, "2 soft")["group_files"], 3.0);
    let with = gain(&lab, "2 soft");
    std::fs::remove_dir_all(lab.path("out")).unwrap();
    assert_eq!(code(&run(&lab, &FILES)), 0);
    assert!((gain(&lab, "2 soft") - with).abs() < 1e-12);
}

#[test]
fn file_that_a_gate_rejects_is_not_in_the_group() {
    let lab = Lab::new();
    album(&lab);
    pipeline(&lab, "target_lufs = -23.0, group = \"folder\"");
    let gate = "[[require]]\nintegrated_lufs = { max = -10 }\n";
    let text = std::fs::read_to_string(lab.path("album.toml")).unwrap();
    lab.write("album.toml", &text.replace("[[export]]", &format!("{gate}[[export]]")));
    assert_eq!(code(&run(&lab, &FILES)), 3);
    assert_eq!(findings(&lab, "2 soft")["group_files"], 2.0);
    let warning = report(&lab, "2 soft")["warnings"][0].as_str().unwrap().to_owned();
    assert!(warning.contains("1 loud.wav"), "{warning}");
    assert!(!lab.path("out/1 loud.wav").exists());
}

#[test]
fn group_that_no_watched_folder_has_and_a_second_one_are_mistakes() {
    let lab = Lab::new();
    pipeline(&lab, "target_lufs = -23.0, group = \"batch\"");
    let text = std::fs::read_to_string(lab.path("album.toml")).unwrap();
    let check = |text: &str| {
        lab.write("album.toml", text);
        let output = lab.run(&["check", "album.toml"]);
        (code(&output), stdout(&output) + &stderr(&output))
    };
    let (status, said) = check(&format!("{text}[[watch]]\npath = \"in\"\n"));
    assert_eq!(status, 78);
    assert!(said.contains("`group = \"batch\"` does not work in watched folders"), "{said}");
    let twice = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -9, group = \"batch\" }\n";
    let (status, said) = check(&format!("{text}{twice}"));
    assert_eq!(status, 78);
    assert!(said.contains("a second step has `group`"), "{said}");
}

#[test]
fn submitted_batch_gets_one_gain_whichever_of_its_files_is_the_first() {
    let lab = Lab::new();
    album(&lab);
    lab.write(
        "watch/w.toml",
        "version = 1\n[pipeline]\nname = \"w\"\n[[watch]]\npath = \"in\"\n[report]\njson = \"x/{stem}.json\"\n",
    );
    for (group, files) in [("folder", 3), ("batch", 4)] {
        pipeline(&lab, &format!("target_lufs = -20.0, group = \"{group}\""));
        piece(&lab, "other/4 apart.wav", 5, 0.02);
        let submitted =
            [&["jobs", "submit", "-p", "album.toml"], &FILES[..], &["other/4 apart.wav"]];
        let output = lab.run(&submitted.concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert_eq!(code(&lab.run(&["watch", "watch", "--until-idle"])), 0);
        let stems = ["1 loud", "2 soft", "3 softer"];
        for stem in stems {
            assert_eq!(findings(&lab, stem)["group_files"], f64::from(files), "{group}: {stem}");
            assert_eq!(gain(&lab, stem).to_bits(), gain(&lab, stems[0]).to_bits());
        }
        let is_same = gain(&lab, "4 apart").to_bits() == gain(&lab, stems[0]).to_bits();
        assert_eq!(is_same, group == "batch");
        std::fs::remove_dir_all(lab.path("out")).unwrap();
    }
}

/// The album in a watched folder whose pipeline moves what is delivered.
fn dropped_album(done: &str) -> Lab {
    let lab = Lab::new();
    album(&lab);
    pipeline(&lab, "target_lufs = -20.0, group = \"folder\"");
    let text = std::fs::read_to_string(lab.path("album.toml")).unwrap()
        + "[[watch]]\npath = \"in\"\nready = { stable_for = \"50ms\" }\n[source]\n";
    lab.write("p/album.toml", &format!("{text}on_success = \"move:{done}/{{reldir}}\"\n"));
    std::fs::create_dir(lab.path("in")).unwrap();
    std::fs::rename(lab.path("album"), lab.path("in/album")).unwrap();
    lab
}

#[test]
fn album_whose_files_were_moved_keeps_its_gain_when_it_is_processed_again() {
    let lab = dropped_album("done");
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    let first = gain(&lab, "1 loud");
    let stems = ["1 loud", "2 soft", "3 softer"];
    let done = stems.map(|stem| format!("done/album/{stem}.wav"));
    for again in [&["--pipeline", "album"][..], &[&done[0]], &[&done[2], &done[1]]] {
        let output = lab.run(&[&["jobs", "reprocess"], again].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        // Another album in the same folder is none of its business.
        piece(&lab, "in/album/9 new.wav", 5, 0.01);
        assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
        for stem in stems {
            assert_eq!(findings(&lab, stem)["group_files"], 3.0, "{stem}");
            assert_eq!(gain(&lab, stem).to_bits(), first.to_bits(), "{stem}");
        }
        assert_eq!(findings(&lab, "9 new")["group_files"], 1.0);
        assert!(done.iter().all(|path| lab.path(path).exists()));
    }
    // One that was canceled between leaves the group as it was, and so does another file of a former name.
    let reprocess = || code(&lab.run(&["jobs", "reprocess", &done[0]]));
    assert_eq!(reprocess(), 0);
    assert_eq!(code(&lab.run(&["jobs", "cancel", "--waiting"])), 0);
    piece(&lab, "in/album/2 soft.wav", 5, 0.9);
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    assert_eq!(reprocess(), 0);
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    assert_eq!(findings(&lab, "1 loud")["group_files"], 3.0);
    assert_eq!(gain(&lab, "1 loud").to_bits(), first.to_bits());
    // One that is gone is named, and belongs to it again when it is back.
    std::fs::rename(lab.path(&done[2]), lab.path("away.wav")).unwrap();
    assert_eq!(reprocess(), 0);
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    let warnings = report(&lab, "1 loud")["warnings"].to_string();
    let is_named = warnings.contains("3 softer.wav");
    assert!(is_named && warnings.contains("no longer exists"), "{warnings}");
    std::fs::rename(lab.path("away.wav"), lab.path(&done[2])).unwrap();
    assert_eq!(reprocess(), 0);
    assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
    assert_eq!(report(&lab, "1 loud")["warnings"], serde_json::json!([]));
    assert_eq!(gain(&lab, "1 loud").to_bits(), first.to_bits());
}

#[test]
fn file_that_failed_and_is_retried_gets_the_gain_of_its_album_that_was_moved() {
    for done in ["done", "in/.done"] {
        let lab = dropped_album(done);
        lab.write("out/2 soft.wav", "somebody else's");
        assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 3);
        let first = gain(&lab, "1 loud");
        assert!(
            lab.path("in/album/2 soft.wav").exists() && !lab.path("in/album/1 loud.wav").exists()
        );
        std::fs::remove_file(lab.path("out/2 soft.wav")).unwrap();
        assert_eq!(code(&lab.run(&["jobs", "retry", "--failed"])), 0);
        assert_eq!(code(&lab.run(&["watch", "p", "--until-idle"])), 0);
        assert_eq!(findings(&lab, "2 soft")["group_files"], 3.0);
        assert_eq!(gain(&lab, "2 soft").to_bits(), first.to_bits());
    }
}
