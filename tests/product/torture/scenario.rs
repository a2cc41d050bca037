//! What a job is made to do while it is tortured, and what must have become of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wavemill_tests::audit::{self, Expected};
use wavemill_tests::lab::{Ended, Lab, put};
use wavemill_tests::signal;
use wavemill_tests::wav::{self, Stored};

/// Frames of the input: a second, so that there is a loudness and every writer flushes more than once.
const FRAMES: usize = 48_000;

/// A pipeline and a file for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Two exports and a report; the source moves within its file system.
    Moved,
    /// One export; the source moves to another file system.
    Far,
    /// Outputs of an earlier version of the file are replaced; the source stays.
    Replaced,
    /// The source is deleted.
    Deleted,
    /// A file that is no audio is moved away, with the reason beside it.
    Failed,
    /// The report only: a gate turns the file away.
    Rejected,
    /// The signal is too long for memory, so that it is spooled.
    Spooled,
}

impl Scenario {
    /// Those that are quick.
    pub(crate) const SHORT: [Self; 6] =
        [Self::Moved, Self::Far, Self::Replaced, Self::Deleted, Self::Failed, Self::Rejected];

    /// All.
    pub(crate) const ALL: [Self; 7] = [
        Self::Moved,
        Self::Far,
        Self::Replaced,
        Self::Deleted,
        Self::Failed,
        Self::Rejected,
        Self::Spooled,
    ];

    fn exports(self) -> &'static [&'static str] {
        match self {
            Self::Moved => &["wav", "flac"],
            Self::Far | Self::Deleted | Self::Spooled => &["flac"],
            Self::Replaced | Self::Failed | Self::Rejected => &["wav"],
        }
    }

    /// Names of outputs, of those that are made.
    fn outputs(self) -> Vec<&'static str> {
        match self {
            Self::Moved => vec!["a.wav", "a.flac", "a.json"],
            Self::Replaced => vec!["a.wav", "a.json"],
            Self::Far | Self::Deleted | Self::Spooled => vec!["a.flac"],
            Self::Rejected => vec!["a.json"],
            Self::Failed => Vec::new(),
        }
    }

    fn text(self, far: &Path) -> String {
        let far = far.display();
        let (gate, source) = match self {
            Self::Moved | Self::Failed => {
                ("", "on_success = \"move:done\"\non_failure = \"move:failed\"")
            }
            Self::Far => ("", &*format!("on_success = \"move:{far}\"")),
            Self::Deleted => ("", "on_success = \"delete\""),
            Self::Rejected => ("[[require]]\nduration = { min = \"10s\" }\n", ""),
            Self::Replaced | Self::Spooled => ("", ""),
        };
        let export = |format: &&str| {
            let conflict = if self == Self::Replaced { "on_conflict = \"replace\"\n" } else { "" };
            format!(
                "[[export]]\nformat = \"{format}\"\npath = \"out/{{stem}}.{{ext}}\"\n{conflict}"
            )
        };
        let exports: String = self.exports().iter().map(export).collect();
        let has_report = self.outputs().contains(&"a.json");
        let report = if has_report { "[report]\njson = \"out/{stem}.json\"\n" } else { "" };
        // A step before the loudness keeps the pass before it from reading the source again.
        let before = if self == Self::Spooled {
            "[[step]]\nuse = \"gain\"\nwith = { gain_db = -1.0 }\n"
        } else {
            ""
        };
        format!(
            "version = 1\n\n[pipeline]\nname = \"torture\"\n\
             retry = {{ attempts = 3, backoff = \"20ms..100ms\" }}\n\n\
             [[watch]]\npath = \"in\"\nready = {{ stable_for = \"20ms\" }}\n\n{gate}{before}\
             [[step]]\nuse = \"loudness\"\nwith = {{ target_lufs = -20.0, ceiling_dbtp = -1.0 }}\n\n\
             {exports}{report}[source]\n{source}\n"
        )
    }
}

/// A lab in which a scenario is about to happen.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) lab: Lab,
    scenario: Scenario,
    pipeline: PathBuf,
    far: Option<TempDir>,
}

impl Stage {
    /// The store is there already, and what the scenario needs beside its input. `None` where the machine
    /// lacks a second file system.
    pub(crate) fn new(scenario: Scenario) -> Option<Self> {
        let lab = Lab::new();
        let far = match scenario {
            Scenario::Far => Some(elsewhere(&lab)?),
            _ => None,
        };
        let path = far.as_ref().map_or_else(PathBuf::new, |folder| folder.path().join("moved"));
        let pipeline = lab.pipeline("torture", &scenario.text(&path));
        let stage = Self { lab, scenario, pipeline, far };
        if scenario == Scenario::Replaced {
            stage.drop_file(FRAMES / 2, 2);
        }
        let ended = stage.recover();
        assert_eq!(ended.code, Some(0), "{scenario:?}: {ended:?}");
        match scenario {
            Scenario::Failed => put(&stage.lab.path("in/a.wav"), b"no audio at all"),
            Scenario::Spooled => stage.drop_file(SPOOLED_FRAMES, 1),
            _ => stage.drop_file(FRAMES, 1),
        }
        Some(stage)
    }

    fn drop_file(&self, frames: usize, seed: u64) {
        let channels = if self.scenario == Scenario::Spooled { 8 } else { 2 };
        let signal = signal::pink(48_000, channels, frames, 0.3, seed);
        wav::write(&self.lab.path("in/a.wav"), &signal, Stored::Int(16));
    }

    /// The command that works until nothing is left to do.
    pub(crate) fn command(&self) -> std::process::Command {
        let mut command = self.lab.command(["watch", "--until-idle", "--json"]);
        command.arg(&self.pipeline);
        command
    }

    /// Everything that was begun is brought to its end, without faults.
    pub(crate) fn recover(&self) -> Ended {
        self.lab.until_idle(&[&self.pipeline])
    }

    /// What is wrong whatever happened, finished or not.
    pub(crate) fn torn(&self) -> Vec<String> {
        let folders = self.folders();
        let mut expected = self.expected();
        if self.scenario == Scenario::Replaced {
            // Until they are replaced, the outputs of the earlier version stand there, whole.
            let is_former = audit::count_frames(&self.lab.root().join("out/a.wav"));
            if is_former == Ok((FRAMES / 2) as u64) {
                expected[0].frames = (FRAMES / 2) as u64;
            }
        }
        let mut wrong = audit::torn(&folders, &expected, &mut BTreeSet::new());
        if self.scenario == Scenario::Replaced {
            // The report comes last, so the former one stands beside the first new output for a moment.
            wrong.retain(|line| !line.contains("a.json: "));
        }
        wrong
    }

    /// What is wrong at the end.
    pub(crate) fn settled(&self) -> Vec<String> {
        let jobs = self.lab.jobs().len();
        let mut wrong = audit::settled(&self.lab, &self.folders(), &self.expected());
        if self.scenario == Scenario::Replaced {
            // The earlier version had a job too.
            wrong.retain(|line| !line.contains("has 2 jobs"));
            if jobs != 2 {
                wrong.push(format!("{jobs} jobs, not 2"));
            }
        }
        wrong
    }

    fn folders(&self) -> Vec<&Path> {
        std::iter::once(self.lab.root_path()).chain(self.far.iter().map(TempDir::path)).collect()
    }

    fn expected(&self) -> Vec<Expected> {
        let root = self.lab.root();
        let input = root.join("in/a.wav");
        let source = match (self.scenario, &self.far) {
            (Scenario::Moved, _) => Some(root.join("done/a.wav")),
            (Scenario::Failed, _) => Some(root.join("failed/a.wav")),
            (Scenario::Far, Some(far)) => Some(far.path().join("moved/a.wav")),
            (Scenario::Deleted, _) => None,
            _ => Some(input.clone()),
        };
        let state = match self.scenario {
            Scenario::Failed => "failed",
            Scenario::Rejected => "rejected",
            _ => "done",
        };
        let is_long = self.scenario == Scenario::Spooled;
        let frames = if is_long { SPOOLED_FRAMES } else { FRAMES } as u64;
        let outputs = self.scenario.outputs().into_iter().map(|name| root.join("out").join(name));
        vec![Expected {
            reason: (state == "failed").then(|| root.join("failed/a.wav.reason.txt")),
            outputs: outputs.collect(),
            input,
            state,
            frames,
            source,
        }]
    }
}

/// Frames of 8 channels that are too many to be kept in memory between two passes.
const SPOOLED_FRAMES: usize = 600_000;

/// A folder on another file system than the lab's.
#[expect(clippy::print_stderr, reason = "the gate counts this line")]
fn elsewhere(lab: &Lab) -> Option<TempDir> {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| path.metadata().map(|metadata| metadata.dev()).ok();
    let folder = tempfile::tempdir_in("/dev/shm").ok();
    let folder = folder.filter(|folder| device(folder.path()) != device(lab.root_path()));
    if folder.is_none() {
        eprintln!("skipped: no second file system at /dev/shm");
    }
    folder
}

impl Stage {
    /// The folder whose calls are looked at: root, state and all.
    pub(crate) fn folder(&self) -> &Path {
        self.lab.root_path().parent().expect("the root lies in the lab's folder")
    }
}
