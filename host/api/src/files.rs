//! The catalog: what was made, and moving, deleting and adopting files.

use super::service::Service;
use super::types::{
    AdoptAnswer, AdoptRequest, DeleteAnswer, DeleteRequest, FileFacts, FileFilter, FileList,
    FileStats, FileView, JobFilter, MoveRequest, Problem, RefusedFile,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use wavemill_pipelines::publishing::{
    FileIdentity, create_dirs, hash_file, identity, part_path, rename_noreplace, sync_dir,
};
use wavemill_store::source::{self, SourceContext};
use wavemill_store::{CatalogRecord, OutputFacts, SourceRecord, Store, StoreError};
use wavemill_store::{is_job_id, rfc3339};

impl Service {
    /// Files of the catalog.
    ///
    /// # Errors
    /// When the filter makes no sense or the store fails.
    pub fn files(&self, filter: &FileFilter) -> Result<FileList, Problem> {
        let sort = filter.sort.as_deref().unwrap_or("date");
        if !["date", "name", "size", "loudness"].contains(&sort) {
            let reason = format!("`sort` is {sort}; it is date, name, size or loudness");
            return Err(Problem::request(&reason));
        }
        let tag = filter.tag.as_deref().map(|tag| {
            tag.split_once('=')
                .ok_or_else(|| Problem::request("`tag` has no `=`, as in artist=Ada"))
        });
        let tag = tag.transpose()?;
        if let Some(path) = &filter.path {
            let record = self.store.cataloged(Path::new(path))?;
            return Ok(list(record.into_iter().map(|record| (path.into(), record)).collect()));
        }
        let limit = filter.limit.unwrap_or(JobFilter::LIMIT_DEFAULT);
        let mut found: Vec<(PathBuf, CatalogRecord)> = Vec::new();
        let since_ms = filter.since_ms.unwrap_or(0);
        let until_ms = filter.until_ms.unwrap_or(u64::MAX);
        self.store.visit_catalog(since_ms, until_ms, &mut |path, record| {
            if found.len() >= limit && sort == "date" {
                return Ok(false);
            }
            if is_wanted(filter, tag, path, &record) {
                found.push((path.to_owned(), record));
            }
            Ok(true)
        })?;
        match sort {
            "name" => found.sort_by(|a, b| a.0.cmp(&b.0)),
            "size" => found.sort_by_key(|(_, record)| Reverse(record.identity.size_bytes)),
            "loudness" => found.sort_by(|a, b| loudness(&b.1).total_cmp(&loudness(&a.1))),
            _ => {}
        }
        found.truncate(limit);
        Ok(list(found))
    }

    /// The files that a job made, or whose names say it.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn files_of_job(&self, job: &str) -> Result<FileList, Problem> {
        Ok(list(self.store.cataloged_of_job(job)?))
    }

    /// The catalog in numbers.
    ///
    /// # Errors
    /// When the store fails.
    pub fn file_stats(&self) -> Result<FileStats, Problem> {
        let mut stats = FileStats::default();
        let (mut oldest, mut newest) = (None, None);
        self.store.visit_catalog(0, u64::MAX, &mut |path, record| {
            stats.count += 1;
            stats.bytes = stats.bytes.saturating_add(record.identity.size_bytes);
            stats.audio_s += record.facts.duration_s.unwrap_or(0.0);
            newest.get_or_insert(record.made_ms);
            oldest = Some(record.made_ms);
            let of_type = stats.by_extension.entry(extension(path)).or_default();
            of_type.count += 1;
            of_type.bytes = of_type.bytes.saturating_add(record.identity.size_bytes);
            Ok(true)
        })?;
        stats.oldest = oldest.map(rfc3339);
        stats.newest = newest.map(rfc3339);
        stats.cache = self.store.cache_stats().into();
        Ok(stats)
    }

    /// Moves or copies a file, and knows it under its new name.
    ///
    /// # Errors
    /// When it is not in the catalog or changed, or when the new name is taken.
    pub(crate) fn move_file(&self, request: &MoveRequest) -> Result<FileView, Problem> {
        let (from, to) = (Path::new(&request.from), PathBuf::from(&request.to));
        if !to.is_absolute() || to.file_name().is_none() {
            return Err(Problem::request("`to` must be the absolute path of a file"));
        }
        if fs::symlink_metadata(&to).is_ok() {
            let detail = format!("{} already exists; nothing was replaced", to.display());
            return Err(Problem::new(409, "name taken", detail));
        }
        if request.copy {
            return self.copy_file(from, &to);
        }
        let order = SourceRecord::Moving { to, reason: None, is_trash: false };
        let record = self.store.order(from, order.clone())?;
        match carry_out_order(&self.store, from, &record, &order)? {
            SourceRecord::Moved { to } => Ok(view((to, record))),
            other => Err(not_done(from, &other)),
        }
    }

    fn copy_file(&self, from: &Path, to: &Path) -> Result<FileView, Problem> {
        let Some(record) = self.store.cataloged(from)? else {
            let what =
                format!("{} was neither made nor adopted by Wavemill, so it", from.display());
            return Err(StoreError::Missing { what }.into());
        };
        let identity = copy_verified(from, to, &record.blake3).map_err(|reason| {
            Problem::new(409, "not copied", format!("{}: {reason}", from.display()))
        })?;
        let record = CatalogRecord { identity, ..record };
        self.store.catalog_copy(to, record.clone())?;
        Ok(view((to.to_path_buf(), record)))
    }

    /// Deletes files that are as they were made; the others stay and are named.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn delete_files(&self, request: &DeleteRequest) -> Result<DeleteAnswer, Problem> {
        let mut answer = DeleteAnswer::default();
        for path in &request.paths {
            let order = SourceRecord::Deleting;
            let done = match self.store.order(Path::new(path), order.clone()) {
                Ok(record) => carry_out_order(&self.store, Path::new(path), &record, &order)?,
                Err(error @ StoreError::Missing { .. }) => {
                    let reason = error.to_string();
                    answer.kept.push(RefusedFile { path: path.clone(), reason });
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if done == SourceRecord::Deleted {
                answer.deleted.push(path.clone());
                if request.empty_folders {
                    let root = &self.terms.output_root;
                    answer.folders.extend(remove_empty_folders(Path::new(path), root));
                }
            } else {
                let reason = not_done(Path::new(path), &done).detail;
                answer.kept.push(RefusedFile { path: path.clone(), reason });
            }
        }
        Ok(answer)
    }

    /// Enters files that others made into the catalog. A name that is a job's id says which job made it. What is known
    /// of those that are cataloged and unchanged is completed; the others of those stay as they are.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn adopt_files(&self, request: &AdoptRequest) -> Result<AdoptAnswer, Problem> {
        let mut answer = AdoptAnswer::default();
        let mut files = Vec::new();
        for path in &request.paths {
            let known = self.store.cataloged(Path::new(path))?;
            match adopted(Path::new(path), known, request.facts.get(path)) {
                Ok(record) => files.push((PathBuf::from(path), record)),
                Err(reason) => answer.refused.push(RefusedFile { path: path.clone(), reason }),
            }
        }
        (answer.adopted, answer.completed) = self.store.adopt(files)?;
        Ok(answer)
    }
}

/// Removes the folders above a deleted file that are empty, up to the output folder; a file elsewhere
/// loses the folder it was in only.
fn remove_empty_folders(path: &Path, root: &Path) -> Vec<String> {
    let count_max = if path.starts_with(root) { usize::MAX } else { 1 };
    let folders = path.ancestors().skip(1);
    let inside = folders.take_while(|folder| *folder != root && folder.parent().is_some());
    // `rmdir` refuses folders that hold anything.
    let gone = inside.take(count_max).take_while(|folder| fs::remove_dir(folder).is_ok());
    gone.map(|folder| folder.display().to_string()).collect()
}

/// Deletes a file that is as it was made, with the folders that become empty; else says why it stays.
///
/// # Errors
/// When the store fails.
pub fn expire(store: &Store, path: &Path, root: &Path) -> Result<Result<(), String>, StoreError> {
    let order = SourceRecord::Deleting;
    let record = match store.order(path, order.clone()) {
        Ok(record) => record,
        Err(error @ StoreError::Missing { .. }) => return Ok(Err(error.to_string())),
        Err(error) => return Err(error),
    };
    Ok(match carry_out_order(store, path, &record, &order)? {
        SourceRecord::Deleted => {
            remove_empty_folders(path, root);
            Ok(())
        }
        other => Err(not_done(path, &other).detail),
    })
}

/// Finishes the orders that a process left behind.
///
/// # Errors
/// When the store fails.
pub fn finish_orders(store: &Store) -> Result<(), StoreError> {
    for (path, order) in store.orders()? {
        let Some(record) = store.cataloged(&path)? else { continue };
        tracing::info!(path = %path.display(), "Interrupted file operation finished.");
        carry_out_order(store, &path, &record, &order)?;
    }
    Ok(())
}

/// Does what was ordered about a file and records what became of it.
fn carry_out_order(
    store: &Store,
    path: &Path,
    record: &CatalogRecord,
    order: &SourceRecord,
) -> Result<SourceRecord, StoreError> {
    let file = SourceContext {
        // Part of temporary names; of an adopted file it may be as long as a name can be.
        job: record.job.as_deref().filter(|job| is_job_id(job)).unwrap_or_default(),
        input: path,
        found: path,
        has_reason: false,
        identity: record.identity,
        hash: &record.blake3,
    };
    let done = source::carry_out(&file, order)
        .map_err(|error| StoreError::Io { reason: error.to_string() })?;
    store.settle_order(path, done.clone())?;
    Ok(done)
}

fn not_done(path: &Path, done: &SourceRecord) -> Problem {
    let reason = match done {
        SourceRecord::Left { reason } => reason.clone(),
        SourceRecord::Moving { .. } => "another file has taken its new name".to_owned(),
        _ => "it stays as it is".to_owned(),
    };
    Problem::new(409, "file kept", format!("{}: {reason}", path.display()))
}

/// Copies a file under another name, whole or not at all.
fn copy_verified(from: &Path, to: &Path, blake3: &str) -> Result<FileIdentity, String> {
    let reason = |error: io::Error| error.to_string();
    let folder = to.parent().unwrap_or(Path::new("/"));
    create_dirs(folder).map_err(reason)?;
    let part = part_path(to, "copy", 0, 0);
    let copy = || -> io::Result<String> {
        fs::copy(from, &part)?;
        fs::File::open(&part)?.sync_all()?;
        hash_file(&part)
    };
    let copied = copy().map_err(reason).and_then(|hash| {
        if hash != blake3 {
            return Err("it changed since it was made".to_owned());
        }
        rename_noreplace(&part, to).map_err(reason)
    });
    if copied.is_err() {
        let _ = fs::remove_file(&part);
    }
    copied?;
    sync_dir(folder).map_err(reason)?;
    identity(to).map_err(reason)?.ok_or_else(|| "it was removed in the meantime".to_owned())
}

/// What the catalog gets to know of a file; it is read unless it is the one that is known.
fn adopted(
    path: &Path,
    known: Option<CatalogRecord>,
    facts: Option<&FileFacts>,
) -> Result<CatalogRecord, String> {
    let reason = |error: io::Error| format!("cannot be read: {error}");
    if !path.is_absolute() {
        return Err("is a relative path; it must be absolute".to_owned());
    }
    let found =
        || identity(path).map_err(reason)?.ok_or_else(|| "is not a regular file".to_owned());
    let identity = found()?;
    let facts = facts.filter(|facts| facts.identity() == identity).map(FileFacts::known);
    let facts = facts.unwrap_or_default();
    if let Some(known) = known {
        return Ok(CatalogRecord { identity, facts, ..known });
    }
    let blake3 = hash_file(path).map_err(reason)?;
    if found()? != identity {
        return Err("changed while it was being read".to_owned());
    }
    let changed_ms = u64::try_from(identity.modified_ns / 1_000_000).unwrap_or(0);
    let date = date_of_folders(path);
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    Ok(CatalogRecord {
        job: stem.filter(|stem| date.is_some() || is_job_id(stem)).map(str::to_owned),
        pipeline: None,
        made_ms: date.and_then(|date| begin_unless_on(date, changed_ms)).unwrap_or(changed_ms),
        identity,
        blake3,
        facts,
    })
}

/// The day of a file in a tree of `YYYY/MM/DD/job_id.ext`.
fn date_of_folders(path: &Path) -> Option<Date> {
    let mut folders = path.ancestors().skip(1).map(|folder| folder.file_name()?.to_str());
    let mut number = |digits: usize| -> Option<i16> {
        let text = folders.next()??;
        let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number)
    };
    let (day, month, year) = (number(2)?, number(2)?, number(4)?);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// The beginning of a day here, milliseconds since 1970; nothing if this moment lies on it.
fn begin_unless_on(day: Date, moment_ms: u64) -> Option<u64> {
    let begin_ms = |day: Date| {
        let begin = day.to_zoned(TimeZone::system()).ok()?;
        u64::try_from(begin.timestamp().as_millisecond()).ok()
    };
    let begin = begin_ms(day)?;
    let is_on = moment_ms >= begin && day.tomorrow().ok().and_then(begin_ms)? > moment_ms;
    (!is_on).then_some(begin)
}

impl FileFacts {
    fn identity(&self) -> FileIdentity {
        let Self { size_bytes, modified_ns, inode, .. } = *self;
        FileIdentity { size_bytes, modified_ns, inode }
    }

    fn known(&self) -> OutputFacts {
        OutputFacts {
            duration_s: self.duration_s,
            integrated_lufs: self.integrated_lufs,
            true_peak_dbtp: self.true_peak_dbtp,
            tags: self.tags.clone(),
        }
    }
}

fn is_wanted(
    filter: &FileFilter,
    tag: Option<(&str, &str)>,
    path: &Path,
    record: &CatalogRecord,
) -> bool {
    let has_tag = |(name, text): (&str, &str)| {
        record.facts.tags.get(name).is_some_and(|value| value.to_lowercase() == text.to_lowercase())
    };
    let has_extension =
        |ext: &String| extension(path) == ext.trim_start_matches('.').to_lowercase();
    let lufs = record.facts.integrated_lufs;
    let is_above = |min: f64| lufs.is_some_and(|lufs| lufs >= min);
    let is_below = |max: f64| lufs.is_some_and(|lufs| lufs <= max);
    filter.ext.as_ref().is_none_or(has_extension)
        && filter.pipeline.as_ref().is_none_or(|name| record.pipeline.as_ref() == Some(name))
        && tag.is_none_or(has_tag)
        && filter.min_lufs.is_none_or(is_above)
        && filter.max_lufs.is_none_or(is_below)
}

/// What sorts by loudness; a file without comes last.
fn loudness(record: &CatalogRecord) -> f64 {
    record.facts.integrated_lufs.unwrap_or(f64::MIN)
}

/// In lower case; empty where there is none.
fn extension(path: &Path) -> String {
    path.extension().map(|ext| ext.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn list(files: Vec<(PathBuf, CatalogRecord)>) -> FileList {
    FileList { files: files.into_iter().map(view).collect() }
}

fn view((path, record): (PathBuf, CatalogRecord)) -> FileView {
    let state = match identity(&path) {
        Ok(Some(found)) if found == record.identity => "present",
        Ok(Some(_)) => "changed",
        _ => "missing",
    };
    FileView {
        path: path.display().to_string(),
        state: state.to_owned(),
        made: rfc3339(record.made_ms),
        size_bytes: record.identity.size_bytes,
        blake3: record.blake3,
        job: record.job,
        pipeline: record.pipeline,
        duration_s: record.facts.duration_s,
        integrated_lufs: record.facts.integrated_lufs,
        true_peak_dbtp: record.facts.true_peak_dbtp,
        tags: record.facts.tags,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_in_folders_of_a_date_is_of_that_day_and_of_the_job_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let adopt = |relative: &str| {
            let path = folder.path().join(relative);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::File::create(&path).unwrap();
            adopted(&path, None, None).unwrap()
        };
        let name = "7d1c3f5a-0b9e-4c1d-9a57-4be0a1f3d2c8";
        let record = adopt(&format!("lib/2024/05/31/{name}.wav"));
        assert_eq!(record.job.as_deref(), Some(name));
        let day = jiff::civil::date(2024, 5, 31);
        let begin = day.to_zoned(TimeZone::system()).unwrap().timestamp().as_millisecond();
        assert_eq!(record.made_ms, u64::try_from(begin).unwrap());
        let changed_ms = u64::try_from(record.identity.modified_ns / 1_000_000).unwrap();
        // A time on that day says more than the day.
        let today = jiff::Zoned::now().strftime("%Y/%m/%d").to_string();
        let record = adopt(&format!("{today}/b.wav"));
        assert!(record.made_ms >= changed_ms, "{record:?}");
        for other in ["2024/02/30/c.wav", "24/05/31/c.wav", "2024/05/c.wav", "c.wav"] {
            let record = adopt(other);
            assert!(record.job.is_none() && record.made_ms >= changed_ms, "{other}: {record:?}");
        }
    }

    #[test]
    fn what_was_found_in_a_file_is_only_believed_of_that_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        fs::File::create(&path).unwrap();
        let found = identity(&path).unwrap().unwrap();
        let FileIdentity { size_bytes, modified_ns, inode } = found;
        let integrated_lufs = Some(-16.0);
        let facts =
            FileFacts { size_bytes, modified_ns, inode, integrated_lufs, ..FileFacts::default() };
        let record = adopted(&path, None, Some(&facts)).unwrap();
        assert_eq!((record.identity, record.facts.integrated_lufs), (found, integrated_lufs));
        for other in [
            FileFacts { size_bytes: 1, ..facts.clone() },
            FileFacts { modified_ns: modified_ns + 1, ..facts.clone() },
            FileFacts { inode: inode + 1, ..facts.clone() },
        ] {
            assert_eq!(adopted(&path, None, Some(&other)).unwrap().facts, OutputFacts::default());
        }
        // What is known stays, what is not is taken over; what changed meanwhile keeps what it had.
        let store = Store::open(&folder.path().join("state")).unwrap();
        let bare = adopted(&path, None, None).unwrap();
        assert_eq!(store.adopt(vec![(path.clone(), bare)]).unwrap(), (1, 0));
        assert_eq!(store.adopt(vec![(path.clone(), record.clone())]).unwrap(), (0, 1));
        assert_eq!(store.adopt(vec![(path.clone(), record.clone())]).unwrap(), (0, 0));
        let identity = FileIdentity { inode: inode + 1, ..found };
        let facts = OutputFacts { duration_s: Some(1.0), ..OutputFacts::default() };
        let changed = CatalogRecord { identity, facts, ..record.clone() };
        assert_eq!(store.adopt(vec![(path.clone(), changed)]).unwrap(), (0, 0));
        assert_eq!(store.cataloged(&path).unwrap(), Some(record));
    }

    #[test]
    fn order_that_was_interrupted_is_finished_by_whoever_opens_the_store_next() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let path = |name: &str| folder.path().join(name);
        let store = Store::open(&state).unwrap();
        for name in ["gone.wav", "from.wav", "edited.wav"] {
            fs::File::create(path(name)).unwrap();
            store.adopt(vec![(path(name), adopted(&path(name), None, None).unwrap())]).unwrap();
        }
        // Died after the orders were on disk.
        let to = SourceRecord::Moving { to: path("to.wav"), reason: None, is_trash: false };
        store.order(&path("gone.wav"), SourceRecord::Deleting).unwrap();
        store.order(&path("from.wav"), to).unwrap();
        store.order(&path("edited.wav"), SourceRecord::Deleting).unwrap();
        drop(store);
        fs::copy(std::env::current_exe().unwrap(), path("edited.wav")).unwrap();
        let store = Store::open(&state).unwrap();
        finish_orders(&store).unwrap();
        assert!(!path("gone.wav").exists() && !path("from.wav").exists());
        assert!(path("to.wav").exists() && path("edited.wav").exists());
        let is_known = |name: &str| store.cataloged(&path(name)).unwrap().is_some();
        assert!(is_known("to.wav") && is_known("edited.wav"));
        assert!(!is_known("gone.wav") && !is_known("from.wav"));
        assert!(store.orders().unwrap().is_empty());
    }
}
