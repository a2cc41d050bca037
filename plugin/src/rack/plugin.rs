//! The rack as the DAW sees it.

use super::face::{self, Face};
use super::files::{Change, Files};
use super::loudness::{Loudness, Strip};
use super::model::Model;
use super::model::SlotModel;
use super::params::RackParams;
use super::source::{Source, effects};
use crate::addresses;
use crate::exported::{Exported, exported};
use crate::formats::Session;
use crate::plugin::{RACK_LAYOUTS, spec};
use crate::window::Window;
use crate::worker::{Task, Waker, Worker};
use nice_plug::prelude::*;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use wavemill_core::audio::StreamSpec;
use wavemill_core::denormals;
use wavemill_core::processor::Tail;
use wavemill_pipelines::Effects;
use wavemill_rack::{Ending, LOOK_TIME, Levels, Supervisor};

/// How long an offline render waits for an instance in all, and before it looks again.
const WAIT_MAX: Duration = Duration::from_secs(10);
const WAIT_STEP: Duration = Duration::from_millis(1);

/// What the rack plays is no version of the model.
const UNSETTLED: u64 = u64::MAX;

/// A chain of effects and steps.
pub struct Rack {
    desk: Arc<RackState>,
    session: Arc<Session>,
    /// There while active.
    chain: Option<wavemill_rack::Rack>,
    /// There while active.
    loudness: Option<Loudness>,
    /// The version of the model in the latest block.
    seen_version: u64,
    worker: Option<Arc<Worker>>,
}

/// What the audio thread, the worker and the window share.
pub(crate) struct RackState {
    pub(crate) params: Arc<RackParams>,
    pub(crate) levels: Arc<Levels>,
    pub(crate) strip: Strip,
    stream: Mutex<Option<StreamSpec>>,
    /// The worker's; there while active.
    supervisor: Mutex<Option<Supervisor>>,
    /// The version of the model that the rack plays, or [`UNSETTLED`].
    settled: AtomicU64,
    files: Mutex<Files>,
    waker: OnceLock<Waker>,
    executor: OnceLock<AsyncExecutor<Rack>>,
    /// Frames by which the rack is late.
    latency: AtomicU64,
    /// The version of the model that the host knows.
    known: AtomicU64,
    /// Lives as long as an instance does.
    _effects: Arc<Effects>,
}

impl Default for Rack {
    fn default() -> Self {
        let session = Session::begin();
        let effects = effects();
        let model = Model::default();
        let exported = exported();
        match exported.map(Exported::content) {
            Some(Ok(content)) => model.place(0, Some(content)),
            Some(Err(reason)) => model.report(0, Some(reason)),
            None => {}
        }
        let params = Arc::new(RackParams::new(Arc::new(model), exported.is_some()));
        if exported.is_none() {
            session.set_names(Arc::clone(&params) as Arc<dyn crate::formats::ParamNames>);
        }
        let desk = Arc::new(RackState {
            params,
            levels: Arc::default(),
            strip: Strip::default(),
            stream: Mutex::default(),
            supervisor: Mutex::default(),
            settled: AtomicU64::new(UNSETTLED),
            files: Mutex::default(),
            waker: OnceLock::new(),
            executor: OnceLock::new(),
            latency: AtomicU64::new(0),
            known: AtomicU64::new(0),
            _effects: effects,
        });
        Self { desk, session, chain: None, loudness: None, seen_version: UNSETTLED, worker: None }
    }
}

impl RackState {
    pub(crate) fn model(&self) -> &Model {
        &self.params.model
    }

    /// Lets the worker do soon what there is to do. Real-time.
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake();
        }
    }

    /// Whether the rack plays what is wanted; hosts may load a state at any time. Real-time.
    fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire) == self.model().version()
    }

    /// Frames by which the rack is late.
    pub(crate) fn latency_frames(&self) -> u64 {
        self.latency.load(Ordering::Relaxed)
    }

    /// The stream at this moment, or a usual one.
    pub(crate) fn spec(&self) -> StreamSpec {
        self.stream.lock().clone().unwrap_or_else(|| StreamSpec::new(48_000, 2))
    }

    /// The window changed the model: the bank follows, and the worker builds.
    pub(crate) fn changed(&self) {
        self.params.follow_model();
        self.notify_host();
        self.wake();
    }

    /// Lets the host read names and values anew, if they changed.
    fn notify_host(&self) {
        let version = self.model().version();
        if self.known.swap(version, Ordering::AcqRel) != version
            && let Some(executor) = self.executor.get()
        {
            executor.execute_gui(());
        }
    }

    /// Finds parts, reloads files that changed, and brings the rack to what is wanted.
    fn supervise(&self) -> Option<Duration> {
        // The effect of an exported file is there, and stays.
        let is_exported = self.params.is_exported;
        let is_looking = !is_exported && self.resolve();
        let has_files = !is_exported && self.reload_files();
        let version = self.model().version();
        let mut supervisor = self.supervisor.lock();
        let mut is_settled = true;
        if let Some(supervisor) = &mut *supervisor {
            for incident in supervisor.tend(&self.model().wanted()) {
                let ending = match incident.ending {
                    Ending::Renewed => "",
                    Ending::Dry => " The slot stays dry.",
                    Ending::Kept => " What was there before plays on.",
                };
                let problem = format!("{}.{ending}", incident.reason.trim_end_matches('.'));
                self.model().report(incident.slot, Some(problem));
            }
            is_settled = supervisor.is_settled() && !is_looking;
            self.settled.store(if is_settled { version } else { UNSETTLED }, Ordering::Release);
        }
        drop(supervisor);
        self.notify_host();
        match (is_looking, has_files || !is_settled) {
            (true, _) => Some(WAIT_STEP),
            (false, true) => Some(LOOK_TIME),
            (false, false) => None,
        }
    }

    /// Finds parts of a saved project; whether any is still looked for.
    fn resolve(&self) -> bool {
        let mut files = self.files.lock();
        let (is_new, is_looking) = self.model().resolve(|source| files.find(source));
        if is_new {
            self.params.follow_model();
        }
        is_looking
    }

    /// Exchanges modules whose files changed; whether there are any files.
    fn reload_files(&self) -> bool {
        let slots = self.model().slots();
        let path = |slot: &SlotModel| {
            let source = slot.source.as_ref().filter(|_| slot.part.is_some())?;
            source.file().map(Path::to_owned)
        };
        let paths: Vec<PathBuf> = slots.iter().filter_map(path).collect();
        let has_files = !paths.is_empty();
        for change in self.files.lock().changes(paths) {
            for (index, slot) in slots.iter().enumerate() {
                if path(slot).as_ref() == Some(&change.path) {
                    self.reload(index, slot, &change);
                }
            }
        }
        has_files
    }

    fn reload(&self, index: usize, slot: &SlotModel, change: &Change) {
        let is_own =
            |source: &Source| slot.source.as_ref().is_some_and(|own| own.sha256 == source.sha256);
        match &change.result {
            // A module that was saved with the project plays on until its file changes.
            Ok((source, _)) if change.is_first && slot.problem.is_some() && !is_own(source) => {}
            Ok((source, part)) if slot.source.as_ref() != Some(source) => {
                source.allow();
                self.model().reload(index, source.clone(), part.clone());
                self.params.follow_model();
            }
            Err(reason) if !change.is_first => {
                let problem = format!("The new file is not used, the old one plays on: {reason}");
                self.model().report(index, Some(problem));
            }
            _ => {}
        }
    }
}

impl Task for RackState {
    fn tend(&self) -> Option<Duration> {
        self.supervise()
    }
}

impl Plugin for Rack {
    const NAME: &'static str = "Wavemill Rack";
    const VENDOR: &'static str = "Wavemill";
    const URL: &'static str = addresses::HOMEPAGE;
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = RACK_LAYOUTS;
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = Window<Face>;
    type SysExMessage = ();
    /// The host reads names and values anew.
    type BackgroundTask = ();

    fn task_executor(&mut self) -> TaskExecutor<Self> {
        let session = Arc::clone(&self.session);
        Box::new(move |()| session.rescan())
    }

    fn editor(&mut self, executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        // Set once: the framework asks for one editor.
        let _ = self.desk.executor.set(executor);
        Some(face::window(&self.desk))
    }

    fn params(&self) -> Arc<dyn Params> {
        Arc::clone(&self.desk.params) as Arc<dyn Params>
    }

    fn activate(
        &mut self,
        audio_io_layout: &AudioIOLayout,
        buffer_config: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        let channel_count = audio_io_layout.main_output_channels.map_or(0, NonZeroU32::get);
        self.session.deactivate();
        let Some(spec) = spec(channel_count, buffer_config.sample_rate) else { return false };
        self.hire();
        self.build(&spec);
        context.set_latency_samples(self.latency());
        self.session.activate(channel_count);
        true
    }

    fn reset(&mut self) {
        if let Some(rack) = &mut self.chain {
            rack.reset();
        }
        if let Some(loudness) = &mut self.loudness {
            loudness.reset();
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer<'_>,
        _aux: &mut AuxiliaryBuffers<'_>,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let is_offline = self.session.is_offline();
        self.set_controls();
        if is_offline {
            self.wait_until_settled();
        }
        let Some(rack) = &mut self.chain else { return ProcessStatus::Normal };
        rack.set_shares(&self.desk.params.shares());
        let is_matched = self.desk.params.matches.value();
        // A render is what the chain makes.
        let is_measured = !is_offline && (is_matched || self.desk.levels.is_watched());
        let mut loudness = self.loudness.as_mut().filter(|_| is_measured);
        if let Some(loudness) = &mut loudness {
            loudness.measure_before(buffer.as_slice_immutable());
        }
        // A trap of a module allocates in its engine, for which a build with debug assertions would end the DAW.
        let result = util::permit_alloc(|| rack.process(buffer.as_slice(), is_offline));
        if let Some(loudness) = &mut loudness {
            loudness.measure_behind(buffer.as_slice_immutable());
            loudness.apply(buffer.as_slice(), is_matched);
            loudness.read(buffer.samples(), &self.desk.strip);
        }
        // A slot that only passes copies, and no arithmetic flushes that: hosts and validators refuse denormals.
        buffer.as_slice().iter_mut().for_each(|plane| denormals::flush(plane));
        let version = self.desk.model().version();
        if rack.take_need() {
            self.desk.settled.store(UNSETTLED, Ordering::Release);
            self.desk.wake();
        } else if self.seen_version != version {
            self.desk.wake();
        }
        self.seen_version = version;
        let tail = rack.tail();
        context.set_latency_samples(self.latency());
        match (result, tail) {
            (Err(_), _) => ProcessStatus::Error("an effect of the rack broke; its window says why"),
            (Ok(()), Tail::Frames(frames)) if frames.0 == 0 => ProcessStatus::Normal,
            (Ok(()), Tail::Frames(frames)) => {
                ProcessStatus::Tail(u32::try_from(frames.0).unwrap_or(u32::MAX))
            }
            (Ok(()), Tail::Infinite) => ProcessStatus::KeepAlive,
        }
    }

    fn deactivate(&mut self) {
        self.session.deactivate();
        *self.desk.supervisor.lock() = None;
        (self.chain, self.loudness) = (None, None);
    }

    /// Nothing global enters the DAW: no subscriber, no panic hook.
    fn setup_logger() -> Option<bool> {
        Some(false)
    }
}

impl Rack {
    #[cfg(test)]
    pub(crate) fn desk(&self) -> &Arc<RackState> {
        &self.desk
    }

    /// Finds the worker. Without one the rack plays what it was activated with.
    fn hire(&mut self) {
        if self.worker.is_none() {
            let desk: Weak<RackState> = Arc::downgrade(&self.desk);
            self.worker = Worker::hire(desk, &self.desk.waker);
        }
    }

    /// A rack that plays what is wanted from its first frame on.
    fn build(&mut self, spec: &StreamSpec) {
        // The worker must not tend the one before meanwhile.
        let mut supervisor = self.desk.supervisor.lock();
        *self.desk.stream.lock() = Some(spec.clone());
        // What comes with Wavemill is there at once; modules of files follow when the disk has answered.
        let is_looking = self.desk.resolve();
        let model = self.desk.model();
        let version = model.version();
        let shares = self.desk.params.shares();
        let levels = Arc::clone(&self.desk.levels);
        let (rack, other_side, incidents) =
            wavemill_rack::rack(spec, &model.wanted(), &shares, levels);
        for incident in incidents {
            model.report(incident.slot, Some(incident.reason));
        }
        *supervisor = Some(other_side);
        self.chain = Some(rack);
        self.loudness = Some(Loudness::new(spec));
        drop(supervisor);
        let settled = if is_looking { UNSETTLED } else { version };
        self.desk.settled.store(settled, Ordering::Release);
        self.desk.notify_host();
        self.desk.wake();
    }

    /// Frames by which the rack is late, for host and window. Real-time.
    fn latency(&self) -> u32 {
        let frames = self.chain.as_ref().map_or(0, |rack| rack.latency().0);
        self.desk.latency.store(frames, Ordering::Relaxed);
        u32::try_from(frames).unwrap_or(u32::MAX)
    }

    /// Hands the values of the bank to the rack. Real-time.
    fn set_controls(&mut self) {
        let Some(rack) = &mut self.chain else { return };
        let params = &self.desk.params;
        for (slot, bank) in params.slots.iter().enumerate() {
            for index in 0..rack.control_count(slot) {
                let param = &bank.controls[index];
                let position =
                    (param.unmodulated_normalized_value(), param.modulated_normalized_value());
                let Some(control) = rack.control(slot, index) else { continue };
                let value = params.model.value((slot, index), control, position);
                rack.set(slot, index, value);
            }
        }
    }

    /// An offline render has time: nothing passes before the rack plays what is wanted.
    fn wait_until_settled(&mut self) {
        if self.desk.is_settled() || self.worker.is_none() {
            return;
        }
        let until = Instant::now() + WAIT_MAX;
        let Some(rack) = &mut self.chain else { return };
        while !self.desk.is_settled() && Instant::now() < until {
            rack.settle();
            self.desk.wake();
            std::thread::park_timeout(WAIT_STEP);
        }
    }
}

impl ClapPlugin for Rack {
    const CLAP_ID: &'static str = "org.wavemill.rack";
    const CLAP_DESCRIPTION: Option<&'static str> = Some(
        "A chain of sandboxed effects that sounds the same in folders, on the command line and live",
    );
    const CLAP_MANUAL_URL: Option<&'static str> = addresses::MANUAL;
    const CLAP_SUPPORT_URL: Option<&'static str> = addresses::SUPPORT;
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::MultiEffects,
        ClapFeature::Mastering,
        ClapFeature::Mono,
        ClapFeature::Stereo,
        ClapFeature::Surround,
    ];
}

impl Vst3Plugin for Rack {
    const VST3_CLASS_ID: [u8; 16] = *b"WavemillRack0001";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[
        Vst3SubCategory::Fx,
        Vst3SubCategory::Dynamics,
        Vst3SubCategory::Mastering,
        Vst3SubCategory::Tools,
    ];
}
