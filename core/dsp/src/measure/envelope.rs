//! How a sound rises: the level of the channels' mean in ticks of a quarter of a millisecond.

use wavemill_audio::Block;
use wavemill_audio::units::SampleRate;

/// Ticks of a second; at sample rates below it, a tick is a sample.
const TICKS_PER_SECOND: u32 = 4000;

/// Energy and peak of a tick.
#[derive(Clone, Copy, Debug, Default)]
struct Tick {
    square_sum: f32,
    frame_count: u16,
    peak: f32,
}

/// The latest ticks.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    rate_hz: u64,
    ticks_per_second: u64,
    /// A ring by the number of the tick; its length is a power of two.
    ticks: Vec<Tick>,
    /// Of complete ticks.
    tick_count: u64,
    current: Tick,
    /// Frame behind the current tick.
    end: u64,
    frame_count: u64,
}

impl Envelope {
    /// Keeps at least `frames` frames.
    pub(super) fn new(rate: SampleRate, frames: u64) -> Self {
        let rate_hz = u64::from(rate.0.max(1));
        let ticks_per_second = rate_hz.min(u64::from(TICKS_PER_SECOND));
        let ticks = usize::try_from(frames * ticks_per_second / rate_hz + 2).unwrap_or(usize::MAX);
        let mut envelope = Self {
            rate_hz,
            ticks_per_second,
            ticks: vec![Tick::default(); ticks.next_power_of_two()],
            tick_count: 0,
            current: Tick::default(),
            end: 0,
            frame_count: 0,
        };
        envelope.end = envelope.end_of(0);
        envelope
    }

    /// Frame behind a tick.
    fn end_of(&self, tick: u64) -> u64 {
        (tick + 1) * self.rate_hz / self.ticks_per_second
    }

    /// Ticks in a time.
    pub(super) fn ticks(&self, seconds: f64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few thousand"
        )]
        let ticks = (seconds * self.ticks_per_second as f64).round().max(1.0) as u64;
        ticks
    }

    /// Milliseconds of ticks.
    pub(super) fn milliseconds(&self, ticks: f64) -> f64 {
        1000.0 * ticks / self.ticks_per_second as f64
    }

    /// The tick in which a frame lies.
    pub(super) fn tick_of(&self, frame: u64) -> u64 {
        frame * self.ticks_per_second / self.rate_hz
    }

    /// Complete ticks so far.
    pub(super) fn tick_count(&self) -> u64 {
        self.tick_count
    }

    /// The first tick that is kept.
    pub(super) fn first(&self) -> u64 {
        self.tick_count.saturating_sub(self.ticks.len() as u64)
    }

    /// Takes frames up to the end of the next tick; returns how many it took.
    pub(super) fn push(&mut self, block: &Block, start: usize) -> usize {
        let room = usize::try_from(self.end - self.frame_count).unwrap_or(usize::MAX);
        let count = room.min(block.frame_count() - start);
        let channel_count = block.channel_count() as f32;
        match block.channel_count() {
            1 => self.current.add(block.plane(0)[start..start + count].iter().copied()),
            2 => {
                let pairs =
                    block.plane(0)[start..start + count].iter().zip(&block.plane(1)[start..]);
                self.current.add(pairs.map(|(left, right)| (left + right) * 0.5));
            }
            _ => {
                let sum = |frame| block.planes().map(|plane| plane[frame]).sum::<f32>();
                self.current.add((start..start + count).map(|frame| sum(frame) / channel_count));
            }
        }
        self.frame_count += count as u64;
        if self.frame_count == self.end {
            let slot = self.slot(self.tick_count);
            self.ticks[slot] = std::mem::take(&mut self.current);
            self.tick_count += 1;
            self.end = self.end_of(self.tick_count);
        }
        count
    }

    fn slot(&self, tick: u64) -> usize {
        // Not by `%`: a division for every tick that is looked at would be most of the time.
        usize::try_from(tick & (self.ticks.len() as u64 - 1)).expect("below a length")
    }

    /// Root of the mean square of the millisecond that ends with a tick.
    pub(super) fn rms(&self, tick: u64) -> f64 {
        let first = (tick + 1).saturating_sub(self.ticks(0.001));
        self.rms_of(first, tick + 1)
    }

    /// Sum of the squares of a tick, and its frames.
    pub(super) fn tick(&self, tick: u64) -> (f64, f64) {
        let Tick { square_sum, frame_count, .. } = self.ticks[self.slot(tick)];
        (f64::from(square_sum), f64::from(frame_count))
    }

    /// Root of the mean square of ticks `first..end`.
    pub(super) fn rms_of(&self, first: u64, end: u64) -> f64 {
        let (mut square_sum, mut frame_count) = (0.0, 0.0);
        for tick in first..end {
            let tick = &self.ticks[self.slot(tick)];
            square_sum += f64::from(tick.square_sum);
            frame_count += f64::from(tick.frame_count);
        }
        if frame_count > 0.0 { (square_sum / frame_count).sqrt() } else { 0.0 }
    }

    /// Largest absolute value in ticks `first..end`.
    pub(super) fn peak_of(&self, first: u64, end: u64) -> f64 {
        (first..end).fold(0.0, |peak, tick| peak.max(f64::from(self.ticks[self.slot(tick)].peak)))
    }
}

impl Tick {
    fn add(&mut self, samples: impl Iterator<Item = f32>) {
        let Self { mut square_sum, mut frame_count, mut peak } = *self;
        for sample in samples {
            square_sum += sample * sample;
            let amplitude = sample.abs();
            // Not `f32::max`: its care for NaN, which cannot come here, takes longer.
            peak = if amplitude > peak { amplitude } else { peak };
            frame_count += 1;
        }
        *self = Self { square_sum, frame_count, peak };
    }
}
