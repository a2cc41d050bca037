//! The bundled modules: each is what its source says, bit by bit.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod examples;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::processor::{Processor, Status};
use wavemill_effect::testing::{Rig, json, noise};
use wavemill_effect::{Effect, Param};
use wavemill_runtime::bundled::MODULES;
use wavemill_runtime::check::check;
use wavemill_runtime::limits::MEMORY_MIB;
use wavemill_runtime::{Description, Mode, Module, Sandbox, Settings, bundled};
use wavemill_tests::lab::repository;

/// An effect written in Rust, as a native build.
struct Native {
    name: &'static str,
    json: fn() -> String,
    params: &'static [Param],
    render: fn(&Case) -> Vec<Vec<f32>>,
}

const fn native<E: Effect>(name: &'static str) -> Native {
    Native { name, json: json::<E>, params: E::DESCRIPTION.params, render: render_native::<E> }
}

/// Every bundled effect that is written in Rust. A test holds this list complete.
#[rustfmt::skip]
const NATIVE: &[Native] = &[
    native::<effect_compressor::Compressor>("compressor"),
    native::<effect_de_esser::DeEsser>("de-esser"),
    native::<effect_gate::Gate>("gate"),
    native::<effect_noise_reduction::NoiseReduction>("noise-reduction"),
    native::<effect_parametric_eq::ParametricEq>("parametric-eq"),
    native::<effect_reverb::Reverb>("reverb"),
    native::<effect_saturator::Saturator>("saturator"),
];

/// Frames of noise; as many of silence follow, so that tails are compared too.
const FRAMES: usize = 9_001;

/// Where parameters change.
const CHANGE_AT: usize = 5_003;

/// Most frames of a call.
const BLOCK_FRAMES: usize = 1_024;

/// Names the folder of modules that `cargo xtask` has just built.
const REBUILT_VARIABLE: &str = "WAVEMILL_REBUILT_EFFECTS";

/// What is rendered.
#[derive(Clone, Debug)]
struct Case {
    preset: Option<String>,
    sample_rate_hz: u32,
    channels: usize,
}

impl Case {
    /// The default and every preset, at some rates and channel counts that the effect takes.
    fn of(description: &Description) -> Vec<Self> {
        let presets = description.presets.iter().map(|preset| Some(preset.name.clone()));
        let presets: Vec<Option<String>> = std::iter::once(None).chain(presets).collect();
        let takes = |rate: &u32| {
            description.sample_rates.is_empty() || description.sample_rates.contains(rate)
        };
        let rates: Vec<u32> = [44_100, 48_000, 96_000].into_iter().filter(takes).collect();
        let (min, max) = description.channels;
        let mut cases = Vec::new();
        for (at, preset) in presets.into_iter().enumerate() {
            let sample_rate_hz = rates[at % rates.len()];
            let channels: BTreeSet<u32> = [1.clamp(min, max), 2.clamp(min, max)].into();
            cases.extend(channels.into_iter().map(|channels| Self {
                preset: preset.clone(),
                sample_rate_hz,
                channels: channels as usize,
            }));
        }
        cases
    }

    /// Noise, then silence, cut where the parameters change.
    fn input(&self) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
        let mut first = noise(self.channels, FRAMES, 0.5);
        let mut second = Vec::new();
        for plane in &mut first {
            plane.resize(2 * FRAMES, 0.0);
            second.push(plane.split_off(CHANGE_AT));
        }
        (first, second)
    }
}

/// Another value for a parameter: a third of the way up, on a step.
fn changed(min: f64, max: f64, steps: u32) -> f64 {
    let third = (max - min) / 3.0;
    if steps == 0 {
        return min + third;
    }
    let step = (max - min) / f64::from(steps);
    min + (third / step).round() * step
}

fn joined(mut first: Vec<Vec<f32>>, second: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    for (plane, rest) in first.iter_mut().zip(second) {
        plane.extend(rest);
    }
    first
}

fn render_native<E: Effect>(case: &Case) -> Vec<Vec<f32>> {
    // As in the sandbox.
    let _flush = FlushDenormals::on();
    let mut rig = Rig::<E>::new(f64::from(case.sample_rate_hz), case.channels, BLOCK_FRAMES);
    if let Some(preset) = &case.preset {
        rig = rig.preset(preset);
    }
    rig.start().unwrap();
    let (mut first, mut second) = case.input();
    rig.process(&mut first, BLOCK_FRAMES);
    for param in E::DESCRIPTION.params.iter().filter(|param| !param.needs_restart) {
        rig.set(param.key, changed(param.min, param.max, param.steps));
    }
    rig.process(&mut second, BLOCK_FRAMES);
    joined(first, second)
}

fn render_module(module: &Module, case: &Case) -> Vec<Vec<f32>> {
    let description = module.description();
    let settings = Settings::of(description, case.preset.as_deref(), &BTreeMap::new()).unwrap();
    let spec = StreamSpec::new(case.sample_rate_hz, case.channels);
    let mut effect = module.instantiate(&spec, &settings, BLOCK_FRAMES).unwrap();
    effect.begin(None).unwrap();
    let (mut first, mut second) = case.input();
    process(&mut effect, &mut first);
    for param in description.params.iter().filter(|param| !param.needs_restart) {
        let value = changed(param.min, param.max, param.steps.unwrap_or(0));
        assert!(effect.set(param.id, value), "{}", param.key);
    }
    process(&mut effect, &mut second);
    joined(first, second)
}

fn process(effect: &mut impl Processor, signal: &mut [Vec<f32>]) {
    let frames = signal[0].len();
    for start in (0..frames).step_by(BLOCK_FRAMES) {
        let end = frames.min(start + BLOCK_FRAMES);
        let planes: Vec<&[f32]> = signal.iter().map(|plane| &plane[start..end]).collect();
        let mut block = Block::from_planes(&planes);
        let status = effect.process(&mut block);
        assert!(status != Status::Failed, "{:?}", effect.report().failure);
        for (plane, processed) in signal.iter_mut().zip(block.planes()) {
            plane[start..end].copy_from_slice(processed);
        }
    }
}

fn assert_same_bits(expected: &[Vec<f32>], actual: &[Vec<f32>], what: &str) {
    for (channel, (expected, actual)) in expected.iter().zip(actual).enumerate() {
        assert_eq!(expected.len(), actual.len(), "{what}");
        for (frame, (a, b)) in expected.iter().zip(actual).enumerate() {
            let is_same = a.to_bits() == b.to_bits();
            assert!(is_same, "{what}: {b:e} instead of {a:e}, channel {channel}, frame {frame}");
        }
    }
}

fn load(bytes: &[u8]) -> Module {
    Sandbox::new(Mode::File, None).unwrap().load(bytes, MEMORY_MIB).unwrap()
}

#[test]
fn bundled_modules_equal_their_native_builds_bit_by_bit() {
    for native in NATIVE {
        let module = load(bundled(native.name).expect(native.name).bytes);
        for case in Case::of(module.description()) {
            let what = format!("{} with {case:?}; run `cargo xtask effects`?", native.name);
            assert_same_bits(&(native.render)(&case), &render_module(&module, &case), &what);
        }
    }
}

#[test]
fn bundled_modules_pass_check() {
    // Each takes seconds.
    std::thread::scope(|scope| {
        for module in MODULES {
            scope.spawn(|| {
                let report = check(module.bytes, MEMORY_MIB);
                let failures: Vec<_> = report.failures().collect();
                assert!(failures.is_empty(), "{}: {failures:?}", module.name);
            });
        }
    });
}

#[test]
fn descriptions_of_bundled_modules_are_those_of_their_sources() {
    for native in NATIVE {
        let module = load(bundled(native.name).expect(native.name).bytes);
        let parsed = Description::parse((native.json)().as_bytes()).unwrap();
        assert_eq!(*module.description(), parsed, "{}: run `cargo xtask effects`", native.name);
        assert_eq!(parsed.params.len(), native.params.len());
        for (param, source) in parsed.params.iter().zip(native.params) {
            assert_eq!((param.id, param.key.as_str()), (source.id, source.key));
            let numbers = [param.min, param.max, param.default].map(f64::to_bits);
            assert_eq!(numbers, [source.min, source.max, source.default].map(f64::to_bits));
        }
    }
}

#[test]
fn descriptions_have_only_members_of_the_schema_and_all_it_requires() {
    let path = repository().join("effects/describe.schema.json");
    let schema: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let holds = |value: &serde_json::Value, schema: &serde_json::Value, name: &str| {
        let members = value.as_object().unwrap();
        for key in members.keys() {
            assert!(
                schema["properties"].get(key).is_some(),
                "{name}: `{key}` is not in the schema"
            );
        }
        for required in schema["required"].as_array().unwrap() {
            assert!(members.contains_key(required.as_str().unwrap()), "{name}: no {required}");
        }
    };
    for native in NATIVE {
        let json: serde_json::Value = serde_json::from_str(&(native.json)()).unwrap();
        holds(&json, &schema, native.name);
        for param in json["params"].as_array().unwrap() {
            holds(param, &schema["$defs"]["param"], native.name);
        }
    }
}

#[test]
fn every_module_in_rust_is_compared_with_its_native_build() {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(repository().join("effects/modules")).unwrap() {
        let path = entry.unwrap().path();
        let manifest = std::fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
        if manifest.contains("\"cdylib\"") {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    let listed: Vec<&str> = NATIVE.iter().map(|native| native.name).collect();
    assert_eq!(listed, found);
}

#[test]
fn rebuilt_modules_behave_like_the_bundled_ones() {
    let Some(folder) = std::env::var_os(REBUILT_VARIABLE).map(PathBuf::from) else {
        println!("skipped: comparing rebuilt effect modules, because only the gate builds them");
        return;
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let rebuilt = std::fs::read(&path).unwrap();
        let bundled = bundled(name).unwrap_or_else(|| panic!("{name} is not bundled"));
        if rebuilt == bundled.bytes {
            println!("{name}: equal bytes");
            continue;
        }
        let (module, rebuilt) = (load(bundled.bytes), load(&rebuilt));
        assert_eq!(module.description(), rebuilt.description(), "{name}");
        for case in Case::of(module.description()) {
            let what = format!("{name} with {case:?}, rebuilt; run `cargo xtask effects`?");
            let (expected, actual) =
                (render_module(&module, &case), render_module(&rebuilt, &case));
            assert_same_bits(&expected, &actual, &what);
        }
        println!("{name}: equal behavior, other bytes (another version of the compiler)");
    }
}
