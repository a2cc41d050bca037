//! Files that get one gain together: measured once each, whoever asks and however often.

use crate::kept::{Kept, Key};
use serde::{Deserialize, Serialize};
use std::path::Path;
use wavemill_core::analysis;
use wavemill_core::loudness::{GroupLoudness, Piece};
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::execution::{
    self, Job, JobGroup, LeftOut, Member, Places, RunError, identity,
};

/// Bytes of all pieces that are kept. A minute takes up to 12 kB, and the longest that is kept lasts
/// about an hour and a half.
const BYTES_MAX: u64 = 256 << 20;

/// What was measured before, by content, pipeline, modules and version.
#[derive(Clone, Debug)]
pub struct Pieces(Kept);

impl Pieces {
    /// Those of a state folder; nothing is made before something is kept.
    pub fn of_state(state: &Path) -> Self {
        Self(Kept::of_state(state, "pieces", BYTES_MAX))
    }

    /// Measures a file, unless it was measured before.
    ///
    /// # Errors
    /// As [`execution::measure`].
    pub fn measure(
        &self,
        pipeline: &Pipeline,
        job: &Job,
        places: &Places<'_>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Member, RunError> {
        let key = key_of(pipeline, job);
        if let Some(piece) = self.0.get::<Piece>(&key) {
            progress(1.0);
            return Ok(Member::Piece(piece));
        }
        let member = execution::measure(pipeline, job, places, progress)?;
        if let Member::Piece(piece) = &member {
            self.0.put(&key, piece);
        }
        Ok(member)
    }
}

/// The extension helps to recognize a file and to read its tags, which conditions look at.
fn key_of(pipeline: &Pipeline, job: &Job) -> Key {
    let extension = job.input.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let (version, program) = (analysis::VERSION, env!("CARGO_PKG_VERSION"));
    let content = &job.hash;
    Key::of(&format!("{content}\0{version}\0{program}\0{extension}\0{}", identity(pipeline)))
}

/// A file of a group.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What people call it.
    pub name: String,
    /// Its job, or why it has none.
    pub job: Result<Job, String>,
}

/// A group whose files were measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    loudness: GroupLoudness,
    left_out: Vec<LeftOut>,
    /// What was measured of each file, by its content.
    pieces: Vec<(String, Piece)>,
}

impl Group {
    /// Measures files that belong together. Those that are at fault, or that the pipeline rejects, are left
    /// out. `progress` is told which file is measured, and how far the whole is.
    ///
    /// # Errors
    /// When it was canceled, or the machine is at fault: a file that could be measured next time must not
    /// be left out.
    pub fn measure(
        pieces: &Pieces,
        pipeline: &Pipeline,
        files: &[Candidate],
        places: &Places<'_>,
        progress: &mut dyn FnMut(usize, f64),
    ) -> Result<Self, RunError> {
        let count = files.len().max(1) as f64;
        let mut measured = Vec::new();
        let mut left_out = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let mut share = |share| progress(index, (index as f64 + share) / count);
            share(0.0);
            let member = match &file.job {
                Ok(job) => pieces
                    .measure(pipeline, job, places, &mut share)
                    .map(|member| (job.hash.clone(), member)),
                Err(reason) => Ok((String::new(), Member::LeftOut(reason.clone()))),
            };
            let (hash, member) = match member {
                Err(RunError::Canceled) => return Err(RunError::Canceled),
                Err(RunError::Transient { reason }) => {
                    let reason = format!("{} cannot be measured: {reason}", file.name);
                    return Err(RunError::Transient { reason });
                }
                Err(at_fault) => (String::new(), Member::LeftOut(at_fault.to_string())),
                Ok(member) => member,
            };
            match member {
                Member::Piece(piece) => measured.push((hash, piece)),
                Member::LeftOut(reason) => {
                    left_out.push(LeftOut { name: file.name.clone(), reason });
                }
            }
        }
        let loudness = GroupLoudness::of(measured.iter().map(|(_, piece)| piece));
        let alone = |(hash, piece): (String, Piece)| (hash, piece.alone());
        Ok(Self { loudness, left_out, pieces: measured.into_iter().map(alone).collect() })
    }

    /// What the run of one of its files is told.
    pub fn of_file(&self, hash: &str) -> JobGroup {
        JobGroup {
            loudness: self.loudness,
            piece: self.pieces.iter().find(|(of, _)| of == hash).map(|(_, piece)| piece.clone()),
            left_out: self.left_out.clone(),
        }
    }
}
