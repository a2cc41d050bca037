//! One instance and its channels of the stream.

use crate::create::CreateError;
use crate::fault::{Failure, Fault};
use crate::guest::{CallFault, Guest, InstanceInfo, PrepareError, StartError, Stream, Times};
use crate::module::Module;
use crate::planes::Planes;
use wavemill_core::audio::Block;

/// All channels of a stream with one instance, or one of them.
pub(crate) struct Lane {
    pub(crate) guest: Guest,
    pub(crate) planes: Planes,
    pub(crate) first_channel: usize,
    pub(crate) channel_count: usize,
    /// What it says about latency and tail.
    pub(crate) times: Times,
}

impl Lane {
    /// A fresh instance for the channels from `first_channel` on, with these parameters.
    pub(crate) fn new(
        module: &Module,
        stream: Stream,
        settings: &[(u32, f64)],
        first_channel: usize,
    ) -> Result<Self, CreateError> {
        let effect = || module.description().name.clone();
        let failed = |error: StartError, said| {
            let (StartError { failed: CallFault { call, fault }, engine }, effect) =
                (error, effect());
            CreateError::Failed(Failure { effect, call, fault, engine, at: None, said })
        };
        let budgets = module.sandbox().budgets();
        let (memory_mib, mode) = (module.memory_mib(), module.sandbox().mode());
        let mut guest = Guest::new(module.instances(), memory_mib, mode, budgets.describe)
            .map_err(|error| failed(error, None))?;
        let prepared = guest.prepare(stream, settings.iter().copied(), budgets.create);
        let InstanceInfo { planes, times } = prepared.map_err(|error| match error {
            PrepareError::Failed(error) => failed(error.into(), guest.said(budgets.describe)),
            PrepareError::Planes(error) => {
                CreateError::Planes { effect: effect(), reason: error.to_string() }
            }
        })?;
        let channel_count = stream.channel_count as usize;
        Ok(Self { guest, planes, first_channel, channel_count, times })
    }

    /// One call of the module; an error names the frame of the piece where it is known.
    pub(crate) fn process(
        &mut self,
        block: &mut Block,
        start: usize,
        count: usize,
        ticks: u64,
    ) -> Result<i32, (CallFault, usize)> {
        let memory = self.guest.memory_mut();
        for channel in 0..self.channel_count {
            let plane = block.plane(self.first_channel + channel);
            self.planes.write(memory, channel, &plane[start..start + count]);
        }
        let frames = u32::try_from(count).unwrap_or(u32::MAX);
        let code = self.guest.process(frames, ticks).map_err(|failed| (failed, 0))?;
        let memory = self.guest.memory();
        for channel in 0..self.channel_count {
            let plane = block.plane_mut(self.first_channel + channel);
            let samples = &mut plane[start..start + count];
            self.planes.read(memory, channel, samples).map_err(|bad| {
                let channel = u32::try_from(self.first_channel + channel).unwrap_or(u32::MAX);
                let fault = Fault::Sample { value: bad.value, channel };
                (CallFault { call: "fx_process", fault }, bad.frame)
            })?;
        }
        Ok(code)
    }
}
