//! The audio thread neither allocates nor frees, nor waits in real time, whatever the DAW does.
//!
//! [`Running`] counts in every block of every test here, those with an open editor included; the framework's
//! `assert_process_allocs` ends the process besides.

use crate::captures::{files, state_of};
use crate::host::{Running, STEREO, Stream, instance, load, transport};

/// What a DAW does, by chance.
struct Chance(u32);

impl Chance {
    /// From 0 to below `end`.
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % end
    }

    fn is_one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }
}

const SWITCHES: [&str; 5] =
    ["Bypass", "Reset meters", "Pause with transport", "Reset on start", "Dual mono"];

/// One block after some changes, and what the transport says of it.
struct Player {
    running: Running,
    chance: Chance,
    is_playing: bool,
    at_s: f64,
}

impl Player {
    fn block(&mut self) {
        let Self { running, chance, .. } = self;
        let frames = match chance.below(8) {
            0 => 0,
            1 => 4096,
            _ => chance.below(4097),
        };
        for name in SWITCHES {
            if chance.is_one_in(20) {
                running.set_at(chance.below(frames.max(1)), name, f64::from(chance.below(2)));
            }
        }
        if chance.is_one_in(10) {
            running.capture(["off", "now", "playing", "bounce"][chance.below(4) as usize]);
        }
        if chance.is_one_in(50) {
            running.reset();
        }
        self.is_playing ^= chance.is_one_in(15);
        if chance.is_one_in(15) {
            self.at_s = f64::from(chance.below(600));
        }
        let transport = transport(self.is_playing, self.at_s);
        let given = (!chance.is_one_in(10)).then_some(&transport);
        let level = [0.0, 0.5, 1e-40, f32::NAN][chance.below(4) as usize];
        running.process(&vec![vec![level; frames as usize]; 2], given);
        self.at_s += f64::from(frames) / STEREO.sample_rate_hz;
    }
}

fn plays(stream: Stream, seed: u32) {
    let folder = tempfile::tempdir().unwrap();
    let mut instance = instance();
    let choices = serde_json::json!({ "capture_folder": folder.path(), "follows_timeline": true });
    assert!(load(&mut instance, &state_of(&choices)));
    let running = Running::with(instance, stream);
    let mut player = Player { running, chance: Chance(seed), is_playing: false, at_s: 0.0 };
    // Recorders come from another thread when they come: on until some captures began and ended.
    let mut block_count = 0;
    while block_count < 1500 || files(folder.path()).len() < 6 {
        player.block();
        block_count += 1;
    }
    player.running.stop();
}

#[test]
fn nothing_is_allocated_freed_or_waited_for_in_real_time() {
    plays(STEREO, 1);
}

#[test]
fn nothing_is_allocated_or_freed_in_an_offline_render() {
    plays(Stream { is_offline: true, ..STEREO }, 2);
}
