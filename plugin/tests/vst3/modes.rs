//! What a host says of modes and channels, and what it should not have done.

use crate::component::{Component, Mode, RACK};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::SpeakerArr;
use nice_plug::wrapper::vst3::vst3::Steinberg::kResultOk;
use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// An instance that captures offline bounces.
fn capturing(folder: &Path) -> Component {
    let component = Component::new();
    let choices = serde_json::json!({ "capture_folder": folder }).to_string();
    component.load(&serde_json::json!({
        "version": "0.1.0", "params": {}, "fields": { "choices": choices, "capture": "\"bounce\"" }
    }));
    component
}

fn block(value: f32) -> Vec<Vec<f32>> {
    vec![vec![value; 512]; 2]
}

/// Plays as many blocks; the signal passes.
fn play(component: &Component, value: f32, mode: Mode) {
    for _ in 0..40 {
        assert_eq!(component.process(&block(value), 2, mode), (block(value), kResultOk));
    }
}

/// First samples of the captures, in their order.
fn firsts(folder: &Path) -> Vec<f32> {
    let first = |path: &PathBuf| {
        let samples = hound::WavReader::open(path).unwrap().into_samples::<f32>();
        let samples: Vec<f32> = samples.map(Result::unwrap).collect();
        assert_eq!(samples.len(), 2 * 40 * 512);
        assert!(samples.iter().all(|sample| sample.to_bits() == samples[0].to_bits()));
        samples[0]
    };
    let mut firsts: Vec<f32> = files(folder).iter().map(first).collect();
    firsts.sort_by(f32::total_cmp);
    firsts
}

/// The framework takes a mode from the setup before the current one: the first bounce would be missing, and what is
/// played after it be captured.
#[test]
fn vst3_bounces_are_captured_and_nothing_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let component = capturing(folder.path());
    for (value, mode) in [
        (0.125, Mode::RealTime),
        (0.25, Mode::Offline),
        (0.375, Mode::RealTime),
        (0.5, Mode::Offline),
        (0.625, Mode::RealTime),
    ] {
        component.restart(mode);
        play(&component, value, mode);
    }
    drop(component);
    assert_eq!(firsts(folder.path()), [0.25, 0.5]);
}

/// As hosts do that say it once only.
#[test]
fn vst3_mode_of_the_setup_counts_when_blocks_do_not_state_it() {
    let folder = tempfile::tempdir().unwrap();
    let component = capturing(folder.path());
    for (value, mode) in [(0.25, Mode::Offline), (0.375, Mode::RealTime), (0.5, Mode::Offline)] {
        component.restart(mode);
        play(&component, value, Mode::RealTime);
    }
    drop(component);
    assert_eq!(firsts(folder.path()), [0.25, 0.5]);
}

/// As Ardour 7 and 8 do: no new setup, every block states it.
#[test]
fn vst3_mode_of_the_blocks_counts_when_the_setup_does_not_state_it() {
    let folder = tempfile::tempdir().unwrap();
    let component = capturing(folder.path());
    component.restart(Mode::RealTime);
    for (value, mode) in [
        (0.125, Mode::RealTime),
        (0.25, Mode::Offline),
        (0.375, Mode::RealTime),
        (0.5, Mode::Offline),
    ] {
        play(&component, value, mode);
    }
    drop(component);
    assert_eq!(firsts(folder.path()), [0.25, 0.5]);
}

#[test]
fn vst3_processing_without_activation_passes_the_signal_and_is_refused() {
    let component = Component::new();
    let (_, result) = component.process(&block(0.25), 2, Mode::RealTime);
    assert_ne!(result, kResultOk, "there is no setup");
    assert_eq!(component.set_up(48_000.0, Mode::RealTime), kResultOk);
    let (output, result) = component.process(&block(0.25), 2, Mode::RealTime);
    assert_eq!(output, block(0.25));
    assert_ne!(result, kResultOk, "it is not active");
    assert_eq!(component.activate(true), kResultOk);
    play(&component, 0.5, Mode::RealTime);
    component.activate(false);
    let (output, result) = component.process(&block(0.25), 2, Mode::RealTime);
    assert_eq!(output, block(0.25));
    assert_ne!(result, kResultOk, "it is not active any more");
}

#[test]
fn vst3_block_of_other_channels_passes() {
    let component = Component::new();
    component.restart(Mode::RealTime);
    for (inputs, outputs) in [(2, 4), (4, 4), (8, 2), (1, 2), (2, 1), (0, 2), (2, 0), (0, 0)] {
        let input = vec![vec![0.25; 64]; inputs];
        let (output, result) = component.process(&input, outputs, Mode::RealTime);
        assert_eq!(result, kResultOk, "{inputs} to {outputs}");
        let expected = |index| vec![if index < inputs { 0.25 } else { 0.0 }; 64];
        let expected: Vec<_> = (0..outputs).map(expected).collect();
        assert_eq!(output, expected, "{inputs} to {outputs}");
    }
    play(&component, 0.5, Mode::RealTime);
}

#[test]
fn vst3_activation_with_no_sample_rate_is_refused() {
    for rate_hz in [0.0, -48_000.0, f64::NAN, f64::INFINITY, 1e9, 10.0] {
        let component = Component::new();
        component.set_up(rate_hz, Mode::RealTime);
        assert_ne!(component.activate(true), kResultOk, "{rate_hz} Hz");
        let (output, _) = component.process(&block(0.25), 2, Mode::RealTime);
        assert_eq!(output, block(0.25));
        component.restart(Mode::RealTime);
        play(&component, 0.5, Mode::RealTime);
    }
}

/// The meter weighs loudspeakers by their places, so it must say which it has.
#[test]
fn vst3_loudspeakers_are_those_that_are_measured() {
    let component = Component::new();
    for speakers in [
        SpeakerArr::kMono,
        SpeakerArr::kStereo,
        SpeakerArr::k30Cine,
        SpeakerArr::k40Music,
        SpeakerArr::k50,
        SpeakerArr::k51,
        SpeakerArr::k71Music,
        SpeakerArr::k51_4,
        SpeakerArr::k71_4,
    ] {
        assert_eq!(component.arranged(speakers), Some(speakers), "{speakers:#x}");
    }
    assert_eq!(component.arranged(SpeakerArr::k71_4 | 1 << 24), None, "13 channels");
    let rack = Component::of(RACK);
    assert_eq!(rack.arranged(SpeakerArr::k71Music), Some(SpeakerArr::k71Music));
    assert_eq!(rack.arranged(SpeakerArr::k71_4), None, "effects have no more than 8 channels");
}
