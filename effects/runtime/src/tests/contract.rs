//! Modules that do not keep to the contract are refused by name.

use super::fixtures::{Source, half, sandbox};
use crate::{LoadError, limits};

fn error_of(bytes: &[u8]) -> LoadError {
    sandbox().load(bytes, limits::MEMORY_MIB).err().expect("loading it fails")
}

#[test]
fn bytes_that_are_no_module_are_refused() {
    assert_eq!(error_of(b""), LoadError::NotWasm);
    assert_eq!(error_of(b"\0as"), LoadError::NotWasm);
    assert_eq!(error_of(b"RIFF....WAVE"), LoadError::NotWasm);
    assert_eq!(error_of(b"\n (module)"), LoadError::Text);
    // The binary version of components is 0d 00 01 00.
    assert_eq!(error_of(b"\0asm\x0d\0\x01\0"), LoadError::Component);
}

#[test]
fn module_cut_anywhere_is_refused() {
    let whole = half();
    for length in (0..whole.len()).step_by(7) {
        // A cut between two sections leaves a valid module without exports.
        error_of(&whole[..length]);
    }
}

#[test]
fn module_without_a_marker_is_no_effect() {
    assert_eq!(error_of(b"\0asm\x01\0\0\0"), LoadError::NoMarker);
    let error = Source::new().without("fx_abi_1").load_error();
    assert_eq!(
        error,
        "the module exports no `fx_abi_1`, so it is not an effect (see effects/ABI.md)"
    );
}

#[test]
fn module_of_a_later_version_only_is_refused_by_that_version() {
    let later = r#"(func (export "fx_abi_2"))"#;
    let error = Source::new().part("fx_abi_1", later).load_error();
    assert_eq!(error, "the module follows `fx_abi_2` only; this Wavemill knows `fx_abi_1`");
    assert!(Source::new().part("later", later).load().is_ok());
}

#[test]
fn missing_exports_are_named() {
    // Nothing else refers to these.
    for name in ["memory", "fx_describe", "fx_create", "fx_in", "fx_out", "fx_process"] {
        let replaced = match name {
            "memory" => "(memory 33)",
            _ => "",
        };
        let error = Source::new().part(name, replaced).load_error();
        assert!(error.starts_with(&format!("the module does not export `{name}`: ")), "{error}");
    }
    let error = Source::new().without("fx_set_param").load_error();
    assert_eq!(error, "the module does not export `fx_set_param`: (i32, f64) -> ()");
}

#[test]
fn module_without_parameters_needs_no_function_to_set_them() {
    let json = r#"{"id":"t","name":"T","version":"1.0.0","channels":[1,8]}"#;
    assert!(Source::new().json(json).without("fx_set_param").load().is_ok());
}

#[test]
fn wrong_signatures_are_named_with_both_types() {
    let cases = [
        ("fx_abi_1", "(result i32) (i32.const 0)", "() -> i32", "() -> ()"),
        ("fx_describe", "(result i64) (i64.const 0)", "() -> i64", "() -> i32"),
        (
            "fx_create",
            "(param f32 i32 i32) (result i32) (i32.const 0)",
            "(f32, i32, i32) -> i32",
            "(f64, i32, i32) -> i32",
        ),
        ("fx_in", "(result i32) (i32.const 0)", "() -> i32", "(i32) -> i32"),
        ("fx_out", "(param i32)", "(i32) -> ()", "(i32) -> i32"),
        (
            "fx_process",
            "(param i32 i32) (result i32) (i32.const 0)",
            "(i32, i32) -> i32",
            "(i32) -> i32",
        ),
        ("fx_set_param", "(param i32 f32)", "(i32, f32) -> ()", "(i32, f64) -> ()"),
        ("fx_reset", "(result i32) (i32.const 0)", "() -> i32", "() -> ()"),
        ("fx_latency", "(result f32) (f32.const 0)", "() -> f32", "() -> i32"),
        ("fx_tail", "", "() -> ()", "() -> i32"),
        (
            "fx_error",
            "(result i32 i32) (i32.const 0) (i32.const 0)",
            "() -> (i32, i32)",
            "() -> i32",
        ),
        ("_initialize", "(param i32)", "(i32) -> ()", "() -> ()"),
    ];
    for (name, body, actual, expected) in cases {
        let error = Source::new().part(name, &format!("(func (export {name:?}) {body})"));
        let expected = format!("the export `{name}` is {actual}; it must be {expected}");
        assert_eq!(error.load_error(), expected);
    }
}

#[test]
fn export_that_is_no_function_is_refused() {
    let global = r#"(global (export "fx_reset") i32 (i32.const 0))"#;
    let error = Source::new().part("fx_reset", global).load_error();
    assert_eq!(error, "the export `fx_reset` is a global; it must be () -> ()");
    let memory = r#"(memory 33) (global (export "memory") i32 (i32.const 0))"#;
    let error = Source::new().part("memory", memory).load_error();
    assert_eq!(error, "the export `memory` is a global; it must be a memory");
}

#[test]
fn unknown_imports_are_named() {
    let import = |text: &str| Source::new().part("import", text).load_error();
    assert_eq!(
        import(r#"(import "env" "powf" (func (param f32 f32) (result f32)))"#),
        "the module imports `env.powf`, which does not exist: an effect may import only `fx.log` \
         and `env.abort`"
    );
    let error = import(
        r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))"#,
    );
    assert!(error.contains("`wasi_snapshot_preview1.fd_write`") && error.contains("-nostdlib"));
    assert!(import(r#"(import "fx" "clock" (func (result f64)))"#).contains("`fx.clock`"));
    assert!(import(r#"(import "env" "table" (table 1 funcref))"#).contains("`env.table`"));
    assert!(import(r#"(import "fx" "log" (global i32))"#).contains("is a global"));
}

#[test]
fn known_import_of_another_type_is_refused() {
    let error = Source::new().part("import", r#"(import "fx" "log" (func (param i32)))"#);
    assert_eq!(
        error.load_error(),
        "the import `fx.log` is (i32) -> (); it must be (i32, i32, i32) -> ()"
    );
}

#[test]
fn imported_memory_is_refused() {
    let import = r#"(import "env" "memory" (memory 33))"#;
    let error = Source::new().part("import", import).without("memory");
    assert_eq!(
        error.load_error(),
        "the module imports its memory `env.memory`; an effect exports its own `memory`"
    );
}

#[test]
fn memories_that_are_not_plain_are_refused_with_advice() {
    let memory = |text: &str| Source::new().part("memory", text).load_error();
    let error = memory(r#"(memory (export "memory") 33 33 shared)"#);
    assert!(error.contains("build without threads"), "{error}");
    let error = memory(r#"(memory (export "memory") 33) (memory 1)"#);
    assert!(error.contains("an effect has one memory"), "{error}");
    let plain = wat::parse_str(r#"(module (memory (export "memory") i64 1))"#).unwrap();
    let error = error_of(&plain).to_string();
    assert!(error.contains("build for wasm32"), "{error}");
}

#[test]
fn features_beyond_the_contract_are_refused() {
    let cases = [
        "(func (result v128) (f32x4.relaxed_madd (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0)))",
        "(func $f (return_call $f))",
        "(tag $t) (func (throw $t))",
        "(memory 1 1 shared)",
        "(type (struct (field i32)))",
        "(func (drop (i64.add128 (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))) drop)",
    ];
    for text in cases {
        let Ok(bytes) = wat::parse_str(format!("(module {text})")) else {
            panic!("{text} is text")
        };
        let error = error_of(&bytes);
        assert!(matches!(error, LoadError::Invalid { .. }), "{text}: {error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn features_of_the_contract_are_there() {
    let cases = [
        "(func (result v128) (f32x4.add (v128.const i64x2 0 0) (v128.const i64x2 0 0)))",
        "(func (result i32) (i32.trunc_sat_f32_s (f32.const 1e30)))",
        "(func (result i32) (i32.extend8_s (i32.const 255)))",
        "(func (result i32 i32) (i32.const 1) (i32.const 2))",
        "(func (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)))",
        r#"(global (export "g") (mut i32) (i32.const 0))"#,
        "(table 2 funcref) (func $r (result funcref) (ref.null func))",
    ];
    for text in cases {
        let loaded = Source::new().part("more", text).load();
        assert!(loaded.is_ok(), "{text}: {}", loaded.err().unwrap());
    }
}

#[test]
fn wrong_description_is_named_by_its_key() {
    let error = Source::new().json(r#"{"id":"t","name":"T","version":"1.0.0","channels":[0,2]}"#);
    let error = error.load_error();
    assert!(error.starts_with("the description of the module is wrong: `channels"), "{error}");
}

#[test]
fn memory_asked_for_must_be_within_the_limits() {
    for given in [0, limits::MEMORY_MIB_MAX + 1] {
        let error = sandbox().load(&half(), given).err().unwrap();
        assert_eq!(error, LoadError::MemoryOutOfRange { given, max: 1024 });
    }
    assert!(sandbox().load(&half(), limits::MEMORY_MIB_MAX).is_ok());
}

#[test]
fn module_with_meters_has_the_function_that_reads_them() {
    let json = r#"{"id":"t","name":"T","version":"1.0.0","channels":[1,2],
        "meters":[{"key":"reduction_db","unit":"dB","min":-24,"max":0}]}"#;
    let error = Source::new().json(json).load_error();
    assert_eq!(error, "the module does not export `fx_meter`: (i32) -> f32");
    let wrong = r#"(func (export "fx_meter") (param i32) (result i32) (i32.const 0))"#;
    let error = Source::new().part("fx_meter", wrong).load_error();
    assert_eq!(error, "the export `fx_meter` is (i32) -> i32; it must be (i32) -> f32");
}
