//! From the arguments to the files they mean.

use crate::analysis::{Input, RawFormat, STREAM_NAME};
use crate::report::{one_line, shown};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use wavemill_core::decode::{self, Damaged};

/// Something that an argument means.
#[derive(Debug)]
pub(super) struct Item {
    /// As it is shown.
    pub(super) path: PathBuf,
    /// Its size; the largest are analyzed first.
    pub(super) size_bytes: u64,
    /// What becomes of it if it is damaged.
    damaged: Damaged,
    what: What,
}

#[derive(Debug)]
enum What {
    File,
    Stream(Option<RawFormat>),
    /// Nothing can be analyzed, because of this; reads on after the path.
    Nothing(String),
}

impl Item {
    fn nothing(path: &Path, reason: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            size_bytes: 0,
            damaged: Damaged::Refuse,
            what: What::Nothing(reason.into()),
        }
    }

    fn file(path: &Path) -> Self {
        let size_bytes = fs::metadata(path).map_or(0, |metadata| metadata.len());
        Self { path: path.to_owned(), size_bytes, damaged: Damaged::Refuse, what: What::File }
    }

    /// What to analyze; long streams are kept below `spool` meanwhile.
    ///
    /// # Errors
    /// One line that reads on after the path.
    pub(super) fn open(&self, spool: &Path) -> Result<Input, String> {
        match &self.what {
            What::File => Input::file(&self.path).map_err(|error| error.to_string()),
            What::Stream(raw) => {
                Input::stream(io::stdin().lock(), *raw, spool).map_err(|error| error.to_string())
            }
            What::Nothing(reason) => Err(reason.clone()),
        }
        .map(|input| input.with_damaged(self.damaged))
        .map_err(|reason| one_line(&reason))
    }

    /// Its path, where it is a file.
    ///
    /// # Errors
    /// One line that names it.
    pub(super) fn into_file(self) -> Result<PathBuf, String> {
        match self.what {
            What::File => Ok(self.path),
            What::Stream(_) => Err("standard input has no name: give a file".to_owned()),
            What::Nothing(reason) => Err(format!("{} {reason}", shown(&self.path))),
        }
    }

    /// Whether it is standard input.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.what, What::Stream(_))
    }

    /// What becomes of it if it is damaged.
    pub(super) fn with_damaged(self, damaged: Damaged) -> Self {
        Self { damaged, ..self }
    }
}

/// The items of all arguments, folders walked: their files that can be decoded, by name.
pub(super) fn items(arguments: &[PathBuf], raw: Option<RawFormat>) -> Vec<Item> {
    let mut items = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == STREAM_NAME {
            // First of all: who writes into the pipe should not have to wait.
            let what = What::Stream(raw);
            let (path, damaged) = (argument.clone(), Damaged::Refuse);
            items.push(Item { path, size_bytes: u64::MAX, damaged, what });
        } else if argument.is_dir() {
            let before = items.len();
            walk(argument, &mut items);
            if items.len() == before {
                items.push(Item::nothing(
                    argument,
                    "contains no audio files that Wavemill can read",
                ));
            }
        } else {
            items.push(Item::file(argument));
        }
    }
    items
}

/// Adds the audio files of a folder and those below it. Hidden ones are passed over, and links to
/// folders, which may lead in circles.
fn walk(folder: &Path, items: &mut Vec<Item>) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return items.push(Item::nothing(folder, format!("cannot be read: {error}"))),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, items);
        } else if is_audio(&path) && path.is_file() {
            items.push(Item::file(&path));
        }
    }
}

fn is_audio(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    decode::extensions().any(|known| known == extension)
}
