//! A DAW that dies in the middle of a capture.

use crate::captures::{files, state};
use crate::host::{Running, STEREO, Stream, instance, load};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Names the folder of captures, in the process that will be killed.
const FOLDER: &str = "WAVEMILL_TEST_CAPTURES";

/// Frames of a block, and their time.
const BLOCK_FRAMES: u32 = 480;
const BLOCK_TIME: Duration = Duration::from_millis(10);

/// What may be lost, in seconds, on a busy machine, too.
const LOST_MAX_S: f64 = 1.0;

/// Left and right sample of a frame: each is found once, and exact in 32-bit floats.
fn sample(frame: u32) -> f32 {
    f32::from_bits(0x3f80_0000 + frame) - 1.0
}

/// A DAW that captures until it is killed, and says after each block how much it has played.
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn play(folder: &Path) {
    let mut instance = instance();
    assert!(load(&mut instance, &state(folder)));
    let mut running = Running::with(instance, STEREO);
    running.capture("now");
    for start in (0..60 * 48_000).step_by(BLOCK_FRAMES as usize) {
        let begin = Instant::now();
        let left: Vec<f32> = (start..start + BLOCK_FRAMES).map(sample).collect();
        let right: Vec<f32> = left.iter().map(|sample| -sample).collect();
        running.process(&[left, right], None);
        println!("{}", start + BLOCK_FRAMES);
        // Never faster than real time, even after it had to wait.
        while let Some(rest) = BLOCK_TIME.checked_sub(begin.elapsed()) {
            std::thread::park_timeout(rest);
        }
    }
}

/// Lets such a DAW play for a while and kills it; returns how many frames it played.
fn killed_after(seconds: f64, test: &str, folder: &Path) -> u32 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("kill::{test}"), "--nocapture", "--test-threads", "1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let mut played = 0;
    for line in BufReader::new(stdout).lines() {
        let Ok(frames) = line.unwrap().parse() else { continue };
        played = frames;
        if f64::from(played) >= seconds * STEREO.sample_rate_hz {
            // SIGKILL; what it said meanwhile is still read.
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(!status.success(), "it was to be killed: {status}");
    played
}

/// Reads what is left; says at which frame it begins and ends.
fn left(folder: &Path) -> (u32, u32) {
    let files = files(folder);
    let [file] = &files[..] else { panic!("{files:?}") };
    let mut reader = hound::WavReader::open(file).unwrap();
    let spec = reader.spec();
    assert_eq!((spec.channels, spec.sample_rate), (2, 48_000));
    let samples: Vec<f32> = reader.samples().map(Result::unwrap).collect();
    // Captures were asked for with the first block: silence is in place of what passed before all was ready.
    let is_silent = |pair: &[f32]| pair.iter().all(|sample| sample.to_bits() << 1 == 0);
    let silent = samples.chunks(2).take_while(|pair| is_silent(pair)).count();
    assert!(silent < 48_000, "it begins within a second");
    let first = u32::try_from(silent).unwrap();
    let mut frame = first;
    for pair in samples.chunks(2).skip(silent) {
        let expected = sample(frame);
        assert_eq!(pair.len(), 2, "whole frames");
        assert_eq!(
            [pair[0].to_bits(), pair[1].to_bits()],
            [expected.to_bits(), (-expected).to_bits()]
        );
        frame += 1;
    }
    (first, frame)
}

#[test]
fn capture_of_a_killed_daw_holds_all_but_the_last_second() {
    const TEST: &str = "capture_of_a_killed_daw_holds_all_but_the_last_second";
    if let Some(folder) = std::env::var_os(FOLDER) {
        return play(Path::new(&folder));
    }
    std::thread::scope(|scope| {
        for seconds in [2.6, 2.9, 3.3] {
            scope.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let played = killed_after(seconds, TEST, folder.path());
                let (first, end) = left(folder.path());
                let lost_s = f64::from(played - end) / STEREO.sample_rate_hz;
                let message = format!("of frames {first} to {played}, {lost_s:.3} s are lost");
                println!("{message}");
                assert!(lost_s <= LOST_MAX_S, "{message}");
                assert!(end - first > 48_000, "{message}");
            });
        }
    });
}

/// A DAW that renders long enough to be killed.
fn render(folder: &Path) {
    let choices = serde_json::json!({ "capture_folder": folder, "pipeline": "archive" });
    let mut instance = instance();
    assert!(load(&mut instance, &crate::renders::state(&choices)));
    let mut running = Running::with(instance, Stream { is_offline: true, ..STEREO });
    let mut noise = 1u32;
    for _ in 0..60 * 12 {
        let plane: Vec<f32> = (0..4096)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(u16::try_from(noise >> 16).unwrap()) / 131_072.0 - 0.25
            })
            .collect();
        running.process(&[plane.clone(), plane], None);
    }
    let instance = running.stop();
    // Until it is killed.
    while Path::exists(folder) {
        std::thread::park_timeout(Duration::from_millis(100));
    }
    drop(instance);
}

/// Hidden files and folders, at any depth.
fn hidden(folder: &Path) -> Vec<PathBuf> {
    let all = crate::renders::files(folder);
    let is_hidden = |path: &PathBuf| {
        let below = path.strip_prefix(folder).unwrap();
        below.iter().any(|name| name.as_encoded_bytes()[0] == b'.')
    };
    all.into_iter().filter(is_hidden).collect()
}

#[test]
fn next_render_removes_what_a_killed_daw_left_of_its_own() {
    const TEST: &str = "next_render_removes_what_a_killed_daw_left_of_its_own";
    if let Some(folder) = std::env::var_os(FOLDER) {
        return render(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut daw = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("kill::{TEST}"), "--test-threads", "1"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let part = |path: &PathBuf| path.extension() == Some("part".as_ref());
    crate::renders::wait_for(|| hidden(folder.path()).iter().any(part).then_some(()));
    daw.kill().unwrap();
    daw.wait().unwrap();
    let left = hidden(folder.path());
    assert!(left.iter().any(part), "killed too late: {left:?}");
    let choices = serde_json::json!({ "capture_folder": folder.path(), "pipeline": "archive" });
    let instance = crate::renders::bounce(&choices);
    crate::renders::wait_for(|| (crate::renders::exports(folder.path()).len() == 1).then_some(()));
    // The next render's own end is shown by its last file, which is not its last work.
    crate::renders::wait_for(|| hidden(folder.path()).is_empty().then_some(()));
    drop(instance);
}
