//! The analyzer as a library: samples in memory.

use wavemill_core::analysis::{self, Analyzer, MeasureGroup, Options};
use wavemill_core::audio::{Block, PcmFormat, StreamSpec};

fn sine(frame_count: u32, frequency: f64) -> Vec<f32> {
    let sample = |frame| (2.0 * std::f64::consts::PI * frequency * f64::from(frame)).sin() * 0.5;
    #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
    let sine = (0..frame_count).map(|frame| sample(frame) as f32).collect();
    sine
}

#[test]
fn any_cut_gives_the_same_analysis() {
    let (left, right) = (sine(30_000, 0.01), sine(30_000, 0.013));
    let (spec, format) = (StreamSpec::new(48_000, 2), PcmFormat::FLOAT);
    let options = Options::default();
    let whole = analysis::analyze(&[&left, &right], &spec, format, &options).unwrap();
    for frames in [1, 7, 64, 333, 4096] {
        let mut analyzer = Analyzer::new(&spec, format, &options);
        let mut block = Block::new(2, frames);
        for (left, right) in left.chunks(frames).zip(right.chunks(frames)) {
            block.set_frame_count(left.len());
            block.plane_mut(0).copy_from_slice(left);
            block.plane_mut(1).copy_from_slice(right);
            analyzer.push(&block).unwrap();
        }
        assert_eq!(analyzer.finish(), whole, "blocks of {frames} frames");
    }
}

#[test]
fn groups_not_asked_for_are_absent() {
    let plane = sine(30_000, 0.01);
    let spec = StreamSpec::new(48_000, 1);
    let options = Options { groups: vec![MeasureGroup::Level], ..Options::default() };
    let result = analysis::analyze(&[&plane], &spec, PcmFormat::FLOAT, &options).unwrap();
    assert!(result.level.is_some());
    assert_eq!(result.loudness, None);
}

#[test]
fn sample_that_is_no_number_is_named() {
    let mut plane = sine(30_000, 0.01);
    plane[20_000] = f32::NAN;
    let spec = StreamSpec::new(48_000, 1);
    let options = Options::default();
    let error = analysis::analyze(&[&plane], &spec, PcmFormat::FLOAT, &options).unwrap_err();
    assert_eq!(error.to_string(), "frame 20000 has a NaN or infinite sample");
}
