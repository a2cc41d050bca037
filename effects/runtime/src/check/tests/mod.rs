//! For every check a module that breaks its promise, and none but that one.

use super::*;
use crate::limits::MEMORY_MIB;

const GOOD: &str = include_str!("good.wat");

/// The good module with some of its text exchanged.
fn module(exchanges: &[(&str, &str)]) -> Vec<u8> {
    let mut text = GOOD.to_owned();
    for (old, new) in exchanges {
        assert_eq!(text.matches(old).count(), 1, "`{old}` must stand once in good.wat");
        text = text.replace(old, new);
    }
    wat::parse_str(&text).unwrap()
}

fn report(exchanges: &[(&str, &str)]) -> CheckReport {
    check(&module(exchanges), MEMORY_MIB)
}

/// The reason of the one check that failed.
fn only_failure(name: &str, exchanges: &[(&str, &str)]) -> String {
    let report = report(exchanges);
    let failed: Vec<_> = report.failures().map(|result| result.name).collect();
    assert_eq!(failed, [name], "{:#?}", report.results);
    reason(&report, name)
}

/// The reason of the one check with a hint.
fn only_hint(name: &str, exchanges: &[(&str, &str)]) -> String {
    let report = report(exchanges);
    for result in &report.results {
        let is_hint = matches!(result.verdict, Verdict::Hint(_));
        assert_eq!(is_hint, result.name == name, "{result:?}");
        assert!(is_hint || result.verdict == Verdict::Passed, "{result:?}");
    }
    reason(&report, name)
}

fn reason(report: &CheckReport, name: &str) -> String {
    let result = report.results.iter().find(|result| result.name == name).unwrap();
    match &result.verdict {
        Verdict::Failed(reason) | Verdict::Hint(reason) | Verdict::NotJudged(reason) => {
            assert!(!reason.is_empty() && !reason.contains(char::is_control), "{reason:?}");
            assert!(reason.len() < 300, "{reason}");
            reason.clone()
        }
        Verdict::Passed => panic!("{name} passed"),
    }
}

/// Text of `fx_process` before its loop.
const PROCESS: &str = "(local $channel i32) (local $frame i32) (local $at i32)\n";

fn before_process(body: &str) -> String {
    format!("{PROCESS} {body}")
}

/// Text of `$sample` at its end.
const GAIN: &str = "(f32.mul (global.get $gain)\n";

/// Does something where an input sample is of full scale.
fn at_full_scale(sample: &str) -> String {
    format!(
        "(if (f32.ge (f32.abs (local.get $x)) (f32.const 0.9)) (then (return (f32.const {sample})))) {GAIN}"
    )
}

/// More gain the more `$max_frames` says.
const LOUDER: &str = "(f32.mul (f32.add (global.get $gain)
    (f32.mul (f32.convert_i32_u (global.get $max_frames)) (f32.const 1e-5)))\n";

const CREATE: &str = "(call $reset)\n    (i32.const 0)";

#[test]
fn good_module_passes_every_check() {
    let report = report(&[]);
    for result in &report.results {
        assert_eq!(result.verdict, Verdict::Passed, "{result:?}");
    }
    assert_eq!(report.results.len(), CHECKS.len());
    assert_eq!(report.module.description.as_ref().unwrap().id, "com.example.good");
    // Counted by hand: about 45 instructions a sample, two channels.
    let fuel = report.fuel_per_frame.unwrap();
    assert!((60.0..200.0).contains(&fuel), "{fuel}");
    assert!(report.fuel_of_dearest_call.unwrap() > 64 * 60);
}

#[test]
fn worked_example_of_the_contract_passes() {
    let page = include_str!("../../../../ABI.md");
    let text = page.split("```wat\n").nth(1).unwrap().split("```").next().unwrap();
    let report = check(&wat::parse_str(text).unwrap(), MEMORY_MIB);
    assert!(!report.has_failed(), "{:#?}", report.results);
    assert_eq!(reason(&report, "presets"), "it has no presets");
    assert_eq!(reason(&report, "reset"), "no fx_reset: every file gets a new instance");
}

#[test]
fn report_is_the_same_twice() {
    assert_eq!(report(&[]), report(&[]));
}

#[test]
fn bytes_that_are_no_module_fail_to_load_and_nothing_else_is_judged() {
    let report = check(b"RIFF....WAVE", MEMORY_MIB);
    let failed: Vec<_> = report.failures().map(|result| result.name).collect();
    assert_eq!(failed, ["loads"]);
    for name in ["description", "runs", "cost"] {
        assert_eq!(reason(&report, name), "it was not loaded");
    }
    assert_eq!(report.module.size_bytes, 12);
    assert_eq!(report.module.sha256.len(), 64);
    assert_eq!(report.module.description, None);
}

#[test]
fn unknown_import_fails_to_load() {
    let import = r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i32) (result i32)))"#;
    let old = "(memory (export \"memory\") 33)";
    let reason = only_failure("loads", &[(old, &format!("{import} {old}"))]);
    assert!(reason.contains("fd_write"), "{reason}");
}

#[test]
fn wrong_signature_fails_to_load() {
    let reason = only_failure(
        "loads",
        &[(
            "(func (export \"fx_tail\") (result i32) (i32.const 160))",
            "(func (export \"fx_tail\"))",
        )],
    );
    assert!(reason.contains("`fx_tail` is () -> ()"), "{reason}");
}

#[test]
fn default_out_of_range_fails_the_description() {
    let reason = only_failure(
        "description",
        &[(r#"\"max\":4,\"default\":1"#, r#"\"max\":4,\"default\":9"#)],
    );
    assert_eq!(reason, "`params[0].default` is 9; it must be within `min` and `max`, 0 to 4");
}

#[test]
fn trap_in_process_fails_to_run_and_nothing_behind_it_is_judged() {
    let body =
        before_process("(if (i32.gt_u (global.get $clock) (i32.const 4000)) (then (unreachable)))");
    let exchanges = [(PROCESS, body.as_str())];
    let failure = only_failure("runs", &exchanges);
    assert!(failure.starts_with("fx_process gave up"), "{failure}");
    assert_eq!(reason(&report(&exchanges), "tail"), "it does not run");
}

#[test]
fn refusal_to_be_created_fails_to_run() {
    let create = CREATE.replace("(i32.const 0)", "(i32.const -77)");
    let reason = only_failure("runs", &[(CREATE, &create)]);
    assert!(reason.starts_with("fx_create returned its own error -77"), "{reason}");
}

#[test]
fn output_by_what_memory_the_host_allows_is_not_deterministic() {
    let take = "(global.set $max_frames
        (select (i32.const 0) (i32.const 9000) (i32.lt_s (memory.grow (i32.const 1024)) (i32.const 0))))";
    let reason =
        only_failure("determinism", &[(CREATE, &format!("{take} {CREATE}")), (GAIN, LOUDER)]);
    assert!(
        reason.starts_with("a host that allows 256 MiB of memory and one that allows "),
        "{reason}"
    );
}

#[test]
fn state_tied_to_the_block_fails_block_sizes() {
    let body = before_process("(f32.store (i32.const 49152) (f32.const 0))");
    let reason = only_failure("block-sizes", &[(PROCESS, &body)]);
    assert_eq!(
        reason.split(" of channel").next().unwrap(),
        "with its defaults: a stream in blocks of 1 and one in blocks of 4096 give different \
         outputs, first at frame 33"
    );
}

#[test]
fn output_by_the_largest_block_fails_block_limits() {
    let reason = only_failure("block-limits", &[(GAIN, LOUDER)]);
    assert!(reason.starts_with("an instance for at most 1 frames and one for "), "{reason}");
}

#[test]
fn region_too_small_for_the_largest_block_fails_block_limits() {
    // Planes of 64 KiB overlap as soon as blocks are longer than 16,384 frames.
    let small = (
        "(i32.shl (local.get $channel) (i32.const 18))",
        "(i32.shl (local.get $channel) (i32.const 16))",
    );
    let reason = only_failure("block-limits", &[small]);
    assert!(reason.starts_with("an instance for at most 65536 frames: "), "{reason}");
}

#[test]
fn filter_that_survives_a_reset_fails_reset() {
    let keep = ("(memory.fill (i32.const 49152) (i32.const 0) (i32.const 32))", "");
    let reason = only_failure("reset", &[keep]);
    assert!(reason.starts_with("fx_reset after a second of noise and a new instance"), "{reason}");
}

#[test]
fn growth_while_audio_runs_fails_memory() {
    let body = before_process("(drop (memory.grow (i32.const 1)))");
    let reason = only_failure("memory", &[(PROCESS, &body)]);
    assert!(reason.starts_with("asks for memory (memory.grow) after fx_create"), "{reason}");
}

#[test]
fn nan_for_full_scale_fails_signals() {
    let reason = only_failure("signals", &[(GAIN, &at_full_scale("nan"))]);
    assert!(
        reason.starts_with("fed with an impulse of full scale: fx_process wrote a NaN"),
        "{reason}"
    );
}

#[test]
fn trap_for_full_scale_fails_signals() {
    let trap = format!(
        "(if (f32.ge (f32.abs (local.get $x)) (f32.const 0.9)) (then (unreachable))) {GAIN}"
    );
    let reason = only_failure("signals", &[(GAIN, &trap)]);
    assert!(
        reason.starts_with("fed with an impulse of full scale: fx_process gave up"),
        "{reason}"
    );
}

#[test]
fn absurd_output_for_full_scale_fails_amplitude() {
    let reason = only_failure("amplitude", &[(GAIN, &at_full_scale("1e7"))]);
    assert!(
        reason.starts_with("fed with an impulse of full scale, it writes 1e7, beyond +-1e6"),
        "{reason}"
    );
}

#[test]
fn refusal_of_a_promised_channel_count_fails_channels() {
    let refuse =
        "(if (i32.eq (local.get $channel_count) (i32.const 1)) (then (return (i32.const -3))))";
    let reason = only_failure("channels", &[(CREATE, &format!("{refuse} {CREATE}"))]);
    assert!(
        reason.starts_with("with 1 channels: fx_create does not support this number"),
        "{reason}"
    );
}

#[test]
fn channel_that_stays_silent_is_a_hint() {
    let two = "(global.set $channels (local.get $channel_count))";
    let most = format!(
        "{two} (if (i32.gt_u (global.get $channels) (i32.const 5)) (then (global.set $channels (i32.const 5))))"
    );
    // What it does not touch would be let through in place, so it clears one of them.
    let clear = before_process(
        "(memory.fill (i32.const 1376256) (i32.const 0) (i32.shl (local.get $frames) (i32.const 2)))",
    );
    let reason = only_hint("channels", &[(two, &most), (PROCESS, &clear)]);
    assert!(reason.starts_with("with 8 channels, channel 5 stays silent"), "{reason}");
}

#[test]
fn refusal_of_a_usual_rate_fails_sample_rates() {
    let refuse =
        "(if (f64.gt (local.get $rate) (f64.const 100000)) (then (return (i32.const -2))))";
    let reason = only_failure("sample-rates", &[(CREATE, &format!("{refuse} {CREATE}"))]);
    assert!(
        reason.starts_with("at 192000 Hz: fx_create does not support this sample rate"),
        "{reason}"
    );
}

#[test]
fn trap_at_a_label_fails_parameters() {
    let trap =
        before_process("(if (f64.eq (global.get $mode) (f64.const 1)) (then (unreachable)))");
    let reason = only_failure("parameters", &[(PROCESS, &trap)]);
    assert!(reason.starts_with("with mode = 1: fx_process gave up"), "{reason}");
}

#[test]
fn parameters_that_do_not_go_together_are_a_hint() {
    let refuse = "(if (f64.eq (global.get $mode) (f64.const 1)) (then (return (i32.const -5))))";
    let reason = only_hint("parameters", &[(CREATE, &format!("{refuse} {CREATE}"))]);
    assert!(reason.contains("(the first: mode = 1)"), "{reason}");
}

#[test]
fn change_that_waits_for_a_large_block_fails_changes() {
    let set = "(global.set $gain (global.get $pending)))\n      (else";
    let late = before_process(
        "(if (i32.ge_u (local.get $frames) (i32.const 65)) (then (global.set $gain (global.get $pending))))",
    );
    let reason = only_failure("changes", &[(set, ")\n      (else"), (PROCESS, &late)]);
    assert!(reason.starts_with("with parameter changes, a stream in blocks of 64"), "{reason}");
}

#[test]
fn preset_that_traps_fails_presets() {
    let trap = before_process(
        "(if (i32.and (f64.eq (global.get $mode) (f64.const 2)) (f32.eq (global.get $gain) (f32.const 4)))
           (then (unreachable)))",
    );
    let reason = only_failure("presets", &[(PROCESS, &trap)]);
    assert!(reason.starts_with("with the preset `Loud`: fx_process gave up"), "{reason}");
}

#[test]
fn wrong_latency_fails_latency() {
    for wrong in [0, 31, 33, 4_000] {
        let said = format!("(func (export \"fx_latency\") (result i32) (i32.const {wrong}))");
        let reason = only_failure(
            "latency",
            &[("(func (export \"fx_latency\") (result i32) (i32.const 32))", &said)],
        );
        assert_eq!(
            reason,
            format!(
                "with its defaults at 48000 Hz, the output lags 32 frames behind the input, but fx_latency \
                 says {wrong}; it must return 32"
            )
        );
    }
}

#[test]
fn delay_that_is_a_parameter_is_no_latency() {
    // The mode chooses how far back the ring is read, and nothing else comes through.
    let read = "(local.set $late (f32.load (local.get $ring)))";
    let moved = "(local.set $late (f32.load (i32.add
        (i32.add (i32.const 32768) (i32.shl (local.get $channel) (i32.const 7)))
        (i32.shl (i32.and (i32.add (global.get $clock)
          (i32.mul (i32.trunc_sat_f64_u (global.get $mode)) (i32.const 15))) (i32.const 31)) (i32.const 2)))))";
    let none = ("(func (export \"fx_latency\") (result i32) (i32.const 32))", "");
    let report = report(&[(read, moved), none]);
    assert!(!report.has_failed(), "{:#?}", report.results);
    assert_eq!(
        reason(&report, "latency"),
        "its delay depends on its parameters, so its latency cannot be measured"
    );
}

#[test]
fn output_unlike_the_input_has_no_visible_latency() {
    // A tone of its own, as long as something comes in.
    let tone = format!(
        "(if (f32.ne (local.get $x) (f32.const 0))
           (then (return (select (f32.const 0.1) (f32.const -0.1)
             (i32.and (global.get $clock) (i32.const 64)))))
           (else (return (f32.const 0)))) {GAIN}"
    );
    let report = report(&[(GAIN, &tone)]);
    assert!(!report.has_failed(), "{:#?}", report.results);
    assert!(reason(&report, "latency").starts_with("its output does not resemble its input"));
}

#[test]
fn tail_that_is_too_short_fails_tail() {
    let reason = only_failure(
        "tail",
        &[(
            "(func (export \"fx_tail\") (result i32) (i32.const 160))",
            "(func (export \"fx_tail\") (result i32) (i32.const 10))",
        )],
    );
    assert!(reason.starts_with("with its defaults, the output continues for 0.00"), "{reason}");
    assert!(reason.contains("after the 10 frames of fx_tail, at up to -"), "{reason}");
}

#[test]
fn tail_that_is_much_too_long_is_a_hint() {
    let reason = only_hint(
        "tail",
        &[(
            "(func (export \"fx_tail\") (result i32) (i32.const 160))",
            "(func (export \"fx_tail\") (result i32) (i32.const 96000))",
        )],
    );
    assert!(reason.starts_with("fx_tail is 2.00 s, but 0.00 s is enough"), "{reason}");
}

#[test]
fn endless_tail_of_what_ends_is_a_hint() {
    let reason = only_hint(
        "tail",
        &[(
            "(func (export \"fx_tail\") (result i32) (i32.const 160))",
            "(func (export \"fx_tail\") (result i32) (i32.const -1))",
        )],
    );
    assert!(
        reason.starts_with("fx_tail is infinite, but after 0.00 s the output is silent"),
        "{reason}"
    );
}

#[test]
fn silence_that_is_none_fails_silence() {
    let end = "(local.get $frames))))\n    (i32.const 0))";
    let reason = only_failure("silence", &[(end, "(local.get $frames))))\n    (i32.const 1))")]);
    assert!(
        reason.starts_with("with its defaults, fx_process returned 1 (silent) but"),
        "{reason}"
    );
}

/// Does nothing for long, once in 48,000 frames.
fn burn(count: u32) -> String {
    before_process(&format!(
        "(local $burn i32)
         (if (i32.lt_u (i32.rem_u (i32.add (global.get $clock) (local.get $frames)) (i32.const 48000))
                       (local.get $frames))
           (then (local.set $burn (i32.const {count}))
             (loop $burning (br_if $burning
               (local.tee $burn (i32.sub (local.get $burn) (i32.const 1)))))))"
    ))
}

#[test]
fn call_that_no_live_host_waits_for_fails_cost() {
    let reason = only_failure("cost", &[(PROCESS, &burn(6_000_000))]);
    assert!(
        reason.contains("more than a live host waits for (1.33 ms, at 3 per nanosecond)"),
        "{reason}"
    );
    let reason = only_hint("cost", &[(PROCESS, &burn(600_000))]);
    assert!(reason.contains("(1.33 ms, at 1 per nanosecond)"), "{reason}");
}

#[test]
fn module_slower_than_real_time_fails_cost_with_the_number() {
    // About 100,000 units a frame, 4.8 billion a second.
    let body = "(local $burn i32)
         (local.set $burn (i32.mul (local.get $frames) (i32.const 20000)))
         (loop $burning (br_if $burning
           (local.tee $burn (i32.sub (local.get $burn) (i32.const 1)))))";
    let bytes = module(&[(PROCESS, &before_process(body))]);
    let subject = Subject::load(&bytes, MEMORY_MIB).unwrap();
    assert!(runs::run(&subject).is_ok());
    let fuel_per_frame = subject.cost().fuel_per_frame.unwrap();
    let Err(Stop::Broke { reason, .. }) = cost::run(&subject) else { panic!("it passes") };
    let times = 3e9 / (fuel_per_frame * 48_000.0);
    assert!(times < 1.0 && reason.contains(&format!("at {times:.2} times real time")), "{reason}");
}

#[test]
fn uneven_cost_is_a_hint() {
    let reason = only_hint("cost", &[(PROCESS, &burn(200_000))]);
    assert!(reason.starts_with("the most expensive call of 64 frames costs "), "{reason}");
}

#[test]
fn every_check_has_a_name_and_a_summary_of_its_own() {
    let all: Vec<_> = names().collect();
    for (index, (name, summary)) in all.iter().enumerate() {
        assert!(!summary.is_empty() && !summary.ends_with('.'));
        assert!(all[..index].iter().all(|(other, words)| other != name && words != summary));
    }
}

#[test]
fn report_as_json_has_verdicts_and_reasons_side_by_side() {
    let report = serde_json::to_value(report(&[])).unwrap();
    assert_eq!(report["results"][0]["name"], "loads");
    assert_eq!(report["results"][0]["verdict"], "passed");
    let broken = serde_json::to_value(check(b"", MEMORY_MIB)).unwrap();
    assert_eq!(broken["results"][0]["verdict"], "failed");
    assert!(broken["results"][0]["reason"].is_string());
    assert_eq!(broken["results"][1]["verdict"], "not-judged");
    assert!(broken["fuel_per_frame"].is_null());
}

/// The good module with a meter of 0 to 4 that shows what this returns.
fn metered(body: &str) -> Vec<(&'static str, String)> {
    let tail = r#"(func (export "fx_tail") (result i32) (i32.const 160))"#;
    let presets = r#"\"presets\":{"#;
    let meters = r#"\"meters\":[{\"key\":\"gain\",\"min\":0,\"max\":4}],"#;
    vec![
        (presets, format!("{meters}{presets}")),
        (tail, format!(r#"{tail} (func (export "fx_meter") (param i32) (result f32) {body})"#)),
    ]
}

fn only_failure_of_meter(body: &str) -> String {
    let exchanges = metered(body);
    let exchanges: Vec<_> = exchanges.iter().map(|(old, new)| (*old, new.as_str())).collect();
    only_failure("meters", &exchanges)
}

#[test]
fn meter_that_keeps_its_promise_passes() {
    let exchanges = metered("(global.get $gain)");
    let exchanges: Vec<_> = exchanges.iter().map(|(old, new)| (*old, new.as_str())).collect();
    let report = report(&exchanges);
    assert!(!report.has_failed(), "{:#?}", report.results);
    let meters = report.results.iter().find(|result| result.name == "meters").unwrap();
    assert_eq!(meters.seen, "1 meter");
}

#[test]
fn meter_without_a_number_fails() {
    let reason = only_failure_of_meter("(f32.const nan)");
    assert_eq!(reason, "with its defaults: `gain` shows NaN, which is not within 0..=4");
    let reason = only_failure_of_meter("(f32.const 4.5)");
    assert_eq!(reason, "with its defaults: `gain` shows 4.5, which is not within 0..=4");
}

#[test]
fn meter_that_traps_or_is_heard_fails() {
    let reason = only_failure_of_meter("unreachable");
    assert!(reason.contains("`gain` cannot be read: effect `Good`: fx_meter gave up"), "{reason}");
    let reason = only_failure_of_meter(
        "(global.set $gain (f32.mul (global.get $gain) (f32.const 0.5))) (f32.const 0)",
    );
    assert!(reason.starts_with("with readings and without give different outputs"), "{reason}");
}
