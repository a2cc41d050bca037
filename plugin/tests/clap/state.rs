//! What is saved comes back.

use crate::captures::chosen;
use crate::host::{Running, STEREO, instance, load, save, value};
use crate::readings::readings;

/// States as earlier versions wrote them: they load for ever.
const VERSION_1: &[u8] = include_bytes!("state-1.json");
const VERSION_2: &[u8] = include_bytes!("state-2.json");

/// A state behind its length, as this format keeps it.
fn stored(state: &[u8]) -> Vec<u8> {
    let length = u64::try_from(state.len()).unwrap();
    [&length.to_le_bytes()[..], state].concat()
}

#[test]
fn parameters_come_back() {
    let mut running = Running::new(STEREO);
    for (name, value) in
        [("Pause with transport", 0.0), ("Reset on start", 1.0), ("Dual mono", 1.0)]
    {
        running.set(name, value);
    }
    running.capture("playing");
    running.process(&[[0.0; 64]; 2], None);
    let mut before = running.stop();
    let saved = save(&mut before);
    let mut after = instance();
    assert!(load(&mut after, &saved));
    for name in ["Bypass", "Pause with transport", "Reset on start", "Dual mono"] {
        let (old, new) = (value(&mut before, name), value(&mut after, name));
        assert!((old - new).abs() < 1e-6, "{name}: {old} became {new}");
    }
    assert_eq!(chosen(&mut after), "playing");
    assert_eq!(save(&mut after), saved);
}

#[test]
fn state_of_version_1_loads() {
    let mut instance = instance();
    assert!(load(&mut instance, &stored(VERSION_1)));
    assert!((value(&mut instance, "Reset on start") - 1.0).abs() < 1e-6);
    assert_eq!(chosen(&mut instance), "bounce", "it was a parameter");
    let saved = String::from_utf8_lossy(&save(&mut instance)).into_owned();
    for kept in ["spotify", "Takes", "1200"] {
        assert!(saved.contains(kept), "{saved}");
    }
}

#[test]
fn state_of_version_2_loads_with_its_readings() {
    let mut instance = instance();
    assert!(load(&mut instance, &stored(VERSION_2)));
    assert!((value(&mut instance, "Dual mono") - 1.0).abs() < 1e-6);
    let now = save(&mut instance);
    let readings = readings(&now);
    for (key, value) in
        [("integrated_lufs", -23.125), ("true_peak_dbtp", -1.5), ("measured_s", 61.5)]
    {
        assert_eq!(readings[key], value, "{readings}");
    }
}

#[test]
fn damaged_state_is_refused_and_changes_nothing() {
    let mut instance = instance();
    let before = save(&mut instance);
    for bytes in [&b""[..], b"nonsense", &stored(VERSION_1)[..100]] {
        assert!(!load(&mut instance, bytes));
        assert_eq!(save(&mut instance), before);
    }
}

#[test]
fn kept_spectrum_comes_back() {
    let mut instance = instance();
    let before = save(&mut instance);
    let mut state: serde_json::Value = serde_json::from_slice(&before[8..]).unwrap();
    let kept = serde_json::json!({ "levels_db10": [-123, -456, -789] }).to_string();
    state["fields"]["reference"] = kept.clone().into();
    assert!(load(&mut instance, &stored(state.to_string().as_bytes())));
    let after = save(&mut instance);
    let state: serde_json::Value = serde_json::from_slice(&after[8..]).unwrap();
    assert_eq!(state["fields"]["reference"], kept);
}
