//! `wavemill effects export-clap`; the plugins themselves are tested in hosts, with the plugin.

use crate::bench::Bench;
use crate::module::Source;
use std::path::PathBuf;
use wavemill_tests::lab::put;

/// Something with the mark of Wavemill's plugin.
fn plugin(bench: &Bench) -> PathBuf {
    let path = bench.lab.aside("Wavemill.clap");
    let mark = b"wavemill: exported effect 0\0\0\0\0\0";
    put(&path, &[&[1; 1000][..], mark, &[2; 1000]].concat());
    path
}

#[test]
fn both_plugins_are_written_with_the_module_and_never_over_others() {
    let bench = Bench::with(&Source::gain());
    let (plugin, folder) = (plugin(&bench), bench.lab.path("out/x"));
    let folder = folder.parent().unwrap();
    let export = |more: &[&str]| {
        let mut command = bench.lab.command(["effects", "export-clap"]);
        command
            .arg("--plugin")
            .arg(&plugin)
            .arg("--output")
            .arg(folder)
            .arg(bench.module())
            .args(more);
        command.output().unwrap()
    };
    let output = export(&[]);
    assert!(output.status.success(), "{output:?}");
    let clap = std::fs::read(folder.join("Test.clap")).unwrap();
    let module = Source::gain().assemble();
    assert_eq!(clap[..1000], [1; 1000]);
    assert!(clap.windows(module.len()).any(|bytes| bytes == module));
    let library = format!("Test.vst3/Contents/{}-linux/Test.so", std::env::consts::ARCH);
    assert!(std::fs::read(folder.join(library)).unwrap() == clap);
    let again = export(&[]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("--force"), "{again:?}");
    assert!(export(&["--force"]).status.success());
}

#[test]
fn what_cannot_be_exported_is_refused_in_one_line() {
    let bench = Bench::with(&Source::gain());
    let (right, module) = (plugin(&bench), bench.module());
    let (other, bad) = (bench.lab.aside("other.clap"), bench.lab.aside("bad.wasm"));
    put(&other, b"a library of others");
    // It gives up: `effects check` finds that.
    put(&bad, &Source::gain().after(1, "(return (i32.const 7))").assemble());
    for (module, plugin, said) in [
        (&module, &bench.lab.aside("missing.clap"), "cargo xtask bundle"),
        (&module, &other, "not Wavemill's plugin"),
        (&bad, &right, "effects check"),
        (&other, &right, "not a WebAssembly module"),
    ] {
        let mut command = bench.lab.command(["effects", "export-clap"]);
        let output = command.arg(module).arg("--plugin").arg(plugin).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(said) && text.trim_end().lines().count() == 1, "{text}");
    }
}
