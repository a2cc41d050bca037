//! A worker that is real in all but the audio: this test program, started again.

use super::acts::Scene;
use crate::worker::{Engine, Work, WorkerHooks, serve_with};
use rustix::process::{Resource, Signal};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::execution::{
    Decision, FileAccess, Outcome, OutputKind, Places, PreparedOutput, Proposal, RunError,
};
use wavemill_pipelines::model::OnConflict;
use wavemill_pipelines::report::Report;
use wavemill_store::GroupMember;
use wavemill_store::cache::{GroupMeasurements, Pieces};

const VARIABLE: &str = "WAVEMILL_FAKE_WORKER";

/// Starts this test program as a worker.
pub(super) fn worker_command() -> Vec<OsString> {
    let program = std::env::current_exe().unwrap().into_os_string();
    let test = "tests::fake::fake_worker_process";
    let setting = format!("{VARIABLE}=1");
    let mut command: Vec<OsString> = vec!["env".into(), setting.into(), program];
    command.extend([test, "--exact", "--nocapture"].map(OsString::from));
    command
}

/// Not a test: the body of the worker process. Run as a test it has nothing to do.
#[test]
fn fake_worker_process() {
    if std::env::var_os(VARIABLE).is_some() {
        std::process::exit(i32::from(serve_with(&FakeEngine)));
    }
}

/// Makes the outputs that the pipeline's text names (`a b | suffix`: two outputs with these endings,
/// and `on_conflict`), each with the source's text in it, and a report. The source's first word can
/// ask for something else.
struct FakeEngine;

impl Engine for FakeEngine {
    fn run(
        &self,
        work: &Work,
        cancel: &AtomicBool,
        hooks: &mut dyn WorkerHooks,
    ) -> Result<Outcome, RunError> {
        let access = hooks.access();
        let source = read_source(access.as_ref(), &work.job.input)?;
        let (endings, conflict) =
            work.pipeline_text.split_once('|').unwrap_or((&work.pipeline_text, ""));
        let proposals = proposals(work, endings, conflict.trim());
        if source.starts_with("crash-early") {
            std::process::abort();
        }
        if let Some(members) = &work.members {
            measure(work, members, cancel, hooks)?;
        }
        // As one that was taken over would ask for more time.
        while source == "stretch" && !cancel.load(Ordering::SeqCst) {
            hooks.measures(0);
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let decisions = hooks.decide(&proposals)?;
        let mut outputs = Vec::new();
        for (proposal, decision) in proposals.iter().zip(decisions) {
            let Decision::Write { temporary, path } = decision else { continue };
            let text = format!("{}\n{source}", proposal.path.display());
            write_synced(access.as_ref(), &temporary, &text)?;
            outputs.push(PreparedOutput {
                kind: proposal.kind,
                temporary,
                path,
                size_bytes: text.len() as u64,
                blake3: blake3::hash(text.as_bytes()).to_hex().to_string(),
            });
            if let Err(error) = behave(&source, cancel, work) {
                remove_all(access.as_ref(), &outputs);
                return Err(error);
            }
        }
        hooks.progress(1.0);
        let rejected = source.starts_with("reject").then(|| "is too loud".to_owned());
        if rejected.is_some() {
            let (report, other) =
                outputs.into_iter().partition(|output| output.kind == OutputKind::Report);
            outputs = report;
            let other: Vec<PreparedOutput> = other;
            remove_all(access.as_ref(), &other);
        }
        let mut found = serde_json::json!({ "source": source, "worker": std::process::id() });
        if source == "limits" {
            found["limits"] = limits();
        }
        if let Some(scene) = Scene::of(&source, &work.output_root) {
            found["asked"] = scene.ask_all(access.as_ref());
            found["tried"] = scene.try_all();
            if let Some(how) = scene.try_fatal() {
                found["tried"]["execute"] = how.into();
            }
        }
        // Tests find it where a report has the tags.
        let report = Report { tags: found, ..Report::default() };
        Ok(Outcome { rejected, outputs, report })
    }
}

/// Measures the members of a group, which is enough for those that are to crash to do so.
fn measure(
    work: &Work,
    members: &[GroupMember],
    cancel: &AtomicBool,
    hooks: &mut dyn WorkerHooks,
) -> Result<(), RunError> {
    for (index, member) in members.iter().enumerate().filter(|(_, it)| it.left_out.is_none()) {
        hooks.measures(index);
        if read_source(hooks.access().as_ref(), &member.path)?.starts_with("crash") {
            std::process::abort();
        }
    }
    let (pieces, pipeline) = (Pieces::of_state(&work.state), Pipeline::named("test"));
    let access = hooks.access();
    let places = Places { output_root: &work.output_root, spool: &work.spool, cancel, access };
    let group = GroupMeasurements::measure(&pieces, &pipeline, &[], &places, &mut |_, _| {})?;
    hooks.settle_group(group).map(drop)
}

/// What this process may still have: files open, bytes of a core dump.
fn limits() -> serde_json::Value {
    let most = |which| rustix::process::getrlimit(which).maximum;
    serde_json::json!({ "files": most(Resource::Nofile), "core": most(Resource::Core) })
}

fn read_source(access: &dyn FileAccess, path: &Path) -> Result<String, RunError> {
    access
        .open(path)
        .and_then(io::read_to_string)
        .map_err(|error| RunError::Input { reason: error.to_string(), incomplete: false })
}

fn proposals(work: &Work, endings: &str, conflict: &str) -> Vec<Proposal> {
    let on_conflict = match conflict {
        "skip" => OnConflict::Skip,
        "suffix" => OnConflict::Suffix,
        "replace" => OnConflict::Replace,
        _ => OnConflict::Error,
    };
    let stem = work.job.name.file_stem().unwrap();
    let path = |ending: &str| -> PathBuf {
        let mut name = stem.to_owned();
        name.push(format!(".{ending}"));
        work.output_root.join("out").join(name)
    };
    let export = |ending| Proposal { kind: OutputKind::Export, path: path(ending), on_conflict };
    let mut proposals: Vec<_> = endings.split_whitespace().map(export).collect();
    proposals.push(Proposal { kind: OutputKind::Report, path: path("json"), on_conflict });
    proposals
}

fn write_synced(access: &dyn FileAccess, path: &Path, text: &str) -> Result<(), RunError> {
    let written = access.create(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| RunError::Transient { reason: format!("{}: {error}", path.display()) })
}

/// What the source's first word asks for, once an output is written.
fn behave(source: &str, cancel: &AtomicBool, work: &Work) -> Result<(), RunError> {
    let first = source.split_whitespace().next().unwrap_or_default();
    match first {
        "crash" => std::process::abort(),
        "crash-once" if work.job.attempt == 1 => std::process::abort(),
        "killed" if work.job.attempt <= 3 => {
            let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
            std::process::abort();
        }
        "hang" => {
            while !cancel.load(Ordering::SeqCst) {
                std::thread::park_timeout(Duration::from_millis(10));
            }
            Err(RunError::Canceled)
        }
        "loop" => {
            while !cancel.load(Ordering::SeqCst) {
                std::hint::spin_loop();
            }
            Err(RunError::Canceled)
        }
        "gate" => {
            while !work.output_root.join("go").exists() {
                std::thread::park_timeout(Duration::from_millis(10));
            }
            Ok(())
        }
        "bad" => Err(RunError::Input { reason: "is damaged".to_owned(), incomplete: false }),
        "short" => Err(RunError::Input { reason: "is cut".to_owned(), incomplete: true }),
        "flaky" if work.job.attempt == 1 => {
            Err(RunError::Transient { reason: "disk full".to_owned() })
        }
        "fat" => {
            let mut memory = vec![1u8; 300 << 20];
            memory[0] = 2;
            while memory.iter().step_by(4096).any(|&byte| byte > 0) {
                std::thread::park_timeout(Duration::from_millis(10));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Removes what was written, as a failed run does.
fn remove_all(access: &dyn FileAccess, outputs: &[PreparedOutput]) {
    for output in outputs {
        access.remove(&output.temporary).unwrap();
    }
}
