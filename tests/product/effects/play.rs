//! `wavemill effects play`: a file through a module that is exchanged while it plays.

use crate::bench::Bench;
use crate::module::{ECHO_FRAMES, Source};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;
use wavemill_tests::lab::WAIT_MAX;
use wavemill_tests::wav;

/// A step whose output keeps every bit.
const FLOAT: &str = "[[step]]\neffect = \"fx/test.wasm\"\nwith = { gain_lin = 0.3 }\n\
    [[export]]\nformat = \"wav\"\nbit_depth = \"FLOAT\"\npath = \"float/{stem}.wav\"\n";

/// A bench with noise, and a command that plays it to standard output.
fn playing(source: &Source, options: &[&str]) -> (Bench, Command) {
    let bench = Bench::new(FLOAT);
    bench.install(&source.assemble());
    let input = bench.drop_noise("in/a.wav", 1, 1);
    let mut command = bench.lab.command(["effects", "play", "--to", "stdout"]);
    command.args(options).arg(bench.module()).arg(input);
    (bench, command)
}

/// Interleaved samples.
fn samples(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
}

/// What `run` makes of the file, interleaved.
fn of_run(bench: &Bench) -> Vec<f32> {
    let mut command = bench.lab.command(["run"]);
    command.arg(&bench.pipeline).arg(bench.lab.path("in/a.wav"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let signal = wav::read(&bench.lab.root().join("float/a.wav")).signal;
    (0..signal.frame_count())
        .flat_map(|frame| signal.planes.iter().map(move |p| p[frame]))
        .collect()
}

/// A file that plays again and again; its notes come line by line.
struct Loop {
    child: Child,
    notes: Receiver<String>,
}

impl Loop {
    fn start(mut command: Command) -> Self {
        command.arg("--loop").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (to, notes) = channel();
        std::thread::spawn(move || {
            let lines = stderr.lines().map_while(Result::ok);
            lines.map(|line| to.send(line)).take_while(Result::is_ok).count()
        });
        Self { child, notes }
    }

    fn read(&mut self, frames: usize) -> Vec<f32> {
        let mut bytes = vec![0; frames * 8];
        self.child.stdout.as_mut().unwrap().read_exact(&mut bytes).unwrap();
        samples(&bytes)
    }

    /// Reads until a note has these words; returns it.
    fn read_until(&mut self, words: &str) -> String {
        let start = Instant::now();
        loop {
            self.read(1024);
            if let Some(note) = self.notes.try_iter().find(|note| note.contains(words)) {
                return note;
            }
            assert!(start.elapsed() < WAIT_MAX, "no note has: {words}");
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_plays_are_the_samples_of_run() {
    for (source, options) in [
        (Source::gain(), &["--with", "gain_lin=0.3"][..]),
        // Longer than the file by its tail, as a pipeline's output is.
        (Source::echo(), &["--preset", "loud", "--with", "gain_lin=0.3"]),
    ] {
        let (bench, mut command) = playing(&source, options);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let played = samples(&output.stdout);
        assert!(played.iter().any(|sample| *sample != 0.0));
        assert_eq!(played, of_run(&bench));
    }
}

#[test]
fn latency_is_left_out_and_what_it_holds_back_is_played() {
    let bench = Bench::new("");
    let input = bench.drop_noise("in/a.wav", 1, 1);
    let words = ["effects", "play", "compressor", "--with", "lookahead_ms=5", "--with", "ratio=1"];
    let mut command = bench.lab.command(words);
    let output = command.args(["--to", "stdout"]).arg(&input).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let signal = wav::read(&input).signal;
    let played = samples(&output.stdout);
    let left: Vec<_> = played.iter().step_by(2).copied().take(48_000).collect();
    let error = left.iter().zip(&signal.planes[0]).map(|(one, other)| (one - other).abs());
    assert_eq!(left.len(), 48_000);
    assert!(error.fold(0.0, f32::max) < 1e-6);
}

#[test]
fn replaced_module_is_heard_and_a_broken_one_is_refused() {
    let (bench, command) = playing(&Source::gain(), &[]);
    let half: Vec<f32> =
        wav::read(&bench.lab.path("in/a.wav")).signal.planes[0].iter().map(|it| it * 0.5).collect();
    let left = |samples: &[f32]| samples.iter().step_by(2).copied().collect::<Vec<_>>();
    let mut playing = Loop::start(command);
    assert_eq!(left(&playing.read(48_000)), half);

    bench.install(b"no module at all");
    let note = playing.read_until("not used");
    assert!(note.contains("the old one plays on") && note.contains("fx/test.wasm"), "{note}");
    let round = left(&playing.read(2 * 48_000));
    assert!(round.windows(half.len()).any(|part| part == half), "the old one does not play on");

    bench.install(&Source::echo().version("2.0.0").assemble());
    playing.read_until("Test 2.0.0");
    let start = Instant::now();
    let dry: Vec<f32> = half.iter().map(|it| it * 2.0).collect();
    // From the second round on the echo of the round before is in its beginning.
    let expected: Vec<f32> = (0..dry.len())
        .map(|at| dry[at] + dry[(at + dry.len() - ECHO_FRAMES) % dry.len()] * 0.5)
        .collect();
    loop {
        let round = left(&playing.read(2 * 48_000));
        if round.windows(expected.len()).any(|part| part == expected) {
            break;
        }
        assert!(start.elapsed() < WAIT_MAX, "the new one is not heard");
    }
}

#[test]
fn module_that_breaks_gives_way_to_the_file_and_says_why() {
    let (_bench, command) = playing(&Source::gain().after(100_000, "(unreachable)"), &[]);
    let mut playing = Loop::start(command);
    let note = playing.read_until("a new instance plays");
    assert!(note.contains("gave up"), "{note}");
    playing.read_until("plays dry until a new build");
}

#[test]
fn nowhere_is_as_long_as_the_file() {
    let bench = Bench::new("");
    let input = bench.drop_noise("in/a.wav", 1, 1);
    let start = Instant::now();
    let mut command = bench.lab.command(["effects", "play", "gate", "--to", "null", "--json"]);
    let output = command.arg(input).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(start.elapsed().as_secs_f64() >= 1.0);
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"playing\""));
}

#[test]
fn mistakes_are_refused_in_one_line_before_anything_plays() {
    let bench = Bench::new("");
    let input = bench.drop_noise("in/a.wav", 1, 1);
    let input = input.to_str().unwrap();
    for (words, said) in [
        (&["gate", "no.wav"][..], "no.wav"),
        (&["no.wasm", input], "no.wasm"),
        (&["gate", input, "--with", "treshold_db=-20"], "did you mean"),
        (&["gate", input, "--preset", "nosuch"], "nosuch"),
        (&["gate", input, "--json"], "--json"),
    ] {
        let words = ["effects", "play", "--to", "stdout"].iter().chain(words);
        let ended = bench.lab.run(words);
        assert!(ended.code != Some(0) && ended.stdout.is_empty(), "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
        assert_eq!(ended.stderr.trim_end().lines().count(), 1, "{ended:?}");
    }
}
