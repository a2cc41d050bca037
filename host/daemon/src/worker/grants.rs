//! The daemon's side of the files of a job: it opens, makes and removes them for a worker, which may
//! reach none of them itself. Whatever a worker asks for, it gets what its job is about and nothing else.

use super::protocol::{FileRequest, Work};
use rustix::fs::OFlags;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use wavemill_pipelines::execution::Decision;
use wavemill_pipelines::publishing::stays_below;

/// The files that a worker is handed for one attempt.
#[derive(Debug, Default)]
pub(crate) struct GrantedFiles {
    /// The source, those it is measured with, and those that go into its exports.
    sources: BTreeSet<PathBuf>,
    /// Temporary files, from the decision about names on.
    parts: BTreeSet<PathBuf>,
    /// Folders of outputs, out of which no link may lead.
    folders: Vec<PathBuf>,
}

impl GrantedFiles {
    /// Those of a job before its names are decided.
    pub(crate) fn of(work: &Work, folders: Vec<PathBuf>) -> Self {
        let members = work.members.iter().flatten().map(|member| member.path.clone());
        let sources = members.chain([work.job.input.clone()]).collect();
        Self { sources, parts: BTreeSet::new(), folders }
    }

    /// Files besides the source that its pipeline names.
    #[must_use]
    pub(crate) fn with_companions(mut self, paths: Vec<PathBuf>) -> Self {
        self.sources.extend(paths);
        self
    }

    /// From now on the temporary files of a decision too.
    pub(crate) fn decided(&mut self, decisions: &[Decision]) {
        self.parts.extend(decisions.iter().filter_map(|decision| match decision {
            Decision::Write { temporary, .. } => Some(temporary.clone()),
            Decision::Skip { .. } => None,
        }));
    }

    /// Does what a worker asks for; the open file, where that is one.
    ///
    /// # Errors
    /// Those of the system, and a refusal where the file is not one of the job.
    pub(crate) fn fulfil(&self, wish: &FileRequest) -> io::Result<Option<File>> {
        match wish {
            FileRequest::Open(path) if self.parts.contains(path) => {
                open(path, OFlags::NOFOLLOW).map(Some)
            }
            FileRequest::Open(path) if self.sources.contains(path) => {
                open(path, OFlags::empty()).map(Some)
            }
            FileRequest::Create(path) if self.parts.contains(path) => {
                stays_below(&self.folders, path)?;
                create(path).map(Some)
            }
            FileRequest::Remove(path) if self.parts.contains(path) => {
                fs::remove_file(path).map(|()| None)
            }
            FileRequest::Open(path) | FileRequest::Create(path) | FileRequest::Remove(path) => {
                let reason = format!("{} is not a file of this job", path.display());
                Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
            }
        }
    }
}

/// Opens a file to read. A pipe in its place does not make the daemon wait, and is not handed out.
fn open(path: &Path, also: OFlags) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | also).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file"));
    }
    Ok(file)
}

/// Makes a file: one that is there, or a link in its place, is not touched.
fn create(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().read(true).write(true).create_new(true).custom_flags(flags).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Write};
    use std::os::unix::fs::symlink;

    struct Lab {
        folder: tempfile::TempDir,
        granted: GrantedFiles,
    }

    impl Lab {
        /// A source `in.wav`, one part `.a.part`, and a foreign file.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            for name in ["in.wav", "foreign"] {
                File::create(path(name)).unwrap().write_all(b"old").unwrap();
            }
            let mut granted = GrantedFiles {
                sources: BTreeSet::from([path("in.wav")]),
                ..GrantedFiles::default()
            };
            granted.decided(&[
                Decision::Write { temporary: path(".a.part"), path: path("a.wav") },
                Decision::Skip { reason: String::new() },
            ]);
            Self { folder, granted }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn kind(&self, wish: &FileRequest) -> Option<ErrorKind> {
            self.granted.fulfil(wish).err().map(|error| error.kind())
        }
    }

    #[test]
    fn job_gets_its_source_and_its_parts() {
        let lab = Lab::new();
        let part = lab.path(".a.part");
        assert!(lab.granted.fulfil(&FileRequest::Open(lab.path("in.wav"))).unwrap().is_some());
        let made = lab.granted.fulfil(&FileRequest::Create(part.clone())).unwrap();
        made.unwrap().write_all(b"new").unwrap();
        let read = lab.granted.fulfil(&FileRequest::Open(part.clone())).unwrap();
        assert_eq!(io::read_to_string(read.unwrap()).unwrap(), "new");
        assert_eq!(lab.kind(&FileRequest::Create(part.clone())), Some(ErrorKind::AlreadyExists));
        assert!(lab.granted.fulfil(&FileRequest::Remove(part.clone())).unwrap().is_none());
        assert!(!part.exists());
    }

    #[test]
    fn files_that_the_pipeline_names_beside_the_source_are_read_only() {
        let lab = Lab::new();
        let foreign = lab.folder.path().join("foreign");
        let granted = lab.granted.with_companions(vec![foreign.clone()]);
        assert!(granted.fulfil(&FileRequest::Open(foreign.clone())).unwrap().is_some());
        for wish in [FileRequest::Create(foreign.clone()), FileRequest::Remove(foreign)] {
            let error = granted.fulfil(&wish).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        }
    }

    #[test]
    fn every_other_name_is_refused() {
        let lab = Lab::new();
        let dots = lab.folder.path().join("x/../foreign");
        let other_part = lab.path(".b.part");
        File::create(&other_part).unwrap();
        for path in [lab.path("foreign"), dots, lab.path("a.wav"), "/etc/passwd".into(), other_part]
        {
            for wish in [FileRequest::Open, FileRequest::Create, FileRequest::Remove] {
                let wish = wish(path.clone());
                assert_eq!(lab.kind(&wish), Some(ErrorKind::PermissionDenied), "{wish:?}");
            }
        }
        // A source is read, not made or removed.
        for wish in [FileRequest::Create, FileRequest::Remove] {
            assert_eq!(lab.kind(&wish(lab.path("in.wav"))), Some(ErrorKind::PermissionDenied));
        }
        assert!(lab.path("in.wav").exists() && lab.path("foreign").exists());
    }

    #[test]
    fn folder_that_was_swapped_for_a_link_since_the_decision_gets_no_part() {
        let mut lab = Lab::new();
        fs::create_dir_all(lab.path("out/sub")).unwrap();
        fs::create_dir(lab.path("elsewhere")).unwrap();
        let part = lab.path("out/sub/.a.part");
        lab.granted.folders = vec![lab.path("out/")];
        lab.granted.decided(&[Decision::Write { temporary: part.clone(), path: part.clone() }]);
        fs::remove_dir(lab.path("out/sub")).unwrap();
        symlink(lab.path("elsewhere"), lab.path("out/sub")).unwrap();
        assert_eq!(lab.kind(&FileRequest::Create(part)), Some(ErrorKind::PermissionDenied));
        assert_eq!(fs::read_dir(lab.path("elsewhere")).unwrap().count(), 0);
    }

    #[test]
    fn link_in_the_place_of_a_part_is_not_followed() {
        let lab = Lab::new();
        let part = lab.path(".a.part");
        symlink(lab.path("foreign"), &part).unwrap();
        assert_eq!(lab.kind(&FileRequest::Create(part.clone())), Some(ErrorKind::AlreadyExists));
        assert!(lab.granted.fulfil(&FileRequest::Open(part.clone())).is_err());
        lab.granted.fulfil(&FileRequest::Remove(part)).unwrap();
        assert_eq!(fs::read_to_string(lab.path("foreign")).unwrap(), "old");
    }

    #[test]
    fn pipe_in_the_place_of_a_source_is_not_waited_for() {
        let lab = Lab::new();
        let source = lab.path("in.wav");
        fs::remove_file(&source).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, &source, mode).unwrap();
        assert_eq!(lab.kind(&FileRequest::Open(source)), Some(ErrorKind::InvalidInput));
    }
}
