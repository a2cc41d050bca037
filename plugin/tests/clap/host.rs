//! A CLAP host in the test's own process.

use crate::audio::Audio;
use crate::captures;
use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::gui::{GuiSize, HostGui, HostGuiImpl};
use clack_extensions::latency::{HostLatency, HostLatencyImpl};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamInfoBuffer,
    ParamRescanFlags, PluginParams,
};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::{HostState, HostStateImpl, PluginState};
use clack_extensions::tail::{PluginTail, TailLength};
use clack_extensions::track_info::{HostTrackInfo, HostTrackInfoImpl, TrackInfo, TrackInfoWriter};
use clack_host::events::event_types::{ParamValueEvent, TransportEvent, TransportFlags};
use clack_host::events::{EventFlags, EventHeader};
use clack_host::prelude::*;
use clack_host::utils::{BeatTime, ClapId, SecondsTime};
use parking_lot::Mutex;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the host reports to the plugin about itself.
pub(crate) fn info() -> HostInfo {
    HostInfo::new("Wavemill test", "Wavemill", "https://example.org", "1").unwrap()
}

#[derive(Default)]
pub(crate) struct Shared {
    /// The size that the plugin asked for last.
    pub(crate) wanted: Mutex<Option<GuiSize>>,
    /// It does not get it.
    pub(crate) refuses: AtomicBool,
}

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {}
}

/// The track that the plugin is on.
pub(crate) const TRACK: &str = "Mix: A/B";

pub(crate) struct MainThread;
impl MainThreadHandler<'_> for MainThread {}

thread_local! {
    /// How often plugins of this main thread said that their latency changed.
    pub(crate) static LATENCY_CHANGES: Cell<usize> = const { Cell::new(0) };
}

impl HostLatencyImpl for MainThread {
    fn changed(&self) {
        LATENCY_CHANGES.set(LATENCY_CHANGES.get() + 1);
    }
}

impl HostTrackInfoImpl for MainThread {
    fn get<'a>(&'a self, writer: &mut TrackInfoWriter<'_, 'a>) {
        writer.set(&TrackInfo::new().with_name(Some(TRACK.as_bytes())));
    }
}

pub(crate) struct Host;

impl HostHandlers for Host {
    type Shared<'a> = Shared;
    type MainThread<'a> = MainThread;
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<'_, Self>, _shared: &Shared) {
        builder
            .register::<HostGui>()
            .register::<HostLatency>()
            .register::<HostParams>()
            .register::<HostState>()
            .register::<HostTrackInfo>();
    }
}

impl HostGuiImpl for Shared {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, new_size: GuiSize) -> Result<(), HostError> {
        *self.wanted.lock() = Some(new_size);
        if self.refuses.load(Ordering::Relaxed) {
            return Err(HostError::Message("no"));
        }
        Ok(())
    }

    fn request_show(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn request_hide(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn closed(&self, _was_destroyed: bool) {}
}

impl HostParamsImplShared for Shared {
    fn request_flush(&self) {}
}

impl HostParamsImplMainThread for MainThread {
    fn rescan(&self, _flags: ParamRescanFlags) {}
    fn clear(&self, _id: ClapId, _flags: ParamClearFlags) {}
}

impl HostStateImpl for MainThread {
    fn mark_dirty(&self) {}
}

/// The meters, loaded from the library that the test is linked with.
pub(crate) fn instance() -> PluginInstance<Host> {
    of_entry(&entry(), c"org.wavemill.wavemill")
}

/// The rack, out of the same library.
pub(crate) fn rack() -> PluginInstance<Host> {
    of_entry(&entry(), c"org.wavemill.rack")
}

pub(crate) fn entry() -> PluginEntry {
    // SAFETY: the entry is that of a CLAP plugin, and lives as long as the process.
    let entry =
        unsafe { PluginEntry::load_from_raw(&wavemill_plugin::clap_entry, c"wavemill.clap") };
    entry.unwrap()
}

/// The plugin out of a library, which is unloaded with it.
pub(crate) fn loaded(library: &std::path::Path) -> PluginInstance<Host> {
    // SAFETY: the library is that of the plugin.
    let entry = unsafe { PluginEntry::load(library) };
    of_entry(&entry.unwrap(), c"org.wavemill.wavemill")
}

/// The effect that a plugin was exported for.
pub(crate) fn exported(library: &std::path::Path, id: &std::ffi::CStr) -> PluginInstance<Host> {
    // SAFETY: the library is that of the plugin.
    let entry = unsafe { PluginEntry::load(library) };
    of_entry(&entry.unwrap(), id)
}

fn of_entry(entry: &PluginEntry, id: &std::ffi::CStr) -> PluginInstance<Host> {
    PluginInstance::new(|()| Shared::default(), |_| MainThread, entry, id, &info()).unwrap()
}

/// Saves the state.
pub(crate) fn save(instance: &mut PluginInstance<Host>) -> Vec<u8> {
    let handle = instance.plugin_handle();
    let state = handle.get_extension::<PluginState>().unwrap();
    let mut bytes = Vec::new();
    state.save(&handle, &mut bytes).unwrap();
    bytes
}

/// Loads a state.
pub(crate) fn load(instance: &mut PluginInstance<Host>, bytes: &[u8]) -> bool {
    let handle = instance.plugin_handle();
    let state = handle.get_extension::<PluginState>().unwrap();
    state.load(&handle, &mut std::io::Cursor::new(bytes)).is_ok()
}

/// Chooses the layout with so many channels.
fn choose_layout(instance: &mut PluginInstance<Host>, channel_count: usize) {
    let handle = instance.plugin_handle();
    let configs = handle.get_extension::<PluginAudioPortsConfig>().unwrap();
    let count = u32::try_from(channel_count).unwrap();
    let mut buffer = AudioPortsConfigBuffer::new();
    let id = (0..configs.count(&handle)).find_map(|index| {
        let config = configs.get(&handle, index, &mut buffer)?;
        let main = config.main_output?;
        (main.channel_count == count).then_some(config.id)
    });
    configs.select(&handle, id.unwrap()).unwrap();
}

/// The parameter with this name.
pub(crate) fn param(instance: &mut PluginInstance<Host>, name: &str) -> ClapId {
    let handle = instance.plugin_handle();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let mut buffer = ParamInfoBuffer::new();
    let id = (0..params.count(&handle)).find_map(|index| {
        let info = params.get_info(&handle, index, &mut buffer)?;
        (info.name == name.as_bytes()).then_some(info.id)
    });
    id.unwrap_or_else(|| panic!("a parameter `{name}`"))
}

/// The value of a parameter.
pub(crate) fn value(instance: &mut PluginInstance<Host>, name: &str) -> f64 {
    let id = param(instance, name);
    let handle = instance.plugin_handle();
    handle.get_extension::<PluginParams>().unwrap().get_value(&handle, id).unwrap()
}

/// Changes a parameter while nothing plays.
pub(crate) fn set_inactive(instance: &mut PluginInstance<Host>, name: &str, value: f64) {
    let id = param(instance, name);
    let mut events = EventBuffer::new();
    events.push(&ParamValueEvent::new(0, id, Pckn::match_all(), value));
    let mut handle = instance.inactive_plugin_handle().unwrap();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let mut answers = EventBuffer::new();
    params.flush(&mut handle, &events.as_input(), &mut answers.as_output());
}

/// What a stream is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    pub(crate) channel_count: usize,
    pub(crate) sample_rate_hz: f64,
    pub(crate) frames_max: u32,
    pub(crate) is_offline: bool,
}

pub(crate) const STEREO: Stream =
    Stream { channel_count: 2, sample_rate_hz: 48_000.0, frames_max: 4096, is_offline: false };

/// An instance that processes.
pub(crate) struct Running {
    pub(crate) instance: PluginInstance<Host>,
    pub(crate) audio: Audio,
}

impl Running {
    pub(crate) fn new(stream: Stream) -> Self {
        Self::with(instance(), stream)
    }

    /// Activates an instance.
    pub(crate) fn with(mut instance: PluginInstance<Host>, stream: Stream) -> Self {
        choose_layout(&mut instance, stream.channel_count);
        let mode = if stream.is_offline { RenderMode::Offline } else { RenderMode::Realtime };
        let handle = instance.plugin_handle();
        handle.get_extension::<PluginRender>().unwrap().set(&handle, mode).unwrap();
        let config = PluginAudioConfiguration {
            sample_rate: stream.sample_rate_hz,
            min_frames_count: 1,
            max_frames_count: stream.frames_max,
        };
        let processor = instance.activate(|_, _| (), config).unwrap();
        Self { audio: Audio::new(processor.start_processing().unwrap(), stream), instance }
    }

    /// Changes a parameter with the next block.
    pub(crate) fn set(&mut self, name: &str, value: f64) {
        self.set_at(0, name, value);
    }

    /// Chooses when samples are captured.
    pub(crate) fn capture(&mut self, mode: &str) {
        captures::choose(&mut self.instance, mode);
    }

    /// Changes a parameter so many frames into the next block.
    pub(crate) fn set_at(&mut self, frame: u32, name: &str, value: f64) {
        let id = param(&mut self.instance, name);
        self.audio.set(frame, id, value);
    }

    /// Resets as a DAW does, between two blocks.
    pub(crate) fn reset(&mut self) {
        self.audio.reset();
    }

    /// Processes one block: the same frames of every plane.
    pub(crate) fn process(
        &mut self,
        planes: &[impl AsRef<[f32]>],
        transport: Option<&TransportEvent>,
    ) {
        self.audio.process(planes, transport);
    }

    /// Processes a block in which the plugin may fail.
    pub(crate) fn process_anyway(
        &mut self,
        planes: &[impl AsRef<[f32]>],
    ) -> Result<ProcessStatus, PluginInstanceError> {
        self.audio.process_anyway(planes, None).0
    }

    /// What came out of the latest block.
    pub(crate) fn output(&self) -> &[Vec<f32>] {
        &self.audio.output
    }

    /// What follows after the input ends.
    pub(crate) fn tail(&mut self) -> TailLength {
        let handle = self.audio.processor.plugin_handle();
        handle.get_extension::<PluginTail>().unwrap().get(&handle)
    }

    /// Deactivates; the instance can be activated anew.
    pub(crate) fn stop(mut self) -> PluginInstance<Host> {
        self.instance.deactivate(self.audio.processor.stop_processing());
        self.instance
    }
}

/// A transport at a place of the song.
pub(crate) fn transport(is_playing: bool, at_s: f64) -> TransportEvent {
    let mut flags = TransportFlags::HAS_SECONDS_TIMELINE;
    flags.set(TransportFlags::IS_PLAYING, is_playing);
    TransportEvent {
        header: EventHeader::new_core(0, EventFlags::empty()),
        flags,
        song_pos_beats: BeatTime::from_int(0),
        song_pos_seconds: SecondsTime::from_float(at_s),
        tempo: 0.0,
        tempo_inc: 0.0,
        loop_start_beats: BeatTime::from_int(0),
        loop_end_beats: BeatTime::from_int(0),
        loop_start_seconds: SecondsTime::from_int(0),
        loop_end_seconds: SecondsTime::from_int(0),
        bar_start: BeatTime::from_int(0),
        bar_number: 0,
        time_signature_numerator: 4,
        time_signature_denominator: 4,
    }
}
