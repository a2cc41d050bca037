//! One instance and its channels of the stream.

use crate::fault::Fault;
use crate::guest::{Failed, Guest};
use crate::planes::Planes;
use wavemill_core::audio::Block;

/// All channels of a stream with one instance, or one of them.
pub(crate) struct Lane {
    pub(crate) guest: Guest,
    pub(crate) planes: Planes,
    pub(crate) first_channel: usize,
    pub(crate) channel_count: usize,
}

impl Lane {
    /// One call of the module; an error names the frame of the piece where it is known.
    pub(crate) fn process(
        &mut self,
        block: &mut Block,
        start: usize,
        count: usize,
        ticks: u64,
    ) -> Result<i32, (Failed, usize)> {
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
                (Failed { call: "fx_process", fault }, bad.frame)
            })?;
        }
        Ok(code)
    }
}
