//! Bad input: each kind is reported in one line that names the file, and harms no other file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use wavemill_tests::external::Tool;
use wavemill_tests::lab::{Ended, Lab, has_extension, is_about, put, repository, wait_until};
use wavemill_tests::signal::{self, Random, Signal};
use wavemill_tests::wav::{self, Stored};

const PIPELINE: &str = r#"
version = 1

[pipeline]
name = "bad"
retry = { attempts = 1 }

[[watch]]
path = "in"
ready = { stable_for = "100ms" }

[[export]]
format = "wav"
path = "out/{reldir}/{stem}.{ext}"
"#;

/// A lab whose pipeline watches `in`, with one good file that must come through whatever lies beside.
struct Drop {
    lab: Lab,
    pipeline: PathBuf,
}

impl Drop {
    fn new() -> Self {
        let lab = Lab::new();
        let pipeline = lab.pipeline("bad", PIPELINE);
        wav::write(&lab.path("in/good.wav"), &tone(), Stored::Int(16));
        Self { lab, pipeline }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.lab.path(&format!("in/{name}"))
    }

    /// Watches until idle and checks the good file.
    fn watch(&self) -> Ended {
        let ended = self.lab.until_idle(&[&self.pipeline]);
        self.assert_good(&ended);
        ended
    }

    fn assert_good(&self, ended: &Ended) {
        assert!(ended.event("job-done", "in/good.wav").is_some(), "good.wav suffered: {ended:?}");
        assert_eq!(wav::read(&self.output("good.wav")).signal.frame_count(), tone().frame_count());
    }

    fn output(&self, name: &str) -> PathBuf {
        self.lab.root().join("out").join(name)
    }

    /// Watches; the file must be reported with one line, left in place and give no output.
    fn assert_refused(&self, name: &str) -> String {
        self.assert_refused_with(name, 3)
    }

    /// As `assert_refused`, of what is no file and so no failure.
    fn assert_passed_over(&self, name: &str) -> String {
        self.assert_refused_with(name, 0)
    }

    fn assert_refused_with(&self, name: &str, code: i32) -> String {
        let ended = self.watch();
        assert_eq!(ended.code, Some(code), "{name}: {ended:?}");
        let reason = refusal(&ended, name);
        assert!(self.path(name).symlink_metadata().is_ok(), "{name} is gone");
        assert_eq!(self.lab.files("out"), ["good.wav"]);
        reason
    }

    /// Watches; the file must come through as this output with this many frames.
    fn assert_processed(&self, name: &str, output: &str, frames: usize) {
        let ended = self.watch();
        assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
        assert_eq!(wav::read(&self.output(output)).signal.frame_count(), frames);
    }
}

/// The one line with which a file was refused.
fn refusal(ended: &Ended, name: &str) -> String {
    let path = format!("in/{name}");
    let names = ["job-failed", "file-incomplete", "file-refused"];
    let event = names.iter().find_map(|event| ended.event(event, &path));
    let event = event.unwrap_or_else(|| panic!("{name} was not reported: {ended:?}"));
    let reason = event["reason"].as_str().unwrap().to_owned();
    assert!(!reason.is_empty() && !reason.contains('\n'), "{name}: {reason:?}");
    reason
}

fn tone() -> Signal {
    signal::sine(48_000, 2, 24_000, 440.0, 0.5)
}

/// A PCM WAV header with these fields, and one second of 16-bit mono silence after it.
fn header(channels: u16, rate_hz: u32, data_bytes: u32) -> Vec<u8> {
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(data_bytes.saturating_add(36).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    let frame_bytes = channels.max(1) * 2;
    bytes.extend(rate_hz.saturating_mul(u32::from(frame_bytes)).to_le_bytes());
    bytes.extend(frame_bytes.to_le_bytes());
    bytes.extend(16u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data_bytes.to_le_bytes());
    bytes.resize(bytes.len() + 96_000, 0);
    bytes
}

/// Cuts a file at every tenth of its length into the drop.
fn drop_tenths(drop: &Drop, whole: &[u8], extension: &str) -> Vec<String> {
    let cut = |tenth: usize| {
        let name = format!("cut{tenth}.{extension}");
        put(&drop.path(&name), &whole[..whole.len() * tenth / 10]);
        name
    };
    (0..10).map(cut).collect()
}

#[test]
fn empty_file_is_refused() {
    let drop = Drop::new();
    put(&drop.path("empty.wav"), b"");
    drop.assert_refused("empty.wav");
}

#[test]
fn wav_cut_at_every_tenth_is_refused_and_left_in_place() {
    let drop = Drop::new();
    let whole = drop.lab.aside("whole.wav");
    wav::write(&whole, &tone(), Stored::Int(16));
    let names = drop_tenths(&drop, &std::fs::read(&whole).unwrap(), "wav");
    assert_all_refused(&drop, &names);
}

#[test]
fn aiff_cut_at_every_tenth_is_refused_and_left_in_place() {
    let drop = Drop::new();
    let fixture = repository().join("tests/fixtures/tone.aiff");
    let names = drop_tenths(&drop, &std::fs::read(fixture).unwrap(), "aiff");
    assert_all_refused(&drop, &names);
}

#[test]
fn flac_cut_at_every_tenth_is_refused_and_left_in_place() {
    let Some(flac) = Tool::find("flac") else { return };
    let drop = Drop::new();
    let (wav_path, whole) = (drop.lab.aside("whole.wav"), drop.lab.aside("whole.flac"));
    wav::write(&wav_path, &signal::pink(48_000, 2, 96_000, 0.5, 1), Stored::Int(16));
    flac.output(&["--silent", "-o", whole.to_str().unwrap(), wav_path.to_str().unwrap()]);
    let names = drop_tenths(&drop, &std::fs::read(&whole).unwrap(), "flac");
    assert_all_refused(&drop, &names);
}

fn assert_all_refused(drop: &Drop, names: &[String]) {
    let ended = drop.watch();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    for name in names {
        refusal(&ended, name);
        assert!(drop.path(name).exists(), "{name} is gone");
    }
    assert_eq!(drop.lab.files("out"), ["good.wav"]);
}

#[test]
fn mp3_cut_at_every_tenth_is_refused_and_left_in_place() {
    let Some(lame) = Tool::find("lame") else { return };
    let drop = Drop::new();
    let (wav_path, whole) = (drop.lab.aside("whole.wav"), drop.lab.aside("whole.mp3"));
    wav::write(&wav_path, &signal::pink(48_000, 2, 96_000, 0.5, 1), Stored::Int(16));
    lame.output(&["--quiet", wav_path.to_str().unwrap(), whole.to_str().unwrap()]);
    let names = drop_tenths(&drop, &std::fs::read(&whole).unwrap(), "mp3");
    assert_all_refused(&drop, &names);
}

#[test]
fn ogg_cut_at_every_tenth_is_refused_and_left_in_place() {
    let Some(oggenc) = Tool::find("oggenc") else { return };
    let drop = Drop::new();
    let (wav_path, whole) = (drop.lab.aside("whole.wav"), drop.lab.aside("whole.ogg"));
    wav::write(&wav_path, &signal::pink(48_000, 2, 96_000, 0.5, 1), Stored::Int(16));
    oggenc.output(&["--quiet", "-o", whole.to_str().unwrap(), wav_path.to_str().unwrap()]);
    let names = drop_tenths(&drop, &std::fs::read(&whole).unwrap(), "ogg");
    assert_all_refused(&drop, &names);
}

#[test]
fn file_that_promises_more_is_taken_once_it_is_whole() {
    let drop = Drop::new();
    let whole = drop.lab.aside("whole.wav");
    wav::write(&whole, &tone(), Stored::Int(16));
    let bytes = std::fs::read(&whole).unwrap();
    let late = drop.path("late.wav");
    put(&late, &bytes[..bytes.len() / 2]);
    let mut daemon = drop.lab.watch(&[&drop.pipeline]);
    daemon
        .wait_for("late.wav is incomplete", |event| is_about(event, "file-incomplete", "late.wav"));
    let mut file = std::fs::File::options().append(true).open(&late).unwrap();
    file.write_all(&bytes[bytes.len() / 2..]).unwrap();
    std::mem::drop(file);
    daemon.wait_for("late.wav is done", |event| is_about(event, "job-done", "late.wav"));
    assert_eq!(wav::read(&drop.output("late.wav")).signal, wav::read(&whole).signal);
}

#[test]
fn random_bytes_are_refused_whatever_they_are_called() {
    let drop = Drop::new();
    let mut random = Random::new(4);
    let mut names = Vec::new();
    for extension in ["wav", "aif", "aiff", "aifc", "flac", "mp3", "ogg"] {
        let bytes: Vec<u8> = (0..20_000).flat_map(|_| random.bits().to_le_bytes()).collect();
        names.push(format!("noise-{extension}.{extension}"));
        put(&drop.path(names.last().unwrap()), &bytes);
    }
    assert_all_refused(&drop, &names);
}

#[test]
fn text_called_wav_is_refused() {
    let drop = Drop::new();
    put(&drop.path("letter.wav"), "Dear all,\n".repeat(500).as_bytes());
    drop.assert_refused("letter.wav");
}

#[test]
fn text_called_txt_is_left_alone() {
    let drop = Drop::new();
    put(&drop.path("letter.txt"), b"Dear all,\n");
    assert_eq!(drop.watch().code, Some(0));
    assert_eq!(drop.lab.jobs().len(), 1);
}

#[test]
fn header_that_claims_2_to_the_31_frames_is_refused() {
    let drop = Drop::new();
    // 2^31 frames of 16 bits do not fit a RIFF size; the largest data size stands for them.
    put(&drop.path("endless.wav"), &header(1, 48_000, u32::MAX - 36));
    drop.assert_refused("endless.wav");
}

#[test]
fn flac_header_that_claims_2_to_the_31_frames_is_refused() {
    let Some(flac) = Tool::find("flac") else { return };
    let drop = Drop::new();
    let (wav_path, path) = (drop.lab.aside("whole.wav"), drop.lab.aside("whole.flac"));
    wav::write(&wav_path, &tone(), Stored::Int(16));
    flac.output(&["--silent", "-o", path.to_str().unwrap(), wav_path.to_str().unwrap()]);
    let mut bytes = std::fs::read(&path).unwrap();
    // STREAMINFO begins at 8; its last 4 bytes before the MD5 are the low half of the frame count.
    bytes[8 + 14..8 + 18].copy_from_slice(&(1u32 << 31).to_be_bytes());
    put(&drop.path("endless.flac"), &bytes);
    drop.assert_refused("endless.flac");
}

#[test]
fn zero_channels_are_refused() {
    let drop = Drop::new();
    put(&drop.path("nobody.wav"), &header(0, 48_000, 96_000));
    drop.assert_refused("nobody.wav");
}

#[test]
fn zero_hertz_are_refused() {
    let drop = Drop::new();
    put(&drop.path("still.wav"), &header(1, 0, 96_000));
    drop.assert_refused("still.wav");
}

fn assert_bad_sample_is_refused(sample: f32) {
    let drop = Drop::new();
    let mut signal = tone();
    signal.planes[1][12_345] = sample;
    wav::write(&drop.path("bad.wav"), &signal, Stored::Float);
    let reason = drop.assert_refused("bad.wav");
    assert!(reason.contains("12345"), "the frame is not named: {reason}");
}

#[test]
fn sample_that_is_no_number_is_refused_by_its_frame() {
    assert_bad_sample_is_refused(f32::NAN);
}

#[test]
fn infinite_sample_is_refused_by_its_frame() {
    assert_bad_sample_is_refused(f32::NEG_INFINITY);
}

#[test]
fn single_frame_is_processed() {
    let drop = Drop::new();
    wav::write(&drop.path("one.wav"), &signal::sine(48_000, 2, 1, 440.0, 0.5), Stored::Int(16));
    drop.assert_processed("one.wav", "one.wav", 1);
}

#[test]
fn eight_channels_at_192_khz_are_processed() {
    let drop = Drop::new();
    let wide = signal::pink(192_000, 8, 50_001, 0.5, 2);
    wav::write(&drop.path("wide.wav"), &wide, Stored::Int(24));
    drop.assert_processed("wide.wav", "wide.wav", 50_001);
    let output = wav::read(&drop.output("wide.wav"));
    assert_eq!((output.spec.channels, output.spec.sample_rate), (8, 192_000));
    assert_eq!(output.signal, wav::read(&drop.path("wide.wav")).signal);
}

#[test]
fn unreadable_file_is_refused() {
    let mut drop = Drop::new();
    let secret = drop.path("secret.wav");
    wav::write(&secret, &tone(), Stored::Int(16));
    drop.lab.drop_privileges();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o000)).unwrap();
    let reason = drop.assert_refused("secret.wav");
    assert!(reason.to_lowercase().contains("permission"), "{reason}");
}

#[test]
fn unreadable_file_is_reported_as_refused_in_words_that_fit() {
    let mut drop = Drop::new();
    let secret = drop.path("secret.wav");
    wav::write(&secret, &tone(), Stored::Int(16));
    drop.lab.drop_privileges();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o000)).unwrap();
    let words = [Path::new("watch"), Path::new("--until-idle"), &drop.pipeline];
    let ended = drop.lab.run(words);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let line = "in/secret.wav cannot be read: permission denied";
    assert!(ended.stderr.lines().any(|shown| shown.ends_with(line)), "{ended:?}");
    assert!(ended.stderr.contains("1 done, 1 unreadable"), "{ended:?}");
}

#[test]
fn folder_that_can_be_listed_again_is_no_longer_reported() {
    let mut drop = Drop::new();
    wav::write(&drop.path("closed/take.wav"), &tone(), Stored::Int(16));
    drop.lab.drop_privileges();
    let closed = drop.lab.root().join("in/closed");
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o000)).unwrap();
    let mut daemon = drop.lab.watch(&[&drop.pipeline]);
    let event = daemon.wait_for("in/closed", |event| is_about(event, "file-refused", "in/closed"));
    assert_eq!(event["refusal"], "unreadable", "{event}");
    let refused = || {
        let ended = drop.lab.run(["status", "--json"]);
        ended.json()["daemon"]["watches"][0]["refused"].as_object().unwrap().len()
    };
    assert_eq!(refused(), 1);
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o755)).unwrap();
    daemon.wait_for("take.wav", |event| is_about(event, "job-done", "closed/take.wav"));
    assert_eq!(refused(), 0);
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn file_that_vanishes_while_it_is_read_leaves_nothing_half() {
    let drop = Drop::new();
    let brief = drop.path("brief.wav");
    let noise = signal::pink(48_000, 2, 48_000 * 20, 0.5, 3);
    wav::write(&brief, &noise, Stored::Int(16));
    let mut daemon = drop.lab.watch(&[&drop.pipeline]);
    daemon.wait_for("its job", |event| is_about(event, "job-started", "brief.wav"));
    std::fs::remove_file(&brief).unwrap();
    let ends = ["job-done", "job-failed", "job-canceled"];
    daemon.wait_for("its end", |event| ends.iter().any(|end| is_about(event, end, "brief.wav")));
    daemon.wait_for("good.wav", |event| is_about(event, "job-done", "good.wav"));
    daemon.terminate();
    let output = drop.output("brief.wav");
    if output.exists() {
        assert_eq!(wav::read(&output).signal.frame_count(), noise.frame_count());
    }
    assert!(drop.lab.files("out").iter().all(|file| !has_extension(file, "part")));
}

#[test]
fn file_rewritten_while_it_is_read_ends_as_its_last_content() {
    let mut drop = Drop::new();
    let text = PIPELINE.replace("{ext}\"", "{ext}\"\non_conflict = \"replace\"");
    drop.pipeline = drop.lab.pipeline("bad", &text);
    let (path, aside) = (drop.path("take.wav"), drop.lab.aside("take.wav"));
    wav::write(&path, &signal::pink(48_000, 2, 48_000 * 20, 0.5, 3), Stored::Int(16));
    let last = signal::pink(48_000, 2, 48_000, 0.5, 4);
    wav::write(&aside, &last, Stored::Int(16));
    let bytes = std::fs::read(&aside).unwrap();
    let mut daemon = drop.lab.watch(&[&drop.pipeline]);
    daemon.wait_for("its job", |event| is_about(event, "job-started", "take.wav"));
    put(&path, &bytes);
    let output = drop.output("take.wav");
    wait_until("the output has the last content", || {
        output.exists() && wav::read(&output).signal == wav::read(&aside).signal
    });
    daemon.terminate();
}

#[test]
fn growing_file_is_taken_once_after_its_last_byte() {
    let drop = Drop::new();
    let whole = drop.lab.aside("whole.wav");
    wav::write(&whole, &signal::pink(48_000, 2, 48_000, 0.5, 5), Stored::Int(16));
    let bytes = std::fs::read(&whole).unwrap();
    let slow = drop.path("slow.wav");
    let mut daemon = drop.lab.watch(&[&drop.pipeline]);
    daemon.wait_until_started();
    let mut file = std::fs::File::create(&slow).unwrap();
    for piece in bytes.chunks(bytes.len() / 20) {
        file.write_all(piece).unwrap();
        daemon.observe(std::time::Duration::from_millis(50));
    }
    std::mem::drop(file);
    daemon.wait_for("slow.wav", |event| is_about(event, "job-done", "slow.wav"));
    assert_eq!(wav::read(&drop.output("slow.wav")).signal, wav::read(&whole).signal);
    let starts = |event: &&serde_json::Value| is_about(event, "job-started", "slow.wav");
    assert_eq!(daemon.events().iter().filter(starts).count(), 1);
}

#[test]
fn fifo_is_refused_and_no_failure() {
    let drop = Drop::new();
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, drop.path("pipe.wav"), FileType::Fifo, mode, 0).unwrap();
    assert!(drop.assert_passed_over("pipe.wav").contains("fifo"));
}

#[test]
fn dangling_symlink_is_refused_and_no_failure() {
    let drop = Drop::new();
    symlink(drop.lab.root().join("nowhere.wav"), drop.path("dangling.wav")).unwrap();
    assert!(drop.assert_passed_over("dangling.wav").contains("link"));
}

#[test]
fn symlink_to_itself_is_refused_and_no_failure() {
    let drop = Drop::new();
    symlink("loop.wav", drop.path("loop.wav")).unwrap();
    assert!(drop.assert_passed_over("loop.wav").contains("link"));
}

#[test]
fn symlink_to_its_own_folder_is_not_followed() {
    let drop = Drop::new();
    symlink(".", drop.path("around")).unwrap();
    assert_eq!(drop.watch().code, Some(0));
    assert_eq!(drop.lab.files("out"), ["good.wav"]);
}

fn assert_name_is_processed(name: &str, output: &str) {
    let drop = Drop::new();
    wav::write(&drop.path(name), &tone(), Stored::Int(16));
    drop.assert_processed(name, output, tone().frame_count());
}

#[test]
fn name_with_a_newline_is_processed() {
    // An output's name is one line, so that lists of files stay lists.
    assert_name_is_processed("two\nlines.wav", "two_lines.wav");
}

#[test]
fn name_with_an_emoji_is_processed() {
    assert_name_is_processed("\u{1f3b5} tune.wav", "\u{1f3b5} tune.wav");
}

#[test]
fn name_of_255_bytes_is_processed() {
    let name = format!("{}.wav", "n".repeat(251));
    assert_name_is_processed(&name, &name);
}

#[test]
fn bad_file_with_a_newline_in_its_name_is_reported_in_one_line() {
    let drop = Drop::new();
    put(&drop.path("two\nlines.wav"), b"no audio");
    let words = ["watch", "--until-idle"];
    let ended = drop.lab.run(words.iter().map(AsRef::as_ref).chain([drop.pipeline.as_path()]));
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let text = format!("{}{}", ended.stdout, ended.stderr);
    let is_shown = text.lines().any(|line| line.contains("two") && line.contains("lines.wav"));
    assert!(is_shown, "{ended:?}");
}

#[test]
fn read_only_output_folder_fails_the_job_and_names_it() {
    let mut drop = Drop::new();
    wav::write(&drop.path("closed/take.wav"), &tone(), Stored::Int(16));
    let folder = drop.lab.path("out/closed/x").parent().unwrap().to_path_buf();
    drop.lab.drop_privileges();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o555)).unwrap();
    let ended = drop.watch();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let reason = refusal(&ended, "closed/take.wav");
    assert!(reason.contains("closed"), "{reason}");
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(drop.lab.files("out"), ["good.wav"]);
}

#[test]
fn output_inside_the_watched_folder_is_refused_before_anything_runs() {
    let lab = Lab::new();
    let pipeline = lab.pipeline("loop", &PIPELINE.replace("\"out/", "\"in/out/"));
    wav::write(&lab.path("in/good.wav"), &tone(), Stored::Int(16));
    for words in [&["check"][..], &["watch", "--until-idle"]] {
        let words: Vec<&Path> = words.iter().map(Path::new).chain([pipeline.as_path()]).collect();
        let ended = lab.run(words);
        assert_eq!(ended.code, Some(78), "{ended:?}");
    }
    assert_eq!(lab.files("in"), ["good.wav"]);
}

#[test]
fn two_inputs_with_one_output_name_give_one_output_and_one_refusal() {
    let mut drop = Drop::new();
    drop.pipeline = drop.lab.pipeline("bad", &PIPELINE.replace("/{reldir}/", "/"));
    wav::write(&drop.path("a/twin.wav"), &tone(), Stored::Int(16));
    wav::write(&drop.path("b/twin.wav"), &tone(), Stored::Int(16));
    let ended = drop.watch();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let done = ["a/twin.wav", "b/twin.wav"].iter().filter(|n| ended.event("job-done", n).is_some());
    assert_eq!(done.count(), 1, "{ended:?}");
    let refused = if ended.event("job-done", "a/twin.wav").is_some() { "b" } else { "a" };
    let reason = refusal(&ended, &format!("{refused}/twin.wav"));
    assert!(reason.contains("twin.wav"), "{reason}");
    assert_eq!(drop.lab.files("out"), ["good.wav", "twin.wav"]);
}
