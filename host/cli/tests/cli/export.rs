//! `wavemill export`.

use super::{Lab, code, stderr, stdout};
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use std::io::Write as _;
use std::process::Stdio;

const RATE_HZ: u32 = 48_000;

/// Two seconds of 16-bit stereo, every sample another.
fn source(lab: &Lab) {
    let spec = WavSpec {
        channels: 2,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(lab.path("in.wav"), spec).unwrap();
    for index in 0..2 * RATE_HZ {
        let sample = i16::try_from(index * 7 % 20_000).unwrap() - 10_000;
        writer.write_sample(sample).unwrap();
        writer.write_sample(-sample).unwrap();
    }
    writer.finalize().unwrap();
}

fn samples(lab: &Lab, name: &str) -> Vec<i16> {
    let mut reader = WavReader::open(lab.path(name)).unwrap();
    reader.samples::<i16>().map(Result::unwrap).collect()
}

#[test]
fn range_is_cut_exactly_and_the_rest_stays_bit_by_bit() {
    let lab = Lab::new();
    source(&lab);
    let output = lab.run(&["export", "in.wav", "out.wav", "--start", "0.5", "--end", "0:01.25"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(samples(&lab, "out.wav"), samples(&lab, "in.wav")[48_000..120_000]);
}

#[test]
fn printed_pipeline_runs_to_the_same_bytes() {
    let lab = Lab::new();
    source(&lab);
    let flags = ["--loudness", "-20", "--fade-in", "0.1", "--trim-silence", "--bit-depth", "16"];
    let export = |more: &[&'static str]| -> Vec<&'static str> {
        [&["export", "in.wav", "out.flac"], &flags[..], more].concat()
    };
    let printed = lab.run(&export(&["--print-pipeline"]));
    assert!(!lab.path("out.flac").exists());
    lab.write("mine.toml", &stdout(&printed));
    assert_eq!(code(&lab.run(&export(&[]))), 0);
    let direct = std::fs::read(lab.path("out.flac")).unwrap();
    std::fs::remove_file(lab.path("out.flac")).unwrap();
    let output = lab.run(&["run", "mine.toml", "in.wav"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(std::fs::read(lab.path("out.flac")).unwrap(), direct);
}

#[test]
fn rate_and_depth_are_those_asked_for() {
    let lab = Lab::new();
    source(&lab);
    let flags = ["--sample-rate", "44100", "--dither", "shaped", "--channels", "1"];
    let output = lab.run(&[&["export", "in.wav", "out.wav"], &flags[..]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let reader = WavReader::open(lab.path("out.wav")).unwrap();
    assert_eq!((reader.spec().sample_rate, reader.spec().channels), (44_100, 1));
    assert_eq!(reader.duration(), 88_200);
}

#[test]
fn every_flag_becomes_a_step_in_the_order_of_the_help() {
    let lab = Lab::new();
    source(&lab);
    let flags = [
        "--start 0.1 --end 1.9 --from left --swap --invert=right --trim-silence \
        --silence-threshold -70",
        "--silence-min-length 0.2 --silence-pad 0.1 --dc-remove --high-pass 20 --low-pass 18000",
        "--fade-in 0.1 --fade-out 0.2 --fade-shape cosine --pad-start 0.25 --pad-end 0.5 \
        --channels 2",
        "--sample-rate 44100 --sample-rate-quality high --speech-level --loudness -16 --limit",
        "--ceiling -2 --max-reduction 4 --skip-within 0.1 --lower-only --dual-mono \
        --print-pipeline",
    ];
    let flags = flags.iter().flat_map(|line| line.split(' '));
    let arguments: Vec<&str> = ["export", "in.wav", "out.flac"].into_iter().chain(flags).collect();
    let printed = lab.run(&arguments);
    assert_eq!(code(&printed), 0, "{}", stderr(&printed));
    let text = stdout(&printed);
    let steps: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("use = "))
        .map(|name| name.trim_matches('"'))
        .collect();
    #[rustfmt::skip]
    let expected = [
        "range", "remix", "swap", "invert", "trim-silence", "dc-remove", "high-pass", "low-pass", "fade", "pad",
        "resample", "speech-level", "loudness",
    ];
    assert_eq!(steps, expected);
    lab.write("mine.toml", &text);
    let output = lab.run(&["check", "mine.toml"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn limit_alone_turns_peaks_down_and_nothing_else() {
    let lab = Lab::new();
    source(&lab);
    let loudest =
        |name: &str| samples(&lab, name).iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    let ceiling = "-30";
    let output = lab.run(&["export", "in.wav", "out.wav", "--limit", "--ceiling", ceiling]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    // -30 dBFS of 32768, and 0.05 dB for the limiter.
    assert!(loudest("out.wav") <= 1042, "{}", loudest("out.wav"));
    assert!(loudest("in.wav") > 1042);
}

#[test]
fn existing_file_is_replaced_only_by_force() {
    let lab = Lab::new();
    source(&lab);
    lab.write("out.wav", "mine");
    let output = lab.run(&["export", "in.wav", "out.wav"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("out.wav already exists"), "{}", stderr(&output));
    assert_eq!(std::fs::read(lab.path("out.wav")).unwrap(), b"mine");
    assert_eq!(code(&lab.run(&["export", "in.wav", "out.wav", "--force"])), 0);
    assert_eq!(samples(&lab, "out.wav"), samples(&lab, "in.wav"));
}

#[test]
fn force_replaces_files_and_nothing_else() {
    let lab = Lab::new();
    source(&lab);
    lab.write("target.wav", "mine");
    std::os::unix::fs::symlink(lab.path("target.wav"), lab.path("link.wav")).unwrap();
    let fifo = lab.path("pipe.wav");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR).unwrap();
    for (name, reason) in [("link.wav", "is a link"), ("pipe.wav", "is not a regular file")] {
        let export: &[_] = &["export", "in.wav", name, "--force"];
        let waveform: &[_] = &["waveform", "in.wav", "-o", name, "--force", "--format", "png"];
        for (command, expected) in [(export, 3), (waveform, 2)] {
            let output = lab.run(command);
            assert_eq!(code(&output), expected, "{command:?}: {}", stderr(&output));
            assert!(stderr(&output).contains(reason), "{command:?}: {}", stderr(&output));
        }
    }
    assert_eq!(std::fs::read(lab.path("target.wav")).unwrap(), b"mine");
    assert!(lab.path("link.wav").is_symlink());
}

#[test]
fn output_may_lie_beside_the_current_folder() {
    let lab = Lab::new();
    source(&lab);
    std::fs::create_dir_all(lab.path("here")).unwrap();
    for target in ["here/../out.wav", "here/../made/out.wav"] {
        let output = lab.run(&["export", "in.wav", target]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
    }
    assert_eq!(samples(&lab, "out.wav"), samples(&lab, "in.wav"));
    assert_eq!(samples(&lab, "made/out.wav"), samples(&lab, "in.wav"));
}

#[test]
fn reduction_beyond_the_limit_is_a_mistake_of_the_pipeline() {
    let lab = Lab::new();
    source(&lab);
    lab.write(
        "mine.toml",
        "version = 1\n[pipeline]\nname = \"mine\"\n[[step]]\nuse = \"loudness\"\n\
         with = { target_lufs = -9, mode = \"limit\", max_reduction_db = 30 }\n\
         [[export]]\nformat = \"wav\"\npath = \"out.wav\"\n",
    );
    let output = lab.run(&["run", "mine.toml", "in.wav"]);
    assert_eq!(code(&output), 78);
    assert!(stderr(&output).contains("must be from 0 to 20 dB"), "{}", stderr(&output));
    assert!(!lab.path("out.wav").exists());
}

#[test]
fn taken_name_is_refused_before_the_file_is_measured() {
    let lab = Lab::new();
    source(&lab);
    lab.write("out.wav", "mine");
    // Reading it would say what is wrong with it.
    let spec = WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    let mut writer = WavWriter::create(lab.path("bad.wav"), spec).unwrap();
    writer.write_sample(0.5f32).unwrap();
    writer.write_sample(f32::NAN).unwrap();
    writer.finalize().unwrap();
    let export = |to: &str| lab.run(&["export", "bad.wav", to, "--loudness", "-20"]);
    let taken = export("out.wav");
    assert_eq!(code(&taken), 3);
    assert!(stderr(&taken).contains("out.wav already exists"), "{}", stderr(&taken));
    assert_eq!(stderr(&taken).lines().count(), 1);
    let read = export("free.wav");
    assert!(stderr(&read).contains("NaN or infinite sample"), "{}", stderr(&read));
}

/// Exports what comes from standard input.
fn export_from_stdin(lab: &Lab, bytes: &[u8], flags: &[&str]) -> std::process::Output {
    let mut child = lab
        .command(&[&["export", "-", "out.wav"], flags].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn standard_input_is_exported_as_the_file_would_be() {
    let lab = Lab::new();
    source(&lab);
    let bytes = std::fs::read(lab.path("in.wav")).unwrap();
    let flags = ["--loudness", "-20", "--bit-depth", "24"];
    assert_eq!(code(&lab.run(&[&["export", "in.wav", "file.wav"], &flags[..]].concat())), 0);
    let output = export_from_stdin(&lab, &bytes, &flags);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).starts_with("stdin -> 1 file"), "{}", stdout(&output));
    let read = |name: &str| std::fs::read(lab.path(name)).unwrap();
    assert!(read("out.wav") == read("file.wav"));
    // Nothing of it stays.
    let spool = lab.path(".local/state/wavemill/spool");
    assert_eq!(std::fs::read_dir(spool).unwrap().count(), 0);
}

#[test]
fn raw_samples_from_standard_input_are_exported_as_they_are() {
    let lab = Lab::new();
    source(&lab);
    let samples = samples(&lab, "in.wav");
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let raw = ["--raw-rate", "48000", "--raw-channels", "2", "--raw-format", "s16"];
    let output = export_from_stdin(&lab, &bytes, &raw);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(super::export::samples(&lab, "out.wav"), samples);
    std::fs::remove_file(lab.path("out.wav")).unwrap();
    let output = export_from_stdin(&lab, &bytes[..bytes.len() - 1], &raw);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).starts_with("error: -: "), "{}", stderr(&output));
    assert!(!lab.path("out.wav").exists());
}

#[test]
fn flag_for_loudness_wins_over_the_variable_that_turns_it_off() {
    let lab = Lab::new();
    source(&lab);
    let mut command = lab.command(&["export", "in.wav", "out.wav", "--loudness", "-30"]);
    let output = command.env("WAVEMILL_NORMALIZE", "false").output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("-30.0 LUFS"), "{}", stdout(&output));
}

#[test]
fn bad_flags_are_reported_before_work() {
    let lab = Lab::new();
    source(&lab);
    let refused = |flags: &[&str], words: &str, expected: i32| {
        let output = lab.run(&[&["export", "in.wav", "out.wav"], flags].concat());
        assert_eq!(code(&output), expected, "{flags:?}");
        assert!(stderr(&output).contains(words), "{flags:?}: {}", stderr(&output));
        assert!(!lab.path("out.wav").exists());
    };
    refused(&["--loudness", "5"], "must be from -70 to 0 LUFS", 78);
    refused(&["--loudness", "-80"], "must be from -70 to 0 LUFS", 78);
    refused(&["--loudness", "-16", "--ceiling", "1"], "must be from -40 to 0 dBTP", 78);
    refused(&["--sample-rate", "700000"], "700000", 78);
    refused(&["--raw-rate", "48000"], "--raw-channels", 2);
    refused(&["--ceiling", "-1"], "--ceiling needs --loudness, --limit or --match", 2);
    refused(&["--fade-shape", "cosine"], "--fade-shape needs --fade-in", 2);
    refused(&["--max-reduction", "3", "--limit"], "--loudness", 2);
    refused(&["--sample-rate-quality", "best"], "--sample-rate", 2);
    refused(&["--invert=both"], "possible: all, left, right", 78);
    refused(&["--bit-depth", "17"], "17", 78);
    refused(&["--format", "wma"], "wma", 78);
    refused(&["--gain", "3", "--peak", "-1"], "cannot be used with", 2);
    refused(&["--gain", "abc"], "expected a number", 2);
    refused(&["--fade-in", "-3"], "`--fade-in` is -3", 78);
    refused(&["--tag", "titel=x"], "unknown tag `titel`; did you mean `title`?", 2);
    refused(&["--start", "5"], "`--start` is 5 s, but the audio lasts only 2 s", 3);
}

#[test]
fn damaged_source_is_refused_or_repaired_as_the_flag_says() {
    let lab = Lab::new();
    source(&lab);
    let whole = std::fs::read(lab.path("in.wav")).unwrap();
    let mut cut = std::fs::File::create(lab.path("cut.wav")).unwrap();
    cut.write_all(&whole[..whole.len() / 2]).unwrap();
    for flags in [&[][..], &["--damaged", "refuse"]] {
        let output = lab.run(&[&["export", "cut.wav", "out.wav"], flags].concat());
        assert_eq!(code(&output), 3, "{}", stderr(&output));
        assert!(!lab.path("out.wav").exists());
    }
    let output = lab.run(&["export", "cut.wav", "out.wav", "--damaged", "repair"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("repaired: it is cut short"), "{}", stdout(&output));
    let kept = samples(&lab, "out.wav");
    assert_eq!(kept, samples(&lab, "in.wav")[..kept.len()]);
    // The pipeline says one thing, the flag another.
    let refusing = lab.run(&["export", "cut.wav", "out2.wav", "--print-pipeline"]);
    lab.write("refusing.toml", &stdout(&refusing));
    assert_eq!(code(&lab.run(&["run", "refusing.toml", "cut.wav"])), 3);
    let output = lab.run(&["run", "refusing.toml", "cut.wav", "--damaged", "repair"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(samples(&lab, "out2.wav"), kept);
    let repairing =
        lab.run(&["export", "cut.wav", "out3.wav", "--damaged", "repair", "--print-pipeline"]);
    lab.write("repairing.toml", &stdout(&repairing));
    let output = lab.run(&["run", "repairing.toml", "cut.wav", "--damaged", "refuse"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
}

#[test]
fn mistakes_are_reported_in_flags() {
    let lab = Lab::new();
    source(&lab);
    let errors =
        |flags: &[&str]| stderr(&lab.run(&[&["export", "in.wav", "out.wav"], flags].concat()));
    for (flags, name, keys) in [
        (&["--loudness", "5"][..], "`--loudness`", &["target_lufs"][..]),
        (&["--loudness", "-16", "--ceiling", "9"], "`--ceiling`", &["ceiling_dbtp"]),
        (&["--pad-start", "1e9"], "`--pad-start`", &["start_s"]),
    ] {
        let said = errors(flags);
        // Nothing of the pipeline that the flags make, which nobody wrote.
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(name) && !keys.iter().any(|key| said.contains(key)), "{said}");
    }
}

#[test]
fn artists_given_again_are_several() {
    let lab = Lab::new();
    source(&lab);
    let flags = ["--tag", "artist=Ann", "--tag", "artist=Bo", "--tag", "title=One"];
    let output = lab.run(&[&["export", "in.wav", "out.flac"][..], &flags].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let output = lab.run(&["tags", "--json", "out.flac"]);
    let shown: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let tags = &shown["files"][0]["tags"];
    assert_eq!((&tags["title"], &tags["artist"]), (&"One".into(), &"Ann; Bo".into()));
    assert_eq!(tags["values"]["artist"], serde_json::json!(["Ann", "Bo"]));
}

/// The command is confined: the files that flags name are reached all the same.
#[test]
fn cover_and_chapters_come_from_files_that_flags_name() {
    let lab = Lab::new();
    source(&lab);
    let cover = b"\x89PNG\r\n\x1a\n and so on";
    std::fs::File::create(lab.path("cover.png")).unwrap().write_all(cover).unwrap();
    lab.write("talk.txt", "0:00 Hello\n0:01.5 News\n");
    let export = |chapters: &str| {
        let flags = ["--picture", "cover.png", "--chapters", chapters];
        lab.run(&[&["export", "in.wav", "out.flac"], &flags[..]].concat())
    };
    let output = export("none.txt");
    assert_ne!(code(&output), 0);
    assert!(stderr(&output).contains("none.txt does not exist"), "{}", stderr(&output));
    let output = export("talk.txt");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let mut file = std::fs::File::open(lab.path("out.flac")).unwrap();
    let tags = wavemill_core::tags::read(&mut file, None).unwrap().tags;
    assert_eq!(tags.pictures.iter().map(|it| &it.bytes[..]).collect::<Vec<_>>(), [cover]);
    let labels: Vec<_> = tags.cues.iter().filter_map(|cue| cue.label.as_deref()).collect();
    assert_eq!(labels, ["Hello", "News"]);
}

/// The command is confined: the reference is reached all the same.
#[test]
fn match_goes_by_the_file_that_its_flag_names() {
    let lab = Lab::new();
    source(&lab);
    let missing = lab.run(&["export", "in.wav", "out.flac", "--match", "none.wav"]);
    assert_ne!(code(&missing), 0);
    assert!(stderr(&missing).contains("none.wav does not exist"), "{}", stderr(&missing));
    let flags = ["--match", "in.wav", "--match-max-eq", "3", "--ceiling", "-2"];
    let output = lab.run(&[&["export", "in.wav", "out.flac"], &flags[..]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let shown = format!("{}{}", stdout(&output), stderr(&output));
    assert!(shown.contains("spectrum 0.0 -> 0.0 dB from the reference"), "{shown}");
    let flags = ["--match", "in.wav", "--match-character", "clean", "--match-max-reduction", "0"];
    let printed =
        lab.run(&[&["export", "in.wav", "c.flac", "--print-pipeline"], &flags[..]].concat());
    assert_eq!(code(&printed), 0, "{}", stderr(&printed));
    let printed = stdout(&printed);
    let has = |pair: &str| printed.contains(pair);
    assert!(has("character = \"clean\"") && has("max_reduction_db = 0"), "{printed}");
    let alone = lab.run(&["export", "in.wav", "d.flac", "--match-character", "clean"]);
    assert_eq!(code(&alone), 2, "{}", stderr(&alone));
    let both = lab.run(&["export", "in.wav", "b.flac", "--match", "in.wav", "--loudness", "-14"]);
    assert_eq!(code(&both), 2, "{}", stderr(&both));
}
