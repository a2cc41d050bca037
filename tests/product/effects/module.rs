//! Small effects, written in WebAssembly text.

/// Frames by which [`echo`] delays what it repeats.
pub(crate) const ECHO_FRAMES: usize = 1000;

/// An effect under construction.
#[derive(Clone)]
pub(crate) struct Source {
    version: &'static str,
    /// Flags of its parameter, as JSON.
    flags: &'static str,
    /// More exports, imports and data.
    more: String,
    /// Done at the start of every `fx_process`; its parameter is `$count`, `$frames` are the frames of
    /// the stream so far with these.
    begin: String,
    /// What becomes of a sample at address `$at` of channel `$channel`.
    sample: String,
}

impl Source {
    /// Multiplies by its parameter `gain_lin`.
    pub(crate) fn gain() -> Self {
        Self {
            version: "1.0.0",
            flags: "",
            more: String::new(),
            begin: String::new(),
            sample: "(f32.store (local.get $at)
                (f32.mul (f32.load (local.get $at)) (global.get $gain)))"
                .to_owned(),
        }
    }

    /// Adds what came [`ECHO_FRAMES`] frames before, half as loud: an effect with a memory.
    pub(crate) fn echo() -> Self {
        // Two channels have a line of samples each, from 4 MiB and from 4 MiB + 64 KiB on.
        Self {
            version: "1.0.0",
            flags: "",
            more: format!(
                "(func (export \"fx_tail\") (result i32) (i32.const {ECHO_FRAMES}))
                (global $line (mut i32) (i32.const 0)) (global $sound (mut f32) (f32.const 0))"
            ),
            begin: String::new(),
            sample: format!(
                "(global.set $line (i32.add
                    (i32.add (i32.const 4194304) (i32.shl (local.get $channel) (i32.const 16)))
                    (i32.shl (i32.rem_u (local.get $frame) (i32.const {ECHO_FRAMES})) (i32.const 2))))
                (global.set $sound (f32.load (local.get $at)))
                (f32.store (local.get $at) (f32.add (global.get $sound)
                    (f32.mul (f32.load (global.get $line)) (f32.const 0.5))))
                (f32.store (global.get $line) (global.get $sound))"
            ),
        }
    }

    /// Its parameter can change while audio runs.
    #[allow(dead_code, reason = "tests of live streams use it")]
    pub(crate) fn automatable(mut self) -> Self {
        self.flags = "\"automatable\"";
        self
    }

    pub(crate) fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Does this once more than `frame` frames came.
    pub(crate) fn after(mut self, frame: usize, what: &str) -> Self {
        self.begin =
            format!("(if (i32.gt_u (global.get $frames) (i32.const {frame})) (then {what}))");
        self
    }

    /// Counts this far in every `fx_process`, to take its time.
    pub(crate) fn idle(mut self, turns: u32) -> Self {
        self.begin = format!(
            "(local.set $at (i32.const {turns}))
            (loop $idle
              (local.set $at (i32.sub (local.get $at) (i32.const 1)))
              (global.set $idled (i32.xor (global.get $idled) (local.get $at)))
              (br_if $idle (local.get $at)))"
        );
        self
    }

    /// Asks for a function that nobody has.
    pub(crate) fn import(mut self, module: &str, name: &str) -> Self {
        self.more = format!("(func (import \"{module}\" \"{name}\")) {}", self.more);
        self
    }

    /// Has one more function.
    pub(crate) fn function(mut self, text: &str) -> Self {
        self.more.push_str(text);
        self
    }

    pub(crate) fn assemble(&self) -> Vec<u8> {
        let Self { version, flags, more, begin, sample } = self;
        let json = format!(
            r#"{{"id":"com.example.test","name":"Test","version":"{version}","channels":[1,2],"keep_length":false,"summary":"A test.","params":[{{"id":0,"key":"gain_lin","min":0,"max":4,"default":0.5,"flags":[{flags}]}}],"presets":{{"loud":{{"gain_lin":2}}}}}}"#
        );
        let json = json.replace('"', "\\22");
        let text = format!(
            r#"(module
  {more}
  (memory (export "memory") 66)
  (data (i32.const 16) "{json}\00")
  (global $channels (mut i32) (i32.const 0))
  (global $gain (mut f32) (f32.const 0.5))
  (global $frames (mut i32) (i32.const 0))
  (global $idled (mut i32) (i32.const 0))
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
    (local $channel i32) (local $at i32) (local $end i32) (local $frame i32)
    (global.set $frames (i32.add (global.get $frames) (local.get $count)))
    {begin}
    (loop $channels
      (local.set $at (call $plane (local.get $channel)))
      (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 2))))
      (local.set $frame (i32.sub (global.get $frames) (local.get $count)))
      (loop $samples
        {sample}
        (local.set $frame (i32.add (local.get $frame) (i32.const 1)))
        (br_if $samples (i32.lt_u
          (local.tee $at (i32.add (local.get $at) (i32.const 4))) (local.get $end))))
      (br_if $channels (i32.lt_u
        (local.tee $channel (i32.add (local.get $channel) (i32.const 1)))
        (global.get $channels))))
    (i32.const 0)))"#
        );
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}
