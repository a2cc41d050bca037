//! The recordings that steps of a job go by: decoded and measured before the steps are built.

use super::source::Input;
use super::{FileAccess, RunError};
use crate::error::refused;
use crate::model::{Pipeline, Step};
use crate::profiles;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use wavemill_core::advice::Profile;
use wavemill_core::audio::{Block, convert};
use wavemill_core::decode::Damaged;
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::matching::{Reference, ReferenceMeter};

/// What was measured, by path.
pub(crate) type References = BTreeMap<PathBuf, Reference>;

impl Step {
    /// The audio file that it goes by, if there is one; or a name that [`profiles::of_reference`] knows.
    pub(crate) fn reference(&self) -> Option<&Path> {
        let (descriptor, params) = self.built_in()?;
        params.optional_choice(descriptor.audio_file()?).map(Path::new)
    }
}

/// The genre profile that a reference names.
fn profile(reference: &Path) -> Option<&'static Profile> {
    profiles::of_reference(reference.to_str()?)?.ok()
}

impl Pipeline {
    /// The audio files that its steps go by.
    pub(crate) fn references(&self) -> impl Iterator<Item = &Path> {
        self.steps.iter().filter_map(Step::reference).filter(|path| profile(path).is_none())
    }

    /// What distinguishes these files from others with the same names: size and time of modification.
    pub(crate) fn reference_stamps(&self) -> Vec<Option<(u64, u128)>> {
        self.references().map(|path| stamp(path).ok()).collect()
    }
}

fn stamp(path: &Path) -> std::io::Result<(u64, u128)> {
    let metadata = std::fs::metadata(path)?;
    let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    Ok((metadata.len(), metadata.modified().map(since)?))
}

/// Measures the files of these steps, each once.
pub(super) fn measure<'s>(
    steps: impl Iterator<Item = &'s Step>,
    access: &dyn FileAccess,
    cancel: &AtomicBool,
) -> Result<References, RunError> {
    let mut references = References::new();
    for (step, path) in steps.filter_map(|step| Some((step, step.reference()?))) {
        if references.contains_key(path) {
            continue;
        }
        let reference = match profile(path) {
            Some(profile) => Reference::Profile(Box::new(profile.clone())),
            None => of_file(path, access, cancel).map_err(|error| at(step, path, error))?,
        };
        references.insert(path.to_owned(), reference);
    }
    Ok(references)
}

fn of_file(
    path: &Path,
    access: &dyn FileAccess,
    cancel: &AtomicBool,
) -> Result<Reference, RunError> {
    let mut input = Input::open(path, Damaged::Refuse, access)?;
    let spec = input.info.spec.clone();
    let mut meter = ReferenceMeter::new(&spec);
    let mut block = Block::new(spec.channel_count(), BLOCK_FRAMES);
    let mut reader = input.reader()?;
    while let Some(samples) = reader.next()? {
        if cancel.load(Ordering::Relaxed) {
            return Err(RunError::Canceled);
        }
        convert::to_block(samples, &mut block);
        meter.push(&block);
    }
    input.check_unchanged()?;
    let silent = "has no loudness: silent, shorter than 400 ms or below -70 LUFS";
    meter.finish().ok_or_else(|| refused(silent))
}

/// An error of a reference: not of the source, whoever is at fault.
fn at(step: &Step, path: &Path, error: RunError) -> RunError {
    let line = |reason: String| {
        let label = step.id.as_deref().unwrap_or(step.name());
        format!("step `{label}`: the reference {} {reason}", path.display())
    };
    match error {
        RunError::Input { reason, .. } | RunError::Refused { reason } => refused(line(reason)),
        RunError::Transient { reason } => RunError::Transient { reason: line(reason) },
        RunError::Canceled => RunError::Canceled,
    }
}
