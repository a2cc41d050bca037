//! Captures through pipelines and into watched folders, by the thread that does it in a DAW.

use super::{Line, Render, Renders, Request, Stage};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder with a capture: a second of stereo.
struct Bench {
    root: tempfile::TempDir,
    renders: Renders,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { root: tempfile::tempdir().unwrap(), renders: Renders::default() };
        fs::create_dir(bench.folder()).unwrap();
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 48_000,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut wav = hound::WavWriter::create(bench.capture(), spec).unwrap();
        for frame in 0..48_000u32 {
            let value = f32::from(u16::try_from(frame % 480).unwrap()) / 960.0 - 0.25;
            wav.write_sample(value).unwrap();
            wav.write_sample(-value).unwrap();
        }
        wav.finalize().unwrap();
        bench
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("takes")
    }

    fn capture(&self) -> PathBuf {
        self.folder().join("take.wav")
    }

    /// A pipeline file with these sections; its path as it is chosen.
    fn pipeline(&self, sections: &str) -> String {
        let path = self.root.path().join("mine.toml");
        let text = format!("version = 1\n[pipeline]\nname = \"mine\"\n{sections}");
        File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path.display().to_string()
    }

    fn request(&self, pipeline: &str) -> Request {
        Request {
            parts: vec![self.capture()],
            pipeline: Some(pipeline.to_owned()),
            ..Request::default()
        }
    }

    /// Lets the renderer do this and waits for its end.
    fn render(&self, request: Request) -> Arc<Render> {
        self.renders.request(request);
        let render = self.renders.latest().unwrap();
        wait(|| render.is_over());
        render
    }

    /// The names in the folder of captures, hidden ones too.
    fn names(&self) -> Vec<String> {
        names(&self.folder())
    }
}

const FLAC: &str = "[[export]]\nformat = \"flac\"\nbit_depth = 24\npath = \"{stem}.{ext}\"\n";

fn wait(is_done: impl Fn() -> bool) {
    while !is_done() {
        std::thread::yield_now();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn errors(render: &Render) -> Vec<String> {
    let lines = render.lines().into_iter();
    lines
        .filter_map(|line| match line {
            Line::Error(error) => Some(error),
            _ => None,
        })
        .collect()
}

#[test]
fn capture_becomes_what_the_pipeline_says_and_stays() {
    let bench = Bench::new();
    let before = fs::read(bench.capture()).unwrap();
    let render = bench.render(bench.request(&bench.pipeline(FLAC)));
    assert_eq!((render.stage(), errors(&render)), (Stage::Done, vec![]));
    assert!((render.progress() - 1.0).abs() < f32::EPSILON);
    assert_eq!(render.lines(), [Line::Made(bench.folder().join("take.flac"))]);
    assert_eq!(bench.names(), ["take.flac", "take.wav"]);
    assert!(fs::read(bench.capture()).unwrap() == before);
}

#[test]
fn shipped_pipeline_is_known_by_its_name() {
    let bench = Bench::new();
    let render = bench.render(bench.request("archive"));
    assert_eq!((render.stage(), errors(&render)), (Stage::Done, vec![]));
    assert_eq!(render.name, "archive");
    let Line::Made(made) = &render.lines()[0] else { panic!("{:?}", render.lines()) };
    assert!(made.starts_with(bench.folder()) && made.is_file(), "{}", made.display());
}

#[test]
fn effect_is_refused_by_name_before_anything_is_made() {
    let bench = Bench::new();
    let render = bench.render(bench.request("voice"));
    assert_eq!(render.stage(), Stage::Failed);
    let [error] = &errors(&render)[..] else { panic!("{:?}", render.lines()) };
    assert!(error.starts_with("voice, line "), "{error}");
    assert!(error.contains("effect `de-esser`: this program was built without effects"), "{error}");
    assert!(!error.contains('\n'));
    assert_eq!(bench.names(), ["take.wav"]);
}

#[test]
fn format_without_a_writer_is_refused_by_name() {
    let bench = Bench::new();
    let sections = FLAC.to_owned() + "[[export]]\nformat = \"wma\"\npath = \"{stem}.{ext}\"\n";
    let render = bench.render(bench.request(&bench.pipeline(&sections)));
    assert_eq!(render.stage(), Stage::Failed);
    let [error] = &errors(&render)[..] else { panic!("{:?}", render.lines()) };
    assert!(error.starts_with("mine.toml, line 9: unknown format `wma`"), "{error}");
    assert_eq!(bench.names(), ["take.wav"]);
}

#[test]
fn unknown_name_lists_the_known_ones() {
    let bench = Bench::new();
    let render = bench.render(bench.request("streeming"));
    let [error] = &errors(&render)[..] else { panic!("{:?}", render.lines()) };
    assert!(error.contains("podcast, streaming, voice, youtube, or the full path"), "{error}");
}

#[test]
fn name_that_is_taken_is_reported_and_nothing_overwritten() {
    let bench = Bench::new();
    let taken = bench.folder().join("take.flac");
    File::create(&taken).unwrap().write_all(b"mine").unwrap();
    let render = bench.render(bench.request(&bench.pipeline(FLAC)));
    assert_eq!(render.stage(), Stage::Failed);
    assert_eq!(errors(&render), [format!("output {} already exists", taken.display())]);
    assert_eq!(fs::read(&taken).unwrap(), b"mine");
    assert_eq!(bench.names(), ["take.flac", "take.wav"]);
}

#[test]
fn rejected_capture_says_why() {
    let bench = Bench::new();
    let sections = "[[require]]\nduration = { min = \"1h\" }\n".to_owned() + FLAC;
    let render = bench.render(bench.request(&bench.pipeline(&sections)));
    assert_eq!(render.stage(), Stage::Failed);
    assert!(errors(&render)[0].starts_with("rejected: "), "{:?}", render.lines());
    assert_eq!(bench.names(), ["take.wav"]);
}

#[test]
fn capture_with_lost_frames_says_so_and_is_rendered() {
    let bench = Bench::new();
    let doubts = vec!["0.25 s were lost".to_owned()];
    let request = Request { doubts, ..bench.request(&bench.pipeline(FLAC)) };
    let render = bench.render(request);
    assert_eq!(render.stage(), Stage::Done);
    assert_eq!(render.lines()[0], Line::Note("0.25 s were lost".into()));
    assert_eq!(bench.names(), ["take.flac", "take.wav"]);
}

#[test]
fn watched_folder_gets_one_complete_file_under_a_free_name() {
    let bench = Bench::new();
    let inbox = bench.root.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    let request = Request {
        parts: vec![bench.capture()],
        watch_folder: Some(inbox.clone()),
        ..Request::default()
    };
    let render = bench.render(request.clone());
    assert_eq!((render.stage(), errors(&render)), (Stage::Done, vec![]));
    assert!((render.progress() - 1.0).abs() < f32::EPSILON);
    assert_eq!(names(&inbox), ["take.wav"]);
    assert!(fs::read(inbox.join("take.wav")).unwrap() == fs::read(bench.capture()).unwrap());
    let again = bench.render(request);
    assert_eq!(again.lines(), [Line::Made(inbox.join("take-2.wav"))]);
    assert_eq!(names(&inbox), ["take-2.wav", "take.wav"]);
}

#[test]
fn capture_is_sent_also_when_the_pipeline_is_refused() {
    let bench = Bench::new();
    let inbox = bench.root.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    let request = Request { watch_folder: Some(inbox.clone()), ..bench.request("voice") };
    let render = bench.render(request);
    assert_eq!(render.stage(), Stage::Failed);
    assert_eq!(names(&inbox), ["take.wav"]);
}

#[test]
fn watched_folder_that_does_not_exist_is_refused() {
    let bench = Bench::new();
    let inbox = bench.root.path().join("inbox");
    let request = Request {
        parts: vec![bench.capture()],
        watch_folder: Some(inbox.clone()),
        ..Request::default()
    };
    let render = bench.render(request);
    assert_eq!(render.stage(), Stage::Failed);
    let expected = format!("not sent: the watched folder {} does not exist", inbox.display());
    assert!(errors(&render)[0].starts_with(&expected), "{:?}", render.lines());
    assert!(!inbox.exists());
}

/// Many files of one capture, each a render of its own: long enough to come between.
fn long(bench: &Bench) -> Request {
    let sections = "[[export]]\nformat = \"flac\"\npath = \"{job_id}.{ext}\"\n";
    let request = bench.request(&bench.pipeline(sections));
    Request { parts: vec![bench.capture(); 2000], ..request }
}

/// Every file in the folder is complete.
fn assert_complete(bench: &Bench, render: &Render) {
    let made = render.lines().iter().filter(|line| matches!(line, Line::Made(_))).count();
    let names = bench.names();
    assert_eq!(names.len(), made + 1, "{names:?}");
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}

#[test]
fn canceled_render_leaves_nothing_incomplete() {
    let bench = Bench::new();
    bench.renders.request(long(&bench));
    let render = bench.renders.latest().unwrap();
    wait(|| !render.lines().is_empty());
    render.cancel();
    wait(|| render.is_over());
    assert_eq!(render.stage(), Stage::Canceled);
    assert!(render.progress() < 1.0);
    assert_complete(&bench, &render);
}

#[test]
fn render_canceled_before_its_turn_makes_nothing() {
    let bench = Bench::new();
    bench.renders.request(long(&bench));
    let first = bench.renders.latest().unwrap();
    let inbox = bench.root.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    bench.renders.request(Request {
        parts: vec![bench.capture()],
        watch_folder: Some(inbox.clone()),
        ..Request::default()
    });
    let second = bench.renders.latest().unwrap();
    assert_eq!((second.stage(), bench.renders.open_count()), (Stage::Waiting, 2));
    second.cancel();
    first.cancel();
    wait(|| second.is_over());
    assert_eq!(second.stage(), Stage::Canceled);
    assert_eq!(names(&inbox), Vec::<String>::new());
}

#[test]
fn closing_the_last_instance_in_mid_render_waits_and_leaves_no_half_file() {
    let bench = Bench { renders: Renders::alone(), ..Bench::new() };
    bench.renders.request(long(&bench));
    let render = bench.renders.latest().unwrap();
    wait(|| !render.lines().is_empty());
    let Bench { root, renders } = bench;
    drop(renders);
    // Its code may be unloaded now.
    assert_eq!(render.stage(), Stage::Canceled);
    assert_complete(&Bench { root, renders: Renders::alone() }, &render);
}

#[test]
fn nothing_chosen_is_no_render() {
    let bench = Bench::new();
    bench.renders.request(Request { parts: vec![bench.capture()], ..Request::default() });
    assert!(bench.renders.latest().is_none());
}

#[test]
fn pipeline_without_a_loudness_says_what_helps_in_a_daw() {
    let bench = Bench::new();
    let pipeline = bench
        .pipeline("[[step]]\nuse = \"loudness\"\n[[export]]\nformat = \"wav\"\npath = \"a.wav\"\n");
    let reason = super::load(&pipeline).expect_err("no target");
    assert!(reason.contains("add with = { target_lufs = -16.0 }"), "{reason}");
    assert!(!reason.contains("WAVEMILL_"), "{reason}");
}
