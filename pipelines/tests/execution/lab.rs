//! A folder to run pipelines in.

use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use wavemill_pipelines::execution::{
    Decision, Hooks, Job, Outcome, Places, PreparedOutput, Proposal, RunError, run,
};
use wavemill_pipelines::model::Defaults;
use wavemill_pipelines::{Effects, Pipeline, load};

/// A folder with places for inputs, outputs and spools; gone when it is dropped.
pub(crate) struct Lab {
    folder: TempDir,
    pub(crate) cancel: AtomicBool,
}

/// What a run came to, its report as people read it.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) rejected: Option<String>,
    pub(crate) outputs: Vec<PreparedOutput>,
    pub(crate) report: Value,
    pub(crate) notes: Vec<String>,
}

/// The caller's side of a run: every output is written beside its name.
pub(crate) struct Answers<'a> {
    /// What happens at this share of the run.
    pub(crate) cancel_at: Option<(f64, &'a AtomicBool)>,
    /// Outputs that are left out, by number.
    pub(crate) skip: Vec<usize>,
    pub(crate) proposals: Vec<Proposal>,
    pub(crate) shares: Vec<f64>,
    /// Called at the first progress.
    pub(crate) at_start: Option<Box<dyn FnOnce() + 'a>>,
}

impl Answers<'_> {
    pub(crate) fn new() -> Self {
        Self {
            cancel_at: None,
            skip: Vec::new(),
            proposals: Vec::new(),
            shares: Vec::new(),
            at_start: None,
        }
    }
}

impl Hooks for Answers<'_> {
    fn decide(&mut self, proposals: &[Proposal]) -> Result<Vec<Decision>, RunError> {
        assert!(self.proposals.is_empty(), "a run decides once");
        self.proposals = proposals.to_vec();
        let decisions = proposals.iter().enumerate().map(|(index, proposal)| {
            if self.skip.contains(&index) {
                return Decision::Skip { reason: "taken".to_owned() };
            }
            let mut temporary = proposal.path.clone().into_os_string();
            temporary.push(format!(".{index}.part"));
            Decision::Write { temporary: temporary.into(), path: proposal.path.clone() }
        });
        Ok(decisions.collect())
    }

    fn progress(&mut self, share: f64) {
        if let Some(start) = self.at_start.take() {
            start();
        }
        self.shares.push(share);
        if let Some((at, cancel)) = self.cancel_at
            && share >= at
        {
            cancel.store(true, Ordering::Relaxed);
        }
    }
}

impl Lab {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        Self { folder, cancel: AtomicBool::new(false) }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Writes bytes as an input file.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path("in").join(name);
        File::create(&path).unwrap().write_all(bytes).unwrap();
        path
    }

    pub(crate) fn job(input: &Path) -> Job {
        let hash = fs::read(input).map(|bytes| blake3::hash(&bytes).to_hex().to_string());
        Job {
            id: "0f1e2d3c".to_owned(),
            attempt: 1,
            input: input.to_owned(),
            name: PathBuf::new(),
            reldir: PathBuf::new(),
            created: "2026-03-31T23:30:00+02:00[Europe/Berlin]".to_owned(),
            hash: hash.unwrap_or_default(),
            group: None,
        }
    }

    /// Runs a pipeline and gives its outputs their final names.
    pub(crate) fn run(&self, pipeline: &Pipeline, input: &Path) -> Result<Finished, RunError> {
        self.run_with(pipeline, input, &mut Answers::new())
    }

    pub(crate) fn run_with(
        &self,
        pipeline: &Pipeline,
        input: &Path,
        answers: &mut Answers<'_>,
    ) -> Result<Finished, RunError> {
        let (output_root, spool) = (self.path("out"), self.path("spool"));
        let places = Places {
            output_root: &output_root,
            spool: &spool,
            cancel: &self.cancel,
            access: Places::direct(),
        };
        let outcome = run(pipeline, &Self::job(input), &places, answers)?;
        for output in &outcome.outputs {
            fs::rename(&output.temporary, &output.path).unwrap();
        }
        let Outcome { rejected, outputs, report } = outcome;
        Ok(Finished { rejected, outputs, notes: report.notes(), report: report.to_json() })
    }

    /// Every file below a folder, relative to it, in order.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        let root = self.path(below);
        let mut files = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path.strip_prefix(&root).unwrap().display().to_string());
                }
            }
        }
        files.sort();
        files
    }
}

/// A pipeline from its text; the head is put in front.
pub(crate) fn pipeline(body: &str) -> Pipeline {
    let text = format!("version = 1\n[pipeline]\nname = \"test\"\n{body}");
    match load(&text, &Defaults::default(), &Effects::default()) {
        Ok(loaded) => loaded.pipeline,
        Err(found) => panic!("{found:#?}\n{text}"),
    }
}

/// Noise with a fixed seed, between -0.5 and 0.5: Numerical Recipes' "quick and dirty" generator.
pub(crate) fn noise(seed: u32, frames: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / f64::from(u32::MAX) - 0.5
    };
    #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
    let plane = (0..frames).map(|_| next() as f32).collect();
    plane
}

/// A WAV file made by hound: 8, 16, 24 or 32 bits, or floats with `bits` 0.
pub(crate) fn wav(rate: u32, bits: u16, planes: &[Vec<f32>]) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: u16::try_from(planes.len()).unwrap(),
        sample_rate: rate,
        bits_per_sample: if bits == 0 { 32 } else { bits },
        sample_format: if bits == 0 {
            hound::SampleFormat::Float
        } else {
            hound::SampleFormat::Int
        },
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for frame in 0..planes.first().map_or(0, Vec::len) {
        for plane in planes {
            if bits == 0 {
                writer.write_sample(plane[frame]).unwrap();
            } else {
                let scale = f64::from(1u32 << (bits - 1));
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the noise is below full scale"
                )]
                writer.write_sample((f64::from(plane[frame]) * scale).round() as i32).unwrap();
            }
        }
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

/// The integers of a WAV file, interleaved, as hound reads them.
pub(crate) fn integers(path: &Path) -> (hound::WavSpec, Vec<i32>) {
    let mut reader = hound::WavReader::open(path).unwrap();
    (reader.spec(), reader.samples::<i32>().map(Result::unwrap).collect())
}

/// The floats of a WAV file, interleaved, as hound reads them.
pub(crate) fn floats(path: &Path) -> (hound::WavSpec, Vec<f32>) {
    let mut reader = hound::WavReader::open(path).unwrap();
    (reader.spec(), reader.samples::<f32>().map(Result::unwrap).collect())
}

/// Noise below some kilohertz, which no bit rate of these tests leaves out.
pub(crate) fn dull(frames: usize) -> [Vec<f32>; 2] {
    [1, 2].map(|seed| {
        let mut state = 0.0;
        let smooth = |sample: f32| {
            state += 0.1 * (sample - state);
            state
        };
        noise(seed, frames).into_iter().map(smooth).collect()
    })
}

/// A chunk of a RIFF file.
pub(crate) fn chunk(id: [u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).unwrap().to_le_bytes();
    [id.as_slice(), &size, body].concat()
}

/// A WAV file of these chunks.
pub(crate) fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(*b"RIFF", &[b"WAVE".as_slice(), &chunks.concat()].concat())
}
