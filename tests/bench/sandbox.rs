//! What the sandbox costs: a call with its copies, a start from the cache, a compilation.

use crate::record::{Record, median};
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::processor::Processor;
use wavemill_runtime::{Mode, Module, Sandbox, Settings, limits};
use wavemill_tests::lab;

const ROUNDS: usize = 41;

/// Calls in a round: some milliseconds.
const CALLS: u32 = 100_000;

/// A module that does nothing, in place.
const NOTHING: &str = r#"(module
  (memory (export "memory") 9)
  (data (i32.const 16) "{\"id\":\"nothing\",\"name\":\"Nothing\",\"version\":\"1.0.0\",\"channels\":[1,8]}\00")
  (func (export "fx_abi_1"))
  (func (export "fx_describe") (result i32) (i32.const 16))
  (func (export "fx_create") (param f64 i32 i32) (result i32) (i32.const 0))
  (func (export "fx_in") (export "fx_out") (param i32) (result i32)
    (i32.add (i32.const 65536) (i32.shl (local.get 0) (i32.const 14))))
  (func (export "fx_reset"))
  (func (export "fx_process") (param i32) (result i32) (i32.const 0)))"#;

/// One kind of measurement: its name and a value a round.
struct Series {
    name: String,
    unit: &'static str,
    values: Vec<f64>,
}

pub(crate) fn run(_arguments: &[String]) -> Record {
    let mut all = calls();
    for file in modules() {
        all.extend(starts(&file));
    }
    let finding = |series: &Series| {
        let lowest = series.values.iter().copied().fold(f64::INFINITY, f64::min);
        let (name, unit) = (&series.name, series.unit);
        format!("{name}: median {:.1} {unit}, least {lowest:.1} {unit}", median(&series.values))
    };
    let rows = all.iter().flat_map(|series| {
        let row =
            |value: &f64| vec![series.name.clone(), series.unit.to_owned(), value.to_string()];
        series.values.iter().map(row).collect::<Vec<_>>()
    });
    Record {
        findings: all.iter().map(finding).collect(),
        columns: vec!["what", "unit", "value"],
        rows: rows.collect(),
    }
}

/// The bundled modules.
fn modules() -> Vec<std::path::PathBuf> {
    let folder = lab::repository().join("effects/bundled");
    let entries = std::fs::read_dir(folder).expect("bundled effects are there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension() == Some("wasm".as_ref())).collect();
    paths.sort();
    paths
}

/// Calls of a module that does nothing, on two channels; the rounds of all kinds alternate. Denormals
/// are flushed before, as on every thread that processes.
fn calls() -> Vec<Series> {
    let _flush = FlushDenormals::on();
    let (frames, spec) = (64, StreamSpec::new(48_000, 2));
    let wasm = wat::parse_str(NOTHING).expect("it is WebAssembly text");
    let load = |mode| -> Module {
        let sandbox = Sandbox::new(mode, None).expect("this machine runs effects");
        sandbox.load(&wasm, limits::MEMORY_MIB).expect("it is an effect")
    };
    let effect = |module: &Module| {
        let settings = Settings::defaults(module.description());
        module.instantiate(&spec, &settings, frames).expect("it suits every stream")
    };
    let (file, stream) = (load(Mode::File), load(Mode::Live));
    let mut kinds: Vec<(&str, Box<dyn Processor>)> = vec![
        ("call, 64 frames stereo, file", Box::new(effect(&file))),
        ("call, 64 frames stereo, live", Box::new(effect(&stream))),
    ];
    let mut block = Block::from_planes(&[vec![0.25; frames], vec![0.5; frames]]);
    let mut all: Vec<Series> = kinds
        .iter()
        .map(|(name, _)| Series { name: (*name).into(), unit: "ns", values: Vec::new() })
        .collect();
    for _ in 0..ROUNDS {
        for ((_, effect), series) in kinds.iter_mut().zip(&mut all) {
            let begin = Instant::now();
            for _ in 0..CALLS {
                let _ = black_box(effect.process(black_box(&mut block)));
            }
            series.values.push(begin.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        }
    }
    all
}

/// Compiling a module; starting it from the cache, with and without a sandbox of its own.
fn starts(file: &Path) -> [Series; 3] {
    let wasm = std::fs::read(file).expect("the module can be read");
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let series = |what: &str| Series {
        name: format!("{what} {name} ({:.1} KB)", wasm.len() as f64 / 1000.0),
        unit: "us",
        values: Vec::new(),
    };
    let mut all = [
        series("compile, describe and instantiate"),
        series("load from the cache and instantiate"),
        series("make a sandbox, load from the cache and instantiate"),
    ];
    let folder = tempfile::tempdir().expect("there is room");
    let uncached = Sandbox::new(Mode::File, None).expect("this machine runs effects");
    let cached = Sandbox::new(Mode::File, Some(folder.path())).expect("this machine runs effects");
    let instantiate = |sandbox: &Sandbox| {
        let module = sandbox.load(&wasm, limits::MEMORY_MIB).expect("it is an effect");
        let settings = Settings::defaults(module.description());
        let spec = StreamSpec::new(48_000, 2);
        black_box(module.instantiate(&spec, &settings, 4096).expect("it takes stereo"));
    };
    instantiate(&cached);
    for _ in 0..ROUNDS {
        let timed = |work: &dyn Fn()| {
            let begin = Instant::now();
            work();
            begin.elapsed().as_secs_f64() * 1e6
        };
        all[0].values.push(timed(&|| instantiate(&uncached)));
        all[1].values.push(timed(&|| instantiate(&cached)));
        all[2].values.push(timed(&|| {
            instantiate(&Sandbox::new(Mode::File, Some(folder.path())).expect("as before"));
        }));
    }
    all
}
