;; A module that keeps every promise of effects/ABI.md: a gain and a little low-passed tail, 32 frames
;; late, for 1 to 8 channels in place. The tests break one promise after the other.
(module
  (memory (export "memory") 33)
  (data (i32.const 16)
    "{\"id\":\"com.example.good\",\"name\":\"Good\",\"version\":\"1.0.0\",\"channels\":[1,8],\"params\":["
    "{\"id\":1,\"key\":\"gain\",\"min\":0,\"max\":4,\"default\":1,\"flags\":[\"automatable\"]},"
    "{\"id\":2,\"key\":\"mode\",\"min\":0,\"max\":2,\"default\":0,\"labels\":[\"warm\",\"cold\",\"bright\"]}],"
    "\"presets\":{\"Loud\":{\"gain\":4,\"mode\":\"bright\"},\"Soft\":{\"gain\":0.25}}}\00")

  (global $channels (mut i32) (i32.const 0))
  (global $max_frames (mut i32) (i32.const 0))
  (global $clock (mut i32) (i32.const 0))
  (global $gain (mut f32) (f32.const 0))
  (global $pending (mut f32) (f32.const 0))
  (global $mode (mut f64) (f64.const 0))

  (func (export "fx_abi_1"))
  (func (export "fx_describe") (result i32) (i32.const 16))

  (func (export "fx_set_param") (param $id i32) (param $value f64)
    (if (i32.eq (local.get $id) (i32.const 1))
      (then
        (global.set $pending (f32.demote_f64 (local.get $value)))
        (global.set $gain (global.get $pending)))
      (else (global.set $mode (local.get $value)))))

  (func (export "fx_create") (param $rate f64) (param $channel_count i32) (param $frames i32) (result i32)
    (global.set $channels (local.get $channel_count))
    (global.set $max_frames (local.get $frames))
    (global.set $gain (global.get $pending))
    (call $reset)
    (i32.const 0))

  (func $plane (export "fx_in") (export "fx_out") (param $channel i32) (result i32)
    (i32.add (i32.const 65536) (i32.shl (local.get $channel) (i32.const 18))))

  (func (export "fx_latency") (result i32) (i32.const 32))
  (func (export "fx_tail") (result i32) (i32.const 160))

  ;; 32 floats a channel from 32768 on: what was heard; a float a channel from 49152 on: the filter.
  (func $reset (export "fx_reset")
    (memory.fill (i32.const 32768) (i32.const 0) (i32.const 1024))
    (memory.fill (i32.const 49152) (i32.const 0) (i32.const 32))
    (global.set $clock (i32.const 0)))

  (func $sample (param $channel i32) (param $x f32) (result f32)
    (local $ring i32) (local $filter i32) (local $late f32) (local $z f32)
    (local.set $ring (i32.add
      (i32.add (i32.const 32768) (i32.shl (local.get $channel) (i32.const 7)))
      (i32.shl (i32.and (global.get $clock) (i32.const 31)) (i32.const 2))))
    (local.set $filter (i32.add (i32.const 49152) (i32.shl (local.get $channel) (i32.const 2))))
    (local.set $late (f32.load (local.get $ring)))
    (f32.store (local.get $ring) (local.get $x))
    (local.set $z (f32.add
      (f32.mul (f32.load (local.get $filter)) (f32.const 0.9))
      (f32.mul (local.get $late) (f32.const 0.1))))
    (f32.store (local.get $filter) (local.get $z))
    (f32.mul (global.get $gain)
      (f32.add (local.get $late) (f32.mul (local.get $z) (f32.const 0.25)))))

  (func (export "fx_process") (param $frames i32) (result i32)
    (local $channel i32) (local $frame i32) (local $at i32)
    (loop $frames_loop
      (local.set $channel (i32.const 0))
      (loop $channels_loop
        (local.set $at (i32.add
          (call $plane (local.get $channel)) (i32.shl (local.get $frame) (i32.const 2))))
        (f32.store (local.get $at) (call $sample (local.get $channel) (f32.load (local.get $at))))
        (br_if $channels_loop (i32.lt_u
          (local.tee $channel (i32.add (local.get $channel) (i32.const 1)))
          (global.get $channels))))
      (global.set $clock (i32.add (global.get $clock) (i32.const 1)))
      (br_if $frames_loop (i32.lt_u
        (local.tee $frame (i32.add (local.get $frame) (i32.const 1)))
        (local.get $frames))))
    (i32.const 0))
)
