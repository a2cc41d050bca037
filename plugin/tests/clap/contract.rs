//! What CLAP asks of every plugin.

use crate::host::{Running, STEREO, Stream, instance, load, save, value};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_extensions::tail::TailLength;
use clack_host::prelude::*;
use std::ffi::CString;

/// One parameter, as a DAW lists it.
struct Listed {
    id: clack_host::utils::ClapId,
    name: String,
    min: f64,
    max: f64,
    default: f64,
    flags: ParamInfoFlags,
}

fn listed(instance: &mut PluginInstance<crate::host::Host>) -> Vec<Listed> {
    let handle = instance.plugin_handle();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let list = |index| {
        let mut buffer = ParamInfoBuffer::new();
        let info = params.get_info(&handle, index, &mut buffer).unwrap();
        Listed {
            id: info.id,
            name: String::from_utf8(info.name.to_vec()).unwrap(),
            min: info.min_value,
            max: info.max_value,
            default: info.default_value,
            flags: info.flags,
        }
    };
    (0..params.count(&handle)).map(list).collect()
}

/// Those that hosts set.
fn written(instance: &mut PluginInstance<crate::host::Host>) -> Vec<Listed> {
    let mut listed = listed(instance);
    listed.retain(|param| !param.flags.contains(ParamInfoFlags::IS_READONLY));
    listed
}

#[test]
fn parameters_are_those_of_every_version() {
    let mut instance = instance();
    let listed = written(&mut instance);
    let names: Vec<&str> = listed.iter().map(|param| param.name.as_str()).collect();
    let expected =
        ["Bypass", "Reset meters", "Pause with transport", "Reset on start", "Dual mono"];
    assert_eq!(names, expected);
    for param in &listed {
        let is_bypass = param.flags.contains(ParamInfoFlags::IS_BYPASS);
        assert_eq!(is_bypass, param.name == "Bypass");
        assert!(param.flags.contains(ParamInfoFlags::IS_STEPPED | ParamInfoFlags::IS_AUTOMATABLE));
        assert!(param.min <= param.default && param.default <= param.max, "{}", param.name);
        assert!((value(&mut instance, &param.name) - param.default).abs() < 1e-9);
    }
}

#[test]
fn words_of_every_value_lead_back_to_it() {
    let mut instance = instance();
    let listed = written(&mut instance);
    let handle = instance.plugin_handle();
    let params = handle.get_extension::<PluginParams>().unwrap();
    let mut seen = Vec::new();
    for param in listed {
        let mut at = param.min;
        while at <= param.max {
            let mut buffer = [0; 128];
            let words = params.value_to_text(&handle, param.id, at, &mut buffer).unwrap();
            let words = CString::new(words.to_vec()).unwrap();
            let back = params.text_to_value(&handle, param.id, &words).unwrap();
            assert!((back - at).abs() < 1e-6, "{}: {words:?} of {at} is {back}", param.name);
            seen.push(words.into_string().unwrap());
            at += 1.0;
        }
        let nonsense = c"no such value";
        assert_eq!(params.text_to_value(&handle, param.id, nonsense), None, "{}", param.name);
    }
    assert_eq!(seen.len(), 5 * 2);
}

#[test]
fn there_is_no_latency_and_no_tail() {
    for stream in [STEREO, Stream { is_offline: true, sample_rate_hz: 192_000.0, ..STEREO }] {
        let mut running = Running::new(stream);
        assert_eq!(running.tail(), TailLength::Finite(0));
        let handle = running.instance.plugin_handle();
        let latency = handle.get_extension::<PluginLatency>().unwrap();
        assert_eq!(latency.get(&handle), 0);
    }
}

/// States that a disk, another plugin or a person left.
fn damaged() -> Vec<Vec<u8>> {
    let mut instance = instance();
    let whole = save(&mut instance);
    let behind_length =
        |bytes: &[u8]| [&u64::try_from(bytes.len()).unwrap().to_le_bytes()[..], bytes].concat();
    let mut damaged: Vec<Vec<u8>> = (0..whole.len()).map(|end| whole[..end].to_vec()).collect();
    damaged.extend([
        u64::MAX.to_le_bytes().to_vec(),
        [&u64::MAX.to_le_bytes()[..], &whole[8..]].concat(),
        (1u64 << 40).to_le_bytes().to_vec(),
        behind_length(b"{}"),
        behind_length(b"[]"),
        behind_length(b"null"),
        behind_length(&[0xff; 1000]),
        behind_length("[".repeat(100_000).as_bytes()),
    ]);
    damaged
}

#[test]
fn damaged_states_are_refused_and_change_nothing() {
    let mut instance = instance();
    let before = save(&mut instance);
    for (index, bytes) in damaged().iter().enumerate() {
        assert!(!load(&mut instance, bytes), "state {index}, {} bytes", bytes.len());
    }
    assert_eq!(save(&mut instance), before);
}

#[test]
fn flipped_bytes_of_a_state_are_survived() {
    let mut instance = instance();
    let whole = save(&mut instance);
    for place in 8..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] ^= flip;
            // Many are states of other values; none may end the process, or leave one that does not save.
            let _ = load(&mut instance, &bytes);
        }
    }
    let mut running = Running::with(instance, STEREO);
    running.process(&[[0.25; 64]; 2], None);
    let mut instance = running.stop();
    let after = save(&mut instance);
    assert!(load(&mut instance, &after));
    assert!(load(&mut instance, &whole));
}

#[test]
fn values_of_wrong_kinds_leave_what_was_there() {
    let mut instance = instance();
    let before = save(&mut instance);
    let state = serde_json::json!({
        "version": "9.9.9",
        "params": { "bypass": { "f32": 7.5 }, "capture": { "string": "sideways" }, "new": { "i32": 3 } },
        "fields": {
            "choices": "[1, 2]", "readings": "{\"integrated_lufs\": \"loud\"}", "reference": "7", "new": "{}"
        },
    });
    let state = state.to_string().into_bytes();
    let state = [&u64::try_from(state.len()).unwrap().to_le_bytes()[..], &state].concat();
    assert!(
        load(&mut instance, &state),
        "a newer version's state loads, as far as it is understood"
    );
    assert_eq!(save(&mut instance), before);
}

#[test]
fn readings_begin_anew_with_another_rate_only() {
    let mut running = Running::new(STEREO);
    let reading = |running: &mut Running| {
        let readings = crate::readings::readings(&save(&mut running.instance));
        readings["measured_s"].as_f64()
    };
    let second = vec![vec![0.25; 4000]; 2];
    let play = |running: &mut Running| (0..12).for_each(|_| running.process(&second, None));
    play(&mut running);
    assert_eq!(reading(&mut running), Some(1.0));
    // A pause of the DAW's engine: the session goes on.
    let mut running = Running::with(running.stop(), STEREO);
    running.reset();
    running.process(&[[0.0f32; 0]; 2], None);
    play(&mut running);
    assert_eq!(reading(&mut running), Some(2.0));
    for sample_rate_hz in [96_000.0, 44_100.0] {
        let stream = Stream { sample_rate_hz, ..STEREO };
        running = Running::with(running.stop(), stream);
        play(&mut running);
        let measured_s = reading(&mut running).unwrap();
        assert!((measured_s - 48_000.0 / sample_rate_hz).abs() < 0.05, "{measured_s}");
    }
}

#[test]
fn many_instances_live_beside_each_other() {
    let mut all: Vec<Running> = (0..8).map(|_| Running::new(STEREO)).collect();
    for round in 0..20u8 {
        for (index, running) in all.iter_mut().enumerate() {
            let level = f32::from(round) / 100.0 * if index % 2 == 0 { 1.0 } else { -1.0 };
            running.process(&vec![vec![level; 480]; 2], None);
            assert!(
                running.output().iter().flatten().all(|sample| sample.to_bits() == level.to_bits())
            );
        }
    }
    for running in all {
        running.stop();
    }
}
