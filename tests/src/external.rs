//! Programs that are not ours: encoders whose files we must read, readers that must read our files.

use crate::signal::Signal;
use crate::wav;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An installed program.
#[derive(Clone, Debug)]
pub struct Tool {
    path: PathBuf,
}

impl Tool {
    /// Finds a program in `PATH`; says that the calling test is skipped when it is missing.
    #[expect(clippy::print_stderr, reason = "the gate counts this line")]
    pub fn find(name: &str) -> Option<Self> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|p| p.is_file());
        if path.is_none() {
            eprintln!("skipped: {name} is not installed");
        }
        path.map(|path| Self { path })
    }

    /// The program that an environment variable names; says that the calling test is skipped when it
    /// names none.
    #[expect(clippy::print_stderr, reason = "the gate counts this line")]
    pub fn named(variable: &str) -> Option<Self> {
        let path = std::env::var_os(variable).map(PathBuf::from);
        if path.is_none() {
            eprintln!("skipped: {variable} names no program");
        }
        path.map(|path| Self { path })
    }

    /// Whether it is a Python that has these modules; says that the test is skipped when not.
    #[expect(clippy::print_stderr, reason = "the gate counts this line")]
    pub fn imports(&self, modules: &str) -> bool {
        let script = format!("import {modules}");
        let output = self.command().args(["-c", &script]).output();
        let has_them = output.is_ok_and(|output| output.status.success());
        if !has_them {
            eprintln!("skipped: {} does not have all of {modules}", self.path.display());
        }
        has_them
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A command of the program, without input.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.stdin(Stdio::null());
        command
    }

    /// Runs it and returns what it printed; panics with its complaint when it fails.
    pub fn output<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Vec<u8> {
        let output = self.command().args(arguments).output().expect("the program starts");
        let complaint = String::from_utf8_lossy(&output.stderr);
        let name = self.path.display();
        assert!(output.status.success(), "{name} failed ({}): {complaint}", output.status);
        output.stdout
    }
}

/// `ffmpeg` and `ffprobe`.
#[derive(Clone, Debug)]
pub struct Ffmpeg {
    ffmpeg: Tool,
    ffprobe: Tool,
}

impl Ffmpeg {
    /// Finds both; says that the test is skipped when one is missing.
    pub fn find() -> Option<Self> {
        Some(Self { ffmpeg: Tool::find("ffmpeg")?, ffprobe: Tool::find("ffprobe")? })
    }

    /// Converts `from` to `to`, with these options between.
    pub fn convert(&self, from: &Path, options: &[&str], to: &Path) {
        let mut arguments: Vec<&OsStr> =
            ["-v", "error", "-nostdin", "-y", "-i"].iter().map(OsStr::new).collect();
        arguments.push(from.as_os_str());
        arguments.extend(options.iter().map(OsStr::new));
        arguments.push(to.as_os_str());
        self.ffmpeg.output(&arguments);
    }

    /// Decodes a file to floats.
    pub fn decode(&self, path: &Path) -> Signal {
        let (rate, channels) = self.rate_and_channels(path);
        let bytes = self.raw(path, "f32le");
        let sample = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let samples: Vec<f32> = bytes.chunks_exact(4).map(sample).collect();
        Signal { sample_rate_hz: rate, planes: wav::planes(&samples, channels) }
    }

    /// Decodes a file to 32-bit integers, interleaved: the way to compare bit by bit.
    pub fn decode_integers(&self, path: &Path) -> Vec<i32> {
        let bytes = self.raw(path, "s32le");
        bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }

    /// All tags that `ffprobe` shows, of the file and its stream, keys in lower case.
    pub fn tags(&self, path: &Path) -> Vec<(String, String)> {
        let info = self.probe(path);
        let tables = [&info["format"]["tags"], &info["streams"][0]["tags"]];
        let entries = tables.iter().filter_map(|table| table.as_object()).flatten();
        entries
            .map(|(key, value)| (key.to_lowercase(), value.as_str().unwrap_or("").to_owned()))
            .collect()
    }

    /// What `ffprobe` says about the file and its first audio stream.
    pub fn probe(&self, path: &Path) -> serde_json::Value {
        let mut arguments: Vec<&OsStr> = [
            "-v",
            "error",
            "-of",
            "json",
            "-show_format",
            "-show_streams",
            "-select_streams",
            "a:0",
        ]
        .iter()
        .map(OsStr::new)
        .collect();
        arguments.push(path.as_os_str());
        serde_json::from_slice(&self.ffprobe.output(&arguments)).expect("ffprobe prints JSON")
    }

    fn rate_and_channels(&self, path: &Path) -> (u32, usize) {
        let info = self.probe(path);
        let stream = &info["streams"][0];
        let rate = stream["sample_rate"].as_str().and_then(|text| text.parse().ok());
        let channels = stream["channels"].as_u64().and_then(|count| usize::try_from(count).ok());
        (rate.expect("a rate"), channels.expect("channels"))
    }

    fn raw(&self, path: &Path, format: &str) -> Vec<u8> {
        let path = path.as_os_str();
        let mut arguments: Vec<&OsStr> =
            ["-v", "error", "-nostdin", "-i"].iter().map(OsStr::new).collect();
        arguments.push(path);
        arguments.extend(["-map", "0:a:0", "-f", format, "-"].into_iter().map(OsStr::new));
        self.ffmpeg.output(&arguments)
    }
}
