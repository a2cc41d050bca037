//! What outputs keep of the source, and what they promise of their levels.

use crate::lab::{Lab, chunk, integers, noise, pipeline, riff, wav};
use serde_json::Value;
use wavemill_core::units::SampleRate;
use wavemill_pipelines::execution::RunError;

const LOUDNESS: &str = "[[step]]\nuse = \"loudness\"\n";

/// A mono WAV file of 64-bit floats.
fn wav_of_doubles(samples: &[f64]) -> Vec<u8> {
    let format: Vec<u8> = [3u16, 1]
        .iter()
        .flat_map(|field| field.to_le_bytes())
        .chain(48_000u32.to_le_bytes())
        .chain((48_000u32 * 8).to_le_bytes())
        .chain([8u16, 64].iter().flat_map(|field| field.to_le_bytes()))
        .collect();
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    riff(&[chunk(*b"fmt ", &format), chunk(*b"data", &data)])
}

#[test]
fn processed_8_bit_source_gets_16_bits() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(44_100, 8, &[noise(1, 9000)]));
    let body = "[[step]]\nuse = \"gain\"\nwith = { gain_db = -6.0 }\n\
                [[export]]\nformat = \"flac\"\npath = \"{stem}.flac\"\n\
                [[export]]\nafter = \"decode\"\nformat = \"flac\"\npath = \"{stem}-copy.flac\"\n";
    let report = lab.run(&pipeline(body), &input).unwrap().report;
    assert_eq!(report["outputs"][0]["bit_depth"], 16);
    assert_eq!(report["outputs"][1]["bit_depth"], 8);
}

#[test]
fn files_that_no_step_changes_keep_their_integers() {
    let silence = vec![0.0; 60_000];
    let quiet: Vec<f32> = noise(4, 60_000).iter().map(|sample| sample * 0.1).collect();
    for (bits, plane, with) in [
        (16, &silence, "target_lufs = -16.0"),
        (24, &silence, "target_lufs = -16.0"),
        (16, &quiet, "target_lufs = -10.0, lower_only = true"),
        (24, &quiet, "target_lufs = -10.0, lower_only = true"),
    ] {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(48_000, bits, std::slice::from_ref(plane)));
        let body = format!(
            "{LOUDNESS}with = {{ {with} }}\n[[export]]\nformat = \"wav\"\npath = \"{{stem}}.wav\"\n"
        );
        let report = lab.run(&pipeline(&body), &input).unwrap().report;
        assert!(integers(&input).1 == integers(&lab.path("out/a.wav")).1, "{bits} bits, {with}");
        assert_eq!(report["outputs"][0]["dither"], "none");
    }
}

#[test]
fn changed_samples_are_still_dithered() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[noise(4, 60_000)]));
    let body = format!(
        "{LOUDNESS}with = {{ target_lufs = -30.0 }}\n[[export]]\nformat = \"wav\"\npath = \"{{stem}}.wav\"\n"
    );
    let report = lab.run(&pipeline(&body), &input).unwrap().report;
    assert_eq!(report["outputs"][0]["dither"], "tpdf");
}

#[test]
fn outputs_count_mono_as_their_loudness_step_does() {
    let outcome = |mono: &str| {
        let lab = Lab::new();
        let input = lab.file("a.wav", &wav(48_000, 24, &[noise(5, 96_000)]));
        let body = format!(
            "{LOUDNESS}with = {{ target_lufs = -30.0, mono = \"{mono}\" }}\n\
             [[require]]\non = \"output\"\nintegrated_lufs = {{ target = -30.0, tolerance = 0.1 }}\n\
             [[export]]\nformat = \"wav\"\npath = \"{{stem}}.wav\"\n[report]\njson = \"{{stem}}.json\"\n"
        );
        let outcome = lab.run(&pipeline(&body), &input).unwrap();
        assert_eq!(outcome.rejected, None, "{mono}");
        outcome.report["outputs"][0].clone()
    };
    assert_eq!(outcome("dual")["mono"], "dual");
    assert_eq!(outcome("single")["mono"], Value::Null);
}

#[test]
fn doubles_are_not_said_to_be_kept_by_floats() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav_of_doubles(&vec![0.1; 4800]));
    let body = "[[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n";
    let report = lab.run(&pipeline(body), &input).unwrap().report;
    let warning = report["warnings"][0].as_str().unwrap();
    assert!(warning.contains("wav cannot store 64-bit float"), "{warning}");
}

/// The time references of what `trim-silence` makes of a file with silence of these frames before and
/// after its sound, whose first frame is the 90,000th since midnight, and of an untouched copy.
fn trimmed_time_references(before: usize, after: usize) -> [u64; 2] {
    let mut bext = vec![0; 602];
    bext[0] = b'x';
    bext[338..346].copy_from_slice(&90_000u64.to_le_bytes());
    let plane = [vec![0.0; before], vec![0.5; 9_000], vec![0.0; after]].concat();
    let source = wav(48_000, 16, &[plane]);
    let lab = Lab::new();
    let input = lab.file("a.wav", &riff(&[chunk(*b"bext", &bext), source[12..].to_vec()]));
    // 0.01 s at 48 kHz: 480 frames of the silence stay.
    let body = "[[step]]\nuse = \"trim-silence\"\nwith = { pad_s = 0.01 }\n\
                [[step]]\nuse = \"gain\"\nwith = { gain_db = -6.0 }\n\
                [[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n\
                [[export]]\nafter = \"decode\"\nformat = \"wav\"\npath = \"{stem}-copy.wav\"\n";
    lab.run(&pipeline(body), &input).unwrap();
    ["a.wav", "a-copy.wav"].map(|name| {
        let bytes = std::fs::read(lab.path("out").join(name)).unwrap();
        let bext = bytes.windows(4).position(|window| window == b"bext").unwrap() + 8;
        u64::from_le_bytes(bytes[bext + 338..bext + 346].try_into().unwrap())
    })
}

#[test]
fn time_of_the_first_frame_moves_with_the_frames_cut_off_before_it() {
    // Of 48,000 silent frames 480 stay: the file starts 47,520 frames later.
    assert_eq!(trimmed_time_references(48_000, 24_000), [137_520, 90_000]);
}

#[test]
fn time_of_the_first_frame_stays_where_only_the_end_is_cut() {
    assert_eq!(trimmed_time_references(0, 24_000), [90_000, 90_000]);
}

/// A 48 kHz file of 96,000 frames with broadcast information and two cue points, one of them labeled.
fn marked(lab: &Lab) -> std::path::PathBuf {
    let mut bext = vec![0; 602];
    bext[0] = b'x';
    let point = |id: u32, frame: u32| {
        [id, frame, u32::from_le_bytes(*b"data"), 0, 0, frame].map(u32::to_le_bytes).concat()
    };
    let cue = [&2u32.to_le_bytes()[..], &point(1, 1_000), &point(2, 60_000)].concat();
    let labels = b"adtllabl\x09\0\0\0\x02\0\0\0here\0\0";
    let source = wav(48_000, 16, &[noise(3, 96_000).iter().map(|s| s * 0.3).collect()]);
    let chunks = [chunk(*b"bext", &bext), chunk(*b"cue ", &cue), chunk(*b"LIST", labels)].concat();
    lab.file("a.wav", &riff(&[chunks, source[12..].to_vec()]))
}

#[test]
fn times_of_the_first_frame_are_true_after_cuts_and_conversions() {
    let lab = Lab::new();
    let mut bext = vec![0; 602];
    bext[338..346].copy_from_slice(&96_000u64.to_le_bytes());
    let ixml = b"<BWFXML><SPEED><TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>192000\
                 </TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO></SPEED></BWFXML>\n";
    let source = wav(48_000, 16, &[noise(3, 96_000)]);
    let chunks = [chunk(*b"bext", &bext), chunk(*b"iXML", ixml)].concat();
    let input = lab.file("a.wav", &riff(&[chunks, source[12..].to_vec()]));
    let body = "[[step]]\nuse = \"range\"\nwith = { start_s = 0.5 }\n\
                [[export]]\nformat = \"wav\"\nsample_rate_hz = 24000\npath = \"{stem}-half.wav\"\n";
    lab.run(&pipeline(body), &input).unwrap();
    let tags = tags_of(&lab.path("out/a-half.wav"));
    // Two and four seconds since midnight, and half of one cut off.
    assert_eq!(tags.broadcast.unwrap().time_reference, Some(60_000));
    assert_eq!(tags.recording.unwrap().time_reference, Some(108_000));
}

fn tags_of(path: &std::path::Path) -> wavemill_core::tags::Tags {
    let mut file = std::fs::File::open(path).unwrap();
    wavemill_core::tags::read(&mut file, Some("wav")).unwrap().tags
}

#[test]
fn cue_points_move_with_what_steps_cut_and_convert_and_are_dropped_with_it() {
    let lab = Lab::new();
    let input = marked(&lab);
    // Half a second is cut off: 24,000 frames.
    let body = "[[step]]\nuse = \"range\"\nwith = { start_s = 0.5 }\n\
                [[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n\
                [[export]]\nformat = \"wav\"\nsample_rate_hz = 24000\npath = \"{stem}-half.wav\"\n\
                [[export]]\nformat = \"flac\"\npath = \"{stem}.flac\"\n\
                [[export]]\nafter = \"decode\"\nformat = \"wav\"\npath = \"{stem}-copy.wav\"\n";
    lab.run(&pipeline(body), &input).unwrap();
    let cues = |name: &str| {
        let found = tags_of(&lab.path("out").join(name)).cues.into_iter();
        found
            .map(|cue| (cue.start.frame(SampleRate(48_000)), cue.label.unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    let here = || "here".to_owned();
    assert_eq!(cues("a.wav"), [(36_000, here())]);
    assert_eq!(cues("a.flac"), [(36_000, here())]);
    assert_eq!(cues("a-half.wav"), [(18_000, here())]);
    assert_eq!(cues("a-copy.wav"), [(1_000, String::new()), (60_000, here())]);
}

#[test]
fn broadcast_wave_states_the_loudness_of_its_own_samples() {
    let lab = Lab::new();
    let input = marked(&lab);
    let body = "[[step]]\nuse = \"gain\"\nwith = { gain_db = -6.0 }\n\
                [[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n[report]\njson = \"{stem}.json\"\n";
    let report = lab.run(&pipeline(body), &input).unwrap().report;
    let bytes = std::fs::read(lab.path("out/a.wav")).unwrap();
    let bext = bytes.windows(4).position(|window| window == b"bext").unwrap() + 8;
    assert_eq!(bytes[bext + 346..bext + 348], [2, 0]);
    let keys = [
        "integrated_lufs",
        "loudness_range_lu",
        "true_peak_dbtp",
        "momentary_max_lufs",
        "short_term_max_lufs",
    ];
    for (index, key) in keys.into_iter().enumerate() {
        let at = bext + 412 + 2 * index;
        let stated = f64::from(i16::from_le_bytes([bytes[at], bytes[at + 1]])) / 100.0;
        // Two seconds have no range and no short-term loudness.
        let expected = report["outputs"][0]["loudness"][key].as_f64().unwrap_or(327.67);
        assert!((stated - expected).abs() < 0.006, "{key}: {stated}, {expected}");
    }
}

#[test]
fn channels_mixed_beyond_the_ceiling_are_refused() {
    let lab = Lab::new();
    let plane = noise(7, 96_000);
    let input = lab.file("a.wav", &wav(48_000, 16, &vec![plane; 6]));
    let export = "[[export]]\nformat = \"wav\"\nchannels = 2\npath = \"{stem}.wav\"\n";
    let loudness = format!("{LOUDNESS}with = {{ target_lufs = 0.0 }}\n");
    let error = lab.run(&pipeline(&format!("{loudness}{export}")), &input).unwrap_err();
    let RunError::Refused { reason } = error else { panic!("{error}") };
    assert!(reason.contains("ceiling of -1.00 dBTP"), "{reason}");
    assert!(reason.contains("put a `remix` step before `loudness`"), "{reason}");
    assert_eq!(lab.files("out"), [""; 0]);
    let remix = "[[step]]\nuse = \"remix\"\nwith = { channels = 2 }\n";
    lab.run(&pipeline(&format!("{remix}{loudness}{export}")), &input).unwrap();
    assert_eq!(lab.files("out"), ["a.wav"]);
}

#[test]
fn channels_mixed_beyond_a_normalized_peak_are_refused() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &vec![vec![0.25; 9_000]; 6]));
    let export = "[[export]]\nformat = \"wav\"\nchannels = 2\npath = \"{stem}.wav\"\n";
    let remix = "[[step]]\nuse = \"remix\"\nwith = { channels = 2 }\n";
    // Front, center and back add up to 1 + 2 * 0.7071 = 2.4142 times the peak, which is 7.66 dB; at
    // 0 dBFS full scale cuts all of that off what is stored.
    for (target, expected) in [
        ("-10.0", "to -2.34 dBFS, above the ceiling of -10.00 dBFS"),
        ("0.0", "to 7.66 dBFS, above the ceiling of 0.00 dBFS"),
    ] {
        let normalize =
            format!("[[step]]\nuse = \"peak-normalize\"\nwith = {{ target_dbfs = {target} }}\n");
        let error = lab.run(&pipeline(&format!("{normalize}{export}")), &input).unwrap_err();
        let RunError::Refused { reason } = error else { panic!("{error}") };
        assert!(reason.contains(expected), "{reason}");
        assert!(reason.contains("put a `remix` step before `peak-normalize`"), "{reason}");
        assert_eq!(lab.files("out"), [""; 0]);
        lab.run(&pipeline(&format!("{remix}{normalize}{export}")), &input).unwrap();
        std::fs::remove_file(lab.path("out/a.wav")).unwrap();
    }
}

#[test]
fn mono_copied_to_stereo_after_a_normalized_peak_is_delivered() {
    let lab = Lab::new();
    let input = lab.file("a.wav", &wav(48_000, 16, &[noise(8, 9_000)]));
    let body = "[[step]]\nuse = \"peak-normalize\"\nwith = { target_dbfs = -60.0 }\n\
                [[export]]\nformat = \"wav\"\nchannels = 2\npath = \"{stem}.wav\"\n";
    // At -60 dBFS the dither alone adds more to the stored peak than the ceiling tolerates.
    lab.run(&pipeline(body), &input).unwrap();
    assert_eq!(lab.files("out"), ["a.wav"]);
}
