//! What the DAW's transport does to the meters, seen in the project it saves.

use crate::host::{Running, STEREO, save, transport};
use crate::readings::readings;
use crate::signals::{RATE_HZ, tone};
use clack_host::events::event_types::{TransportEvent, TransportFlags};
use clack_host::utils::SecondsTime;
use serde_json::Value;

const BLOCK_FRAMES: usize = 480;

/// Readings are published 30 times a second: what was measured after the latest is not published yet.
const LATE_S: f64 = 1.0 / 30.0;

/// A DAW with a song.
struct Daw {
    running: Running,
    at_s: f64,
    /// Where the loop begins and ends, if there is one.
    cycle: Option<[f64; 2]>,
}

impl Daw {
    fn new() -> Self {
        Self { running: Running::new(STEREO), at_s: 0.0, cycle: None }
    }

    fn transport(&self, is_playing: bool) -> TransportEvent {
        let mut transport = transport(is_playing, self.at_s);
        if let Some([start, end]) = self.cycle {
            transport.flags |= TransportFlags::IS_LOOP_ACTIVE;
            transport.loop_start_seconds = SecondsTime::from_float(start);
            transport.loop_end_seconds = SecondsTime::from_float(end);
        }
        transport
    }

    /// So many seconds of a tone.
    fn run(&mut self, is_playing: bool, level_dbfs: f64, seconds: f64) -> &mut Self {
        for block in tone(&[(level_dbfs, seconds)]).chunks(BLOCK_FRAMES) {
            let transport = self.transport(is_playing);
            self.running.process(&[block, block], Some(&transport));
            if is_playing {
                self.at_s += block.len() as f64 / f64::from(RATE_HZ);
            }
            if let Some([start, _]) = self.cycle.filter(|[_, end]| self.at_s > end - 1e-6) {
                self.at_s = start;
            }
        }
        self
    }

    fn play(&mut self, level_dbfs: f64, seconds: f64) -> &mut Self {
        self.run(true, level_dbfs, seconds)
    }

    fn stand(&mut self, level_dbfs: f64, seconds: f64) -> &mut Self {
        self.run(false, level_dbfs, seconds)
    }

    fn seek(&mut self, to_s: f64) -> &mut Self {
        self.at_s = to_s;
        self
    }

    fn set(&mut self, name: &str, value: f64) -> &mut Self {
        self.running.set(name, value);
        self
    }

    fn readings(&mut self) -> Value {
        readings(&save(&mut self.running.instance))
    }

    /// Holds how long was measured against what is expected, and the integrated loudness, too.
    fn expect(&mut self, measured_s: f64, integrated_lufs: f64) -> &mut Self {
        let readings = self.readings();
        let number = |name: &str| readings[name].as_f64().unwrap();
        let late_s = measured_s - number("measured_s");
        assert!((-1e-6..=LATE_S).contains(&late_s), "{measured_s} s of {readings}");
        let difference = number("integrated_lufs") - integrated_lufs;
        assert!(difference.abs() < 0.1, "{integrated_lufs} LUFS of {readings}");
        self
    }
}

#[test]
fn meters_stand_still_with_the_transport_and_go_on_with_it() {
    let mut daw = Daw::new();
    daw.play(-23.0, 4.0).expect(4.0, -23.0);
    let before = daw.readings();
    // Louder than what was played: none of it may count, in any reading.
    daw.stand(-6.0, 0.01);
    let paused = daw.readings();
    daw.stand(-6.0, 4.0);
    assert_eq!(daw.readings(), paused, "no reading moves");
    assert_eq!(paused["integrated_lufs"], before["integrated_lufs"]);
    assert_eq!(paused["true_peak_dbtp"], before["true_peak_dbtp"]);
    daw.play(-23.0, 4.0).expect(8.0, -23.0);
}

#[test]
fn meters_measure_on_where_they_are_not_to_pause() {
    let mut daw = Daw::new();
    daw.set("Pause with transport", 0.0);
    daw.play(-23.0, 4.0).stand(-23.0, 4.0).expect(8.0, -23.0);
}

#[test]
fn transport_that_never_played_is_measured() {
    Daw::new().stand(-23.0, 4.0).expect(4.0, -23.0);
}

#[test]
fn start_begins_anew_where_that_is_wanted() {
    let mut daw = Daw::new();
    daw.set("Reset on start", 1.0);
    daw.play(-10.0, 4.0).expect(4.0, -10.0);
    daw.stand(-10.0, 1.0).play(-30.0, 2.0).expect(2.0, -30.0);
    let readings = daw.readings();
    assert!(readings["true_peak_dbtp"].as_f64().unwrap() < -25.0, "{readings}");
    assert_eq!(readings["short_term_max_lufs"], Value::Null, "nothing of the first start");
    // Where it is not, both count: the louder half, and less than half as much energy.
    let mut daw = Daw::new();
    daw.play(-10.0, 4.0).stand(-10.0, 1.0).play(-13.0, 4.0).expect(8.0, -11.25);
}

#[test]
fn jump_while_playing_begins_anew_where_that_is_wanted_and_goes_on_elsewhere() {
    let mut daw = Daw::new();
    daw.set("Reset on start", 1.0);
    daw.play(-10.0, 3.0).seek(60.0).play(-30.0, 2.0).expect(2.0, -30.0);
    daw.seek(10.0).play(-20.0, 2.0).expect(2.0, -20.0);
    let mut daw = Daw::new();
    daw.play(-23.0, 3.0).seek(60.0).play(-23.0, 3.0).expect(6.0, -23.0);
}

#[test]
fn jump_while_the_transport_stands_waits_for_its_start() {
    let mut daw = Daw::new();
    daw.set("Reset on start", 1.0);
    daw.play(-10.0, 3.0).stand(-10.0, 1.0).seek(60.0).stand(-10.0, 1.0).expect(3.0, -10.0);
    daw.play(-30.0, 2.0).expect(2.0, -30.0);
}

#[test]
fn loop_of_the_song_is_no_jump() {
    let mut daw = Daw::new();
    daw.set("Reset on start", 1.0);
    daw.cycle = Some([1.0, 2.0]);
    daw.play(-23.0, 5.0).expect(5.0, -23.0);
}
