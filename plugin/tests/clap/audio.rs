//! A DAW's audio thread: what it has of an instance can go to a thread of its own.

use crate::allocator::calls_of;
use crate::host::{Host, Stream};
use crate::locks::waits_of;
use clack_host::events::UnknownEvent;
use clack_host::events::event_types::{ParamModEvent, ParamValueEvent, TransportEvent};
use clack_host::prelude::*;
use clack_host::process::StartedPluginAudioProcessor;
use clack_host::process::audio_buffers::{
    AudioPortBuffer, AudioPortBufferType, AudioPorts, InputChannel,
};
use clack_host::utils::ClapId;

/// The side of an instance that processes.
pub(crate) struct Audio {
    pub(crate) processor: StartedPluginAudioProcessor<Host>,
    ports: [AudioPorts; 2],
    input: Vec<Vec<f32>>,
    pub(crate) output: Vec<Vec<f32>>,
    events: EventBuffer,
    events_out: EventBuffer,
    /// An offline render may wait for the disk.
    may_wait: bool,
}

impl Audio {
    pub(crate) fn new(processor: StartedPluginAudioProcessor<Host>, stream: Stream) -> Self {
        let ports = || AudioPorts::with_capacity(stream.channel_count, 1);
        let planes = || vec![vec![0.0; stream.frames_max as usize]; stream.channel_count];
        Self {
            processor,
            ports: [ports(), ports()],
            input: planes(),
            output: planes(),
            events: EventBuffer::with_capacity(64),
            events_out: EventBuffer::with_capacity(64),
            may_wait: stream.is_offline,
        }
    }

    /// Changes a parameter so many frames into the next block.
    pub(crate) fn set(&mut self, frame: u32, id: ClapId, value: f64) {
        self.events.push(&ParamValueEvent::new(frame, id, Pckn::match_all(), value));
    }

    /// Modulates a parameter by an offset from the frame on.
    pub(crate) fn modulate(&mut self, frame: u32, id: ClapId, amount: f64) {
        self.events.push(&ParamModEvent::new(frame, id, Pckn::match_all(), amount));
    }

    /// Resets as a DAW does, between two blocks.
    pub(crate) fn reset(&mut self) {
        let (calls, ()) = calls_of(|| self.processor.reset());
        assert_eq!(calls, 0, "allocations and frees while it reset");
    }

    /// Processes one block: the same frames of every plane.
    pub(crate) fn process(
        &mut self,
        planes: &[impl AsRef<[f32]>],
        transport: Option<&TransportEvent>,
    ) {
        let (result, calls) = self.process_anyway(planes, transport);
        result.unwrap();
        assert_eq!(calls, 0, "allocations and frees while it processed");
    }

    /// What the plugin said, and how often it called the allocator.
    pub(crate) fn process_anyway(
        &mut self,
        planes: &[impl AsRef<[f32]>],
        transport: Option<&TransportEvent>,
    ) -> (Result<ProcessStatus, PluginInstanceError>, u64) {
        let frames = planes[0].as_ref().len();
        for (input, plane) in self.input.iter_mut().zip(planes) {
            input.resize(frames, 0.0);
            input.copy_from_slice(plane.as_ref());
        }
        for output in &mut self.output {
            output.resize(frames, f32::NAN);
        }
        let outcome = self.run(transport);
        self.events.clear();
        outcome
    }

    /// Values of parameters that the plugin sent with the latest block, by their ids.
    pub(crate) fn sent(&self) -> Vec<(u32, f64)> {
        let value = |event: &UnknownEvent| {
            let event = event.as_event::<ParamValueEvent>()?;
            Some((event.param_id()?.get(), event.value()))
        };
        self.events_out.iter().filter_map(value).collect()
    }

    /// Processes what is in `input` already.
    fn run(
        &mut self,
        transport: Option<&TransportEvent>,
    ) -> (Result<ProcessStatus, PluginInstanceError>, u64) {
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
        let events = InputEvents::from_buffer(&self.events);
        self.events_out.clear();
        let mut events_out = OutputEvents::from_buffer(&mut self.events_out);
        let processor = &mut self.processor;
        let process =
            || processor.process(&input, &mut output, &events, &mut events_out, None, transport);
        let (waits, (calls, result)) = waits_of(|| calls_of(process));
        assert!(waits == 0 || self.may_wait, "waited {waits} times while it processed");
        (result, calls)
    }
}
