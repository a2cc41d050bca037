//! `wavemill effects bench`.

use wavemill_tests::lab::Lab;

#[test]
fn bench_of_a_bundled_effect_shows_time_and_fuel_by_block_size() {
    let lab = Lab::new();
    let json = lab.run(["effects", "bench", "gate", "--json"]).json();
    assert_eq!(json["sample_rate_hz"], 48_000);
    assert_eq!(json["channels"], 2);
    let blocks = json["blocks"].as_array().unwrap();
    let sizes: Vec<_> =
        blocks.iter().map(|block| block["block_frames"].as_u64().unwrap()).collect();
    assert_eq!(sizes, [64, 256, 1_024, 4_096]);
    for block in blocks {
        for key in ["ns_per_frame", "real_time_factor", "fuel_per_frame"] {
            assert!(block[key].as_f64().unwrap() > 0.0, "{block}");
        }
    }
}

#[test]
fn fuel_of_bench_is_the_same_every_time() {
    let lab = Lab::new();
    let fuel = || {
        let json = lab.run(["effects", "bench", "gate", "--json"]).json();
        let blocks = json["blocks"].as_array().unwrap().clone();
        blocks.iter().map(|block| block["fuel_per_frame"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(fuel(), fuel());
}

#[test]
fn bench_of_what_is_no_module_says_so_in_one_line() {
    let lab = Lab::new();
    let ended = lab.run(["effects", "bench", "nothing.wasm"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("nothing.wasm"), "{ended:?}");
    assert_eq!(ended.stderr.trim_end().lines().count(), 1, "{ended:?}");
}
