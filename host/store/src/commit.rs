//! Changes that wait at the same time share a commit.

use super::StoreError;
use super::tables::Tx;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;
use redb::Database;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Most changes in one commit: a bound on how long the first one waits for the others.
const CHANGES_MAX: usize = 64;

type Change = Box<dyn Fn(&Tx<'_>) -> Result<(), StoreError> + Send>;

struct Request {
    change: Change,
    answer: Sender<Result<(), StoreError>>,
}

/// The thread that writes.
pub(super) struct Committer {
    /// A change failed because there was no room.
    ran_full: Arc<AtomicBool>,
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(super) fn start(database: Arc<Database>) -> Result<Self, StoreError> {
        let (requests, receiver) = unbounded();
        let ran_full = Arc::new(AtomicBool::new(false));
        let full = Arc::clone(&ran_full);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(&database, &receiver, &full))
            .map_err(|error| StoreError::Io { reason: format!("no thread to write: {error}") })?;
        Ok(Self { ran_full, requests: Some(requests), thread: Some(thread) })
    }

    pub(super) fn ran_full(&self) -> bool {
        self.ran_full.load(Ordering::SeqCst)
    }

    pub(super) fn write<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let filled = Arc::clone(&slot);
        let change: Change = Box::new(move |tx| {
            let value = change(tx)?;
            *filled.lock() = Some(value);
            Ok(())
        });
        let (answer, answered) = bounded(1);
        let gone = || StoreError::Database { reason: "its thread has ended".to_owned() };
        let requests = self.requests.as_ref().ok_or_else(gone)?;
        requests.send(Request { change, answer }).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())??;
        let value = slot.lock().take();
        value.ok_or_else(gone)
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(database: &Database, requests: &Receiver<Request>, ran_full: &AtomicBool) {
    let commit = |batch: &[Request]| {
        let result = commit(database, batch);
        if matches!(result, Err(StoreError::Full { .. })) {
            ran_full.store(true, Ordering::SeqCst);
        }
        result
    };
    while let Ok(first) = requests.recv() {
        let mut batch = vec![first];
        batch.extend(requests.try_iter().take(CHANGES_MAX - 1));
        if batch.len() > 1 && commit(&batch).is_ok() {
            answer(batch, &Ok(()));
            continue;
        }
        // Alone, so that only the change that fails does.
        for request in batch {
            let result = commit(std::slice::from_ref(&request));
            answer(vec![request], &result);
        }
    }
}

fn answer(batch: Vec<Request>, result: &Result<(), StoreError>) {
    for request in batch {
        // Who asked may have died since.
        let _ = request.answer.send(result.clone());
    }
}

fn commit(database: &Database, batch: &[Request]) -> Result<(), StoreError> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    for request in batch {
        (request.change)(&Tx(&transaction))?;
    }
    transaction.commit()?;
    Ok(())
}
