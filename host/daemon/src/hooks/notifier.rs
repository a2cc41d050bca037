//! The threads that notify hooks.

use super::{Failure, Hook, Message};
use crossbeam_channel::{Receiver, Sender, after, bounded, select};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use wavemill_api::Service;
use wavemill_api::{StopLevel, StopSignal};
use wavemill_store::Clock;
use wavemill_store::{NoticeRecord, Store, StoreError};

/// Time until a notice is sent again, by the number of failures; the last holds for all that follow.
const AGAIN_AFTER: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_mins(30),
    Duration::from_hours(1),
    Duration::from_hours(3),
];

/// Age at which a notice that could not be delivered is given up.
const GIVEN_UP_AFTER: Duration = Duration::from_hours(24);

/// Longest time between two looks: the clock may have been set.
const LOOK_INTERVAL: Duration = Duration::from_mins(1);

/// Time that an ending daemon takes to send what was not tried yet.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(10);

/// Notices taken from the store at once.
const NOTICES_MAX: usize = 100;

/// A thread for each hook. Dropping it sends what was not tried yet, and ends them.
#[derive(Debug)]
pub(crate) struct Notifiers {
    hooks: Vec<Hook>,
    store: Arc<Store>,
    service: Service,
    wakers: Vec<Sender<()>>,
    stop: Option<Sender<()>>,
    /// How fast the daemon ends.
    level: StopSignal,
    threads: Vec<JoinHandle<()>>,
}

impl Notifiers {
    /// Takes note of the hooks, and begins to notify them.
    pub(crate) fn start(
        hooks: Vec<Hook>,
        store: &Arc<Store>,
        service: &Service,
        level: StopSignal,
    ) -> io::Result<Self> {
        Self::start_with(hooks, store, service, level, &AGAIN_AFTER)
    }

    fn start_with(
        hooks: Vec<Hook>,
        store: &Arc<Store>,
        service: &Service,
        level: StopSignal,
        again_after: &'static [Duration],
    ) -> io::Result<Self> {
        let kept = hooks.iter().map(|hook| (hook.name.clone(), hook.record())).collect();
        store.keep_hooks(kept).map_err(io::Error::other)?;
        let notified = hooks.clone();
        let (stop, stopped) = bounded(0);
        let (mut wakers, mut threads) = (Vec::new(), Vec::new());
        for hook in hooks {
            let (waker, woken) = bounded(1);
            let name = format!("hook {}", hook.name);
            let notifier = Notifier {
                hook,
                store: Arc::clone(store),
                service: service.clone(),
                failures: 0,
                silent_until: None,
                level: level.clone(),
                again_after,
            };
            let stopped = stopped.clone();
            let serve = move || notifier.serve(&woken, &stopped);
            threads.push(std::thread::Builder::new().name(name).spawn(serve)?);
            wakers.push(waker);
        }
        let (store, service) = (Arc::clone(store), service.clone());
        Ok(Self { hooks: notified, store, service, wakers, stop: Some(stop), level, threads })
    }

    /// Notifies others from now on. Those of before are left alone, unless they differ.
    pub(crate) fn replace(&mut self, hooks: Vec<Hook>) {
        if hooks == self.hooks {
            return;
        }
        match Self::start(hooks, &self.store, &self.service, self.level.clone()) {
            Ok(next) => {
                let former = std::mem::replace(self, next);
                // It may be notifying a receiver, which takes its time.
                let end = std::thread::Builder::new().name("hooks end".to_owned());
                if let Err(error) = end.spawn(move || drop(former)) {
                    tracing::warn!(%error, "Previous hooks were stopped without a thread.");
                }
            }
            Err(error) => tracing::error!(%error, "Hooks not changed."),
        }
    }

    /// Says that there may be something to send.
    pub(crate) fn wake(&self) {
        for waker in &self.wakers {
            // A full channel has a wake-up waiting already.
            let _ = waker.try_send(());
        }
    }
}

impl Drop for Notifiers {
    fn drop(&mut self) {
        self.stop = None;
        if self.level.level() == StopLevel::Now {
            // Somebody is in a hurry; what was not sent stays in the store.
            return;
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

struct Notifier {
    hook: Hook,
    store: Arc<Store>,
    service: Service,
    /// How often in a row the receiver was unwell.
    failures: usize,
    /// Nothing is sent before.
    silent_until: Option<Instant>,
    level: StopSignal,
    again_after: &'static [Duration],
}

impl Notifier {
    fn serve(mut self, woken: &Receiver<()>, stopped: &Receiver<()>) {
        loop {
            let wait = self.send_due(None, stopped).unwrap_or_else(|error| {
                tracing::warn!(hook = self.hook.name, %error, "Hook disabled.");
                LOOK_INTERVAL
            });
            select! {
                recv(stopped) -> _ => break,
                recv(woken) -> _ => {},
                recv(after(wait.min(LOOK_INTERVAL))) -> _ => {},
            }
        }
        if self.level.level() == StopLevel::Now {
            return;
        }
        // What is left over is sent by the next daemon.
        let _ = self.send_due(Some(Instant::now() + LAST_WORDS_WITHIN), stopped);
    }

    /// Sends what is due; returns the time until more is. With `until` only what was never tried, and until then.
    fn send_due(
        &mut self,
        until: Option<Instant>,
        stopped: &Receiver<()>,
    ) -> Result<Duration, StoreError> {
        loop {
            if let Some(left) = self.silence() {
                return Ok(left);
            }
            let now_ms = Clock::now_ms();
            let (due, next_ms) = self.store.notices_due(&self.hook.name, now_ms, NOTICES_MAX)?;
            let is_last = due.len() < NOTICES_MAX;
            for notice in due.into_iter().filter(|notice| until.is_none() || notice.tries == 0) {
                let is_over = until.is_some_and(|until| Instant::now() >= until);
                let is_stopped = until.is_none() && is_closed(stopped);
                if is_over || is_stopped || self.silence().is_some() {
                    return Ok(Duration::ZERO);
                }
                self.send(notice)?;
            }
            if is_last || until.is_some() {
                let wait_ms = next_ms.map_or(u64::MAX, |next| next.saturating_sub(now_ms));
                return Ok(Duration::from_millis(wait_ms));
            }
        }
    }

    /// Time for which the receiver is left alone.
    fn silence(&self) -> Option<Duration> {
        let left = self.silent_until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    fn send(&mut self, notice: NoticeRecord) -> Result<(), StoreError> {
        let (hook, job) = (self.hook.name.clone(), notice.subject.clone());
        let failure = match self.hook.notify(&Message::of(&notice, &self.service)) {
            Ok(()) => {
                tracing::debug!(hook, job, "Hook notified.");
                self.failures = 0;
                return self.store.forget_notice(&hook, &notice);
            }
            Err(failure) => failure,
        };
        let reason = failure.reason().to_owned();
        let failures = match &failure {
            Failure::Unwell(_) => self.failures,
            Failure::Refused(_) => notice.tries as usize,
        };
        let pause = self.again_after[failures.min(self.again_after.len() - 1)];
        if matches!(failure, Failure::Unwell(_)) {
            self.failures += 1;
            self.silent_until = Some(Instant::now() + pause);
        }
        let now_ms = Clock::now_ms();
        let age = Duration::from_millis(now_ms.saturating_sub(notice.happened_ms));
        if age >= GIVEN_UP_AFTER {
            tracing::error!(hook, job, %reason, "Notification failed; giving up.");
            return self.store.forget_notice(&hook, &notice);
        }
        tracing::warn!(hook, job, %reason, ?pause, "Notification failed; it will be retried.");
        let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let due_ms = now_ms.saturating_add(pause_ms);
        let tries = notice.tries.saturating_add(1);
        self.store
            .put_off_notice(&hook, NoticeRecord { due_ms, tries, reason: Some(reason), ..notice })
    }
}

fn is_closed(stopped: &Receiver<()>) -> bool {
    stopped.try_recv() == Err(crossbeam_channel::TryRecvError::Disconnected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hooks::Target;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::path::Path;
    use wavemill_api::Terms;
    use wavemill_pipelines::model::Defaults;
    use wavemill_pipelines::publishing::identity;
    use wavemill_store::JobQueue;
    use wavemill_store::{CurrentPlan, FileKey, Occasion, Submission};

    /// What a receiver got: the id and the body of a request.
    type Received = (String, serde_json::Value);

    /// A receiver that answers what `answer` says of each body.
    fn receiver(
        answer: impl Fn(usize, &serde_json::Value) -> u16 + Send + 'static,
    ) -> (String, Receiver<Received>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, received) = crossbeam_channel::unbounded();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = BufReader::new(stream.unwrap());
                let (mut length, mut id, mut line) = (0, String::new(), String::new());
                while stream.read_line(&mut line).unwrap() > 2 {
                    let (name, value) = line.split_once(':').unwrap_or(("", ""));
                    match name.to_ascii_lowercase().as_str() {
                        "content-length" => length = value.trim().parse().unwrap(),
                        "webhook-id" => value.trim().clone_into(&mut id),
                        _ => {}
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let body = serde_json::from_slice(&body).unwrap();
                let status = answer(number, &body);
                let text = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                );
                stream.get_mut().write_all(text.as_bytes()).unwrap();
                if sender.send((id, body)).is_err() {
                    return;
                }
            }
        });
        (url, received)
    }

    /// A store with a batch of `count` jobs.
    struct Bench {
        folder: tempfile::TempDir,
        store: Arc<Store>,
        service: Service,
        jobs: Vec<String>,
        /// When its first job ended.
        base_ms: u64,
    }

    const SHORT: [Duration; 1] = [Duration::from_millis(20)];
    const NEVER: [Duration; 1] = [Duration::from_hours(9)];

    impl Bench {
        fn new(count: usize) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Arc::new(Store::open(folder.path()).unwrap());
            let of = |number: usize| {
                let path = folder.path().join(format!("{number}.wav"));
                std::fs::File::create(&path).unwrap();
                let file = FileKey {
                    pipeline: "podcast".to_owned(),
                    root: folder.path().to_owned(),
                    relative: path.file_name().unwrap().into(),
                };
                (file, identity(&path).unwrap().unwrap())
            };
            let plan = CurrentPlan { plan: "p".into(), output_root: "/".into(), priority: 0 };
            let files = (0..count).map(of).collect();
            let submission = Submission { name: None, plan, keeps: None, files };
            let made = store.submit_batch("podcast", submission).unwrap();
            let terms = Terms {
                state_dir: folder.path().to_owned(),
                output_root: Path::new("/").to_owned(),
                defaults: Defaults::default(),
            };
            let service = Service::over_store(Arc::clone(&store), terms);
            let jobs = made.jobs.into_iter().map(|job| job.id).collect();
            Self { folder, store, service, jobs, base_ms: Clock::now_ms() }
        }

        fn start(&self, url: &str, again_after: &'static [Duration]) -> Notifiers {
            let hook = Hook {
                name: "desk".to_owned(),
                on: vec![Occasion::Canceled, Occasion::BatchDone],
                pipelines: Vec::new(),
                target: Target::Webhook { url: url.to_owned(), secret: None },
            };
            let stop = StopSignal::new();
            Notifiers::start_with(vec![hook], &self.store, &self.service, stop, again_after)
                .unwrap()
        }

        fn end_job(&self, index: usize) {
            self.store.cancel(&self.jobs[index], self.base_ms + index as u64).unwrap();
        }

        fn left(&self) -> u64 {
            self.store.hooks().unwrap()[0].waiting
        }
    }

    fn next(received: &Receiver<Received>) -> Received {
        received.recv_timeout(Duration::from_mins(2)).expect("nothing was received")
    }

    #[test]
    fn ends_of_jobs_and_of_their_batch_are_notified_once() {
        let bench = Bench::new(2);
        let (url, received) = receiver(|_, _| 204);
        let notifiers = bench.start(&url, &SHORT);
        bench.end_job(0);
        notifiers.wake();
        let (id, body) = next(&received);
        assert_eq!(id, format!("{}-{}", bench.jobs[0], bench.base_ms));
        assert_eq!(body["type"], "job.canceled");
        assert_eq!(body["timestamp"], wavemill_store::rfc3339(bench.base_ms));
        assert_eq!(body["data"]["id"], *bench.jobs[0]);
        assert_eq!(body["text"], "0.wav (podcast): canceled: was canceled");
        bench.end_job(1);
        notifiers.wake();
        let mut kinds = [next(&received).1["type"].clone(), next(&received).1["type"].clone()];
        kinds.sort_by_key(ToString::to_string);
        assert_eq!(kinds, ["batch.done", "job.canceled"]);
        drop(notifiers);
        assert_eq!((bench.left(), received.len()), (0, 0));
    }

    #[test]
    fn notice_that_a_receiver_did_not_take_is_sent_again_under_the_same_id() {
        let bench = Bench::new(1);
        let (url, received) = receiver(|number, _| if number < 3 { 503 } else { 200 });
        let notifiers = bench.start(&url, &SHORT);
        bench.end_job(0);
        notifiers.wake();
        let ids: Vec<_> = (0..4).map(|_| next(&received).0).collect();
        // There is a notice of the batch besides; whichever comes first is repeated.
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        next(&received);
        drop(notifiers);
        assert_eq!(bench.left(), 0);
    }

    #[test]
    fn what_is_refused_keeps_nothing_else_from_being_sent() {
        let bench = Bench::new(3);
        let bad = bench.jobs[0].clone();
        let (url, received) =
            receiver(move |_, body| if body["data"]["id"] == *bad { 400 } else { 200 });
        let notifiers = bench.start(&url, &NEVER);
        (0..3).for_each(|index| bench.end_job(index));
        notifiers.wake();
        // Three jobs and their batch.
        (0..4).for_each(|_| drop(next(&received)));
        drop(notifiers);
        let left = bench.store.hooks().unwrap().remove(0);
        assert_eq!(left.waiting, 1);
        assert!(left.reason.unwrap().contains("answers 400"));
    }

    #[test]
    fn what_was_not_sent_is_sent_by_the_next_daemon() {
        let bench = Bench::new(1);
        drop(bench.start("http://127.0.0.1:9/", &SHORT));
        bench.end_job(0);
        assert_eq!(bench.left(), 2);
        let (url, received) = receiver(|_, _| 200);
        let notifiers = bench.start(&url, &SHORT);
        (0..2).for_each(|_| drop(next(&received)));
        drop(notifiers);
        assert_eq!(bench.left(), 0);
        assert!(bench.folder.path().exists());
    }

    #[test]
    fn daemon_that_ends_sends_what_was_not_tried() {
        let bench = Bench::new(1);
        let (url, received) = receiver(|_, _| 200);
        let notifiers = bench.start(&url, &SHORT);
        bench.end_job(0);
        // Without being woken.
        drop(notifiers);
        assert_eq!((bench.left(), received.len()), (0, 2));
    }

    #[test]
    fn what_could_not_be_sent_for_a_day_is_given_up() {
        let mut bench = Bench::new(1);
        bench.base_ms -= 25 * 3_600_000;
        let (url, received) = receiver(|_, _| 400);
        let notifiers = bench.start(&url, &SHORT);
        bench.end_job(0);
        notifiers.wake();
        (0..2).for_each(|_| drop(next(&received)));
        drop(notifiers);
        assert_eq!((bench.left(), received.len()), (0, 0));
    }
}
