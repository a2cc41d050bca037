//! What a pipeline may write about an effect, and what is reported otherwise.

use crate::module::{gain, gain_with};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;
use wavemill_pipelines::effects::{LOCK_FILE, Lock, Pin, PresetFile};
use wavemill_pipelines::model::{Defaults, Pipeline};
use wavemill_pipelines::schema::json_schema;
use wavemill_pipelines::{Diagnostic, Effects, load};

/// A folder with the module `fx/gain.wasm`.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path().join("fx")).unwrap();
        folder.put("fx/gain.wasm", &gain());
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        File::create(self.path().join(name)).unwrap().write_all(bytes).unwrap();
    }

    fn lock(&self, name: &str, sha256: &str) {
        let (id, version) = ("com.example.gain".to_owned(), "1.0.0".to_owned());
        let pin = Pin { sha256: sha256.to_owned(), id, version };
        let lock = Lock { effects: [(name.to_owned(), pin)].into() };
        self.put(LOCK_FILE, lock.to_text().as_bytes());
    }

    fn effects(&self) -> Effects {
        Effects::new(None).in_folder(self.path())
    }

    fn load(&self, step: &str) -> Result<Pipeline, Vec<Diagnostic>> {
        load_with(step, &self.effects())
    }

    /// The one mistake of a step: code, what is underlined, message, help.
    fn mistake(&self, step: &str) -> (&'static str, String, String, String) {
        let mut found = self.load(step).unwrap_err();
        assert_eq!(found.len(), 1, "{found:#?}");
        let found = found.remove(0);
        let underlined = text(step)[found.span].to_owned();
        (found.code, underlined, found.message, found.help.unwrap_or_default())
    }

    #[track_caller]
    fn assert_mistake(&self, step: &str, code: &str, underlined: &str, help: &str) {
        let found = self.mistake(step);
        assert_eq!((found.0, found.1.as_str()), (code, underlined), "{found:?}");
        assert!(found.3.contains(help), "{:?} lacks {help:?}", found.3);
        assert!(!found.2.contains('\n') && !found.3.contains('\n'), "{found:?}");
    }
}

fn load_with(step: &str, effects: &Effects) -> Result<Pipeline, Vec<Diagnostic>> {
    load(&text(step), &Defaults::default(), effects).map(|loaded| {
        assert_eq!(loaded.warnings, []);
        loaded.pipeline
    })
}

fn text(step: &str) -> String {
    format!(
        "version = 1\n[pipeline]\nname = \"a\"\n[[step]]\n{step}\n[[export]]\nformat = \"wav\"\npath = \"{{stem}}.wav\"\n"
    )
}

/// A step with the module and further lines.
fn with(lines: &str) -> String {
    format!("effect = \"fx/gain.wasm\"\n{lines}")
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[test]
fn effect_has_a_value_for_every_parameter() {
    let folder = Folder::new();
    let pipeline = folder.load(&with("with = { gain_lin = 1, shape = \"hard\" }")).unwrap();
    assert!(pipeline.has_effects());
    let effect = pipeline.steps[0].effect().unwrap();
    assert_eq!((effect.name.as_str(), effect.preset.as_deref()), ("fx/gain.wasm", None));
    let values = ["gain_lin", "shape", "bypass"].map(|key| effect.settings.get(key));
    assert_eq!(values, [Some(1.0), Some(1.0), Some(0.0)]);
    assert_eq!(effect.module.sha256(), sha256(&gain()));
}

#[test]
fn preset_is_taken_and_changed_by_single_values() {
    let folder = Folder::new();
    let lines = "preset = \"quiet\"\nwith = { shape = 2, bypass = true }";
    let pipeline = folder.load(&with(lines)).unwrap();
    let effect = pipeline.steps[0].effect().unwrap();
    let values = ["gain_lin", "shape", "bypass"].map(|key| effect.settings.get(key));
    assert_eq!(values, [Some(0.25), Some(2.0), Some(1.0)]);
    assert_eq!(effect.preset.as_deref(), Some("quiet"));
}

/// A preset file of the module, with `id` and lines under `[with]`.
fn preset(id: &str, lines: &str) -> String {
    format!("effect = \"{id}\"\n[with]\n{lines}")
}

#[test]
fn preset_in_a_file_is_taken_and_changed_by_single_values() {
    let folder = Folder::new();
    let file = preset("com.example.gain", "gain_lin = 3\nshape = \"round\"\n");
    folder.put("fx/mine.toml", file.as_bytes());
    let lines = "preset = \"fx/mine.toml\"\nwith = { shape = 1, bypass = true }";
    let pipeline = folder.load(&with(lines)).unwrap();
    let effect = pipeline.steps[0].effect().unwrap();
    let values = ["gain_lin", "shape", "bypass"].map(|key| effect.settings.get(key));
    assert_eq!(values, [Some(3.0), Some(1.0), Some(1.0)]);
    assert_eq!(effect.preset_file(), Some("fx/mine.toml"));

    // What is written from values returns them.
    let settings = &effect.settings;
    let text = PresetFile::new(effect.module.description(), settings).to_text().unwrap();
    folder.put("again.toml", text.as_bytes());
    let again = folder.load(&with("preset = \"again.toml\"")).unwrap();
    assert_eq!(again.steps[0].effect().unwrap().settings, *settings, "{text}");
}

#[test]
fn preset_files_that_cannot_be_used_are_reported_with_their_reason() {
    let folder = Folder::new();
    let check = |text: &str, reason: &str| {
        folder.put("x.toml", text.as_bytes());
        let found = folder.mistake(&with("preset = \"x.toml\""));
        assert_eq!((found.0, found.1.as_str()), ("bad-preset", "\"x.toml\""), "{found:?}");
        assert!(found.2.contains(reason) && !found.2.contains('\n'), "{found:?}");
    };
    check(
        &preset("com.example.echo", ""),
        "is of effect `com.example.echo`, not of `com.example.gain`",
    );
    check(
        &preset("com.example.gain", "gain_lin = 5"),
        "`gain_lin` is 5; it must be a number from 0 to 4 x",
    );
    check(&preset("com.example.gain", "gian_lin = 1"), "did you mean `gain_lin`?");
    check(&preset("com.example.gain", "shape = [1]"), "`shape` is not a number or a word");
    check(&preset("com.example.gain", "gain_lin = nan"), "`gain_lin` is");
    check("[with]", "line 1: missing field `effect`");
    check("effect = 1\nx", "line 2");
    check("effect = \"com.example.gain\"\nkind = 1", "line 2: unknown field `kind`");
    check(&" ".repeat(1 << 19), "is larger than 262144 bytes");
    let help = "relative to the pipeline's folder";
    folder.assert_mistake(&with("preset = \"no.toml\""), "bad-preset", "\"no.toml\"", help);
    folder.assert_mistake(&with("preset = \"fx/\""), "bad-preset", "\"fx/\"", help);
}

#[test]
fn mistakes_under_with_are_reported_as_those_of_built_in_steps() {
    let folder = Folder::new();
    let check = |value: &str, code: &str, underlined: &str, help: &str| {
        folder.assert_mistake(&with(&format!("with = {{ {value} }}")), code, underlined, help);
    };
    check("gian_lin = 1", "unknown-key", "gian_lin", "did you mean `gain_lin`?");
    check("gain_lin = 5", "out-of-range", "5", "it must be from 0 to 4 x");
    check("gain_lin = -0.1", "out-of-range", "-0.1", "from 0 to 4");
    check("gain_lin = nan", "wrong-type", "nan", "a number");
    check("gain_lin = \"1\"", "wrong-type", "\"1\"", "a number from 0 to 4 x");
    check("gain_lin = [1]", "wrong-type", "[1]", "a number from 0 to 4 x");
    check("shape = \"hrad\"", "unknown-choice", "\"hrad\"", "did you mean `hard`?");
    check("shape = 3", "out-of-range", "3", "from 0 to 2");
    check("shape = true", "wrong-type", "true", "\"soft\"");
    check("bypass = 2", "out-of-range", "2", "from 0 to 1");
    folder.assert_mistake(&with("with = 3"), "wrong-type", "3", "a table");
}

#[test]
fn every_mistake_under_with_is_reported_at_once() {
    let folder = Folder::new();
    let found = folder.load(&with("with = { gain_lin = 9, shape = 9, x = 1 }")).unwrap_err();
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn mistakes_beside_with_are_reported_where_they_stand() {
    let folder = Folder::new();
    let check = |line: &str, code: &str, underlined: &str, help: &str| {
        folder.assert_mistake(&with(line), code, underlined, help);
    };
    check("preset = \"laud\"", "unknown-preset", "\"laud\"", "did you mean `loud`?");
    check("sha256 = \"abc\"", "bad-hash", "\"abc\"", "64 hex digits");
    check("max_memory_mib = 0", "out-of-range", "0", "from 1 to 1024");
    check("max_memory_mib = 1", "bad-effect", "\"fx/gain.wasm\"", "");
    check("max_memory = 64", "unknown-key", "max_memory", "`max_memory_mib`");
}

#[test]
fn module_that_is_not_there_is_reported_with_its_name() {
    let folder = Folder::new();
    let step = |name: &str| format!("effect = \"{name}\"");
    let missing = folder.mistake(&step("fx/gone.wasm"));
    assert_eq!((missing.0, missing.1.as_str()), ("unreadable-effect", "\"fx/gone.wasm\""));
    assert!(missing.2.contains("fx/gone.wasm") && missing.2.contains("does not exist"));
    folder.assert_mistake(&step("./fx"), "unreadable-effect", "\"./fx\"", "folder");
    folder.assert_mistake(&step("revreb"), "unknown-effect", "\"revreb\"", "fx/revreb.wasm");
}

#[test]
fn refused_module_is_reported_with_the_runtimes_reason() {
    let folder = Folder::new();
    let refusal = |bytes: &[u8]| {
        folder.put("fx/bad.wasm", bytes);
        let (code, underlined, message, _) = folder.mistake("effect = \"fx/bad.wasm\"");
        assert_eq!((code, underlined.as_str()), ("bad-effect", "\"fx/bad.wasm\""));
        assert!(message.contains("fx/bad.wasm"), "{message}");
        message
    };
    assert!(refusal(b"hello").contains("\\0asm"));
    assert!(refusal(b"\0asm\x01\0\0\0").contains("fx_abi_1"));
    let import = r#"(module (import "env" "powf" (func)) (func (export "fx_abi_1")))"#;
    assert!(refusal(&wat::parse_str(import).unwrap()).contains("env.powf"));
}

#[test]
fn module_of_one_byte_too_many_is_refused_by_its_size() {
    let folder = Folder::new();
    folder.put("fx/big.wasm", &vec![0; (16 << 20) + 1]);
    let (code, _, message, _) = folder.mistake("effect = \"fx/big.wasm\"");
    assert_eq!(code, "unreadable-effect");
    assert!(message.contains("larger than 16777216 bytes"), "{message}");
}

#[test]
fn pinned_module_is_taken_and_another_is_refused() {
    let folder = Folder::new();
    let right = sha256(&gain());
    folder.load(&with(&format!("sha256 = \"{right}\""))).unwrap();
    folder.load(&with(&format!("sha256 = \"{}\"", right.to_uppercase()))).unwrap();
    let wrong = "0".repeat(64);
    let (code, underlined, message, _) = folder.mistake(&with(&format!("sha256 = \"{wrong}\"")));
    assert_eq!((code, underlined), ("not-pinned", format!("\"{wrong}\"")));
    assert!(message.contains(&right), "{message}");
}

#[test]
fn locked_module_is_taken_and_another_is_refused_with_both_hashes() {
    let folder = Folder::new();
    folder.lock("fx/gain.wasm", &sha256(&gain()));
    folder.load(&with("")).unwrap();
    folder.put("fx/gain.wasm", &gain_with("1.0.1", "[1,8]", ""));
    let (code, underlined, message, help) = folder.mistake(&with(""));
    assert_eq!((code, underlined.as_str()), ("not-pinned", "\"fx/gain.wasm\""));
    let actual = sha256(&gain_with("1.0.1", "[1,8]", ""));
    assert!(message.contains(&sha256(&gain())) && message.contains(&actual), "{message}");
    assert!(help.contains("wavemill effects lock"), "{help}");
    let unlocked = folder.effects().unlocked();
    load_with(&with(""), &unlocked).unwrap();
}

#[test]
fn module_that_the_lock_does_not_name_is_taken() {
    let folder = Folder::new();
    folder.lock("fx/other.wasm", &"0".repeat(64));
    folder.load(&with("")).unwrap();
}

#[test]
fn damaged_lock_is_reported_and_nothing_runs() {
    let folder = Folder::new();
    folder.put(LOCK_FILE, b"version = 1\n[effect");
    let (code, _, message, help) = folder.mistake(&with(""));
    assert_eq!(code, "bad-lock");
    assert!(message.contains("effects.lock") && help.contains("effects lock"), "{message}: {help}");
}

#[test]
fn pipeline_without_effects_does_not_read_the_lock() {
    let folder = Folder::new();
    folder.put(LOCK_FILE, b"nonsense");
    let pipeline = folder.load("use = \"gain\"\nwith = { gain_db = 1 }").unwrap();
    assert!(!pipeline.has_effects());
}

#[test]
fn json_schema_knows_the_parameters_and_presets_of_bundled_effects() {
    let schema = json_schema(&Effects::new(None));
    let rules = &schema["properties"]["step"]["items"]["allOf"];
    let rule_of = |name: &str| {
        let rules = rules.as_array().unwrap();
        let is_it = |rule: &&serde_json::Value| rule["if"]["properties"]["effect"]["const"] == name;
        rules.iter().find(is_it).unwrap()["then"]["properties"].clone()
    };
    let compressor = rule_of("compressor");
    let ratio = &compressor["with"]["properties"]["ratio"];
    assert_eq!(
        (ratio["anyOf"][0]["minimum"].as_f64(), ratio["default"].as_f64()),
        (Some(1.0), Some(3.0))
    );
    let detector = &compressor["with"]["properties"]["detector"]["anyOf"][0]["enum"];
    assert_eq!(detector, &serde_json::json!(["peak", "rms"]));
    assert!(compressor["preset"]["anyOf"][0]["enum"].as_array().unwrap().contains(&"voice".into()));
}

#[test]
fn replaced_module_is_seen_by_the_next_load_even_with_time_and_size_unchanged() {
    let folder = Folder::new();
    let effects = folder.effects();
    let version = |effects: &Effects| {
        let pipeline = load_with(&with(""), effects).unwrap();
        pipeline.steps[0].effect().unwrap().module.description().version.clone()
    };
    assert_eq!(version(&effects), "1.0.0");
    let path = folder.path().join("fx/gain.wasm");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    folder.put("fx/gain.wasm", &gain_with("1.0.1", "[1,8]", ""));
    File::options().append(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(version(&effects), "1.0.1");
}
