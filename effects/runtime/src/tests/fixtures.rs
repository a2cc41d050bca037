//! Modules to test with, and ways to run them.

use crate::budgets::Budgets;
use crate::effect::Effect;
use crate::limits;
use crate::sandbox::{Mode, Sandbox};
use crate::{LoadError, Module, Settings};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::{Processor, Status};

/// Ticks for each call in tests: short, and long enough for an honest call on a busy machine.
pub(super) const SHORT_TICKS: u64 = 20;

/// A module in the making: named parts of text, which a test replaces, removes or adds to.
#[derive(Clone)]
pub(super) struct Source {
    json: String,
    parts: Vec<(String, String)>,
}

/// Multiplies by a parameter, 1 to 8 channels in place, at most 65,536 frames.
const PARTS: &[(&str, &str)] = &[
    ("memory", r#"(memory (export "memory") 33)"#),
    ("globals", "(global $channels (mut i32) (i32.const 0)) (global $gain (mut f32) (f32.const 0.5))"),
    ("fx_abi_1", r#"(func (export "fx_abi_1"))"#),
    ("fx_describe", r#"(func (export "fx_describe") (result i32) (i32.const 16))"#),
    (
        "fx_create",
        r#"(func (export "fx_create") (param f64 i32 i32) (result i32)
             (global.set $channels (local.get 1)) (i32.const 0))"#,
    ),
    (
        "fx_in",
        r#"(func $plane (export "fx_in") (param i32) (result i32)
             (i32.add (i32.const 65536) (i32.shl (local.get 0) (i32.const 18))))"#,
    ),
    (
        "fx_out",
        r#"(func (export "fx_out") (param i32) (result i32)
             (i32.add (i32.const 65536) (i32.shl (local.get 0) (i32.const 18))))"#,
    ),
    (
        "fx_process",
        r#"(func (export "fx_process") (param $frames i32) (result i32)
             (call $scale (local.get $frames) (global.get $gain)) (i32.const 0))"#,
    ),
    (
        "scale",
        "(func $scale (param $frames i32) (param $gain f32)
           (local $channel i32) (local $at i32) (local $end i32)
           (loop $channels
             (local.set $at (i32.add (i32.const 65536) (i32.shl (local.get $channel) (i32.const 18))))
             (local.set $end (i32.add (local.get $at) (i32.shl (local.get $frames) (i32.const 2))))
             (loop $samples
               (f32.store (local.get $at) (f32.mul (f32.load (local.get $at)) (local.get $gain)))
               (br_if $samples (i32.lt_u
                 (local.tee $at (i32.add (local.get $at) (i32.const 4))) (local.get $end))))
             (br_if $channels (i32.lt_u
               (local.tee $channel (i32.add (local.get $channel) (i32.const 1)))
               (global.get $channels)))))",
    ),
    (
        "fx_set_param",
        r#"(func (export "fx_set_param") (param i32 f64)
             (global.set $gain (f32.demote_f64 (local.get 1))))"#,
    ),
];

/// What the module of [`PARTS`] says about itself.
const JSON: &str = r#"{"id":"test","name":"Test","version":"1.0.0","channels":[1,8],"params":[
    {"id":7,"key":"gain","min":0,"max":4,"default":0.5,"flags":["automatable"]}]}"#;

impl Source {
    pub(super) fn new() -> Self {
        let parts = PARTS.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        Self { json: JSON.into(), parts: parts.collect() }
    }

    /// The same with another description.
    pub(super) fn json(mut self, json: &str) -> Self {
        self.json = json.into();
        self
    }

    /// The same for other numbers of channels.
    pub(super) fn channels(self, min: u32, max: u32) -> Self {
        let json = self.json.replace("[1,8]", &format!("[{min},{max}]"));
        self.json(&json)
    }

    /// The same with a part replaced or added.
    pub(super) fn part(mut self, name: &str, text: &str) -> Self {
        match self.parts.iter_mut().find(|(known, _)| known == name) {
            Some(part) => part.1 = text.into(),
            None => self.parts.push((name.into(), text.into())),
        }
        self
    }

    /// The same without a part.
    pub(super) fn without(self, name: &str) -> Self {
        self.part(name, "")
    }

    /// The same with another body of `fx_process`, whose parameter is `$frames`.
    pub(super) fn process(self, body: &str) -> Self {
        let head = r#"(func (export "fx_process") (param $frames i32) (result i32)"#;
        self.part("fx_process", &format!("{head} {body})"))
    }

    pub(super) fn wasm(&self) -> Vec<u8> {
        let json = escaped(self.json.as_bytes());
        let mut text = String::from("(module ");
        // Imports must come before everything else.
        let (imports, rest): (Vec<_>, Vec<_>) =
            self.parts.iter().partition(|(name, _)| name == "import");
        for (_, part) in imports.into_iter().chain(rest) {
            text.push_str(part);
            text.push('\n');
        }
        wat::parse_str(text + &format!(r#"(data (i32.const 16) "{json}\00"))"#)).unwrap()
    }

    /// Loads it in a sandbox with short budgets.
    pub(super) fn load(&self) -> Result<Module, LoadError> {
        sandbox().load(&self.wasm(), limits::MEMORY_MIB)
    }

    /// An effect with the defaults on a stream at 48,000 Hz.
    pub(super) fn effect(&self, channel_count: usize, max_frames: usize) -> Effect {
        let module = self.load().unwrap();
        let settings = Settings::defaults(module.description());
        module.instantiate(&StreamSpec::new(48_000, channel_count), &settings, max_frames).unwrap()
    }

    /// Why there is no effect with the defaults on a stereo stream at 48,000 Hz.
    pub(super) fn create_error(&self) -> String {
        let module = self.load().unwrap();
        let settings = Settings::defaults(module.description());
        let effect = module.instantiate(&StreamSpec::new(48_000, 2), &settings, 256);
        effect.err().expect("creating it fails").to_string()
    }

    /// Why it is not loaded.
    pub(super) fn load_error(&self) -> String {
        self.load().err().expect("loading it fails").to_string()
    }
}

/// Bytes as a string of WebAssembly text.
pub(super) fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("\\{byte:02x}"))
}

/// The budgets of files, but short.
pub(super) fn short() -> Budgets {
    Budgets {
        describe: SHORT_TICKS,
        create: SHORT_TICKS,
        call: SHORT_TICKS,
        ..Budgets::of(Mode::File)
    }
}

/// A sandbox for files with short budgets.
pub(super) fn sandbox() -> Sandbox {
    Sandbox::with_budgets(Mode::File, None, short()).unwrap()
}

/// The module of `effects/ABI.md`, as it stands there.
pub(super) fn half() -> Vec<u8> {
    let page = include_str!("../../../ABI.md");
    let (_, rest) = page.split_once("```wat\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    wat::parse_str(text).unwrap()
}

/// Runs planes through an effect in blocks of these sizes, in turn.
pub(super) fn run(effect: &mut Effect, input: &[Vec<f32>], sizes: &[usize]) -> Vec<Vec<f32>> {
    let mut output = vec![Vec::new(); input.len()];
    let source = Block::from_planes(input);
    let mut block = Block::new(input.len(), source.frame_count());
    let (mut start, mut sizes) = (0, sizes.iter().cycle());
    while start < source.frame_count() {
        let count = (*sizes.next().unwrap()).min(source.frame_count() - start);
        block.copy_from(&source, start, count);
        assert_ne!(effect.process(&mut block), Status::Failed, "{:?}", effect.failure());
        for (plane, done) in output.iter_mut().zip(block.planes()) {
            plane.extend_from_slice(done);
        }
        start += count;
    }
    output
}

/// Processes one block of ones; the failure.
pub(super) fn failure_of(effect: &mut Effect, channel_count: usize) -> String {
    let mut block = Block::from_planes(&vec![vec![1.0; 64]; channel_count]);
    assert_eq!(effect.process(&mut block), Status::Failed);
    effect.failure().expect("a failure has words")
}
