//! A lab with a pipeline that uses an effect, and a second one that does not.

use crate::module::Source;
use serde_json::Value;
use std::path::{Path, PathBuf};
use wavemill_tests::lab::{Lab, put};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

/// One step with the module `fx/test.wasm`, relative to the pipeline.
pub(crate) const STEP: &str = "[[step]]\neffect = \"fx/test.wasm\"\n";

/// A lab whose folder of pipelines is neither its root nor the current folder.
pub(crate) struct Bench {
    pub(crate) lab: Lab,
    /// Watches `in`, uses the effect.
    pub(crate) pipeline: PathBuf,
    /// Watches `other`, uses no effect.
    pub(crate) other: PathBuf,
}

impl Bench {
    /// With these steps.
    pub(crate) fn new(steps: &str) -> Self {
        let lab = Lab::new();
        let pipeline = lab.pipeline("effects", &text("effects", "in", "out", steps));
        let other = lab.pipeline("other", &text("other", "other", "plain", ""));
        std::fs::create_dir(pipeline.with_file_name("fx")).unwrap();
        Self { lab, pipeline, other }
    }

    /// With one step whose module this is.
    pub(crate) fn with(source: &Source) -> Self {
        let bench = Self::new(STEP);
        bench.install(&source.assemble());
        bench
    }

    /// Where the module is.
    pub(crate) fn module(&self) -> PathBuf {
        self.pipeline.with_file_name("fx").join("test.wasm")
    }

    /// Puts a module there at once, as a careful program does.
    pub(crate) fn install(&self, bytes: &[u8]) {
        let aside = self.module().with_extension("new");
        put(&aside, bytes);
        std::fs::rename(aside, self.module()).unwrap();
    }

    /// Puts noise below the root at once; the same `seed` gives the same file.
    pub(crate) fn drop_noise(&self, name: &str, seconds: usize, seed: u64) -> PathBuf {
        let aside = self.lab.aside("noise.wav");
        let noise = signal::pink(48_000, 2, seconds * 48_000, 0.3, seed);
        wav::write(&aside, &noise, Stored::Int(16));
        let path = self.lab.path(name);
        std::fs::rename(aside, &path).unwrap();
        path
    }

    /// The report that a job of `in/NAME.wav` wrote.
    pub(crate) fn report(&self, name: &str) -> Value {
        let path = self.lab.root().join(format!("out/{name}.json"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    /// BLAKE3 of an output.
    pub(crate) fn hash(&self, below: &str) -> blake3::Hash {
        hash(&self.lab.root().join(below))
    }
}

pub(crate) fn hash(path: &Path) -> blake3::Hash {
    blake3::hash(&std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn text(name: &str, from: &str, to: &str, steps: &str) -> String {
    format!(
        "version = 1\n[pipeline]\nname = \"{name}\"\nconcurrency = 4\nretry = {{ attempts = 1 }}\n\
         [[watch]]\npath = \"{from}\"\nready = {{ stable_for = \"50ms\" }}\n{steps}\
         [[export]]\nformat = \"wav\"\npath = \"{to}/{{stem}}.wav\"\n\
         [report]\njson = \"{to}/{{stem}}.json\"\n"
    )
}
