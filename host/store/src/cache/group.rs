//! Files that get one gain together: measured once each, whoever asks and however often.

use crate::cache::{Key, ResultCache};
use serde::{Deserialize, Serialize};
use std::path::Path;
use wavemill_core::analysis;
use wavemill_core::loudness::{GroupLoudness, Piece};
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::execution::{
    self, GroupCorrection, Job, JobGroup, Member, OmittedFile, Places, RunError, identity,
    needs_group_correction,
};

/// Bytes of all pieces that are kept. A minute takes up to 12 kB, and the longest that is kept lasts
/// about an hour and a half.
const BYTES_MAX: u64 = 256 << 20;

/// What was measured before, by content, pipeline, modules and version.
#[derive(Clone, Debug)]
pub struct Pieces(ResultCache);

impl Pieces {
    /// Those of a state folder; nothing is made before something is kept.
    pub fn of_state(state: &Path) -> Self {
        Self(ResultCache::of_state(state, "pieces", BYTES_MAX))
    }

    /// Where they are kept.
    pub fn folder(&self) -> &Path {
        self.0.folder()
    }

    /// Measures a file, unless it was measured before.
    ///
    /// # Errors
    /// As [`execution::measure`].
    pub(crate) fn measure(
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
    Key::of(format!("{content}\0{version}\0{program}\0{extension}\0{}", identity(pipeline)))
}

/// A file of a group.
pub struct Candidate<'a> {
    /// What people call it.
    pub name: String,
    /// Finds out its job, or why it has none, when its turn comes.
    pub job: Box<dyn Fn() -> Result<Job, String> + 'a>,
}

/// A group whose files were measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupMeasurements {
    loudness: GroupLoudness,
    left_out: Vec<OmittedFile>,
    /// What was measured of each file, by its content.
    pieces: Vec<(String, Piece)>,
    /// Their common correction of each export.
    #[serde(default)]
    exports: Vec<GroupCorrection>,
}

impl GroupMeasurements {
    /// Measures files that belong together, and finds the correction that their exports share. Those that are at
    /// fault, or that the pipeline rejects, are left out. `progress` is given the file at work, and how far the
    /// whole is.
    ///
    /// # Errors
    /// When it was canceled, or the machine is at fault: a file that could be measured next time must not
    /// be left out.
    pub fn measure(
        pieces: &Pieces,
        pipeline: &Pipeline,
        files: &[Candidate<'_>],
        places: &Places<'_>,
        progress: &mut dyn FnMut(usize, f64),
    ) -> Result<Self, RunError> {
        // Trials take longer than measures.
        let measures_share = if needs_group_correction(pipeline) { 0.3 } else { 1.0 };
        let count = files.len().max(1) as f64;
        let (mut jobs, mut measured, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for (index, file) in files.iter().enumerate() {
            let mut share =
                |share| progress(index, (index as f64 + share) / count * measures_share);
            share(0.0);
            let name = file.name.clone();
            let job = match (file.job)() {
                Ok(job) => job,
                Err(reason) => {
                    left_out.push(OmittedFile { name, reason });
                    continue;
                }
            };
            match pieces.measure(pipeline, &job, places, &mut share) {
                Ok(Member::Piece(piece)) => {
                    measured.push((job.hash.clone(), piece));
                    jobs.push((index, job));
                }
                Ok(Member::LeftOut(reason)) => left_out.push(OmittedFile { name, reason }),
                Err(RunError::Canceled) => return Err(RunError::Canceled),
                Err(RunError::Transient { reason }) => {
                    let reason = format!("{name} cannot be measured: {reason}");
                    return Err(RunError::Transient { reason });
                }
                Err(at_fault) => {
                    left_out.push(OmittedFile { name, reason: at_fault.to_string() });
                }
            }
        }
        let loudness = GroupLoudness::of(measured.iter().map(|(_, piece)| piece));
        let alone = |(hash, piece): (String, Piece)| (hash, piece.alone());
        let pieces = measured.into_iter().map(alone).collect();
        let mut group = Self { loudness, left_out, pieces, exports: Vec::new() };
        if needs_group_correction(pipeline) {
            let (files, jobs): (Vec<usize>, Vec<Job>) = jobs.into_iter().unzip();
            let with_group = |job: Job| Job { group: Some(group.of_file(&job.hash)), ..job };
            let jobs: Vec<Job> = jobs.into_iter().map(with_group).collect();
            let mut share = |file: usize, share: f64| {
                progress(files[file], measures_share + (1.0 - measures_share) * share);
            };
            group.exports = execution::correct_group(pipeline, &jobs, places, &mut share)?;
        }
        Ok(group)
    }

    /// What is passed to the run of one of its files.
    pub fn of_file(&self, hash: &str) -> JobGroup {
        JobGroup {
            loudness: self.loudness,
            piece: self.pieces.iter().find(|(of, _)| of == hash).map(|(_, piece)| piece.clone()),
            left_out: self.left_out.clone(),
            exports: self.exports.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::sync::atomic::AtomicBool;
    use wavemill_pipelines::model::Defaults;
    use wavemill_pipelines::{Effects, load};

    const RATE_HZ: u32 = 8_000;

    struct Lab {
        folder: tempfile::TempDir,
        pieces: Pieces,
        cancel: AtomicBool,
    }

    impl Lab {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let pieces = Pieces::of_state(folder.path());
            Self { folder, pieces, cancel: AtomicBool::new(false) }
        }

        /// A second of a square wave at this level.
        fn file(&self, name: &str, level: i16) -> Candidate<'static> {
            let path = self.folder.path().join(name);
            let spec = hound::WavSpec {
                channels: 1,
                sample_rate: RATE_HZ,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let mut writer = hound::WavWriter::create(&path, spec).unwrap();
            for frame in 0..RATE_HZ {
                let sample = if frame / 10 % 2 == 0 { level } else { -level };
                writer.write_sample(sample).unwrap();
            }
            writer.finalize().unwrap();
            let hash = wavemill_pipelines::publishing::hash_file(&path).unwrap();
            candidate(name, Ok(job(path, hash)))
        }

        fn measure(
            &self,
            pipeline: &Pipeline,
            files: &[Candidate<'_>],
        ) -> Result<GroupMeasurements, RunError> {
            let folder = self.folder.path();
            let places = Places {
                output_root: folder,
                spool: folder,
                cancel: &self.cancel,
                access: Places::direct(),
            };
            GroupMeasurements::measure(&self.pieces, pipeline, files, &places, &mut |_, _| {})
        }
    }

    fn candidate(name: &str, job: Result<Job, String>) -> Candidate<'static> {
        Candidate { name: name.to_owned(), job: Box::new(move || job.clone()) }
    }

    fn job(input: PathBuf, hash: String) -> Job {
        Job {
            id: "1".to_owned(),
            attempt: 1,
            input,
            name: PathBuf::new(),
            reldir: PathBuf::new(),
            created: "2026-03-31T23:30:00+02:00[Europe/Berlin]".to_owned(),
            hash,
            group: None,
        }
    }

    fn pipeline(target_lufs: f64) -> Pipeline {
        let text = format!(
            "version = 1\n[pipeline]\nname = \"a\"\n[[step]]\nuse = \"loudness\"\n\
             with = {{ target_lufs = {target_lufs:?}, group = \"batch\" }}\n\
             [report]\njson = \"{{stem}}.json\"\n"
        );
        load(&text, &Defaults::default(), &Effects::default()).unwrap().pipeline
    }

    #[test]
    fn file_is_measured_once_whoever_asks() {
        let lab = Lab::new();
        let files = [lab.file("a.wav", 1_000), lab.file("b.wav", 8_000)];
        let first = lab.measure(&pipeline(-20.0), &files).unwrap();
        for file in &files {
            std::fs::remove_file((file.job)().unwrap().input).unwrap();
        }
        // Nothing is left to be decoded.
        assert_eq!(lab.measure(&pipeline(-20.0), &files).unwrap(), first);
        let hash = &(files[1].job)().unwrap().hash;
        assert!(first.of_file(hash).piece.is_some());
        assert_eq!(first.of_file(hash).loudness.piece_count, 2);
        // Another pipeline may measure at another place.
        let other = lab.measure(&pipeline(-19.0), &files).unwrap();
        assert_eq!((other.loudness.piece_count, other.left_out.len()), (0, 2));
    }

    #[test]
    fn file_that_is_at_fault_is_left_out_by_name() {
        let lab = Lab::new();
        let gone = candidate("gone", Ok(job("/no/where".into(), "1".into())));
        let none = candidate("none", Err("is a folder".to_owned()));
        let group = lab.measure(&pipeline(-20.0), &[gone, lab.file("a.wav", 500), none]).unwrap();
        let left_out: Vec<_> =
            group.left_out.iter().map(|it| (it.name.as_str(), it.reason.as_str())).collect();
        assert_eq!(left_out, [("gone", "does not exist"), ("none", "is a folder")]);
        assert_eq!(group.loudness.piece_count, 1);
    }

    #[test]
    fn canceled_measure_leaves_nobody_out() {
        let lab = Lab::new();
        let files = [lab.file("a.wav", 500)];
        lab.cancel.store(true, std::sync::atomic::Ordering::SeqCst);
        assert!(matches!(lab.measure(&pipeline(-20.0), &files), Err(RunError::Canceled)));
    }
}
