//! The smallest host that runs a CLAP: from a file, stereo, with nothing but samples and parameters.

use clack_extensions::state::PluginState;
use clack_host::prelude::*;
use clack_host::process::StartedPluginAudioProcessor;
use clack_host::process::audio_buffers::{
    AudioPortBuffer, AudioPortBufferType, AudioPorts, InputChannel,
};
use std::path::Path;

pub(super) struct Shared;

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {}
}

pub(super) struct Host;

impl HostHandlers for Host {
    type Shared<'a> = Shared;
    type MainThread<'a> = ();
    type AudioProcessor<'a> = ();
}

const CHANNELS: usize = 2;

/// An instance that processes.
pub(super) struct Instance {
    processor: Option<StartedPluginAudioProcessor<Host>>,
    plugin: PluginInstance<Host>,
    ports: [AudioPorts; 2],
    input: [Vec<f32>; CHANNELS],
    output: [Vec<f32>; CHANNELS],
    output_events: EventBuffer,
}

impl Instance {
    /// Loads the plugin and activates it.
    pub(super) fn new(clap: &Path, sample_rate_hz: f64, block_frames: usize) -> Self {
        // SAFETY: a CLAP that this machine's user built; the entry unloads it after its instances.
        let entry = unsafe { PluginEntry::load(clap) };
        let entry = entry.unwrap_or_else(|error| panic!("{}: {error}", clap.display()));
        let factory = entry.get_plugin_factory().expect("a CLAP has a factory");
        let descriptor = factory.plugin_descriptors().next().expect("a factory has a plugin");
        let id = descriptor.id().expect("a plugin has an id").to_owned();
        let info = HostInfo::new("Wavemill bench", "Wavemill", "https://example.org", "1");
        let info = info.expect("words without zeros");
        let mut instance = PluginInstance::new(|()| Shared, |_| (), &entry, &id, &info)
            .expect("an instance can be made");
        let config = PluginAudioConfiguration {
            sample_rate: sample_rate_hz,
            min_frames_count: 1,
            max_frames_count: u32::try_from(block_frames).expect("a short block"),
        };
        let processor = instance.activate(|_, ()| (), config).expect("it can be activated");
        let planes = || std::array::from_fn(|_| vec![0.0; block_frames]);
        Self {
            processor: Some(processor.start_processing().expect("it can be started")),
            plugin: instance,
            ports: [(); 2].map(|()| AudioPorts::with_capacity(CHANNELS, 1)),
            input: planes(),
            output: planes(),
            output_events: EventBuffer::with_capacity(8),
        }
    }

    /// Chooses when samples are captured, by a state: it is no parameter.
    pub(super) fn capture(&mut self, mode: &str) {
        let handle = self.plugin.plugin_handle();
        let extension = handle.get_extension::<PluginState>().expect("it has a state");
        let state =
            format!(r#"{{"version":"0.1.0","params":{{}},"fields":{{"capture":"\"{mode}\""}}}}"#);
        let length = u64::try_from(state.len()).expect("a short state").to_le_bytes();
        let bytes = [&length[..], state.as_bytes()].concat();
        extension.load(&handle, &mut bytes.as_slice()).expect("the state loads");
    }

    /// Processes a block of these planes, as long as the block the instance was made for.
    pub(super) fn process(&mut self, planes: [&[f32]; CHANNELS]) {
        for (input, plane) in self.input.iter_mut().zip(planes) {
            input.copy_from_slice(plane);
        }
        let [input_ports, output_ports] = &mut self.ports;
        let input = self.input.iter_mut().map(|plane| InputChannel::variable(plane.as_mut_slice()));
        let input = input_ports.with_input_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(input),
        }]);
        let output = self.output.iter_mut().map(Vec::as_mut_slice);
        let mut output = output_ports.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(output),
        }]);
        let processor = self.processor.as_mut().expect("it processes");
        let status = processor.process(
            &input,
            &mut output,
            &InputEvents::empty(),
            &mut OutputEvents::from_buffer(&mut self.output_events),
            None,
            None,
        );
        status.expect("a block is processed");
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(processor) = self.processor.take() {
            self.plugin.deactivate(processor.stop_processing());
        }
    }
}
