//! The plugin as VST3: in a host that is not ours, pedalboard, which is built on JUCE, and in a small one that is.
#![allow(clippy::unwrap_used, reason = "a test binary: a panic is a failed test")]

#[path = "../common/chain.rs"]
mod chain;
mod changes;
mod component;
#[path = "../common/ebu.rs"]
mod ebu;
mod exported;
mod modes;
mod module;
#[path = "../../../tests/xtask/src/module_info.rs"]
mod module_info;
mod outputs;
mod rack;
#[path = "../../../core/tests/loudness/signals.rs"]
#[allow(
    dead_code,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "core's own tests use all of it, and rounding to f32 is meant"
)]
mod signals;

use ebu::Case;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names a Python that has pedalboard and numpy.
const PYTHON: &str = "WAVEMILL_PYTHON";

/// A host, and the plugin as it wants it.
struct Host {
    python: PathBuf,
    folder: tempfile::TempDir,
}

#[expect(clippy::print_stderr, reason = "the gate counts this line")]
fn skip(reason: &str) -> Option<Host> {
    eprintln!("skipped: {reason}");
    None
}

impl Host {
    /// Says that the test is skipped where there is no such host.
    fn find() -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return skip("VST3 is tested on Linux only");
        }
        let python = std::env::var_os(PYTHON).map_or_else(|| "python3".into(), PathBuf::from);
        let has_host = Command::new(&python)
            .args(["-c", "import numpy, pedalboard"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !has_host {
            let name = python.display();
            return skip(&format!("{name} has no pedalboard; {PYTHON} names a Python that has"));
        }
        let host = Self { python, folder: tempfile::tempdir().unwrap() };
        let library = host.library();
        std::fs::create_dir_all(library.parent().unwrap()).unwrap();
        // Cargo puts the library beside the tests that it is built for.
        let tests = std::env::current_exe().unwrap();
        std::fs::copy(tests.with_file_name("libwavemill_plugin.so"), library).unwrap();
        Some(host)
    }

    fn bundle(&self) -> PathBuf {
        self.folder.path().join("Wavemill.vst3")
    }

    /// Source: VST 3 Developer Portal, "Plug-in Format Structure".
    fn library(&self) -> PathBuf {
        let folder = format!("Contents/{}-linux", std::env::consts::ARCH);
        self.bundle().join(folder).join("Wavemill.so")
    }

    fn ask<S: AsRef<OsStr>>(&self, words: &[S]) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vst3/host.py");
        let output = Command::new(&self.python)
            .arg(script)
            .arg(self.bundle())
            .args(words)
            .env("HOME", self.folder.path())
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {printed}", output.status);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Readings of these cases, which have as many channels each.
    fn measure(&self, cases: &[Case]) -> Vec<Value> {
        let channel_count = cases[0].planes.len();
        let files = cases.iter().enumerate().map(|(index, case)| {
            let path = self.folder.path().join(format!("{index}.f32"));
            put(&path, &case.planes);
            path.into_os_string()
        });
        let words = ["measure".into(), channel_count.to_string().into()];
        let words: Vec<_> = words.into_iter().chain(files).collect();
        self.ask(&words).as_array().unwrap().clone()
    }
}

/// Interleaved 32-bit floats.
fn put(path: &Path, planes: &[Vec<f32>]) {
    let mut file = BufWriter::new(std::fs::File::create(path).unwrap());
    for frame in 0..planes[0].len() {
        for plane in planes {
            file.write_all(&plane[frame].to_le_bytes()).unwrap();
        }
    }
    file.flush().unwrap();
}

#[test]
fn vst3_passes_bit_by_bit_in_blocks_of_odd_lengths() {
    let Some(host) = Host::find() else { return };
    for (channels, rate) in [("2", "48000"), ("1", "48000"), ("2", "96000"), ("1", "44100")] {
        let answer = host.ask(&["pass", channels, rate]);
        assert_eq!(answer["wrong"], serde_json::json!([]), "{channels} channels at {rate} Hz");
    }
}

#[test]
fn vst3_has_the_parameters_with_their_values() {
    let Some(host) = Host::find() else { return };
    let switch = serde_json::json!(["False", "True"]);
    let expected = serde_json::json!({
        "bypass": switch,
        "reset_meters": switch,
        "pause_with_transport": switch,
        "reset_on_start": switch,
        "dual_mono": switch,
    });
    assert_eq!(host.ask(&["params"]), expected);
}

#[test]
fn vst3_state_comes_back_in_another_instance() {
    let Some(host) = Host::find() else { return };
    let answer = host.ask(&["state"]);
    assert_eq!(answer["one"], answer["other"]);
    assert_eq!(answer["other"]["state"]["fields"]["capture"], "\"off\"");
    assert_eq!(answer["other"]["values"]["dual_mono"], "True");
    let readings = answer["other"]["state"]["fields"]["readings"].as_str().unwrap();
    let readings: Value = serde_json::from_str(readings).unwrap();
    assert!(readings["integrated_lufs"].is_f64(), "{readings}");
}

#[test]
fn vst3_readings_meet_ebu_3341_and_3342() {
    let Some(host) = Host::find() else { return };
    let mut cases = ebu::stereo_cases();
    // One window of tone: the frames that this host passes before the file move the steps of 100 ms, and
    // with them the integrated loudness of so short a signal away from that of the file.
    cases.retain(|case| !["3341 case 10", "3341 case 13"].contains(&case.name));
    for (case, readings) in cases.iter().zip(host.measure(&cases)) {
        case.judge(&readings);
    }
}

#[test]
fn vst3_readings_of_surround_meet_ebu_3341() {
    let Some(host) = Host::find() else { return };
    for case in ebu::surround_cases() {
        let readings = host.measure(std::slice::from_ref(&case));
        case.judge(&readings[0]);
    }
}
