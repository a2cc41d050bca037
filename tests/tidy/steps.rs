//! The registry of steps: complete, in order, with names that say their unit.

use crate::metadata::root;
use std::collections::BTreeSet;
use wavemill_core::descriptor::{ParamKind, StepDescriptor};
use wavemill_core::processors::STEPS;

/// How a key ends when its value has this unit.
const SUFFIXES: &[(&str, &str)] = &[
    ("dB", "_db"),
    ("dB/s", "_db_per_s"),
    ("dBFS", "_dbfs"),
    ("dBTP", "_dbtp"),
    ("LUFS", "_lufs"),
    ("LU", "_lu"),
    ("Hz", "_hz"),
    ("s", "_s"),
    ("ms", "_ms"),
];

/// Files of `core/dsp/src/processors` that hold a step; others are helpers.
fn files() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("core/dsp/src/processors")).unwrap() {
        let path = entry.unwrap().path();
        let file = if path.is_dir() { path.join("mod.rs") } else { path.clone() };
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if text.contains("pub(crate) const DESCRIPTOR: StepDescriptor") {
            names.insert(path.file_stem().unwrap().to_string_lossy().replace('_', "-"));
        }
    }
    names
}

fn is_kebab_case(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn is_snake_case(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn params(step: &StepDescriptor) -> impl Iterator<Item = (&'static str, ParamKind)> {
    step.params.iter().map(|param| (param.key, param.kind))
}

#[test]
fn every_file_with_a_descriptor_is_registered() {
    let registered: BTreeSet<String> = STEPS.iter().map(|step| step.name.to_owned()).collect();
    assert_eq!(files(), registered);
}

#[test]
fn steps_are_registered_in_order_of_their_names() {
    assert!(STEPS.is_sorted_by_key(|step| step.name));
}

#[test]
fn steps_are_kebab_case_and_keys_snake_case() {
    for step in STEPS {
        assert!(is_kebab_case(step.name), "{}", step.name);
        for (key, _) in params(step) {
            assert!(is_snake_case(key), "{}.{key}", step.name);
        }
    }
}

#[test]
fn keys_end_with_their_unit() {
    for step in STEPS {
        for (key, kind) in params(step) {
            let (ParamKind::Number { unit, .. } | ParamKind::Integer { unit, .. }) = kind else {
                continue;
            };
            if unit.is_empty() {
                continue;
            }
            let rule = SUFFIXES.iter().find(|(known, _)| *known == unit);
            let (_, suffix) = rule.unwrap_or_else(|| panic!("unit {unit} has no suffix here"));
            // The qualifier may follow the unit: `gain_db_max`.
            let says_it = key.ends_with(suffix) || key.contains(&format!("{suffix}_"));
            assert!(says_it, "{}.{key} does not say its unit {unit}", step.name);
        }
    }
}

#[test]
fn summaries_are_sentences() {
    for step in STEPS {
        assert!(step.summary.ends_with('.'), "{}", step.name);
        for param in step.params {
            assert!(param.summary.ends_with('.'), "{}.{}", step.name, param.key);
        }
    }
}
