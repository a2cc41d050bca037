//! What a pipeline says of its exports.

use crate::lab::{Lab, chunk, noise, pipeline, riff, wav};
use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};
use wavemill_core::tags::{self, Tags};
use wavemill_core::units::SampleRate;
use wavemill_pipelines::execution::RunError;
use wavemill_pipelines::model::Defaults;
use wavemill_pipelines::{Diagnostic, Effects, Pipeline};

const TITLED: &str = "[[export]]\nformat = \"flac\"\npath = \"titled.flac\"\n[tags]\n\
    title = \"Take {stem}\"\nartist = \"Ann\"\ncomment = \"old\"\ntrack = \"3/9\"\nbpm = \"120\"\n";

fn read(path: &Path) -> Tags {
    let mut file = File::open(path).unwrap();
    tags::read(&mut file, None).unwrap().tags
}

/// A file that has tags, and where it is.
fn titled(lab: &Lab) -> std::path::PathBuf {
    let input = lab.file("one.wav", &wav(48_000, 16, &[noise(3, 48_000)]));
    lab.run(&pipeline(TITLED), &input).unwrap();
    lab.path("out/titled.flac")
}

fn retagged(edits: &str) -> (Tags, serde_json::Value) {
    let lab = Lab::new();
    let source = titled(&lab);
    let body = format!("[[export]]\nformat = \"wav\"\npath = \"b.wav\"\n[tags]\n{edits}");
    let outcome = lab.run(&pipeline(&body), &source).unwrap();
    (read(&lab.path("out/b.wav")), outcome.report)
}

#[test]
fn tags_are_set_from_names_numbers_and_text() {
    let lab = Lab::new();
    let tags = read(&titled(&lab));
    assert_eq!(tags.title.as_deref(), Some("Take one"));
    assert_eq!(tags.artist.as_deref(), Some("Ann"));
    assert_eq!((tags.track, tags.track_total), (Some(3), Some(9)));
    assert_eq!(tags.bpm, Some(120.0));
}

#[test]
fn tags_that_nothing_is_said_of_are_carried_over() {
    let (tags, report) = retagged("album = \"{title} / {date:%Y}\"\n");
    assert_eq!(tags.album.as_deref(), Some("Take one / 2026"));
    assert_eq!(tags.artist.as_deref(), Some("Ann"));
    assert_eq!(tags.comment.as_deref(), Some("old"));
    assert_eq!(report["tags"]["title"], "Take one");
    assert_eq!(report["tags"]["album"], serde_json::Value::Null, "the source's own");
    assert_eq!(report["outputs"][0]["tags"]["album"], "Take one / 2026", "the output's");
}

#[test]
fn removed_tags_are_gone_and_set_ones_come_after() {
    let (tags, _) = retagged("remove = \"all\"\nartist = \"Eve\"\n");
    let expected = Tags { artist: Some("Eve".to_owned()), ..Tags::default() };
    assert_eq!(tags, expected);
    let (tags, _) = retagged("remove = [\"comment\", \"bpm\"]\n");
    assert_eq!((tags.comment, tags.bpm, tags.track), (None, None, Some(3)));
}

#[test]
fn loudness_of_the_source_can_stand_in_a_tag() {
    let (tags, report) = retagged("comment = \"was {lufs} LUFS\"\n");
    let lufs = report["loudness"]["integrated_lufs"].as_f64();
    assert_eq!(tags.comment, lufs.map(|lufs| format!("was {lufs:.1} LUFS")), "{report}");
    assert!(lufs.is_some(), "{report}");
}

#[test]
fn placeholder_without_a_value_leaves_the_tag_and_one_that_is_no_number_warns() {
    let (tags, report) = retagged("title = \"{genre}\"\nyear = \"{title}\"\n");
    assert_eq!(tags.title.as_deref(), Some("Take one"));
    assert_eq!(tags.year, None);
    let warning = report["warnings"][0].as_str().unwrap();
    assert_eq!(warning, "the tag year was not changed: \"Take one\" is not a year, such as 2026");
}

#[test]
fn mtime_of_the_source_is_kept_where_that_is_asked() {
    let lab = Lab::new();
    let input = lab.file("one.wav", &wav(48_000, 16, &[noise(3, 4_800)]));
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::options().write(true).open(&input).unwrap().set_modified(long_ago).unwrap();
    let body = "[[export]]\nformat = \"wav\"\npath = \"kept.wav\"\nkeep_mtime = true\n\
                [[export]]\nformat = \"wav\"\npath = \"new.wav\"\n";
    lab.run(&pipeline(body), &input).unwrap();
    let modified = |name| std::fs::metadata(lab.path(name)).unwrap().modified().unwrap();
    assert_eq!(modified("out/kept.wav"), long_ago);
    assert!(modified("out/new.wav") > long_ago);
}

/// A cue point at frame 100, as a `cue ` chunk has it: count, identifier, place in the playlist, chunk, two
/// offsets, place in the samples.
#[test]
fn cue_points_are_carried_over_or_removed() {
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
    let cue: Vec<u8> = [numbers(&[1, 1, 100]), b"data".to_vec(), numbers(&[0, 0, 100])].concat();
    let source = wav(48_000, 16, &[noise(3, 4_800)]);
    let lab = Lab::new();
    let input = lab.file("a.wav", &riff(&[source[12..].to_vec(), chunk(*b"cue ", &cue)]));
    let export = |name: &str| format!("[[export]]\nformat = \"wav\"\npath = \"{name}.wav\"\n");
    lab.run(&pipeline(&export("kept")), &input).unwrap();
    assert_eq!(read(&lab.path("out/kept.wav")).cues.len(), 1);
    for (name, removed) in [("one", "[\"cues\"]"), ("all", "\"all\"")] {
        let body = format!("{}[tags]\nremove = {removed}\n", export(name));
        lab.run(&pipeline(&body), &input).unwrap();
        assert_eq!(read(&lab.path(&format!("out/{name}.wav"))).cues, [], "{name}");
    }
}

/// Exports as FLAC with a cover beside the pipeline and chapters beside the source, without the first half second.
const COMPANIONS: &str = "[[step]]\nuse = \"range\"\nwith = { start_s = 0.5 }\n\
    [[export]]\nformat = \"flac\"\npath = \"b.flac\"\n\
    [tags]\npicture = \"{stem}.png\"\nchapters = \"{stem}.chapters.txt\"\n";

/// The pipeline, as if its file were in the lab's folder.
fn in_folder(lab: &Lab, body: &str) -> Result<Pipeline, Vec<Diagnostic>> {
    let text = format!("version = 1\n[pipeline]\nname = \"test\"\n{body}");
    let effects = Effects::default().in_folder(&lab.path(""));
    wavemill_pipelines::load(&text, &Defaults::default(), &effects).map(|loaded| loaded.pipeline)
}

#[test]
fn cover_and_chapters_that_are_given_stand_in_the_place_of_the_sources() {
    let lab = Lab::new();
    let input = lab.file("one.wav", &wav(48_000, 16, &[noise(3, 96_000)]));
    let cover = b"\x89PNG\r\n\x1a\n and so on".to_vec();
    lab.file("../one.png", &cover);
    lab.file("one.chapters.txt", b"00:00 Hello\n0:00:01.25 News\n");
    lab.run(&in_folder(&lab, COMPANIONS).unwrap(), &input).unwrap();
    let tags = read(&lab.path("out/b.flac"));
    assert_eq!((tags.pictures.len(), tags.pictures[0].kind), (1, "front cover"));
    assert_eq!((&tags.pictures[0].bytes, &tags.pictures[0].media_type[..]), (&cover, "image/png"));
    let rate = SampleRate(48_000);
    let cues: Vec<_> =
        tags.cues.iter().map(|cue| (cue.start.frame(rate), cue.label.as_deref())).collect();
    // What was cut off is gone before the first chapter and moves the second.
    assert_eq!(cues, [(0, Some("Hello")), (36_000, Some("News"))]);
}

#[test]
fn cover_or_chapters_that_cannot_be_had_fail_the_job_in_a_line() {
    let lab = Lab::new();
    let input = lab.file("one.wav", &wav(48_000, 16, &[noise(3, 4_800)]));
    let reason = || match lab.run(&in_folder(&lab, COMPANIONS).unwrap(), &input) {
        Err(RunError::Refused { reason }) => reason,
        other => panic!("{other:?}"),
    };
    assert!(
        reason().starts_with("`[tags] picture`: ") && reason().ends_with("/one.png does not exist")
    );
    lab.file("../one.png", b"GIF89a");
    assert!(reason().ends_with("/one.png is neither JPEG nor PNG"), "{}", reason());
    lab.file("../one.png", b"\x89PNG");
    let expected = "/one.chapters.txt does not exist";
    assert!(reason().starts_with("`[tags] chapters`: ") && reason().ends_with(expected));
    lab.file("one.chapters.txt", b"News at ten");
    assert!(
        reason().ends_with(
            "has no time at the start of line 1; write, for example, `00:01:23.500 Title`"
        )
    );
    assert_eq!(lab.files("out"), [""; 0]);
}

#[test]
fn paths_of_cover_and_chapters_are_checked_when_the_pipeline_is_loaded() {
    let lab = Lab::new();
    for (tags, code, message) in [
        ("picture = \"none.jpg\"", "missing-file", "the file "),
        ("chapters = \"{title}.txt\"", "unknown-placeholder", "only the source's name is known"),
        ("picture = \"{date:%Y}.jpg\"", "unknown-placeholder", "only the source's name is known"),
    ] {
        let found = in_folder(&lab, &format!("[tags]\n{tags}\n")).unwrap_err();
        let is_it = |it: &Diagnostic| it.code == code && it.message.starts_with(message);
        assert!(found.iter().any(is_it), "{found:?}");
    }
}
