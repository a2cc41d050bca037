//! The signal passes bit by bit; only denormal samples become zero.

use crate::host::{Running, STEREO, Stream};

/// Numbers of all kinds: normal, denormal, huge, infinite, none.
pub(crate) struct Noise(pub(crate) u32);

impl Noise {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    fn sample(&mut self) -> f32 {
        match self.next() % 64 {
            0 => f32::from_bits(self.next() % 0x0080_0000),
            1 => -0.0,
            2 => f32::INFINITY,
            3 => f32::from_bits(0x7fc0_1234),
            4 => 1e30,
            _ => f32::from(i16::try_from(self.next() % 65_536).unwrap_or(-1)) / 32_768.0,
        }
    }

    pub(crate) fn plane(&mut self, frames: usize) -> Vec<f32> {
        (0..frames).map(|_| self.sample()).collect()
    }
}

/// What comes out: no validator lets a denormal sample pass.
pub(crate) fn passed(planes: &[Vec<f32>]) -> Vec<Vec<u32>> {
    let flushed = |sample: &f32| {
        let sample = if sample.is_subnormal() { 0.0_f32.copysign(*sample) } else { *sample };
        sample.to_bits()
    };
    planes.iter().map(|plane| plane.iter().map(flushed).collect()).collect()
}

pub(crate) fn bits(planes: &[Vec<f32>]) -> Vec<Vec<u32>> {
    planes.iter().map(|plane| plane.iter().map(|sample| sample.to_bits()).collect()).collect()
}

fn passes_in_blocks_of_any_length(stream: Stream) {
    let mut running = Running::new(stream);
    let mut noise = Noise(7);
    for block in 0..200 {
        let frames = match block {
            0 => 0,
            1 => 1,
            2 => stream.frames_max,
            _ => noise.next() % (stream.frames_max + 1),
        };
        let frames = usize::try_from(frames).unwrap();
        let planes: Vec<Vec<f32>> =
            (0..stream.channel_count).map(|_| noise.plane(frames)).collect();
        running.process(&planes, None);
        assert_eq!(bits(running.output()), passed(&planes), "block {block} of {stream:?}");
    }
    running.stop();
}

#[test]
fn every_layout_passes_bit_by_bit_in_blocks_of_any_length() {
    for channel_count in [1, 2, 3, 4, 5, 6, 7, 8, 10, 12] {
        passes_in_blocks_of_any_length(Stream { channel_count, frames_max: 700, ..STEREO });
    }
}

#[test]
fn every_rate_passes_bit_by_bit() {
    for sample_rate_hz in [44_100.0, 88_200.0, 96_000.0, 192_000.0, 384_000.0, 768_000.0, 1.23e6] {
        passes_in_blocks_of_any_length(Stream { sample_rate_hz, frames_max: 700, ..STEREO });
    }
}

#[test]
fn offline_render_and_bypass_pass_bit_by_bit() {
    passes_in_blocks_of_any_length(Stream { is_offline: true, ..STEREO });
    let mut running = Running::new(STEREO);
    let planes = [vec![0.25; 512], vec![-0.5; 512]];
    running.set("Bypass", 1.0);
    for _ in 0..3 {
        running.process(&planes, None);
        assert_eq!(bits(running.output()), passed(&planes));
    }
}

#[test]
fn layout_and_rate_may_change_between_activations() {
    let mut instance = crate::host::instance();
    for (channel_count, sample_rate_hz) in [(2, 48_000.0), (6, 96_000.0), (1, 44_100.0)] {
        let stream = Stream { channel_count, sample_rate_hz, ..STEREO };
        let mut running = Running::with(instance, stream);
        let planes = vec![vec![0.25; 333]; channel_count];
        running.process(&planes, None);
        assert_eq!(bits(running.output()), passed(&planes));
        instance = running.stop();
    }
}
