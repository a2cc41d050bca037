//! Small effects, written in WebAssembly text.

/// What a module says of itself, but for its version.
const PARAMS: &str = r#"[
    {"id":0,"key":"gain_lin","min":0,"max":4,"default":0.5,"unit":"x"},
    {"id":1,"key":"shape","min":0,"max":2,"default":0,"labels":["soft","hard","round"]},
    {"id":2,"key":"bypass","min":0,"max":1,"default":0,"labels":["off","on"]}
]"#;

const PRESETS: &str = r#"{"loud":{"gain_lin":2},"quiet":{"gain_lin":0.25,"shape":"hard"}}"#;

/// An effect that multiplies by `gain_lin`, in place; after `process` was begun it does `extra`.
pub(crate) fn gain_with(version: &str, channels: &str, extra: &str) -> Vec<u8> {
    module(version, channels, "", extra)
}

/// The same with more of its own.
pub(crate) fn module(version: &str, channels: &str, exports: &str, extra: &str) -> Vec<u8> {
    let json = format!(
        r#"{{"id":"com.example.gain","name":"Gain","version":"{version}","channels":{channels},"params":{PARAMS},"presets":{PRESETS}}}"#
    );
    let data = json.replace('"', "\\22").replace('\n', "");
    let text = format!(
        r#"(module
  (memory (export "memory") 33)
  (data (i32.const 16) "{data}\00")
  (global $channels (mut i32) (i32.const 0))
  (global $gain (mut f32) (f32.const 0.5))
  (global $frames (mut i32) (i32.const 0))
  {exports}
  (func (export "fx_abi_1"))
  (func (export "fx_describe") (result i32) (i32.const 16))
  (func (export "fx_set_param") (param i32 f64)
    (if (i32.eqz (local.get 0)) (then (global.set $gain (f32.demote_f64 (local.get 1))))))
  (func (export "fx_create") (param f64 i32 i32) (result i32)
    (global.set $channels (local.get 1))
    (i32.const 0))
  (func $plane (export "fx_in") (export "fx_out") (param i32) (result i32)
    (i32.add (i32.const 65536) (i32.shl (local.get 0) (i32.const 18))))
  (func (export "fx_process") (param $count i32) (result i32)
    (local $channel i32) (local $at i32) (local $end i32)
    (global.set $frames (i32.add (global.get $frames) (local.get $count)))
    {extra}
    (loop $channels
      (local.set $at (call $plane (local.get $channel)))
      (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 2))))
      (loop $samples
        (f32.store (local.get $at) (f32.mul (f32.load (local.get $at)) (global.get $gain)))
        (br_if $samples (i32.lt_u
          (local.tee $at (i32.add (local.get $at) (i32.const 4))) (local.get $end))))
      (br_if $channels (i32.lt_u
        (local.tee $channel (i32.add (local.get $channel) (i32.const 1)))
        (global.get $channels))))
    (i32.const 0)))"#
    );
    wat::parse_str(text).unwrap()
}

/// The same with more exports.
pub(crate) fn gain_and(exports: &str) -> Vec<u8> {
    module("1.0.0", "[1,8]", exports, "")
}

/// The same with more exports, and what it says of the length of files.
pub(crate) fn gain_saying(keep_length: Option<bool>, exports: &str) -> Vec<u8> {
    let keep_length =
        keep_length.map(|is_kept| format!(r#","keep_length":{is_kept}"#)).unwrap_or_default();
    module("1.0.0", &format!("[1,8]{keep_length}"), exports, "")
}

/// The same without anything extra, for 1 to 8 channels.
pub(crate) fn gain() -> Vec<u8> {
    gain_with("1.0.0", "[1,8]", "")
}
