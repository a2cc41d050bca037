//! The audio of one block as a host hands it over.

use std::slice;

/// The channels of a main bus; none where the host has no such bus.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bus<'a>(&'a [*mut f32]);

impl Bus<'_> {
    /// # Safety
    /// `planes` is null, or points to so many pointers.
    pub(super) unsafe fn new(planes: *mut *mut f32, channel_count: usize) -> Self {
        if planes.is_null() {
            return Self(&[]);
        }
        // SAFETY: the caller's promise.
        Self(unsafe { slice::from_raw_parts(planes, channel_count) })
    }
}

/// Both main buses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buses<'a> {
    pub(super) input: Bus<'a>,
    pub(super) output: Bus<'a>,
}

impl Buses<'_> {
    /// Whether the framework may have them: it takes on trust that the host uses the channels it asked for.
    pub(super) fn fit(&self, channel_count: usize) -> bool {
        let (Bus(input), Bus(output)) = (self.input, self.output);
        output.len() == channel_count
            && output.iter().chain(input.iter().take(channel_count)).all(|plane| !plane.is_null())
    }

    /// Passes the signal as it is: what the plugin cannot measure is not lost. Real-time.
    ///
    /// # Safety
    /// Pointers are null, or point to so many samples.
    pub(super) unsafe fn pass(&self, frames: usize) {
        let (Bus(input), Bus(output)) = (self.input, self.output);
        for (index, &to) in output.iter().enumerate().filter(|(_, plane)| !plane.is_null()) {
            match input.get(index).filter(|from| !from.is_null()) {
                // SAFETY: the caller's promise; a host may use one buffer for both.
                Some(&from) => unsafe { to.copy_from(from, frames) },
                // SAFETY: as above.
                None => unsafe { to.write_bytes(0, frames) },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buses_of_other_channels_do_not_fit_but_pass() {
        let (mut left, mut right) = ([0.25f32; 4], [0.5f32; 4]);
        let mut outputs = [[9.0f32; 4]; 3];
        let mut from = [left.as_mut_ptr(), right.as_mut_ptr()];
        let mut to = outputs.each_mut().map(|plane| plane.as_mut_ptr());
        // SAFETY: the arrays have these lengths.
        let buses = unsafe {
            Buses { input: Bus::new(from.as_mut_ptr(), 2), output: Bus::new(to.as_mut_ptr(), 3) }
        };
        assert!(buses.fit(3) && !buses.fit(2));
        // SAFETY: as above.
        unsafe { buses.pass(4) };
        assert_eq!(outputs, [[0.25; 4], [0.5; 4], [0.0; 4]]);
    }

    #[test]
    fn channels_without_samples_do_not_fit() {
        let mut nothing = [std::ptr::null_mut(); 2];
        // SAFETY: the array has this length.
        let none = unsafe { Bus::new(nothing.as_mut_ptr(), 2) };
        let buses = Buses { input: none, output: none };
        assert!(!buses.fit(2));
        // SAFETY: null pointers are not followed.
        unsafe { buses.pass(1 << 20) };
    }
}
