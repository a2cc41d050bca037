//! `wavemill effects`, `plan` and `steps` on effects.

use crate::bench::Bench;
use crate::module::Source;
use std::path::Path;
use wavemill_tests::lab::Lab;

#[test]
fn describe_prints_a_manual_with_everything_that_a_pipeline_needs() {
    let bench = Bench::with(&Source::echo());
    let module = bench.module();
    let ended = bench.lab.run([Path::new("effects"), Path::new("describe"), &module]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for text in [
        "Test 1.0.0: A test.",
        "preset = \"loud\"",
        "with = { gain_lin = 2.0 }",
        "gain_lin  a number from 0 to 4, default 0.5",
        "loud",
        "gain_lin = 2.0",
        "1 to 2",
        "1000 frames",
        "com.example.test",
    ] {
        assert!(ended.stdout.contains(text), "{text} is missing:\n{}", ended.stdout);
    }
}

#[test]
fn describe_as_json_names_hash_and_timing() {
    let bench = Bench::with(&Source::echo());
    let module = bench.module();
    let words = ["effects", "describe", "--json"].map(Path::new);
    let json = bench.lab.run(words.into_iter().chain([module.as_path()])).json();
    let effect = &json["effect"];
    assert_eq!(effect["description"]["params"][0]["key"], "gain_lin");
    assert_eq!(effect["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(effect["timing"]["tail_frames"], 1000);
}

#[test]
fn every_bundled_effect_is_listed_and_has_a_manual() {
    let lab = Lab::new();
    let listed = lab.run(["effects", "list", "--json"]).json();
    let listed = listed["effects"].as_array().unwrap().clone();
    assert_eq!(listed.len(), wavemill_runtime::bundled::MODULES.len());
    for (effect, module) in listed.iter().zip(wavemill_runtime::bundled::MODULES) {
        assert_eq!(effect["name"], module.name);
        assert_eq!(effect["sha256"], module.sha256);
        let ended = lab.run(["effects", "describe", module.name]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains(&format!("effect = \"{}\"", module.name)), "{ended:?}");
    }
}

#[test]
fn effects_of_a_pipeline_are_listed_with_where_they_are_used() {
    let bench = Bench::with(&Source::gain());
    let words = ["effects", "list", "--json"].map(Path::new);
    let json = bench.lab.run(words.into_iter().chain([bench.pipeline.as_path()])).json();
    assert_eq!(json["effects"][0]["name"], "fx/test.wasm");
    assert_eq!(json["effects"][0]["pinned"], false);
}

#[test]
fn unknown_effect_is_refused_in_one_line_that_helps() {
    let lab = Lab::new();
    let ended = lab.run(["effects", "describe", "nosuch"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("unknown effect `nosuch`") && ended.stderr.contains(".wasm"));
}

#[test]
fn plan_shows_the_effect_and_writes_nothing() {
    let bench = Bench::with(&Source::echo());
    let input = bench.drop_noise("in/a.wav", 1, 1);
    let ended = bench.lab.run([Path::new("plan"), &bench.pipeline, &input]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("effect fx/test.wasm (Test 1.0.0): latency"), "{ended:?}");
    assert!(ended.stdout.contains("(1000 frames)"), "{ended:?}");
    assert_eq!(bench.lab.files("out"), [""; 0]);
}

#[test]
fn check_reports_a_mistake_in_an_effect_with_its_place() {
    let bench = Bench::new("[[step]]\neffect = \"fx/test.wasm\"\nwith = { gian_lin = 1 }\n");
    bench.install(&Source::gain().assemble());
    let ended = bench.lab.run([Path::new("check"), &bench.pipeline]);
    assert_eq!(ended.code, Some(78), "{ended:?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains("did you mean `gain_lin`?") && said.contains("gian_lin"), "{said}");
}
