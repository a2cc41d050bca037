//! Names that are taken.

use super::files::{FileIdentity, identity};
use super::known_output::twin_name;
use super::name_claim::NameClaim;
use super::names::suffixed;
use super::os;
use crate::execution::{Proposal, RunError};
use crate::model::OnConflict;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Most numbers tried for a free name. A folder with more files of one name is surely a mistake.
const SUFFIX_MAX: u32 = 9_999;

/// What stands at a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameState {
    /// Nothing.
    Free,
    /// Our own earlier output for the same source, unchanged.
    Own(FileIdentity),
    /// Something else.
    Taken {
        /// What, as the rest of a sentence: "already exists".
        by: String,
        /// Whether `on_conflict = "replace"` may replace it.
        is_replaceable: bool,
    },
    /// What the same pipeline made, or makes, of a source that differs in its extension only.
    OfTwin {
        /// What, as the rest of a sentence.
        by: String,
    },
}

/// Knows what stands at names.
pub trait Names {
    /// What stands at `path`.
    fn standing(&self, path: &Path) -> io::Result<NameState>;
    /// The source that the outputs are made of.
    fn input(&self) -> &Path;
    /// What to do about a name that is taken, as the end of a sentence.
    fn advice(&self) -> &'static str {
        ""
    }
}

/// What is to be done about an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Make it under this name.
    Write {
        /// The final name.
        path: PathBuf,
        /// How it takes the name.
        takes: NameClaim,
    },
    /// Leave it out.
    Skip {
        /// One line.
        reason: String,
    },
}

/// Decides about one output. Of sources that differ in nothing but their extensions the first keeps the name;
/// the others get it with their extension before that of the output, and keep that.
///
/// # Errors
/// [`RunError::Refused`] when the name is taken and the pipeline says that this is an error;
/// [`RunError::Transient`] when the disk does not say.
pub fn choose(names: &dyn Names, proposal: &Proposal) -> Result<Choice, RunError> {
    let (path, on_conflict) = (&proposal.path, proposal.on_conflict);
    let twin = || twin_name(path, names.input());
    match look(names, path)? {
        NameState::Own(former) => Ok(write(path, NameClaim::Own(former))),
        NameState::Free => {
            // Made while the other had the name: it stays the one file of this source.
            if let Some(twin) = twin()
                && let NameState::Own(former) = look(names, &twin)?
            {
                return Ok(write(&twin, NameClaim::Own(former)));
            }
            Ok(write(path, NameClaim::Free))
        }
        NameState::OfTwin { by } => match (on_conflict, twin()) {
            (OnConflict::Error | OnConflict::Replace, Some(twin)) => match look(names, &twin)? {
                NameState::Free => Ok(write(&twin, NameClaim::Free)),
                NameState::Own(former) => Ok(write(&twin, NameClaim::Own(former))),
                NameState::Taken { by, is_replaceable } => {
                    taken(names, on_conflict, &twin, &by, is_replaceable)
                }
                NameState::OfTwin { by } => taken(names, on_conflict, &twin, &by, false),
            },
            _ => taken(names, on_conflict, path, &by, false),
        },
        NameState::Taken { by, is_replaceable } => {
            taken(names, on_conflict, path, &by, is_replaceable)
        }
    }
}

/// Does what the pipeline says about a name that is taken.
fn taken(
    names: &dyn Names,
    on_conflict: OnConflict,
    path: &Path,
    by: &str,
    is_replaceable: bool,
) -> Result<Choice, RunError> {
    match on_conflict {
        OnConflict::Replace if is_replaceable => Ok(write(path, NameClaim::Any)),
        OnConflict::Skip => Ok(Choice::Skip { reason: format!("{} {by}", path.display()) }),
        OnConflict::Suffix => choose_suffix(names, path),
        OnConflict::Error | OnConflict::Replace => {
            let semicolon = if names.advice().is_empty() { "" } else { "; " };
            let reason = format!("output {} {by}{semicolon}{}", path.display(), names.advice());
            Err(RunError::Refused { reason })
        }
    }
}

/// A proposal as it is, or that replaces what has its name.
pub fn forced(proposal: &Proposal, replaces: bool) -> Proposal {
    let on_conflict = if replaces { OnConflict::Replace } else { proposal.on_conflict };
    Proposal { on_conflict, ..proposal.clone() }
}

fn write(path: &Path, takes: NameClaim) -> Choice {
    Choice::Write { path: path.to_path_buf(), takes }
}

fn choose_suffix(names: &dyn Names, path: &Path) -> Result<Choice, RunError> {
    for number in 2..=SUFFIX_MAX {
        let path = suffixed(path, number);
        match look(names, &path)? {
            NameState::Free => return Ok(Choice::Write { path, takes: NameClaim::Free }),
            NameState::Own(former) => {
                return Ok(Choice::Write { path, takes: NameClaim::Own(former) });
            }
            NameState::Taken { .. } | NameState::OfTwin { .. } => {}
        }
    }
    let reason =
        format!("output {} and {SUFFIX_MAX} numbered names after it already exist", path.display());
    Err(RunError::Refused { reason })
}

fn look(names: &dyn Names, path: &Path) -> Result<NameState, RunError> {
    names.standing(path).map_err(|error| refusal(path, &error))
}

/// The failure that an error of the file system about `path` means.
pub fn refusal(path: &Path, error: &io::Error) -> RunError {
    let reason = format!("output {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem => RunError::Refused { reason },
        _ => RunError::Transient { reason },
    }
}

/// Why nothing may ever be put in the place of what is at a name, as the rest of a sentence: folders, links,
/// whose target would stay, and devices and pipes, which were not made by whoever writes a file.
pub fn irreplaceable(found: &fs::Metadata) -> Option<&'static str> {
    if found.is_dir() {
        Some("is a folder")
    } else if found.is_symlink() {
        Some("is a link; links are never replaced")
    } else if !found.is_file() {
        Some("is not a regular file; only regular files are replaced")
    } else {
        None
    }
}

/// What stands at `path` on disk; a regular file is asked of `is_own`. Never our own and never
/// replaceable: what is [`irreplaceable`], and the source `input` itself under whatever name.
pub fn standing_on_disk(
    path: &Path,
    input: &Path,
    is_own: impl FnOnce(FileIdentity) -> io::Result<bool>,
) -> io::Result<NameState> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(NameState::Free),
        Err(error) => return Err(error),
    };
    let taken = |by: &str, is_replaceable| NameState::Taken { by: by.to_owned(), is_replaceable };
    if let Some(reason) = irreplaceable(&metadata) {
        return Ok(taken(reason, false));
    }
    if os::is_same_file(path, input) {
        return Ok(taken("is the source itself", false));
    }
    if let Some(found) = identity(path)?
        && is_own(found)?
    {
        return Ok(NameState::Own(found));
    }
    Ok(taken("already exists", true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::OutputKind;
    use std::collections::BTreeMap;

    struct Fake(BTreeMap<PathBuf, NameState>);

    impl Names for Fake {
        fn standing(&self, path: &Path) -> io::Result<NameState> {
            Ok(self.0.get(path).cloned().unwrap_or(NameState::Free))
        }

        fn input(&self) -> &Path {
            Path::new("/in/a.flac")
        }

        fn advice(&self) -> &'static str {
            "move it"
        }
    }

    fn taken(is_replaceable: bool) -> NameState {
        NameState::Taken { by: "already exists".to_owned(), is_replaceable }
    }

    const OWN: FileIdentity = FileIdentity { size_bytes: 1, modified_ns: 2, inode: 3 };

    fn decide(standings: &[(&str, NameState)], on_conflict: OnConflict) -> Result<Choice, String> {
        let standing = |(path, standing): &(&str, NameState)| (path.into(), standing.clone());
        let names = Fake(standings.iter().map(standing).collect());
        let path = PathBuf::from("/out/a.wav");
        let proposal = Proposal { kind: OutputKind::Export, path, on_conflict };
        choose(&names, &proposal).map_err(|error| error.to_string())
    }

    fn write(path: &str, takes: NameClaim) -> Choice {
        Choice::Write { path: path.into(), takes }
    }

    #[test]
    fn free_or_own_name_is_taken_whatever_the_pipeline_says() {
        use OnConflict::{Error, Replace, Skip, Suffix};
        for on_conflict in [Error, Skip, Suffix, Replace] {
            assert_eq!(decide(&[], on_conflict), Ok(write("/out/a.wav", NameClaim::Free)));
            let own = [("/out/a.wav", NameState::Own(OWN))];
            assert_eq!(decide(&own, on_conflict), Ok(write("/out/a.wav", NameClaim::Own(OWN))));
        }
    }

    #[test]
    fn foreign_file_meets_the_pipelines_rule() {
        let foreign = [("/out/a.wav", taken(true))];
        let reason = "/out/a.wav already exists".to_owned();
        assert_eq!(decide(&foreign, OnConflict::Error), Err(format!("output {reason}; move it")));
        assert_eq!(decide(&foreign, OnConflict::Skip), Ok(Choice::Skip { reason }));
        assert_eq!(
            decide(&foreign, OnConflict::Suffix),
            Ok(write("/out/a-2.wav", NameClaim::Free))
        );
        assert_eq!(decide(&foreign, OnConflict::Replace), Ok(write("/out/a.wav", NameClaim::Any)));
    }

    #[test]
    fn folder_and_source_are_never_replaced() {
        let folder = [("/out/a.wav", taken(false))];
        assert!(decide(&folder, OnConflict::Replace).is_err());
        assert_eq!(decide(&folder, OnConflict::Suffix), Ok(write("/out/a-2.wav", NameClaim::Free)));
    }

    #[test]
    fn suffix_goes_on_to_our_own_earlier_output() {
        let names = [
            ("/out/a.wav", taken(true)),
            ("/out/a-2.wav", taken(true)),
            ("/out/a-3.wav", NameState::Own(OWN)),
        ];
        assert_eq!(
            decide(&names, OnConflict::Suffix),
            Ok(write("/out/a-3.wav", NameClaim::Own(OWN)))
        );
    }

    #[test]
    fn name_of_a_twin_is_left_to_it_and_another_kept() {
        let twin = || NameState::OfTwin { by: "was made from a.wav".to_owned() };
        let first = ("/out/a.wav", twin());
        for on_conflict in [OnConflict::Error, OnConflict::Replace] {
            let first = std::slice::from_ref(&first);
            assert_eq!(decide(first, on_conflict), Ok(write("/out/a.flac.wav", NameClaim::Free)));
        }
        let own = ("/out/a.flac.wav", NameState::Own(OWN));
        let kept = Ok(write("/out/a.flac.wav", NameClaim::Own(OWN)));
        assert_eq!(decide(&[first.clone(), own.clone()], OnConflict::Error), kept);
        // Even when the other's output was removed.
        assert_eq!(decide(&[own], OnConflict::Error), kept);
        let both = [first, ("/out/a.flac.wav", taken(true))];
        assert!(
            decide(&both, OnConflict::Error).unwrap_err().contains("a.flac.wav already exists")
        );
        let suffixed = Ok(write("/out/a-2.wav", NameClaim::Free));
        assert_eq!(decide(&both, OnConflict::Suffix), suffixed);
    }

    #[test]
    fn link_and_socket_are_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (link, socket) = (folder.path().join("link"), folder.path().join("socket"));
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, by) in [
            (link, "is a link; links are never replaced"),
            (socket, "is not a regular file; only regular files are replaced"),
        ] {
            let standing = standing_on_disk(&path, Path::new("/in.wav"), |_| Ok(true)).unwrap();
            assert_eq!(standing, NameState::Taken { by: by.to_owned(), is_replaceable: false });
        }
    }

    #[test]
    fn source_under_another_name_is_recognized() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("in.wav");
        fs::File::create(&source).unwrap();
        let link = folder.path().join("out.wav");
        fs::hard_link(&source, &link).unwrap();
        let standing = standing_on_disk(&link, &source, |_| Ok(true)).unwrap();
        let by = "is the source itself".to_owned();
        assert_eq!(standing, NameState::Taken { by, is_replaceable: false });
    }
}
