//! A pipeline file with many mistakes: all are shown at once, each where it is.

use serde_json::Value;
use std::path::PathBuf;
use wavemill_tests::lab::{Ended, Lab, repository};

/// Eight mistakes, each on the line that a comment names.
const MISTAKES: &str = r#"version = 1

[pipeline]
name = "wrong"
concurency = 2                                # line 5: unknown key

[[watch]]
path = 3                                      # line 8: wrong type

[[step]]
use = "high-pas"                              # line 11: unknown step

[[step]]
use = "gain"
with = { gain_db = 400.0 }                    # line 15: out of range

[[step]]
use = "loudness"
with = { target_lufs = -16.0, celing = -1.0 } # line 19: unknown parameter

[[export]]
format = "wavv"                               # line 22: unknown format
path = "out/{stem}.{ext}"

[[export]]
format = "wav"
after = "lood"                                # line 27: unknown step id
path = "out/{stm}.{ext}"                      # line 28: unknown placeholder
"#;

const LINES: [u64; 8] = [5, 8, 11, 15, 19, 22, 27, 28];

fn check(words: &[&str]) -> Ended {
    let lab = Lab::new();
    let pipeline = lab.pipeline("wrong", MISTAKES);
    let words = words.iter().map(PathBuf::from).chain([pipeline]);
    lab.run(words)
}

fn diagnostics(ended: &Ended) -> Vec<Value> {
    let json = ended.json();
    let found = find_list(&json, "diagnostics");
    found.unwrap_or_else(|| panic!("no diagnostics: {ended:?}"))
}

fn find_list(value: &Value, key: &str) -> Option<Vec<Value>> {
    match value {
        Value::Object(map) => match map.get(key) {
            Some(Value::Array(list)) => Some(list.clone()),
            _ => map.values().find_map(|value| find_list(value, key)),
        },
        Value::Array(list) => list.iter().find_map(|value| find_list(value, key)),
        _ => None,
    }
}

#[test]
fn eight_mistakes_are_eight_objects_with_line_column_and_help() {
    let ended = check(&["check", "--json"]);
    assert_eq!(ended.code, Some(78), "{ended:?}");
    let diagnostics = diagnostics(&ended);
    let lines: Vec<u64> = diagnostics.iter().map(|d| d["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, LINES, "{diagnostics:#?}");
    for diagnostic in &diagnostics {
        assert!(diagnostic["column"].as_u64().unwrap() >= 1, "{diagnostic}");
        assert!(diagnostic["help"].as_str().is_some_and(|help| !help.is_empty()), "{diagnostic}");
    }
}

#[test]
fn eight_mistakes_are_drawn_with_their_places() {
    let ended = check(&["check"]);
    assert_eq!(ended.code, Some(78), "{ended:?}");
    let text = format!("{}{}", ended.stdout, ended.stderr);
    for line in LINES {
        assert!(text.contains(&format!("wrong.toml:{line}:")), "line {line} is missing:\n{text}");
    }
    assert_eq!(text.matches("help: ").count(), LINES.len(), "{text}");
}

#[test]
fn shipped_pipelines_are_without_fault() {
    let lab = Lab::new();
    let folder = std::fs::read_dir(repository().join("pipelines")).unwrap();
    let names = folder.map(|entry| entry.unwrap().path()).filter(|path| {
        path.extension().is_some_and(|extension| extension == "toml")
            && !path.ends_with("Cargo.toml")
    });
    let mut count = 0;
    for path in names {
        let ended = lab.run([PathBuf::from("check"), path.clone()]);
        assert_eq!(ended.code, Some(0), "{}: {ended:?}", path.display());
        count += 1;
    }
    assert!(count > 5, "only {count} pipelines");
}

/// A block of TOML that begins with a version is a whole pipeline; others are parts of one.
#[test]
fn pipelines_in_the_manuals_are_without_fault() {
    for manual in ["README.md", "pipelines/README.md"] {
        let text = std::fs::read_to_string(repository().join(manual)).unwrap();
        let blocks =
            text.split("```toml\n").skip(1).filter(|block| block.starts_with("version = 1"));
        let mut count = 0;
        for block in blocks.map(|block| block.split("```").next().unwrap()) {
            let lab = Lab::new();
            let ended = lab.run([PathBuf::from("check"), lab.pipeline("manual", block)]);
            assert_eq!(ended.code, Some(0), "{manual}: {ended:?}\n{block}");
            count += 1;
        }
        assert!(count > 0, "{manual} has no pipeline");
    }
}
