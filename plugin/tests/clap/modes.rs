//! What a host says of modes and channels, and what it should not have done.

use crate::captures::{files, state};
use crate::host::{Host, Running, STEREO, Stream, instance, load};
use clack_extensions::render::{PluginRender, RenderMode};
use clack_host::prelude::*;
use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use std::path::Path;
use std::ptr;

/// First samples of the captures, in their order.
fn firsts(folder: &Path) -> Vec<f32> {
    let first = |path: &std::path::PathBuf| {
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

const MODES: [(f32, bool); 5] =
    [(0.125, false), (0.25, true), (0.375, false), (0.5, true), (0.625, false)];

#[test]
fn bounces_are_captured_and_nothing_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut instance = instance();
    assert!(load(&mut instance, &state(folder.path())));
    for (value, is_offline) in MODES {
        let mut running = Running::with(instance, Stream { is_offline, ..STEREO });
        running.capture("bounce");
        (0..40).for_each(|_| running.process(&[[value; 512]; 2], None));
        instance = running.stop();
    }
    drop(instance);
    assert_eq!(firsts(folder.path()), [0.25, 0.5]);
}

/// A mode counts from the next block on. CLAP lets hosts set it at any time.
#[test]
fn mode_that_changes_while_active_counts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut instance = instance();
    assert!(load(&mut instance, &state(folder.path())));
    let mut running = Running::with(instance, Stream { is_offline: true, ..STEREO });
    running.capture("bounce");
    for (value, is_offline) in MODES {
        let mode = if is_offline { RenderMode::Offline } else { RenderMode::Realtime };
        let handle = running.instance.plugin_handle();
        handle.get_extension::<PluginRender>().unwrap().set(&handle, mode).unwrap();
        (0..40).for_each(|_| running.process(&[[value; 512]; 2], None));
    }
    drop(running.stop());
    assert_eq!(firsts(folder.path()), [0.25, 0.5]);
}

/// Processes a block without asking whether that is allowed.
fn process(
    instance: &mut PluginInstance<Host>,
    inputs: usize,
    outputs: usize,
) -> (Vec<Vec<f32>>, clap_process_status) {
    let mut planes = [vec![vec![0.25; 64]; inputs], vec![vec![9.0; 64]; outputs]];
    let mut pointers: [Vec<*mut f32>; 2] =
        planes.each_mut().map(|planes| planes.iter_mut().map(Vec::as_mut_ptr).collect());
    let [from, mut to] = pointers.each_mut().map(|pointers| clap_audio_buffer {
        data32: pointers.as_mut_ptr(),
        data64: ptr::null_mut(),
        channel_count: u32::try_from(pointers.len()).unwrap(),
        latency: 0,
        constant_mask: 0,
    });
    let block = clap_process {
        steady_time: -1,
        frames_count: 64,
        transport: ptr::null(),
        audio_inputs: &raw const from,
        audio_outputs: &raw mut to,
        audio_inputs_count: 1,
        audio_outputs_count: 1,
        in_events: ptr::null(),
        out_events: ptr::null(),
    };
    let plugin = instance.raw_instance();
    // SAFETY: the pointers are those of the planes above.
    let result = unsafe { plugin.process.unwrap()(plugin, &raw const block) };
    let [_, output] = planes;
    (output, result)
}

/// What comes out of so many channels.
fn passed(inputs: usize, outputs: usize) -> Vec<Vec<f32>> {
    (0..outputs).map(|index| vec![if index < inputs { 0.25 } else { 0.0 }; 64]).collect()
}

#[test]
fn processing_without_activation_passes_the_signal_and_is_refused() {
    let mut instance = instance();
    assert_eq!(process(&mut instance, 2, 2), (passed(2, 2), CLAP_PROCESS_ERROR));
    let mut running = Running::with(instance, STEREO);
    running.process(&[[0.5; 64]; 2], None);
    let mut instance = running.stop();
    assert_eq!(process(&mut instance, 2, 2), (passed(2, 2), CLAP_PROCESS_ERROR));
}

#[test]
fn block_of_other_channels_passes() {
    let mut running = Running::new(STEREO);
    for (inputs, outputs) in [(2, 4), (4, 4), (8, 2), (1, 2), (2, 1), (0, 2), (2, 0), (0, 0)] {
        let (output, result) = process(&mut running.instance, inputs, outputs);
        assert_eq!(output, passed(inputs, outputs), "{inputs} to {outputs}");
        assert_ne!(result, CLAP_PROCESS_ERROR, "{inputs} to {outputs}");
    }
    running.process(&[[0.5; 64]; 2], None);
    running.stop();
}

#[test]
fn activation_with_no_sample_rate_is_refused() {
    for sample_rate in [0.0, -48_000.0, f64::NAN, f64::INFINITY, 1e9, 10.0] {
        let mut instance = instance();
        let config =
            PluginAudioConfiguration { sample_rate, min_frames_count: 1, max_frames_count: 64 };
        assert!(instance.activate(|_, _| (), config).is_err(), "{sample_rate} Hz");
        assert_eq!(process(&mut instance, 2, 2), (passed(2, 2), CLAP_PROCESS_ERROR));
        let mut running = Running::with(instance, STEREO);
        running.process(&[[0.5; 64]; 2], None);
        running.stop();
    }
}
