//! What the sandbox costs besides: a call, a start, a compilation.

use super::module;
use crate::record::{Record, tenth};
use std::path::Path;
use std::time::Instant;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::processor::Processor;
use wavemill_runtime::{Mode, Sandbox, Settings, limits};

/// Rounds; the tenth of their times counts.
const ROUNDS: usize = 31;

/// The block of the promise for calls.
const CALL_FRAMES: usize = 64;
const CALLS: usize = 1_000;

/// An effect that returns its input: all that remains is the call.
const NOP: &str = r#"
(module
  (memory (export "memory") 33)
  (data (i32.const 16)
    "{\"id\":\"nop\",\"name\":\"Nop\",\"version\":\"1.0.0\",\"channels\":[1,8]}\00")
  (func (export "fx_abi_1"))
  (func (export "fx_describe") (result i32) (i32.const 16))
  (func (export "fx_create") (param f64 i32 i32) (result i32) (i32.const 0))
  (func (export "fx_in") (export "fx_out") (param i32) (result i32)
    (i32.add (i32.const 65536) (i32.shl (local.get 0) (i32.const 18))))
  (func (export "fx_process") (param i32) (result i32) (i32.const 0)))
"#;

pub(super) fn run(folder: &Path, record: &mut Record) {
    let call_ns = call_ns();
    record.findings.push(format!(
        "a call of an effect that does nothing, {CALL_FRAMES} stereo frames copied in, out and scanned: {call_ns:.0} ns (promised: at most 60)"
    ));
    record.rows.push(vec![
        "call".into(),
        CALL_FRAMES.to_string(),
        String::new(),
        format!("{call_ns:.0}"),
        String::new(),
    ]);
    for name in ["parametric-eq", "reverb", "compressor"] {
        let bytes = module(folder, name);
        let kib = bytes.len() as f64 / 1024.0;
        let (compile_ms, start_ms) = (compile_ms(&bytes), start_ms(&bytes));
        record.findings.push(format!(
            "{name}, {kib:.1} KiB: compiled in {compile_ms:.1} ms ({:.1} ms for 20 KiB; promised: at most 30), loaded from the cache and instantiated in \
             {start_ms:.2} ms (promised: at most 1)",
            compile_ms * 20.0 / kib
        ));
        record.rows.push(vec![
            format!("compile {name}"),
            String::new(),
            String::new(),
            format!("{:.0}", compile_ms * 1e6),
            String::new(),
        ]);
        record.rows.push(vec![
            format!("start {name}"),
            String::new(),
            String::new(),
            format!("{:.0}", start_ms * 1e6),
            String::new(),
        ]);
    }
}

/// A call with its copies.
fn call_ns() -> f64 {
    let sandbox = Sandbox::new(Mode::File, None).expect("a sandbox can be made");
    let bytes = wat::parse_str(NOP).expect("the text is a module");
    let module = sandbox.load(&bytes, limits::MEMORY_MIB).expect("the module can be loaded");
    let settings = Settings::defaults(module.description());
    let effect = module.instantiate(&StreamSpec::new(48_000, 2), &settings, CALL_FRAMES);
    let mut effect = effect.expect("the module can be instantiated");
    let mut block = Block::new(2, CALL_FRAMES);
    block.set_frame_count(CALL_FRAMES);
    // As the executor's threads have it all the time.
    let _flush = FlushDenormals::on();
    let rounds = (0..=ROUNDS).map(|_| {
        let start = Instant::now();
        for _ in 0..CALLS {
            let _ = std::hint::black_box(effect.process(std::hint::black_box(&mut block)));
        }
        start.elapsed().as_secs_f64() * 1e9 / CALLS as f64
    });
    tenth(&rounds.skip(1).collect::<Vec<_>>())
}

/// Loading without a cache.
fn compile_ms(bytes: &[u8]) -> f64 {
    let rounds = (0..=ROUNDS).map(|_| {
        let sandbox = Sandbox::new(Mode::File, None).expect("a sandbox can be made");
        let start = Instant::now();
        std::hint::black_box(sandbox.load(bytes, limits::MEMORY_MIB).is_ok());
        start.elapsed().as_secs_f64() * 1e3
    });
    tenth(&rounds.skip(1).collect::<Vec<_>>())
}

/// From the bytes to an instance that can process, compiled code being in the cache.
fn start_ms(bytes: &[u8]) -> f64 {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let rounds = (0..=ROUNDS).map(|_| {
        let sandbox = Sandbox::new(Mode::File, Some(folder.path())).expect("a sandbox can be made");
        let start = Instant::now();
        let module = sandbox.load(bytes, limits::MEMORY_MIB).expect("the module can be loaded");
        let settings = Settings::defaults(module.description());
        let effect = module.instantiate(&StreamSpec::new(48_000, 2), &settings, 4096);
        std::hint::black_box(effect.is_ok());
        start.elapsed().as_secs_f64() * 1e3
    });
    tenth(&rounds.skip(1).collect::<Vec<_>>())
}
