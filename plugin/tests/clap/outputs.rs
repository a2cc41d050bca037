//! Readings as parameters that a DAW reads.

use crate::captures::state_of;
use crate::host::{Host, Running, STEREO, Stream, instance, load, save, transport, value};
use crate::signals::{LOUDNESS_TOLERANCE_LU, tone};
use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_host::prelude::*;
use clack_host::utils::ClapId;
use std::ffi::CString;

/// Ids and names, as projects and scripts know them: they never change.
const OUTPUTS: [(u32, &str); 7] = [
    (1001, "Integrated"),
    (1002, "Momentary"),
    (1003, "Short-term"),
    (1004, "Loudness range"),
    (1005, "True peak"),
    (1006, "Verdict"),
    (1007, "Violations"),
];

fn text(instance: &mut PluginInstance<Host>, id: u32, value: f64) -> String {
    let handle = instance.plugin_handle();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let mut buffer = [0; 128];
    let id = ClapId::new(id);
    let words = params.value_to_text(&handle, id, value, &mut buffer).unwrap();
    let back = params.text_to_value(&handle, id, &CString::new(&*words).unwrap()).unwrap();
    assert!((back - value).abs() <= 0.05 + 1e-9, "{words:?} of {value} is {back}");
    String::from_utf8(words.to_vec()).unwrap()
}

/// The values of all outputs, in words.
fn texts(instance: &mut PluginInstance<Host>) -> Vec<String> {
    let of = |&(id, name): &(u32, &str)| {
        let value = value(instance, name);
        text(instance, id, value)
    };
    OUTPUTS.iter().map(of).collect()
}

#[test]
fn outputs_are_listed_behind_the_parameters_and_only_read() {
    let mut instance = instance();
    let handle = instance.plugin_handle();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let count = params.count(&handle);
    for (index, (id, name)) in (count - 7..).zip(OUTPUTS) {
        let mut buffer = ParamInfoBuffer::new();
        let info = params.get_info(&handle, index, &mut buffer).unwrap();
        assert_eq!((info.id, info.name), (ClapId::new(id), name.as_bytes()));
        assert_eq!(info.module, b"Readings");
        assert!(info.flags.contains(ParamInfoFlags::IS_READONLY));
        assert!(!info.flags.intersects(ParamInfoFlags::IS_AUTOMATABLE), "{name}");
    }
    let mut buffer = ParamInfoBuffer::new();
    assert!(params.get_info(&handle, count, &mut buffer).is_none());
}

/// EBU Tech 3341, case 1: a tone of -23 dBFS in two channels has -23 LUFS, and its peaks -23 dBTP.
#[test]
fn outputs_say_what_was_measured_and_are_sent_as_it_changes() {
    let mut running = Running::new(STEREO);
    assert_eq!(
        texts(&mut running.instance),
        ["none", "none", "none", "none", "none", "none", "none"],
        "before there is a program"
    );
    let plane = tone(&[(-23.0, 20.0)]);
    let mut sent = 0;
    for piece in plane.chunks(480) {
        running.process(&[piece, piece], None);
        sent += running.audio.sent().len();
    }
    // 30 readings a second at most, of five numbers; most of a steady tone stand still.
    assert!(sent > 20 && sent < 20 * 30 * 5, "{sent}");
    for name in ["Integrated", "Momentary", "Short-term", "True peak"] {
        let value = value(&mut running.instance, name);
        assert!((value + 23.0).abs() <= LOUDNESS_TOLERANCE_LU, "{name}: {value}");
    }
    let all = texts(&mut running.instance);
    assert_eq!(all[..4], ["-23.0 LUFS", "-23.0 LUFS", "-23.0 LUFS", "0.0 LU"]);
    assert_eq!(all[4..], ["-23.0 dBTP", "pass", "0"]);
    // A clip: beyond the limit of R 128. The worker judges when it comes to it.
    let mut latest = std::collections::BTreeMap::new();
    for level in [1.5, 0.1, 0.1] {
        running.process(&vec![vec![level; 4000]; 2], None);
        latest.extend(running.audio.sent());
    }
    let all = texts(&mut running.instance);
    assert_eq!(all[5..], ["fail", "1"], "{all:?}");
    while latest.get(&1006) != Some(&2.0) || latest.get(&1007) != Some(&1.0) {
        running.process(&[[0.1f32; 64]; 2], None);
        latest.extend(running.audio.sent());
        std::thread::yield_now();
    }
}

#[test]
fn outputs_of_a_bounce_are_those_of_its_last_block() {
    let mut running = Running::new(Stream { is_offline: true, ..STEREO });
    let plane = tone(&[(-23.0, 5.0)]);
    let mut latest = std::collections::BTreeMap::new();
    for piece in plane.chunks(4096) {
        running.process(&[piece, piece], None);
        latest.extend(running.audio.sent());
    }
    let integrated = latest[&1001];
    assert!((integrated + 23.0).abs() <= LOUDNESS_TOLERANCE_LU, "{integrated}");
    assert!((integrated - value(&mut running.instance, "Integrated")).abs() < 1e-9);
}

#[test]
fn outputs_cannot_be_set_and_are_in_no_state() {
    let mut running = Running::new(STEREO);
    let before = save(&mut running.instance);
    for (_, name) in OUTPUTS {
        running.set(name, 1.0);
    }
    running.process(&[[0.0f32; 64]; 2], None);
    assert_eq!(value(&mut running.instance, "Integrated").to_bits(), (-100.0f64).to_bits());
    let mut instance = running.stop();
    let after = String::from_utf8_lossy(&save(&mut instance)).into_owned();
    let params = |state: &[u8]| {
        let state: serde_json::Value = serde_json::from_slice(&state[8..]).unwrap();
        state["params"].clone()
    };
    assert_eq!(params(&save(&mut instance)), params(&before));
    assert!(!after.contains("1001") && !after.contains("Violations"), "{after}");
}

/// Half of a program replaced by one 10 dB softer: -23 LUFS and -33 LUFS in equal parts, both within the relative gate,
/// have 10 lg(0.55), -2.596 dB, less than -23 LUFS. BS.1770-5, Annex 1.
#[test]
fn outputs_follow_what_is_replaced_on_the_timeline() {
    let mut instance = instance();
    assert!(load(&mut instance, &state_of(&serde_json::json!({ "follows_timeline": true }))));
    let mut running = Running::with(instance, STEREO);
    let mut play = |level: f64, from_s: f64| {
        let plane = tone(&[(level, 10.0)]);
        for (index, piece) in plane.chunks(480).enumerate() {
            let at_s = from_s + index as f64 * 0.01;
            running.process(&[piece, piece], Some(&transport(true, at_s)));
        }
    };
    play(-23.0, 100.0);
    play(-23.0, 110.0);
    play(-33.0, 110.0);
    let expected = -23.0 - 2.596;
    let is_there = |integrated: f64| (integrated - expected).abs() <= LOUDNESS_TOLERANCE_LU;
    let begin = std::time::Instant::now();
    while !is_there(value(&mut running.instance, "Integrated")) {
        let integrated = value(&mut running.instance, "Integrated");
        assert!(begin.elapsed().as_secs() < 20, "{integrated} is not {expected}");
        std::thread::yield_now();
    }
}
