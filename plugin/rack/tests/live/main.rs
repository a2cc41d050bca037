//! A rack that is changed, and broken, while it plays. A binary of its own: it counts what the audio thread allocates.
#![allow(clippy::unwrap_used, reason = "a test binary: a panic is a failed test")]

mod allocations;
mod changes;
mod hostile;
#[path = "../../../../pipelines/tests/effects/module.rs"]
#[allow(dead_code, reason = "the tests of pipelines use all of it")]
mod module;
#[cfg(target_os = "linux")]
mod pace;

use std::sync::Arc;
use std::time::Duration;
use wavemill_core::audio::StreamSpec;
use wavemill_core::processors;
use wavemill_pipelines::Effects;
use wavemill_rack::{Incident, Levels, Part, Rack, Slots, Supervisor, rack};

const RATE_HZ: u32 = 48_000;

/// A part by the name of a step, or the name or path of an effect.
fn part(effects: &Effects, name: &str) -> Part {
    match processors::step(name) {
        Some(step) => Part::step(step),
        None => Part::effect(name, effects.load(name).unwrap(), None).unwrap(),
    }
}

/// A stereo rack with its other side.
struct Player {
    rack: Rack,
    supervisor: Supervisor,
    levels: Arc<Levels>,
    wanted: Slots<Option<Part>>,
    incidents: Vec<Incident>,
    /// Frames played.
    position: usize,
    phase: f64,
}

impl Player {
    fn new(wanted: Slots<Option<Part>>) -> Self {
        let spec = StreamSpec::new(RATE_HZ, 2);
        let levels = Arc::<Levels>::default();
        let (rack, supervisor, incidents) = rack(&spec, &wanted, &[1.0; 8], levels.clone());
        Self { rack, supervisor, levels, wanted, incidents, position: 0, phase: 0.0 }
    }

    /// The next frames of a tone of 220 Hz at half of full scale, as both channels come out; whether the render goes
    /// on.
    fn play(&mut self, frames: usize, is_offline: bool) -> (Vec<Vec<f32>>, bool) {
        let mut planes = vec![Vec::new(); 2];
        for _ in 0..frames {
            #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
            let sample = (self.phase * std::f64::consts::TAU).sin() as f32 * 0.5;
            self.phase = (self.phase + 220.0 / f64::from(RATE_HZ)).fract();
            for plane in &mut planes {
                plane.push(sample);
            }
        }
        let mut slices: Vec<&mut [f32]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
        let goes_on =
            allocations::at_most_a_trap(|| self.rack.process(&mut slices, is_offline).is_ok());
        self.position += frames;
        (planes, goes_on)
    }

    /// What an empty rack plays from here on.
    fn playing_from(other: &Self, frames: usize) -> (Vec<Vec<f32>>, bool) {
        let mut player = Self::new(Default::default());
        player.phase = other.phase;
        player.play(frames, false)
    }

    fn tend(&mut self) {
        self.incidents.extend(self.supervisor.tend(&self.wanted));
    }

    /// Plays and tends until everything wanted stands.
    fn settle(&mut self) {
        for _ in 0..1000 {
            self.tend();
            self.play(480, false);
            if self.supervisor.is_settled() {
                return;
            }
        }
        panic!("the rack does not settle");
    }
}

/// The duration of so many frames.
fn duration(frames: usize) -> Duration {
    Duration::from_secs_f64(frames as f64 / f64::from(RATE_HZ))
}
