//! `wavemill files adopt`: files that others made are read, and entered in the catalog.
//!
//! They are read here and not by the daemon, which decodes nothing itself: a file that ends its reader ends this
//! command.

use crate::analysis::{self, Cache, Input, Part, Record};
use crate::commands::answers::with_version;
use crate::commands::paths::absolute_text;
use crate::commands::progress::Sum;
use crate::commands::{CliError, Context, Exit, outcome, parallel, run};
use crate::report::{counted, one_line};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wavemill_api::Client;
use wavemill_api::types::{AdoptAnswer, AdoptRequest, FileFacts, FileFilter, FileView};
use wavemill_core::analysis::MeasureGroup;
use wavemill_core::music::RhythmOptions;
use wavemill_pipelines::publishing::identity;
use wavemill_pipelines::report::measures;
use wavemill_store::tag_texts;
use wavemill_watch::has_audio_name;

/// Files entered at once: each is hashed before the answer comes.
const AT_ONCE: usize = 64;

/// What is read of a file that is measured.
const MEASURED: [Part; 3] = [Part::File, Part::Tags, Part::Measures(MeasureGroup::Loudness)];

/// Add existing audio files to the catalog; they stay where they are
#[derive(Debug, clap::Args)]
pub(super) struct Adopt {
    /// Folders or files
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Decode them to add loudness and duration
    #[arg(long)]
    measure: bool,
}

impl Adopt {
    pub(super) fn run(self, context: &Context) -> Result<Exit, CliError> {
        let client = context.settings.client_or_new()?;
        let cancel = Arc::new(AtomicBool::new(false));
        run::cancel_on_signals(&cancel)?;
        let (mut count, mut byte_count) = (0, 0);
        for file in AudioFiles::of(&self.folders) {
            count += 1;
            byte_count += file?.size_bytes;
        }
        let cache = Cache::of_state(&context.settings.state);
        let reading = Adoption {
            client: &client,
            cache: self.measure.then_some(&cache),
            progress: Sum::new(context, count, byte_count),
            cancel: &cancel,
        };
        let (answer, failed_count) = reading.adopt_all(AudioFiles::of(&self.folders), context)?;
        reading.progress.end();
        show_answer(&answer, count, context)?;
        Ok(match (cancel.load(Ordering::SeqCst), answer.refused.len() + failed_count) {
            (true, _) => Exit::Interrupted,
            (false, 0) => Exit::Done,
            (false, _) => Exit::SomeFailed,
        })
    }
}

/// Says what became of the files.
fn show_answer(answer: &AdoptAnswer, count: usize, context: &Context) -> Result<(), CliError> {
    for file in &answer.refused {
        let path = outcome::below(Path::new(&file.path), context);
        context.report.error(&format!("{path} {}", one_line(&file.reason)));
    }
    if context.is_json() {
        return context.document(&with_version(answer)?);
    }
    let files = |count| counted(usize::try_from(count).unwrap_or(usize::MAX), "new file");
    let more = match answer.completed {
        0 => String::new(),
        completed => format!("; {completed} completed"),
    };
    context.report.note(&format!("{} adopted, of {count}{more}", files(answer.adopted)));
    Ok(())
}

/// Files that are being read and adopted.
struct Adoption<'a> {
    client: &'a Client,
    /// Where measures are kept, if files are measured.
    cache: Option<&'a Cache>,
    progress: Sum,
    cancel: &'a AtomicBool,
}

impl Adoption<'_> {
    /// Adopts files, a batch after the other, until it is canceled: what was entered by then stays. Returns also
    /// how many could not be read for what was asked.
    fn adopt_all(
        &self,
        mut files: AudioFiles<'_>,
        context: &Context,
    ) -> Result<(AdoptAnswer, usize), CliError> {
        let (mut all, mut failed_count) = (AdoptAnswer::default(), 0);
        loop {
            let batch = files.by_ref().take(AT_ONCE).collect::<Result<Vec<_>, _>>()?;
            if batch.is_empty() || self.is_canceled() {
                return Ok((all, failed_count));
            }
            let read = parallel::each(batch.len(), context, |index| self.read(&batch[index]));
            let mut request = AdoptRequest::default();
            for (file, read) in batch.iter().zip(read) {
                // Canceled before its turn came, or known already.
                let Some(read) = read? else { continue };
                let path = absolute_text(&file.path)?;
                match read {
                    Ok(facts) => drop(request.facts.insert(path.clone(), facts)),
                    Err(reason) => {
                        failed_count += usize::from(self.cache.is_some());
                        let shown = outcome::below(&file.path, context);
                        context.report.warning(&format!("{shown}: {reason}"));
                    }
                }
                request.paths.push(path);
            }
            let answer = self.client.adopt_files(&request)?;
            all.adopted += answer.adopted;
            all.completed += answer.completed;
            all.refused.extend(answer.refused);
        }
    }

    fn is_canceled(&self) -> bool {
        self.cancel.load(Ordering::SeqCst)
    }

    /// What a file says and sounds like; nothing if that is known, or nobody waits for it any more.
    fn read(&self, file: &AudioFile) -> Result<Option<Result<FileFacts, String>>, CliError> {
        let mut piece = self.progress.file(file.size_bytes);
        if self.is_canceled() || self.is_known(&file.path)? {
            return Ok(None);
        }
        let found = read(&file.path, self.cache, &mut |share| piece.set(share));
        Ok(Some(found.map_err(|reason| one_line(&reason))))
    }

    /// Whether the catalog has all that would be read.
    fn is_known(&self, path: &Path) -> Result<bool, CliError> {
        let filter = FileFilter { path: Some(absolute_text(path)?), ..FileFilter::default() };
        let has_all = |file: &FileView| match self.cache {
            // Silence has no loudness, but a length.
            Some(_) => file.duration_s.is_some(),
            None => !file.tags.is_empty(),
        };
        let is_it = |file: &FileView| file.state == "present" && has_all(file);
        Ok(self.client.files(&filter)?.files.iter().any(is_it))
    }
}

/// Reads a file's tags; with a cache also its loudness and length.
fn read(
    path: &Path,
    cache: Option<&Cache>,
    progress: &mut dyn FnMut(f64),
) -> Result<FileFacts, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    // Before it is read: what changes meanwhile is not taken for what was read.
    let identity = identity(path).map_err(unreadable)?.ok_or("is not a regular file")?;
    let record = if cache.is_some() {
        let input = Input::file(path).map_err(|error| error.to_string())?;
        analysis::analyze(&input, &MEASURED, RhythmOptions::default(), cache, progress)
            .map_err(|error| error.to_string())?
    } else {
        let reading = analysis::read_tags(path).map_err(|error| error.to_string())?;
        Record::from_iter([("tags".to_owned(), measures(&reading.tags))])
    };
    let number = |part: &str, name: &str| record.get(part)?.get(name)?.as_f64();
    Ok(FileFacts {
        size_bytes: identity.size_bytes,
        modified_ns: identity.modified_ns,
        inode: identity.inode,
        duration_s: number("file", "duration_s"),
        integrated_lufs: number("loudness", "integrated_lufs"),
        true_peak_dbtp: number("loudness", "true_peak_dbtp"),
        tags: record.get("tags").map(tag_texts).unwrap_or_default(),
    })
}

/// A file to adopt.
struct AudioFile {
    path: PathBuf,
    size_bytes: u64,
}

/// The audio files of folders, by name, one folder listed at a time; links and hidden ones are left alone. Files
/// that are named are taken whatever they are called.
struct AudioFiles<'a> {
    /// What is to be looked at, the next one last.
    stack: Vec<PathBuf>,
    roots: std::slice::Iter<'a, PathBuf>,
}

impl<'a> AudioFiles<'a> {
    fn of(roots: &'a [PathBuf]) -> Self {
        Self { stack: Vec::new(), roots: roots.iter() }
    }

    /// Has what is in a folder looked at next.
    fn enter(&mut self, folder: &Path) -> io::Result<()> {
        let begin = self.stack.len();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !is_hidden && (entry.file_type()?.is_dir() || has_audio_name(&entry.path())) {
                self.stack.push(entry.path());
            }
        }
        self.stack[begin..].sort_by(|a, b| b.cmp(a));
        Ok(())
    }
}

impl Iterator for AudioFiles<'_> {
    type Item = Result<AudioFile, CliError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let path = self.stack.pop().or_else(|| self.roots.next().cloned())?;
            let looked = fs::symlink_metadata(&path).and_then(|metadata| {
                if metadata.is_dir() {
                    self.enter(&path)?;
                }
                Ok(metadata)
            });
            match looked {
                Ok(metadata) if metadata.is_file() => {
                    return Some(Ok(AudioFile { path, size_bytes: metadata.len() }));
                }
                Ok(_) => {}
                Err(error) => return Some(Err(CliError::path(&path, error))),
            }
        }
    }
}
