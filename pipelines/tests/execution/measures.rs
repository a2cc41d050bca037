//! What the report says besides loudness: the numbers of the analyzer, for the source and for exports.

use crate::lab::{Lab, integers, noise, pipeline, wav};
use serde_json::Value;
use wavemill_core::analysis::{self, MeasureGroup, Options};
use wavemill_core::audio::{PcmFormat, SampleFormat, StreamSpec};
use wavemill_pipelines::report::measures;

const OUTPUTS: &str = "[[export]]\nformat = \"wav\"\nbit_depth = 16\npath = \"{stem}-out.{ext}\"\n\
                       [report]\njson = \"{stem}.json\"\nmeasure = \"all\"\n";

/// What the analyzer says of a 16-bit file, as a report has it.
fn analyzed(lab: &Lab, file: &str) -> Value {
    let (spec, samples) = integers(&lab.path(file));
    let channels = usize::from(spec.channels);
    #[expect(clippy::cast_possible_truncation, reason = "16-bit integers are floats exactly")]
    let plane = |channel: usize| -> Vec<f32> {
        let samples = samples.iter().skip(channel).step_by(channels);
        samples.map(|sample| (f64::from(*sample) / 32_768.0) as f32).collect()
    };
    let planes: Vec<Vec<f32>> = (0..channels).map(plane).collect();
    let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    let spec = StreamSpec::new(spec.sample_rate, channels);
    let format = PcmFormat { sample_format: SampleFormat::Int, bit_depth: 16 };
    let options = Options { groups: MeasureGroup::ALL.to_vec(), ..Options::default() };
    measures(&analysis::analyze(&planes, &spec, format, &options).unwrap())
}

fn report(lab: &Lab, steps: &str) -> Value {
    let input = lab.file("a.wav", &wav(48_000, 16, &[noise(1, 96_000), noise(2, 96_000)]));
    let outcome = lab.run(&pipeline(&format!("{steps}\n{OUTPUTS}")), &input).unwrap();
    assert_eq!(outcome.rejected, None);
    outcome.report
}

/// Every road by which the source is measured: beside the first pass, in a scan before it, and beside
/// a step that measures the loudness itself.
#[test]
fn report_has_the_analyzers_numbers_of_source_and_export() {
    let gate = "[[require]]\nintegrated_lufs = { min = -60.0 }\n";
    let loud = "[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -30.0 }\n";
    let gain = "[[step]]\nuse = \"gain\"\nwith = { gain_db = -3.0 }\n";
    for steps in ["", gain, loud, &format!("{gate}{gain}"), &format!("{gate}{loud}")] {
        let lab = Lab::new();
        let report = report(&lab, steps);
        let (source, export) = (analyzed(&lab, "in/a.wav"), analyzed(&lab, "out/a-out.wav"));
        // Features are not in "all".
        for group in MeasureGroup::ALL.iter().filter(|group| **group != MeasureGroup::Features) {
            let name = group.name();
            assert_eq!(report[name], source[name], "{name} of the source\n{steps}");
            assert_eq!(report["outputs"][0][name], export[name], "{name} of the export\n{steps}");
        }
    }
}

#[test]
fn report_without_the_key_has_loudness_only() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[noise(1, 48_000)]));
    let outputs = OUTPUTS.replace("measure = \"all\"\n", "");
    let report = lab.run(&pipeline(&outputs), &input).unwrap().report;
    assert!(report["loudness"].is_object());
    assert!(report.get("level").is_none() && report["outputs"][0].get("level").is_none());
}
