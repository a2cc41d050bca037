//! A stream between its socket and the threads that process it.

use super::chain::{Chain, Names};
use super::engine::{Change, Engine, Progress};
use super::hello::{Hello, Overflow};
use super::limits::{CHANGES_MAX, RING_BYTES_MAX, RING_S};
use super::message::{Event, Limits, Order, Refusal};
use super::outbox::Outbox;
use super::pool::{Place, Turns};
use super::ring::Ring;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use wavemill_rack::{Control, Ending, Part, Slots, Supervisor};

/// So much may be processed before its time and still be live, s: a client's first blocks.
const AHEAD_S: f64 = 1.0;

/// See the module.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) hello: Hello,
    pub(crate) started: Instant,
    /// For the pool.
    pub(super) place: Mutex<Place>,
    pub(super) outbox: Outbox,
    input: Mutex<Input>,
    /// Notified when the ring has given something.
    room: Notify,
    engine: Mutex<Engine>,
    processed: AtomicU64,
    /// What the slots should hold.
    wanted: Mutex<Slots<Option<Part>>>,
    supervisor: Mutex<Supervisor>,
    names: Names,
    /// Builds under way.
    builds: AtomicUsize,
    /// Whether audio waits for them.
    is_building: AtomicBool,
    /// Whether fresh instances may have been sent to the rack.
    has_arrivals: AtomicBool,
    turns: Arc<Turns>,
    builders: Arc<Semaphore>,
    runtime: Handle,
}

/// What came and was not processed.
struct Input {
    ring: Ring,
    /// By the frame of the input that they come before, and their order.
    changes: BTreeMap<(u64, u64), Change>,
    change_count: u64,
    /// Frames that were dropped since that was reported.
    unreported: u64,
    is_ended: bool,
}

impl Session {
    /// A session whose chain was built; from within the runtime.
    ///
    /// # Errors
    /// When its rates do not go together.
    pub(crate) fn new(
        id: String,
        hello: Hello,
        chain: Chain,
        turns: Arc<Turns>,
        builders: Arc<Semaphore>,
        runtime: Handle,
    ) -> Result<Self, Refusal> {
        let capacity = RING_BYTES_MAX / (size_of::<f32>() * hello.channels);
        let capacity = capacity.min((hello.sample_rate * RING_S) as usize);
        let engine = Engine::new(&hello, chain.rack)?;
        Ok(Self {
            id,
            started: Instant::now(),
            place: Mutex::default(),
            outbox: Outbox::default(),
            input: Mutex::new(Input {
                ring: Ring::new(hello.channels, capacity),
                changes: BTreeMap::new(),
                change_count: 0,
                unreported: 0,
                is_ended: false,
            }),
            room: Notify::new(),
            engine: Mutex::new(engine),
            processed: AtomicU64::new(0),
            wanted: Mutex::new(chain.parts),
            supervisor: Mutex::new(chain.supervisor),
            names: chain.names,
            builds: AtomicUsize::new(0),
            is_building: AtomicBool::new(false),
            has_arrivals: AtomicBool::new(false),
            turns,
            builders,
            runtime,
            hello,
        })
    }

    /// The answer to the hello.
    pub(crate) fn ready(&self) -> Event {
        let latency_frames = self.engine.lock().latency();
        let capacity = self.input.lock().ring.capacity();
        Event::Ready {
            session: self.id.clone(),
            latency_frames,
            latency_ms: latency_frames as f64 * 1000.0 / f64::from(self.hello.sample_rate),
            sample_rate: self.hello.sample_rate,
            channels: self.hello.channels,
            format: self.hello.format,
            limits: Limits::new(capacity, self.hello.block_frames),
        }
    }

    /// Takes interleaved samples; waits for room where the hello asks for that.
    ///
    /// # Errors
    /// After the end.
    pub(crate) async fn push(self: &Arc<Self>, samples: Vec<f32>) -> Result<(), Refusal> {
        if self.input.lock().is_ended {
            return Err(Refusal::new("bad message", "audio after the end"));
        }
        if self.hello.overflow == Overflow::DropOldest {
            let mut input = self.input.lock();
            input.unreported += input.ring.push(samples.into_iter());
            drop(input);
            self.schedule();
            return Ok(());
        }
        for piece in samples.chunks(self.hello.block_frames * self.hello.channels) {
            loop {
                let has_room = self.room.notified();
                {
                    let mut input = self.input.lock();
                    let frames = piece.len() / self.hello.channels;
                    if input.ring.fill() + frames <= input.ring.capacity() {
                        input.ring.push(piece.iter().copied());
                        break;
                    }
                }
                has_room.await;
            }
            self.schedule();
        }
        Ok(())
    }

    /// Does what a client says besides audio.
    ///
    /// # Errors
    /// One line: why that cannot be done.
    pub(crate) fn order(self: &Arc<Self>, order: Order) -> Result<(), Refusal> {
        match order {
            Order::End => self.input.lock().is_ended = true,
            Order::Set { index, key, value, frame } => {
                let change = self.change(index, &key, &value);
                let change = change.map_err(|reason| Refusal::new("bad parameter", reason))?;
                let mut input = self.input.lock();
                if input.changes.len() >= CHANGES_MAX {
                    let detail = format!("more than {CHANGES_MAX} changes wait for their frame");
                    return Err(Refusal::new("too many changes", detail));
                }
                input.change_count += 1;
                let order = input.change_count;
                input.changes.insert((frame, order), change);
            }
        }
        self.schedule();
        Ok(())
    }

    fn change(&self, index: usize, key: &str, value: &Value) -> Result<Change, String> {
        let wanted = self.wanted.lock();
        let part = wanted.get(index).and_then(Option::as_ref);
        let part = part.ok_or_else(|| format!("the chain has no entry {index}"))?;
        let control = part.controls().iter().position(|control| control.key == key);
        let control = control.ok_or_else(|| {
            let keys: Vec<_> = part.controls().iter().map(|control| &*control.key).collect();
            format!("`{key}` is none of {}", keys.join(", "))
        })?;
        let value = number(&part.controls()[control], value)?;
        Ok(Change { slot: index, control, value })
    }

    /// It has something to do.
    pub(crate) fn schedule(self: &Arc<Self>) {
        self.turns.add(self);
    }

    /// Whether it was given more audio than time has passed.
    pub(super) fn is_ahead(&self) -> bool {
        let processed = self.processed.load(Ordering::Relaxed) as f64;
        let processed_s = processed / f64::from(self.hello.sample_rate);
        processed_s > self.started.elapsed().as_secs_f64() + AHEAD_S
    }

    /// Processes a block; whether there is more to do. By one thread at a time.
    pub(super) fn turn(self: &Arc<Self>) -> bool {
        let is_building = self.is_building.load(Ordering::Acquire);
        if is_building || self.outbox.is_closed() || !self.outbox.has_room() {
            return false;
        }
        self.advance().unwrap_or_else(|refusal| {
            self.fail(refusal);
            false
        })
    }

    fn advance(self: &Arc<Self>) -> Result<bool, Refusal> {
        let mut engine = self.engine.lock();
        if self.has_arrivals.swap(false, Ordering::AcqRel) {
            engine.receive(&self.wanted.lock())?;
        }
        let was_fed = engine.is_hungry() && self.feed(&mut engine);
        let progress = engine.advance(&self.outbox, |change| self.apply(change))?;
        self.processed.store(engine.fed(), Ordering::Relaxed);
        let needs_supervisor = engine.take_need();
        drop(engine);
        match progress {
            Progress::Builds => self.tend(true),
            Progress::Done(frames_out) => {
                let frames_in = self.input.lock().ring.received();
                self.outbox.close(&Event::End { frames_in, frames_out });
            }
            Progress::Idle | Progress::Played if needs_supervisor => self.tend(false),
            Progress::Idle | Progress::Played => {}
        }
        // A converter may take many blocks before one comes out.
        Ok(progress == Progress::Played || (progress == Progress::Idle && was_fed))
    }

    /// Hands the engine the next block with its changes, or the end; whether there was any.
    fn feed(&self, engine: &mut Engine) -> bool {
        let mut input = self.input.lock();
        let unreported = std::mem::take(&mut input.unreported);
        if unreported > 0 {
            let total = input.ring.dropped();
            self.outbox.event(&Event::Dropped { frames: unreported, total });
        }
        let front = input.ring.front();
        let mut samples = Vec::new();
        let frames = input.ring.take(self.hello.block_frames, &mut samples) as u64;
        while frames > 0
            && let Some(first) = input.changes.first_entry()
            && first.key().0 < front + frames
        {
            let ahead = first.key().0.saturating_sub(front);
            engine.change_before(engine.fed() + ahead, first.remove());
        }
        let is_over = input.is_ended && input.ring.fill() == 0;
        drop(input);
        self.room.notify_one();
        if frames > 0 {
            engine.feed(&samples);
        } else if is_over {
            engine.end();
        }
        frames > 0 || is_over
    }

    /// Notes a change; whether it can come while audio runs.
    fn apply(&self, change: Change) -> bool {
        let mut wanted = self.wanted.lock();
        let Some(part) = &mut wanted[change.slot] else { return true };
        let before = part.values()[change.control];
        part.set(change.control, change.value);
        let is_same = part.values()[change.control].to_bits() == before.to_bits();
        is_same || part.controls()[change.control].is_automatable
    }

    /// Builds what is wanted, away from the audio, which may wait for it.
    fn tend(self: &Arc<Self>, audio_waits: bool) {
        // In this order: a build that ends meanwhile is not the last one.
        self.builds.fetch_add(1, Ordering::AcqRel);
        if audio_waits {
            self.is_building.store(true, Ordering::Release);
        }
        let session = Arc::clone(self);
        let builders = Arc::clone(&self.builders);
        self.runtime.spawn(async move {
            let _place = builders.acquire_owned().await;
            // What ends early is a server that ends.
            let _ = tokio::task::spawn_blocking(move || session.build()).await;
        });
    }

    fn build(self: &Arc<Self>) {
        let wanted = self.wanted.lock().clone();
        let incidents = self.supervisor.lock().tend(&wanted);
        for incident in incidents {
            let detail = self.names.plain(&incident.reason);
            match incident.ending {
                // It was a change: what sounded before would go on without it.
                Ending::Kept => self.fail(Refusal::new("bad parameter", detail)),
                ending => self.outbox.event(&Event::Broken {
                    index: incident.slot,
                    detail,
                    is_dry: ending == Ending::Dry,
                }),
            }
        }
        self.has_arrivals.store(true, Ordering::Release);
        if self.builds.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.is_building.store(false, Ordering::Release);
        }
        self.schedule();
    }

    /// Ends with an error; what was made before is sent.
    pub(crate) fn fail(&self, refusal: Refusal) {
        self.outbox.close(&Event::from(refusal));
    }

    /// A turn ended in a panic.
    pub(super) fn break_off(&self) {
        tracing::error!(session = self.id, "A live stream met a bug and was ended.");
        self.fail(Refusal::new("internal error", "the session met a bug and was ended"));
    }

    /// What is shown of it.
    pub(crate) fn view(&self) -> super::sessions::BufferView {
        let input = self.input.lock();
        let ring = &input.ring;
        super::sessions::BufferView {
            id: self.id.clone(),
            age_s: self.started.elapsed().as_secs_f64(),
            sample_rate: self.hello.sample_rate,
            channels: self.hello.channels,
            fill_frames: ring.fill(),
            capacity_frames: ring.capacity(),
            high_water_frames: ring.high_water(),
            dropped_frames: ring.dropped(),
            processed_frames: self.processed.load(Ordering::Relaxed),
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a client says of a control, as the allowed value that is nearest.
fn number(control: &Control, value: &Value) -> Result<f64, String> {
    let key = &control.key;
    let (min, max) = (control.min, control.max);
    let number = match value {
        Value::Bool(is_on) => Some(f64::from(u8::from(*is_on))),
        Value::Number(number) => number.as_f64(),
        Value::String(word) => {
            let label = control.labels.iter().position(|label| label == word);
            let label = label.ok_or_else(|| {
                format!("`{key}` is none of the words {}", control.labels.join(", "))
            })?;
            Some(min + label as f64)
        }
        _ => None,
    };
    let number = number.ok_or_else(|| format!("`{key}` must be a number, a switch or a word"))?;
    if number >= min && number <= max {
        return Ok(control.nearest(number));
    }
    Err(format!("`{key}` is {number}; it must be from {min} to {max}"))
}
