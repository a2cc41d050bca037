//! A plugin that was exported for one effect, in a VST3 host.

use crate::chain::{assert_is_run, blocks, noise, run};
use crate::component::{Component, Mode, class_ids};
use nice_plug::wrapper::vst3::vst3::ComPtr;
use nice_plug::wrapper::vst3::vst3::Steinberg::{IPluginFactory, kResultOk};
use std::ffi::CString;
use std::path::Path;

/// The factory of a library, which stays loaded.
fn factory_of(library: &Path) -> ComPtr<IPluginFactory> {
    let path = CString::new(library.to_str().unwrap()).unwrap();
    // SAFETY: the library is that of the plugin, and the name that of its function.
    unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        assert!(!library.is_null());
        let function = libc::dlsym(library, c"GetPluginFactory".as_ptr());
        assert!(!function.is_null());
        let function: extern "system" fn() -> *mut IPluginFactory = std::mem::transmute(function);
        ComPtr::from_raw(function()).unwrap()
    }
}

fn export(folder: &Path, is_damaged: bool) -> ComPtr<IPluginFactory> {
    let tests = std::env::current_exe().unwrap();
    let plugin = std::fs::read(tests.with_file_name("libwavemill_plugin.so")).unwrap();
    let module = wavemill_runtime::bundled("stereo-width").unwrap();
    let mut bytes = wavemill_rack::export(plugin, module.bytes).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= u8::from(is_damaged);
    let path = folder.join("Stereo.so");
    std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), &bytes).unwrap();
    factory_of(&path)
}

#[test]
fn vst3_of_an_effect_plays_the_samples_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let factory = export(folder.path(), false);
    let ids = class_ids(&factory);
    assert_eq!(ids.len(), 1);
    let component = Component::of_factory(&factory, &ids[0]);
    component.restart(Mode::RealTime);
    let signal = noise(2, 20_000);
    let mut played = vec![Vec::new(); 2];
    for range in blocks(signal[0].len()) {
        let input: Vec<Vec<f32>> =
            signal.iter().map(|plane| plane[range.clone()].to_vec()).collect();
        let (output, result) = component.process(&input, 2, Mode::RealTime);
        assert_eq!(result, kResultOk);
        for (played, plane) in played.iter_mut().zip(output) {
            played.extend(plane);
        }
    }
    let expected = run(&[("stereo-width", &[])], 48_000, &signal);
    assert_is_run((&played, component.latency()), &expected, "stereo-width");
}

#[test]
fn vst3_of_a_damaged_effect_has_no_class() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(class_ids(&export(folder.path(), true)).len(), 0);
}
