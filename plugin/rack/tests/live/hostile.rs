//! Modules that trap, loop, are late or write nonsense, in a slot that plays.

use crate::module::module;
use crate::{Player, duration, part};
use std::time::Duration;
use wavemill_pipelines::Effects;
use wavemill_rack::Ending;

/// When the module begins to misbehave, in frames.
const FROM: usize = 10_000;

/// Ways to break, and what the reason says.
const WAYS: [(&str, &str); 14] = [
    ("(unreachable)", "gave up"),
    ("(loop $ever (br $ever))", "too long"),
    ("(drop (i32.load (i32.const -4)))", "memory"),
    ("(return (i32.const 7))", "7"),
    ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "divi"),
    ("(global.set $gain (f32.const nan))", "wrote a NaN"),
    ("(global.set $gain (f32.const 1e30))", "wrote"),
    ("(global.set $gain (f32.const -inf))", "wrote"),
    ("(return (i32.const -9))", "-9"),
    ("(call $deep)", "stack"),
    ("(drop (i32.trunc_f32_s (f32.const nan)))", "conversion"),
    ("(drop (i32.div_s (i32.const -2147483648) (i32.const -1)))", "overflow"),
    ("(memory.fill (i32.const 0) (i32.const 255) (i32.const 0x7fffffff))", "memory"),
    (GREEDY, "gave up"),
];

/// Asks for memory until it gets none.
const GREEDY: &str =
    "(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) (unreachable)";

/// A module that plays for a while and then does this, in one player.
fn player(what: &str) -> (tempfile::TempDir, Player) {
    let folder = tempfile::tempdir().unwrap();
    let from = format!("(if (i32.gt_u (global.get $frames) (i32.const {FROM})) (then {what}))");
    let path = folder.path().join("bad.wasm");
    #[expect(clippy::disallowed_methods, reason = "a file of the test's own")]
    std::fs::write(
        &path,
        module("1.0.0", "[1,8]", "(func $deep (call $deep) (call $deep))", &from),
    )
    .unwrap();
    let effects = Effects::live(None);
    let mut player = Player::new(Default::default());
    player.wanted[1] = Some(part(&effects, path.to_str().unwrap()));
    player.settle();
    (folder, player)
}

#[test]
fn music_goes_on_dry_within_5_ms_and_the_slot_comes_back() {
    for (what, reason) in WAYS {
        let (_folder, mut player) = player(what);
        player.rack.take_need();
        let is_broken = (0..400).any(|_| {
            let (planes, goes_on) = player.play(64, false);
            assert!(
                goes_on && planes.iter().flatten().all(|sample| sample.abs() <= 0.51),
                "{what}"
            );
            player.rack.take_need()
        });
        assert!(is_broken, "{what}");
        // 5 ms later it is the dry signal, to the bit.
        player.play(240, false);
        let phase = player.phase;
        let (planes, _) = player.play(64, false);
        player.phase = phase;
        let (dry, _) = Player::playing_from(&player, 64);
        assert_eq!(planes, dry, "{what}");
        player.tend();
        assert_eq!(player.incidents.len(), 1, "{what}: {:?}", player.incidents);
        let incident = &player.incidents[0];
        assert!(incident.slot == 1 && incident.ending == Ending::Renewed, "{incident:?}");
        assert!(incident.reason.contains(reason), "{what}: {}", incident.reason);
        player.settle();
        // Gain 0.5 again: the fresh instance works.
        let (planes, _) = player.play(480, false);
        let peak = planes[0].iter().fold(0.0f32, |most, sample| most.max(sample.abs()));
        assert!((peak - 0.25).abs() < 0.01, "{what}: {peak}");
    }
}

#[test]
fn third_fault_within_a_minute_leaves_the_slot_dry_until_it_is_changed() {
    let (_folder, mut player) = player("(unreachable)");
    for _ in 0..1000 {
        player.play(480, false);
        player.tend();
    }
    assert_eq!(player.incidents.len(), 3, "{:?}", player.incidents);
    assert_eq!(player.incidents[2].ending, Ending::Dry);
    let (planes, _) = player.play(480, false);
    let peak = planes[0].iter().fold(0.0f32, |most, sample| most.max(sample.abs()));
    assert!((peak - 0.5).abs() < 0.01, "{peak}");
    // Emptied and filled again, it begins anew.
    let part = player.wanted[1].take();
    player.settle();
    player.wanted[1] = part;
    player.settle();
    let (planes, _) = player.play(480, false);
    let peak = planes[0].iter().fold(0.0f32, |most, sample| most.max(sample.abs()));
    assert!((peak - 0.25).abs() < 0.01, "{peak}");
}

#[test]
fn first_fault_ends_an_offline_render() {
    let (_folder, mut player) = player("(unreachable)");
    let stopped = (0..400).position(|_| !player.play(64, true).1);
    assert!(stopped.is_some_and(|blocks| blocks * 64 < FROM), "{stopped:?}");
}

/// Held against what the thread worked: beside other work it may be off the processor at any time.
#[cfg(unix)]
#[test]
fn looping_module_makes_its_callback_late_by_a_block_at_most() {
    let worked = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap()
    };
    let (_folder, mut player) = player("(loop $ever (br $ever))");
    let mut longest = Duration::ZERO;
    for _ in 0..200 {
        let before = worked();
        player.play(64, false);
        longest = longest.max(worked().saturating_sub(before));
    }
    // Its own time, one block of lateness, and two ticks of the clock that it shares with everything else.
    assert!(longest <= 2 * duration(64) + Duration::from_millis(1), "{longest:?}");
    assert!(longest > Duration::from_micros(500), "{longest:?}: it was stopped");
}

/// Gain 0.5 until it is set, by a parameter that can change while audio runs.
const AUTOMATABLE: &str = r#"(module
  (memory (export "memory") 33)
  (data (i32.const 16) "{\"id\":\"gain\",\"name\":\"Gain\",\"version\":\"1.0.0\",\"channels\":[1,1],\"params\":[{\"id\":3,\"key\":\"gain\",\"min\":0,\"max\":4,\"default\":0.5,\"flags\":[\"automatable\"]}]}\00")
  (global $gain (mut f32) (f32.const 1))
  (global $frames (mut i32) (i32.const 0))
  (func (export "fx_abi_1"))
  (func (export "fx_describe") (result i32) (i32.const 16))
  (func (export "fx_create") (param f64 i32 i32) (result i32) (i32.const 0))
  (func (export "fx_in") (export "fx_out") (param i32) (result i32) (i32.const 65536))
  (func (export "fx_set_param") (param i32 f64) (global.set $gain (f32.demote_f64 (local.get 1))))
  (func (export "fx_process") (param $count i32) (result i32)
    (local $at i32)
    (global.set $frames (i32.add (global.get $frames) (local.get $count)))
    (if (i32.gt_u (global.get $frames) (i32.const 10000)) (then (unreachable)))
    (loop $samples
      (f32.store (i32.add (i32.const 65536) (local.get $at))
        (f32.mul (f32.load (i32.add (i32.const 65536) (local.get $at))) (global.get $gain)))
      (br_if $samples (i32.lt_u
        (local.tee $at (i32.add (local.get $at) (i32.const 4)))
        (i32.shl (local.get $count) (i32.const 2)))))
    (i32.const 0)))"#;

fn automatable() -> Player {
    playing(AUTOMATABLE)
}

/// A module in the first slot.
fn playing(text: &str) -> Player {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gain.wasm");
    #[expect(clippy::disallowed_methods, reason = "a file of the test's own")]
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    let mut player = Player::new(Default::default());
    player.wanted[0] = Some(part(&Effects::live(None), path.to_str().unwrap()));
    player.settle();
    player
}

/// The module with more of its own.
fn automatable_with(fields: &str) -> String {
    const MARKER: &str = r#"(func (export "fx_abi_1"))"#;
    AUTOMATABLE
        .replace(MARKER, &format!("(global $calls (mut i32) (i32.const 0)) {fields} {MARKER}"))
}

/// Loops from the second call on.
const LATER: &str =
    "(if (global.get $calls) (then (loop $ever (br $ever)))) (global.set $calls (i32.const 1))";

#[test]
fn loop_in_a_change_of_a_value_is_stopped() {
    let text = automatable_with("").replace("(param i32 f64)", &format!("(param i32 f64) {LATER}"));
    let mut player = playing(&text);
    player.rack.set(0, 0, 2.0);
    assert_broken(&mut player, "fx_set_param took too long");
}

#[test]
fn loop_in_a_reset_is_stopped() {
    let mut player = playing(&automatable_with(&format!(r#"(func (export "fx_reset") {LATER})"#)));
    player.rack.reset();
    assert_broken(&mut player, "fx_reset took too long");
}

#[test]
fn loop_in_the_text_of_an_error_takes_the_text_only() {
    let error = r#"(func (export "fx_error") (result i32) (loop $ever (br $ever)) (i32.const 0))"#;
    let mut player = playing(&automatable_with(error));
    player.play(10_100, false);
    assert_broken(&mut player, "fx_process gave up");
}

#[test]
fn meter_that_traps_breaks_its_effect_only() {
    let meter = r#"(func (export "fx_meter") (param i32) (result f32) (unreachable))"#;
    let meters = r#""channels":[1,1],"meters":[{"key":"reduction_db","min":-60,"max":0}]"#;
    let channels = r#"\"channels\":[1,1]"#;
    let text = automatable_with(meter).replace(channels, &meters.replace('"', "\\\""));
    let mut player = playing(&text);
    player.levels.watch(true);
    assert_broken(&mut player, "fx_meter gave up");
}

/// The first slot is dry, and has an incident with the reason.
fn assert_broken(player: &mut Player, reason: &str) {
    player.play(480, false);
    player.play(480, false);
    assert!((peak(&player.play(480, false).0) - 0.5).abs() < 0.01, "dry");
    player.tend();
    let reasons: Vec<_> = player.incidents.iter().map(|incident| &incident.reason).collect();
    assert!(matches!(reasons[..], [one] if one.contains(reason)), "{reasons:?}");
}

fn peak(planes: &[Vec<f32>]) -> f32 {
    planes.iter().flatten().fold(0.0, |most, sample| most.max(sample.abs()))
}

#[test]
fn fresh_instance_has_the_values_of_now() {
    let mut player = automatable();
    player.rack.set(0, 0, 2.0);
    assert!((peak(&player.play(480, false).0) - 1.0).abs() < 0.01);
    // As the plugin: the wanted part has the value, too.
    player.wanted[0].as_mut().unwrap().set(0, 2.0);
    for _ in 0..24 {
        player.play(480, false);
        player.tend();
    }
    assert_eq!(player.incidents.len(), 1);
    player.settle();
    assert!((peak(&player.play(480, false).0) - 1.0).abs() < 0.01);
}

#[test]
fn module_that_cannot_forget_is_made_anew_without_a_strike() {
    let mut player = automatable();
    player.rack.reset();
    assert!((peak(&player.play(480, false).0) - 0.5).abs() < 0.01, "dry until then");
    player.settle();
    assert!((peak(&player.play(480, false).0) - 0.25).abs() < 0.01);
    assert_eq!(player.incidents, []);
}

#[test]
fn input_that_is_no_number_is_silence_and_no_strike() {
    let mut player = automatable();
    let mut planes = vec![vec![f32::NAN; 64], vec![f32::INFINITY; 64]];
    let mut slices: Vec<&mut [f32]> = planes.iter_mut().map(Vec::as_mut_slice).collect();
    assert!(player.rack.process(&mut slices, false).is_ok());
    assert!(planes.iter().flatten().all(|sample| sample.to_bits() == 0), "{planes:?}");
    player.settle();
    assert_eq!(player.incidents, []);
}
