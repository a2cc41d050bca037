//! Questions to the disk. The window and the DAW's main thread never wait for an answer: a share may be dead, and a path
//! that of a pipe.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a disk may take until the window says so.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// Questions without an answer, after which no other one is asked.
const STUCK_MAX: usize = 4;

/// How long the end of an instance waits: its code may be unloaded.
const FAREWELL: Duration = Duration::from_millis(500);

/// What is known by now.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer<'a, A> {
    Known(&'a A),
    /// Soon.
    Waiting,
    /// The disk does not answer.
    Late,
}

/// The latest question and its answer.
#[derive(Debug)]
pub(crate) struct Lookup<Q, A> {
    asked: Option<OpenQuestion<Q, A>>,
    answer: Option<(Q, Instant, A)>,
    stuck: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct OpenQuestion<Q, A> {
    question: Q,
    at: Instant,
    answer: Receiver<A>,
    thread: JoinHandle<()>,
}

impl<Q, A> Default for Lookup<Q, A> {
    fn default() -> Self {
        Self { asked: None, answer: None, stuck: Vec::new() }
    }
}

impl<Q: Clone + PartialEq + Send + 'static, A: Send + 'static> Lookup<Q, A> {
    /// The answer to this question, which `work` finds on a thread of its own. An answer older than `interval` is looked
    /// for again, and holds until then.
    pub(crate) fn ask(
        &mut self,
        question: &Q,
        interval: Duration,
        work: fn(&Q) -> A,
    ) -> Answer<'_, A> {
        self.take(question);
        let is_right = |(of, at, _): &(Q, Instant, A)| of == question && at.elapsed() < interval;
        if self.asked.is_none() && !self.answer.as_ref().is_some_and(is_right) {
            self.begin(question.clone(), work);
        }
        let is_late = match &self.asked {
            Some(asked) => asked.at.elapsed() >= WAIT_MAX,
            None => self.stuck.len() >= STUCK_MAX,
        };
        match &self.answer {
            _ if is_late => Answer::Late,
            Some((of, _, answer)) if of == question => Answer::Known(answer),
            _ => Answer::Waiting,
        }
    }

    /// Forgets the answer: the next question is asked anew.
    pub(crate) fn forget(&mut self) {
        self.answer = None;
    }

    /// Takes an answer that is there; gives up one that is late when there is another question.
    fn take(&mut self, wanted: &Q) {
        self.stuck.retain(|thread| !thread.is_finished());
        let Some(asked) = self.asked.take() else { return };
        match asked.answer.try_recv() {
            Ok(answer) => self.answer = Some((asked.question, Instant::now(), answer)),
            Err(TryRecvError::Empty)
                if asked.question != *wanted && asked.at.elapsed() >= WAIT_MAX =>
            {
                self.stuck.push(asked.thread);
            }
            Err(TryRecvError::Empty) => self.asked = Some(asked),
            // A mistake of ours: it is asked again.
            Err(TryRecvError::Disconnected) => {}
        }
    }

    fn begin(&mut self, question: Q, work: fn(&Q) -> A) {
        if self.stuck.len() >= STUCK_MAX {
            return;
        }
        let (to, answer) = channel();
        let of_thread = question.clone();
        let thread = thread::Builder::new().name("wavemill-disk".into()).spawn(move || {
            // Nobody may want to know any more.
            let _ = to.send(work(&of_thread));
        });
        let at = Instant::now();
        self.asked = thread.ok().map(|thread| OpenQuestion { question, at, answer, thread });
    }
}

impl<Q, A> Drop for Lookup<Q, A> {
    fn drop(&mut self) {
        let Some(OpenQuestion { answer, thread, .. }) = self.asked.take() else { return };
        let is_over = answer.recv_timeout(FAREWELL).err() != Some(RecvTimeoutError::Timeout);
        if is_over {
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;
    use std::sync::Arc;
    use std::sync::mpsc::Sender;

    /// A disk that answers when it is let go.
    #[derive(Clone)]
    struct Disk(u32, Arc<Mutex<Receiver<()>>>);

    impl PartialEq for Disk {
        fn eq(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }

    impl Disk {
        fn held() -> (Self, Sender<()>) {
            let (to, from) = channel();
            (Self(1, Arc::new(Mutex::new(from))), to)
        }

        fn answer(&self) -> u32 {
            // Ends when nobody holds it any more.
            let _ = self.1.lock().recv();
            self.0
        }
    }

    #[test]
    fn answer_comes_when_the_disk_gives_it_and_nobody_waits_meanwhile() {
        let (disk, hold) = Disk::held();
        let mut lookup = Lookup::default();
        assert_eq!(lookup.ask(&disk, Duration::MAX, Disk::answer), Answer::Waiting);
        drop(hold);
        while lookup.ask(&disk, Duration::MAX, Disk::answer) != Answer::Known(&1) {
            thread::yield_now();
        }
    }

    #[test]
    fn disk_that_does_not_answer_is_reported_and_another_question_is_asked() {
        let (disk, hold) = Disk::held();
        let mut lookup = Lookup::default();
        while lookup.ask(&disk, Duration::MAX, Disk::answer) != Answer::Late {
            thread::yield_now();
        }
        let (other, free) = Disk::held();
        let other = Disk(2, other.1);
        drop(free);
        while lookup.ask(&other, Duration::MAX, Disk::answer) != Answer::Known(&2) {
            thread::yield_now();
        }
        drop(hold);
    }

    #[test]
    fn answer_is_looked_for_again_and_holds_meanwhile() {
        let mut lookup = Lookup::default();
        let work = |question: &u32| *question;
        while lookup.ask(&1, Duration::MAX, work) == Answer::Waiting {
            thread::yield_now();
        }
        assert_eq!(lookup.ask(&1, Duration::ZERO, work), Answer::Known(&1));
        assert!(lookup.asked.is_some());
    }
}
