//! Thousands of small files of many formats, a tenth of them broken, through three pipelines, while the daemon and its
//! workers are killed: every good one comes out once, every broken one has a reason, and the daemon does not grow.

use crate::broken;
use crate::plan::{Plan, soak_files};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wavemill_tests::audit::{self, Expected};
use wavemill_tests::lab::{Daemon, Lab, put, repository, wait_until};
use wavemill_tests::processes;
use wavemill_tests::record::{Record, median};
use wavemill_tests::signal::Random;

/// Files of the gate's form.
const FILES_SHORT: usize = 60;

/// One file of so many is broken.
const BROKEN_OF: usize = 10;

/// Files of a folder.
const PER_FOLDER: usize = 100;

/// Kills in all, of the daemon in the first half and of a worker in the second, unless there are few files.
const KILLS: usize = 100;

/// Fewest files dropped from one kill to the next.
const FILES_PER_KILL_MIN: usize = 10;

/// Bytes of a MiB.
const MIB: f64 = (1 << 20) as f64;

/// What a watcher may keep of a file it knows, bytes: a record of 80, its name with a pointer to it (16 + 48, as the
/// allocator rounds), an eighth of room in its list, 5 to 11 for its place in the table of names; 160 in all. Files that
/// are being taken have a larger record, which leaves as much unused when they are done with.
const BYTES_A_FILE: f64 = 2.0 * 160.0;

/// What a page of the store in memory takes besides its bytes: headers, and its place among the pages used last. 150 bytes
/// of 4 KiB.
const PAGE_OVERHEAD: f64 = 0.04;

/// What a daemon may grow by besides, MiB: what the allocator cannot use again of what was freed. Measured, this goes up
/// and down by half a MiB.
const GROWTH_MIB: f64 = 1.5;

/// Fewest files after which growth is looked at: a daemon has to warm up.
const FILES_GROWTH: usize = 1_000;

/// Sound files of the fixtures: eleven containers and nine codecs.
#[rustfmt::skip]
const GOOD: &[&str] = &[
    "tone-16.flac", "tone-24-6ch.flac", "tone-aac.m4a", "tone-alac.caf", "tone-alac.m4a", "tone-flac.mka",
    "tone-flac.oga", "tone-lame.mp3", "tone-mono-noxing.mp3", "tone-pcm.mkv", "tone-rf64.wav", "tone-sowt.aifc",
    "tone-vorbis.webm", "tone.aac", "tone.aiff", "tone.ogg",
];

/// Where the sources of a pipeline go.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sources {
    Stay,
    Move,
    Vanish,
}

/// The pipelines, by number: the format of their export and what becomes of sources.
const PIPELINES: [(&str, Sources); 3] =
    [("flac", Sources::Stay), ("wav", Sources::Move), ("flac", Sources::Vanish)];

fn pipeline(lab: &Lab, number: usize) -> PathBuf {
    let (format, sources) = PIPELINES[number];
    let source = match sources {
        Sources::Stay => String::new(),
        Sources::Move => format!(
            "[source]\non_success = \"move:done{number}/{{reldir}}\"\non_failure = \"move:failed{number}/{{reldir}}\"\n"
        ),
        Sources::Vanish => "[source]\non_success = \"delete\"\n".to_owned(),
    };
    let step = "[[step]]\nuse = \"gain\"\nwith = { gain_db = -3.0 }\n";
    let text = format!(
        "version = 1\n\n[pipeline]\nname = \"soak{number}\"\nconcurrency = 2\n\n\
         [[watch]]\npath = \"in{number}\"\nrescan = \"5s\"\nready = {{ stable_for = \"100ms\" }}\n\n{step}\
         [[export]]\nformat = \"{format}\"\npath = \"out{number}/{{reldir}}/{{stem}}.{{ext}}\"\n\n\
         [report]\njson = \"out{number}/{{reldir}}/{{stem}}.json\"\n\n{source}"
    );
    lab.pipeline(&format!("soak{number}"), &text)
}

/// A kind of file to drop: its bytes, and the frames it has unless it is broken.
struct Seed {
    name: String,
    bytes: Vec<u8>,
    frames: Option<u64>,
}

fn good_seeds() -> Vec<Seed> {
    let seed = |name: &&str| {
        let path = repository().join("tests/fixtures").join(name);
        let frames = audit::count_frames(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let bytes = std::fs::read(&path).expect("a fixture");
        Seed { name: (*name).to_owned(), bytes, frames: Some(frames) }
    };
    GOOD.iter().map(seed).collect()
}

fn broken_seeds() -> Vec<Seed> {
    let seed = |(name, bytes): (&str, Vec<u8>)| Seed { name: name.to_owned(), bytes, frames: None };
    broken::all().into_iter().map(seed).collect()
}

/// What the daemon held at a moment.
#[derive(Clone, Copy)]
struct Taken {
    resident_mib: f64,
    descriptors: usize,
    /// Size of the store's file, of which up to 64 MiB are kept in memory.
    store_mib: f64,
    /// What is kept of it.
    cache_mib: f64,
    /// Files that its watchers know.
    known_files: f64,
    /// Jobs that have ended in its store.
    jobs: f64,
}

impl Taken {
    /// What it holds besides the pages of the store.
    fn own_mib(&self) -> f64 {
        self.resident_mib - self.cache_mib * (1.0 + PAGE_OVERHEAD)
    }
}

/// A soak under way.
struct Soak {
    lab: Lab,
    pipelines: Vec<PathBuf>,
    good: Vec<Seed>,
    broken: Vec<Seed>,
    random: Random,
    dropped: Vec<Expected>,
    kills: usize,
    /// What the daemon that lived through the last half held.
    taken: Vec<Taken>,
}

impl Soak {
    fn new(seed: u64) -> Self {
        let lab = Lab::new();
        let pipelines = (0..PIPELINES.len()).map(|number| pipeline(&lab, number)).collect();
        for number in 0..PIPELINES.len() {
            lab.path(&format!("in{number}/x"));
        }
        Self {
            lab,
            pipelines,
            good: good_seeds(),
            broken: broken_seeds(),
            random: Random::new(seed),
            dropped: Vec::new(),
            kills: 0,
            taken: Vec::new(),
        }
    }

    fn watch(&self) -> Daemon {
        let pipelines: Vec<&Path> = self.pipelines.iter().map(PathBuf::as_path).collect();
        self.lab.watch(&pipelines)
    }

    /// Drops a file as a careful program does.
    fn drop_file(&mut self) {
        let index = self.dropped.len();
        let is_broken = index % BROKEN_OF == BROKEN_OF - 1;
        let seeds = if is_broken { &self.broken } else { &self.good };
        // Every kind comes equally often.
        let seed = &seeds[(index / if is_broken { BROKEN_OF } else { 1 }) % seeds.len()];
        let ending = seed.name.rsplit('.').next().unwrap_or("wav");
        let number = self.random.index(PIPELINES.len());
        let (format, sources) = PIPELINES[number];
        let stem = format!("{}/f{index}", index / PER_FOLDER);
        let below = |top: String| self.lab.root().join(top);
        let input = below(format!("in{number}/{stem}.{ending}"));
        let aside = self.lab.aside("next");
        put(&aside, &seed.bytes);
        std::fs::rename(aside, self.lab.path(&format!("in{number}/{stem}.{ending}")))
            .expect("a rename");
        let outputs = ["json", format].map(|ending| below(format!("out{number}/{stem}.{ending}")));
        let source = match (sources, is_broken) {
            (Sources::Move, true) => Some(below(format!("failed{number}/{stem}.{ending}"))),
            (Sources::Move, false) => Some(below(format!("done{number}/{stem}.{ending}"))),
            (Sources::Vanish, false) => None,
            _ => Some(input.clone()),
        };
        let has_reason = is_broken && sources == Sources::Move;
        self.dropped.push(Expected {
            input,
            state: if is_broken { "failed" } else { "done" },
            frames: seed.frames.unwrap_or(0),
            outputs: if is_broken { Vec::new() } else { outputs.to_vec() },
            reason: has_reason.then(|| below(format!("failed{number}/{stem}.{ending}.reason.txt"))),
            source,
        });
    }

    /// Drops all files, killing the daemon in the first half and workers in the second.
    fn run(&mut self, files: usize) {
        let mut daemon = self.watch();
        let per_kill = (files / KILLS).max(FILES_PER_KILL_MIN);
        let mut ended = 0;
        while self.dropped.len() < files {
            for _ in 0..per_kill.min(files - self.dropped.len()) {
                self.drop_file();
            }
            // Some are at work and some wait when it is killed.
            let wait_max = Duration::from_millis(200 + self.random.below(1500));
            daemon.observe(wait_max);
            self.kills += 1;
            if self.dropped.len() * 2 <= files {
                daemon.kill_alone();
                daemon = self.watch();
                ended = 0;
            } else {
                self.kill_a_worker();
                // So that the backlog does not grow, and the daemon is looked at while it works.
                let enough = self.dropped.len().saturating_sub(files / 2 + per_kill);
                let deadline = Instant::now() + wavemill_tests::lab::WAIT_MAX;
                while ended < enough && Instant::now() < deadline {
                    daemon.observe(Duration::from_millis(200));
                    ended = count_ended(&daemon);
                    self.take(&daemon);
                }
            }
        }
        rest(&mut daemon);
        self.take(&daemon);
        // Some failed, as they should.
        assert_eq!(daemon.terminate(), Some(3));
    }

    fn kill_a_worker(&self) {
        let workers = self.lab.processes().into_iter().find(|it| it.command.ends_with(" worker"));
        if let Some(pid) = workers.and_then(|worker| rustix::process::Pid::from_raw(worker.pid)) {
            // It may have ended since.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }

    /// Notes what the daemon holds.
    fn take(&mut self, daemon: &Daemon) {
        let pid = daemon.pid().as_raw_nonzero().get();
        let size = std::fs::metadata(self.lab.state().join("store.redb")).map_or(0, |it| it.len());
        // It may be busy starting, or ending.
        let Some(metrics) = metrics(&self.lab.state()) else { return };
        let taken = processes::resident_mib(pid).zip(processes::descriptors(pid));
        self.taken.extend(taken.map(|(resident_mib, descriptors)| Taken {
            resident_mib,
            descriptors,
            store_mib: size as f64 / MIB,
            cache_mib: sum_of(&metrics, "wavemill_store_cache_bytes") / MIB,
            known_files: sum_of(&metrics, "wavemill_watch_files"),
            jobs: sum_of(&metrics, "wavemill_jobs{state=\"done\"}"),
        }));
    }

    /// What is wrong at the end.
    fn settled(&self) -> Vec<String> {
        wait_until("workers end with their daemon", || self.lab.processes().is_empty());
        let pipelines: Vec<&Path> = self.pipelines.iter().map(PathBuf::as_path).collect();
        let ended = self.lab.until_idle(&pipelines);
        let mut wrong = audit::settled(&self.lab, &[self.lab.root_path()], &self.dropped);
        if ended.code != Some(0) {
            wrong.push(format!("something was left to do: {ended:?}"));
        }
        wrong
    }

    /// Medians of the first and of the last quarter of what was noted, in a sentence.
    fn growth(&self) -> String {
        let quarter = self.taken.len().div_ceil(4);
        let of = |part: &[Taken]| {
            let middle = |of: fn(&Taken) -> f64| median(&part.iter().map(of).collect::<Vec<_>>());
            format!(
                "{:.1} MiB, {} descriptors and a store of {:.1} MiB",
                middle(|it| it.resident_mib),
                middle(|it| it.descriptors as f64),
                middle(|it| it.store_mib)
            )
        };
        let (first, last) = (&self.taken[..quarter], &self.taken[self.taken.len() - quarter..]);
        format!(
            "the daemon of the second half: {} in its first quarter, {} in its last",
            of(first),
            of(last)
        )
    }

    /// What is to be said of memory that nothing explains: how much the daemon grew in its last half, besides the pages
    /// of the store, and besides what it has to know of files.
    fn unexplained_growth(&self) -> Option<String> {
        let half = &self.taken[self.taken.len() / 2..];
        let quarter = half.len().div_ceil(4);
        let (first, last) = (&half[..quarter], &half[half.len() - quarter..]);
        let grew = |of: fn(&Taken) -> f64| {
            let middle = |part: &[Taken]| median(&part.iter().map(of).collect::<Vec<_>>());
            middle(last) - middle(first)
        };
        let (own_mib, files, jobs) =
            (grew(Taken::own_mib), grew(|it| it.known_files), grew(|it| it.jobs));
        let explained_mib = GROWTH_MIB + files.max(0.0) * BYTES_A_FILE / MIB;
        (own_mib > explained_mib).then(|| {
            format!(
                "the daemon grew by {own_mib:.2} MiB besides pages of the store while {jobs} jobs ended and {files} more \
                 files were known, which explain {explained_mib:.2} MiB"
            )
        })
    }
}

/// What a running daemon measures of itself.
fn metrics(state: &Path) -> Option<String> {
    let request = "GET /v1/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut socket = UnixStream::connect(state.join("control.sock")).ok()?;
    socket.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// The sum of a metric over its labels.
fn sum_of(metrics: &str, name: &str) -> f64 {
    let values = metrics.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        // Not one whose name only begins with it.
        if !rest.starts_with([' ', '{']) {
            return None;
        }
        line.rsplit_once(' ')?.1.parse::<f64>().ok()
    });
    values.sum()
}

/// Waits until nothing comes any more for longer than a walk takes to find what events did not report.
fn rest(daemon: &mut Daemon) {
    let deadline = Instant::now() + wavemill_tests::lab::WAIT_MAX;
    loop {
        let before = count_ended(daemon);
        daemon.observe(Duration::from_secs(6));
        let last = daemon.events().iter().rfind(|event| event["event"] != "scan-done");
        let is_idle = last.is_some_and(|event| event["event"] == "idle");
        if is_idle && count_ended(daemon) == before {
            return;
        }
        assert!(Instant::now() < deadline, "the daemon does not come to rest: {last:?}");
    }
}

fn count_ended(daemon: &Daemon) -> usize {
    let is_end = |event: &&serde_json::Value| {
        event["event"] == "job-done"
            || (event["event"] == "job-failed" && event["retry_in_s"].is_null())
    };
    daemon.events().iter().filter(is_end).count()
}

#[test]
fn files_of_many_formats_some_broken_come_out_once_or_have_a_reason() {
    let plan = Plan::read();
    if plan.time.is_some() {
        return;
    }
    let (files, begun) = (soak_files().unwrap_or(FILES_SHORT), Instant::now());
    let mut soak = Soak::new(plan.seed);
    soak.run(files);
    let mut wrong = soak.settled();
    if files >= FILES_GROWTH {
        wrong.extend(soak.unexplained_growth());
    }
    if soak_files().is_some() {
        record(&soak, plan.seed, begun.elapsed(), &wrong);
    }
    assert!(wrong.is_empty(), "seed {}: {wrong:#?}", plan.seed);
}

fn record(soak: &Soak, seed: u64, time: Duration, wrong: &[String]) {
    let broken = soak.dropped.iter().filter(|file| file.state == "failed").count();
    let mut findings = vec![
        format!(
            "{} files of {} formats, {broken} of them broken in {} ways, through {} pipelines in {:.1} min, seed {seed}",
            soak.dropped.len(),
            soak.good.len(),
            soak.broken.len(),
            PIPELINES.len(),
            time.as_secs_f64() / 60.0
        ),
        format!("{} kills: of the daemon in the first half, of a worker in the second", soak.kills),
        format!("{} violations", wrong.len()),
        soak.growth(),
    ];
    findings.extend(wrong.iter().take(20).cloned());
    let row = |it: &Taken| {
        [
            it.resident_mib,
            it.descriptors as f64,
            it.store_mib,
            it.cache_mib,
            it.known_files,
            it.jobs,
        ]
        .map(|value| value.to_string())
        .to_vec()
    };
    let rows = soak.taken.iter().map(row).collect();
    let columns =
        vec!["resident_mib", "descriptors", "store_mib", "cache_mib", "known_files", "jobs_done"];
    let record = Record { findings, columns, rows };
    record
        .write("soak", "files of many formats, a tenth broken, through three pipelines with kills");
}
