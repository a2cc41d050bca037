//! Programs that are not ours, asked about a file that is: each `None` where it is not installed.

use super::run_tool;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file for programs that want to seek; removed in the end.
pub struct OnDisk(PathBuf);

impl OnDisk {
    /// These bytes, in a file with this extension and a name of its own.
    pub fn new(bytes: &[u8], extension: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{count}.{extension}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        File::create(&path).unwrap().write_all(bytes).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// What `ffmpeg` decodes, interleaved, as raw samples of this format (`f32le`, `s32le`); a warning
    /// is a failure.
    pub fn by_ffmpeg(&self, raw: &str) -> Option<Vec<u8>> {
        let codec = format!("pcm_{raw}");
        let arguments = [
            "-v",
            "warning",
            "-guess_layout_max",
            "0",
            "-i",
            self.path(),
            "-f",
            raw,
            "-c:a",
            &codec,
            "pipe:1",
        ];
        Some(silent("ffmpeg", run_tool("ffmpeg", &arguments, &[])?))
    }

    /// What `ffprobe` says of the first stream and the file, a line each: `key=value`, tags included.
    pub fn by_ffprobe(&self) -> Option<String> {
        let arguments = ["-v", "warning", "-show_streams", "-show_format", self.path()];
        let found = silent("ffprobe", run_tool("ffprobe", &arguments, &[])?);
        Some(String::from_utf8(found).unwrap())
    }

    /// What `sox` decodes, interleaved, as raw samples: `["-e", "signed", "-b", "32"]`.
    pub fn by_sox(&self, raw: &[&str]) -> Option<Vec<u8>> {
        let arguments = [&["-D", self.path(), "-L", "-t", "raw"], raw, &["-"]].concat();
        Some(silent("sox", run_tool("sox", &arguments, &[])?))
    }

    /// What a program prints that is given the file after these arguments; it must succeed.
    pub fn output_of(&self, tool: &str, arguments: &[&str]) -> Option<String> {
        let output = run_tool(tool, &[arguments, &[self.path()]].concat(), &[])?;
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed).into_owned();
        assert!(output.status.success(), "{tool}: {printed}");
        Some(printed)
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What a program wrote, unless it failed or complained.
fn silent(tool: &str, output: Output) -> Vec<u8> {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{tool}: {complaint}");
    output.stdout
}
