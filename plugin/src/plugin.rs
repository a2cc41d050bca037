//! The plugin as the DAW sees it.

use crate::addresses;
use crate::audition::{Audition, AuditionGain};
use crate::capture::{Captures, Folder, Need, Progress, Stem, Tape, Target, Timing, Track};
use crate::codecs::ClipCollector;
use crate::editor;
use crate::formats::Session;
use crate::judge::{self, Judge};
use crate::meters::{Listener, Meters, Shared};
use crate::params::{self, CaptureMode, Choices, WavemillParams};
use crate::render::{Renders, Request};
use crate::targets::Store;
use crate::transport::{Follower, Order, Transport, TransportRules};
use crate::worker::{Task, Waker, Worker};
use nice_plug::prelude::*;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use wavemill_core::audio::{ChannelLayout, StreamSpec};
use wavemill_core::denormals;
use wavemill_core::limits::SAMPLE_RATE_HZ_MIN;
use wavemill_core::loudness::MonoMode;

/// How long an offline render waits for a recorder in all, and before it looks again.
const WAIT_MAX: Duration = Duration::from_secs(2);
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// Meters and captures; the signal passes as it is.
pub struct Wavemill {
    desk: Arc<SharedState>,
    /// There while active.
    meters: Option<Meters>,
    tape: Tape,
    audition: AuditionGain,
    follower: Follower,
    session: Arc<Session>,
    was_reset: bool,
    /// Lives as long as an instance does.
    worker: Option<Arc<Worker>>,
}

/// What the audio thread, the worker and the editor share.
#[derive(Debug)]
pub(crate) struct SharedState {
    pub(crate) params: Arc<WavemillParams>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) captures: Arc<Captures>,
    pub(crate) renders: Arc<Renders>,
    /// The platform's level, while the window asks for it.
    pub(crate) audition: Audition,
    pub(crate) judge: Judge,
    /// Whether the plugin is active.
    is_active: AtomicBool,
    /// For the names of captures.
    pub(crate) track: Track,
    /// Targets of the user's; `None` where there is no folder for them.
    pub(crate) targets: Option<Store>,
    stream: Mutex<Option<StreamSpec>>,
    wants_recorder: AtomicBool,
    /// The worker's.
    listener: Mutex<Listener>,
    /// The latest seconds, for codecs to be tried on.
    pub(crate) clip: Mutex<ClipCollector>,
    /// There once the worker is.
    waker: OnceLock<Waker>,
}

impl Default for SharedState {
    fn default() -> Self {
        let params = Arc::new(WavemillParams::default());
        Self {
            shared: Arc::clone(&params.shared),
            params,
            captures: Arc::default(),
            renders: Arc::default(),
            audition: Audition::default(),
            judge: Judge::default(),
            is_active: AtomicBool::default(),
            track: Track::default(),
            // Tests have folders of their own.
            targets: Store::of_user().filter(|_| !cfg!(test)),
            stream: Mutex::default(),
            wants_recorder: AtomicBool::default(),
            listener: Mutex::default(),
            clip: Mutex::default(),
            waker: OnceLock::new(),
        }
    }
}

impl Default for Wavemill {
    fn default() -> Self {
        let desk = Arc::new(SharedState::default());
        let session = Session::begin();
        let outputs: Arc<SharedState> = Arc::clone(&desk);
        session.set_outputs(outputs);
        Self {
            tape: Tape::new(Arc::clone(&desk.captures)),
            desk,
            meters: None,
            audition: AuditionGain::new(48_000.0),
            follower: Follower::default(),
            session,
            was_reset: false,
            worker: None,
        }
    }
}

impl SharedState {
    /// The stream's sample rate, in Hz; that of most streams before there is one.
    pub(crate) fn sample_rate_hz(&self) -> f32 {
        let rate_hz = self.stream.lock().as_ref().map_or(48_000, |spec| spec.sample_rate.0);
        #[expect(clippy::cast_precision_loss, reason = "a sample rate is a small number")]
        let rate_hz = rate_hz as f32;
        rate_hz
    }

    /// The stream's channels; 0 before there is one.
    pub(crate) fn channel_count(&self) -> usize {
        self.stream.lock().as_ref().map_or(0, StreamSpec::channel_count)
    }

    /// Lets the worker do soon what there is to do. Real-time.
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake();
        }
    }

    /// Another stream: what was prepared for the one before is of no use.
    pub(crate) fn begin(&self, spec: &StreamSpec) {
        let mut stream = self.stream.lock();
        *stream = Some(spec.clone());
        self.captures.discard();
    }

    /// Makes a recorder for captures that are about to be armed, so that it has their first block.
    pub(crate) fn arm(&self) {
        if self.params.capture.value() == CaptureMode::Off {
            self.prepare_capture();
        }
    }

    fn prepare_capture(&self) {
        // Held until the recorder is there: it is that of the stream, or is discarded with it.
        let stream = self.stream.lock();
        if let Some(spec) = &*stream {
            let rate_hz = spec.sample_rate.0;
            let renders: Weak<Renders> = Arc::downgrade(&self.renders);
            let params = Arc::clone(&self.params);
            let after = move |capture: &Progress| {
                // An instance that is gone asks for nothing.
                if let Some(renders) = renders.upgrade() {
                    renders.request(request(&params.choices.read(), capture, rate_hz));
                }
            };
            let choices = Arc::clone(&self.params.choices);
            let folder = Folder::chosen(move || capture_folder(&choices.read()));
            self.captures.prepare(target(folder, Arc::clone(&self.track), spec), after);
        }
    }

    /// The folder that captures go to.
    pub(crate) fn capture_folder(&self) -> PathBuf {
        capture_folder(&self.params.choices.read())
    }

    /// Whether the latest capture can be rendered now, and what that means, or why not.
    pub(crate) fn can_render_latest(&self) -> (bool, &'static str) {
        let Some(capture) = self.captures.all().pop() else {
            return (false, "No capture yet.");
        };
        if !capture.state().is_complete {
            return (false, "The capture is not complete yet.");
        }
        if self.request_latest(&capture).is_empty() {
            return (false, "Choose a pipeline or a watched folder first.");
        }
        (true, "Processes the latest capture again.")
    }

    /// Turns on and off what is chosen. Not for the audio thread.
    fn follow_choices(&self) {
        let choices = self.params.choices.read().clone();
        self.shared.timeline.turn(choices.follows_timeline);
        self.shared.log.turn(choices.logs && self.is_active.load(Ordering::Relaxed), || {
            capture_folder(&choices).join(Stem::Dated(Arc::clone(&self.track)).now())
        });
    }

    /// Renders the latest capture once more.
    pub(crate) fn render_latest(&self) {
        if let Some(capture) =
            self.captures.all().pop().filter(|capture| capture.state().is_complete)
        {
            self.renders.request(self.request_latest(&capture));
        }
    }

    fn request_latest(&self, capture: &Progress) -> Request {
        let rate_hz = self.stream.lock().as_ref().map_or(48_000, |spec| spec.sample_rate.0);
        request(&self.params.choices.read(), capture, rate_hz)
    }
}

impl Task for SharedState {
    fn tend(&self) -> Option<Duration> {
        self.captures.tidy();
        if self.wants_recorder.swap(false, Ordering::Acquire) {
            self.prepare_capture();
        }
        let rate = self.stream.lock().as_ref().map(|spec| spec.sample_rate);
        self.clip.lock().collect(&self.shared.tap, rate);
        let pause = self.listener.lock().listen(&self.shared, rate);
        self.follow_choices();
        let timeline = self.shared.timeline.tend();
        self.judge.update(self);
        let is_active = self.is_active.load(Ordering::Relaxed);
        let interval = timeline.unwrap_or(judge::INTERVAL);
        pause.into_iter().chain(is_active.then_some(interval)).min()
    }
}

/// A layout of as many channels in as out.
const fn layout(channel_count: u32, name: &'static str) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: NonZeroU32::new(channel_count),
        main_output_channels: NonZeroU32::new(channel_count),
        names: PortNames { layout: Some(name), ..PortNames::const_default() },
        ..AudioIOLayout::const_default()
    }
}

/// Layouts of the meter.
const LAYOUTS: &[AudioIOLayout] = &[
    layout(2, "Stereo"),
    layout(1, "Mono"),
    layout(3, "3.0"),
    layout(4, "Quad"),
    layout(5, "5.0"),
    layout(6, "5.1"),
    layout(7, "6.1"),
    layout(8, "7.1"),
    layout(10, "5.1.4"),
    layout(12, "7.1.4"),
];

/// Layouts that effects have, too: no more than eight channels.
pub(crate) const RACK_LAYOUTS: &[AudioIOLayout] = LAYOUTS.split_at(8).0;

impl Plugin for Wavemill {
    const NAME: &'static str = "Wavemill Meter";
    const VENDOR: &'static str = "Wavemill";
    const URL: &'static str = addresses::HOMEPAGE;
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = LAYOUTS;

    type Editor = editor::Window;
    type SysExMessage = ();
    /// See [`crate::worker`].
    type BackgroundTask = ();

    fn editor(&mut self, _executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        Some(editor::editor(&self.desk))
    }

    fn params(&self) -> Arc<dyn Params> {
        Arc::clone(&self.desk.params) as Arc<dyn Params>
    }

    fn filter_state(state: &mut PluginState) {
        params::upgrade(state);
    }

    fn activate(
        &mut self,
        audio_io_layout: &AudioIOLayout,
        buffer_config: &BufferConfig,
        _context: &mut impl ActivateContext<Self>,
    ) -> bool {
        let channel_count = audio_io_layout.main_output_channels.map_or(0, NonZeroU32::get);
        self.tape.finish();
        self.session.deactivate();
        let Some(spec) = spec(channel_count, buffer_config.sample_rate) else { return false };
        self.desk.begin(&spec);
        self.audition = AuditionGain::new(self.desk.sample_rate_hz());
        let shows_channels = self.desk.params.choices.read().shows_channels;
        self.desk.shared.channels.want_true_peaks(shows_channels);
        self.hire();
        let is_new = self.meters.as_ref().is_none_or(|meters| *meters.spec() != spec);
        if is_new {
            let shared = Arc::clone(&self.desk.shared);
            self.meters = Some(Meters::new(&spec, self.mono_mode(), shared));
        }
        if self.desk.params.capture.value() != CaptureMode::Off {
            // The first frame belongs to the capture.
            self.desk.prepare_capture();
        }
        self.desk.is_active.store(true, Ordering::Relaxed);
        self.desk.follow_choices();
        self.session.activate(channel_count);
        true
    }

    fn reset(&mut self) {
        self.follower.reset();
        self.audition.reset();
    }

    fn process(
        &mut self,
        buffer: &mut Buffer<'_>,
        _aux: &mut AuxiliaryBuffers<'_>,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        // Inputs are the outputs already; what hosts and validators refuse is taken out, and nothing below
        // changes a sample but the audition, which comes last.
        buffer.as_slice().iter_mut().for_each(|plane| denormals::flush(plane));
        let planes = buffer.as_slice_immutable();
        let transport = transport(context.transport());
        let frames = buffer.samples();
        self.measure(planes, transport, frames);
        self.tape.locate(transport.position);
        let need = self.record(planes, transport.is_playing);
        if need != Need::Nothing {
            self.desk.wants_recorder.fetch_or(need == Need::Recorder, Ordering::Release);
            self.desk.wake();
        }
        self.play_as_platform(buffer.as_slice());
        ProcessStatus::Normal
    }

    fn deactivate(&mut self) {
        self.session.deactivate();
        self.desk.is_active.store(false, Ordering::Relaxed);
        if let Some(meters) = &mut self.meters {
            meters.conclude();
        }
        self.tape.finish();
        self.desk.captures.tidy();
        self.desk.captures.discard();
    }

    /// Nothing global enters the DAW: no subscriber, no panic hook.
    fn setup_logger() -> Option<bool> {
        Some(false)
    }
}

/// The DAW may unload the code once the last instance is gone: no capture's thread must be in it then.
impl Drop for Wavemill {
    fn drop(&mut self) {
        self.tape.end();
        self.desk.shared.log.end();
    }
}

impl Wavemill {
    /// Finds the worker. Without one, captures begin with an offline render only.
    fn hire(&mut self) {
        if self.worker.is_none() {
            let desk: Weak<SharedState> = Arc::downgrade(&self.desk);
            self.worker = Worker::hire(desk, &self.desk.waker);
        }
        // A window may be open already.
        self.desk.wake();
    }

    fn mono_mode(&self) -> MonoMode {
        if self.desk.params.dual_mono.value() { MonoMode::Dual } else { MonoMode::Single }
    }

    fn measure(&mut self, planes: &[&mut [f32]], transport: Transport, frames: usize) {
        let habits = TransportRules {
            follows: self.desk.params.follow.value(),
            resets: self.desk.params.reset_on_start.value() && !self.desk.shared.timeline.is_on(),
        };
        let order = self.follower.order(transport, frames, habits);
        let (wants_reset, mono) = (self.desk.params.reset.value(), self.mono_mode());
        let is_reset = wants_reset && !self.was_reset;
        self.was_reset = wants_reset;
        let Some(meters) = &mut self.meters else { return };
        meters.set_mono(mono);
        if is_reset || order == Order::Restart || self.desk.shared.take_reset() {
            meters.reset();
        }
        let is_paused = self.desk.params.bypass.value() || self.desk.shared.is_paused();
        if order != Order::Pause && !is_paused {
            meters.push_at(planes, transport.position.filter(|_| transport.is_playing));
            if self.session.is_offline() {
                // Nobody knows which block of a render is its last.
                meters.publish_now();
            }
        } else {
            meters.measure_waiting();
        }
    }

    /// Never in an offline render, nor while the plugin is bypassed.
    fn play_as_platform(&mut self, planes: &mut [&mut [f32]]) {
        if self.session.is_offline() {
            self.audition.reset();
            return;
        }
        let is_on = !self.desk.params.bypass.value();
        self.audition.apply(planes, self.desk.audition.wanted().filter(|_| is_on));
    }

    fn record(&mut self, planes: &[&mut [f32]], is_playing: bool) -> Need {
        let mode = self.desk.params.capture.value();
        let is_running = match mode {
            CaptureMode::Off => false,
            CaptureMode::Now => true,
            CaptureMode::Playing => is_playing,
            CaptureMode::Bounce => self.session.is_offline(),
        };
        let timing = if self.session.is_offline() { Timing::Offline } else { Timing::RealTime };
        let is_armed = mode != CaptureMode::Off;
        if is_armed && is_running && timing == Timing::Offline && !self.tape.is_ready() {
            self.wait_for_recorder();
        }
        self.tape.run(planes, is_armed, is_running, timing)
    }

    /// An offline render has time: nothing passes before there is a recorder, or none can be made.
    fn wait_for_recorder(&self) {
        if self.worker.is_none() {
            return;
        }
        let until = Instant::now() + WAIT_MAX;
        self.desk.wants_recorder.store(true, Ordering::Release);
        self.desk.wake();
        while !self.tape.is_ready() && !self.desk.captures.has_error() && Instant::now() < until {
            std::thread::park_timeout(LOOK_INTERVAL);
        }
    }
}

/// Highest sample rate of a host. Validators try 1.23 MHz; files end at
/// [`SAMPLE_RATE_HZ_MAX`](wavemill_core::limits::SAMPLE_RATE_HZ_MAX), and so do captures.
const RATE_HZ_MAX: u32 = 4_000_000;

/// The stream; `None` where a host asks for a sample rate that is none.
pub(crate) fn spec(channel_count: u32, sample_rate: f32) -> Option<StreamSpec> {
    let channel_count = usize::try_from(channel_count).unwrap_or(0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates, and no number becomes 0"
    )]
    let rate_hz = sample_rate.round() as u32;
    let is_rate = (SAMPLE_RATE_HZ_MIN..=RATE_HZ_MAX).contains(&rate_hz);
    is_rate.then(|| StreamSpec::new(rate_hz, channel_count))
}

fn target(folder: Folder, track: Track, spec: &StreamSpec) -> Target {
    Target {
        folder,
        stem: Stem::Dated(track),
        layout: ChannelLayout::usual(spec.channel_count()),
        sample_rate_hz: spec.sample_rate.0,
    }
}

fn capture_folder(choices: &Choices) -> PathBuf {
    choices.capture_folder.clone().unwrap_or_else(music_folder)
}

/// What is to be done with a complete capture.
fn request(choices: &Choices, capture: &Progress, rate_hz: u32) -> Request {
    let state = capture.state();
    let lost_s = capture.lost_frames() as f64 / f64::from(rate_hz);
    let lost = (lost_s > 0.0)
        .then(|| format!("the capture lost {lost_s:.2} s, which are silent in the file"));
    Request {
        parts: state.parts,
        doubts: state.error.into_iter().chain(lost).collect(),
        pipeline: choices.pipeline.clone(),
        watch_folder: choices.watch_folder.clone(),
    }
}

/// `Wavemill` in the user's music folder; in the temporary one where there is no home.
fn music_folder() -> PathBuf {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    home.map_or_else(std::env::temp_dir, |home| PathBuf::from(home).join("Music")).join("Wavemill")
}

fn transport(transport: &nice_plug::prelude::Transport) -> Transport {
    Transport {
        is_playing: transport.playing,
        position: transport.pos_samples(),
        cycle: transport.loop_range_samples(),
    }
}

impl ClapPlugin for Wavemill {
    const CLAP_ID: &'static str = "org.wavemill.wavemill";
    const CLAP_DESCRIPTION: Option<&'static str> =
        Some("Loudness meters against delivery targets, and captures");
    const CLAP_MANUAL_URL: Option<&'static str> = addresses::MANUAL;
    const CLAP_SUPPORT_URL: Option<&'static str> = addresses::SUPPORT;
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Analyzer,
        ClapFeature::Mastering,
        ClapFeature::Utility,
        ClapFeature::Mono,
        ClapFeature::Stereo,
        ClapFeature::Surround,
    ];
}

impl Vst3Plugin for Wavemill {
    const VST3_CLASS_ID: [u8; 16] = *b"WavemillMeters01";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[
        Vst3SubCategory::Fx,
        Vst3SubCategory::Analyzer,
        Vst3SubCategory::Mastering,
        Vst3SubCategory::Tools,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EBU Tech 3341: a meter is paused, continues, and is reset in either state.
    #[test]
    fn paused_meters_measure_nothing_until_they_continue() {
        let mut plugin = Wavemill::default();
        let (desk, spec) = (Arc::clone(&plugin.desk), StreamSpec::new(48_000, 2));
        plugin.meters = Some(Meters::new(&spec, MonoMode::Single, Arc::clone(&desk.shared)));
        let mut play = |peak: f32| {
            for _ in 0..100 {
                let (mut left, mut right) = ([peak; 480], [-peak; 480]);
                plugin.measure(&[&mut left, &mut right], Transport::default(), 480);
            }
            let readings = desk.shared.readings.get();
            (readings.measured_s, readings.true_peak_dbtp)
        };
        let (before, peak) = play(0.1);
        assert!(before.is_some_and(|seconds| (seconds - 1.0).abs() < 0.04), "{before:?}");
        desk.shared.pause(true);
        // What waited for a reading is measured.
        let paused = play(0.5);
        assert!(
            paused.0.is_some_and(|seconds| seconds <= 1.0)
                && paused.1 <= peak.map(|peak| peak + 0.1)
        );
        assert_eq!(play(0.5), paused);
        desk.shared.pause(false);
        assert!(play(0.5).0.is_some_and(|seconds| (seconds - 2.0).abs() < 0.04));
        desk.shared.pause(true);
        desk.shared.reset();
        assert_eq!(play(0.5), (None, None));
    }

    /// The worker's own thread, woken as the window wakes it when it opens.
    #[test]
    fn worker_hears_what_passes_while_the_window_is_open() {
        let mut plugin = Wavemill::default();
        let (desk, spec) = (Arc::clone(&plugin.desk), StreamSpec::new(8_000, 2));
        plugin.hire();
        desk.begin(&spec);
        let mut meters = Meters::new(&spec, MonoMode::Single, Arc::clone(&desk.shared));
        desk.shared.tap.open(true);
        let mut state = 1u32;
        // 8 s of noise, which has a balance, and some more; the ring has 4 s.
        for _ in 0..20 {
            let mut noise = [0.0; 4096].map(|_: f32| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(u16::try_from(state >> 16).unwrap_or(0)) / 65_536.0 - 0.5
            });
            let mut other = noise;
            meters.push(&[&mut noise, &mut other]);
            meters.measure_waiting();
            desk.wake();
            while !desk.listener.lock().has_heard(desk.shared.tap.position()) {
                std::thread::yield_now();
            }
        }
        let music = desk.shared.music().expect("a reading");
        assert!(music.balance[1].is_some() && music.balance[4].is_none(), "{music:?}");
        assert_eq!((music.tempo, &music.key), (None, &None), "of noise");
        desk.shared.tap.open(false);
        desk.wake();
        while desk.listener.lock().has_heard(desk.shared.tap.position()) {
            std::thread::yield_now();
        }
    }

    /// The audition as the audio thread runs it: there while it is on, never in a render, never while bypassed.
    #[test]
    fn audition_changes_what_is_heard_and_never_a_render() {
        use wavemill_core::units::Decibels;
        let mut plugin = Wavemill::default();
        let desk = Arc::clone(&plugin.desk);
        let played = |plugin: &mut Wavemill| {
            let (mut left, mut right) = (vec![0.5f32; 48_000], vec![0.25f32; 48_000]);
            plugin.play_as_platform(&mut [&mut left, &mut right]);
            (left[47_999], right[47_999])
        };
        assert_eq!(played(&mut plugin), (0.5, 0.25));
        desk.audition.want(Some(Decibels(-6.0206)));
        assert_eq!(played(&mut plugin), (0.5, 0.25), "off");
        desk.audition.switch(true);
        let (left, right) = played(&mut plugin);
        assert!((left - 0.25).abs() < 1e-4 && (right - 0.125).abs() < 1e-4, "{left} {right}");
        plugin.session.set_offline(true);
        assert_eq!(played(&mut plugin), (0.5, 0.25), "a render, from its first frame on");
        plugin.session.set_offline(false);
        assert!((played(&mut plugin).0 - 0.25).abs() < 1e-4);
        desk.audition.switch(false);
        assert_eq!(played(&mut plugin), (0.5, 0.25));
    }
}
