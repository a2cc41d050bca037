//! Free space where jobs will write, looked at before they begin.
//!
//! A file system whose server is gone answers no call, so a thread of its own asks.

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wavemill_platform::{Space as Room, space_near};

/// Age from which an answer is asked for again.
const FRESH_FOR: Duration = Duration::from_secs(5);

/// Time that a file system has to answer before jobs for it wait.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// Fewest free files (inodes) of a file system that counts them: a job makes a few.
const FREE_FILES_MIN: u64 = 64;

/// An answer: the room, or nothing where no folder of the path can be looked at.
type Answer = Option<Room>;

#[derive(Debug)]
struct Question {
    path: PathBuf,
    answer: Sender<Answer>,
}

/// Looks at free space.
#[derive(Debug)]
pub(super) struct Space {
    free_bytes_min: AtomicU64,
    questions: Sender<Question>,
    known: Mutex<SpaceAnswers>,
}

#[derive(Debug, Default)]
struct SpaceAnswers {
    answers: BTreeMap<PathBuf, (Instant, Answer)>,
    /// Questions that were not answered in time.
    open: BTreeMap<PathBuf, Receiver<Answer>>,
}

impl Space {
    /// Starts the thread that asks. It ends with the value, unless it hangs in a call.
    pub(super) fn start(free_bytes_min: u64) -> io::Result<Self> {
        let (questions, asked) = unbounded::<Question>();
        std::thread::Builder::new().name("space".to_owned()).spawn(move || {
            for Question { path, answer } in asked {
                // Whoever asked may have given up.
                let _ = answer.send(space_near(&path));
            }
        })?;
        let free_bytes_min = AtomicU64::new(free_bytes_min);
        Ok(Self { free_bytes_min, questions, known: Mutex::default() })
    }

    /// Free space that jobs need from now on.
    pub(super) fn set_free_bytes_min(&self, bytes: u64) {
        self.free_bytes_min.store(bytes, Ordering::Relaxed);
    }

    fn free_bytes_min(&self) -> u64 {
        self.free_bytes_min.load(Ordering::Relaxed)
    }

    /// Why no job may begin that writes below these folders; one line.
    pub(super) fn shortage(&self, folders: &[PathBuf]) -> Option<String> {
        if self.free_bytes_min() == 0 {
            return None;
        }
        let folders: BTreeSet<_> = folders.iter().collect();
        folders.into_iter().find_map(|folder| self.shortage_at(folder))
    }

    fn shortage_at(&self, folder: &Path) -> Option<String> {
        let shown = folder.display();
        let Some(answer) = self.ask(folder) else {
            return Some(format!("the file system of {shown} does not answer"));
        };
        // A folder that cannot be looked at is for the worker to complain of.
        let Room { free_bytes, free_files, .. } = answer?;
        if free_bytes < self.free_bytes_min() {
            let (free, min) = (free_bytes >> 20, self.free_bytes_min() >> 20);
            return Some(format!("{shown} has {free} MiB free; `min_free_mib` requires {min}"));
        }
        let free_files = free_files.filter(|&files| files < FREE_FILES_MIN)?;
        Some(format!("{shown} has room for only {free_files} more files"))
    }

    /// Free space by folder, as last looked at.
    pub(super) fn known_free_bytes(&self) -> BTreeMap<PathBuf, u64> {
        let known = self.known.lock();
        let free = |(path, (_, answer)): (&PathBuf, &(Instant, Answer))| {
            answer.map(|room| (path.clone(), room.free_bytes))
        };
        known.answers.iter().filter_map(free).collect()
    }

    /// The room at a folder; `None` when nobody answers.
    fn ask(&self, folder: &Path) -> Option<Answer> {
        let mut known = self.known.lock();
        if let Some(open) = known.open.get(folder) {
            let answer = open.try_recv().ok()?;
            known.open.remove(folder);
            known.answers.insert(folder.to_owned(), (Instant::now(), answer));
            return Some(answer);
        }
        let fresh = known.answers.get(folder).filter(|(asked, _)| asked.elapsed() < FRESH_FOR);
        if let Some((_, answer)) = fresh {
            return Some(*answer);
        }
        let (answer, answered) = bounded(1);
        let question = Question { path: folder.to_owned(), answer };
        self.questions.send(question).ok()?;
        let Ok(answer) = answered.recv_timeout(ANSWER_WITHIN) else {
            known.open.insert(folder.to_owned(), answered);
            return None;
        };
        known.answers.insert(folder.to_owned(), (Instant::now(), answer));
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_space_is_reported_with_both_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/made/yet");
        assert_eq!(Space::start(1).unwrap().shortage(std::slice::from_ref(&path)), None);
        let reason = Space::start(u64::MAX).unwrap().shortage(&[path]).unwrap();
        assert!(reason.contains("MiB free; `min_free_mib` requires 17592186044415"), "{reason}");
        assert_eq!(Space::start(0).unwrap().shortage(&["/".into()]), None);
    }

    #[test]
    fn file_system_that_does_not_answer_holds_jobs_back_until_it_does() {
        let (questions, asked) = unbounded();
        let space = Space { free_bytes_min: 10.into(), questions, known: Mutex::default() };
        let folder = PathBuf::from("/gone");
        let reason = space.shortage(std::slice::from_ref(&folder)).unwrap();
        assert!(reason.contains("does not answer"), "{reason}");
        // Asked once only, and the late answer counts.
        assert!(space.shortage(std::slice::from_ref(&folder)).is_some());
        assert_eq!(asked.len(), 1);
        let question: Question = asked.recv().unwrap();
        question
            .answer
            .send(Some(Room { free_bytes: 11, total_bytes: 11, free_files: None, total_files: 0 }))
            .unwrap();
        assert_eq!(space.shortage(&[folder]), None);
    }

    #[test]
    fn file_system_without_free_files_holds_jobs_back() {
        let (questions, _asked) = unbounded();
        let space = Space { free_bytes_min: 10.into(), questions, known: Mutex::default() };
        let full = Some(Room {
            free_bytes: 1 << 40,
            total_bytes: 1 << 40,
            free_files: Some(3),
            total_files: 9,
        });
        let answers = BTreeMap::from([(PathBuf::from("/full"), (Instant::now(), full))]);
        *space.known.lock() = SpaceAnswers { answers, open: BTreeMap::new() };
        let reason = space.shortage(&["/full".into()]).unwrap();
        assert_eq!(reason, "/full has room for only 3 more files");
    }
}
