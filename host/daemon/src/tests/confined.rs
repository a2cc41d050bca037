//! What a worker can no longer do, tried by a real one.

use super::acts::OTHER_PART;
use super::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use wavemill_pipelines::Effects;
use wavemill_platform::{ConfinementLevel, confinement_here};

/// What every worker may do besides its job.
const ALLOWED: [&str; 1] = ["make spool"];

/// What nobody could do here even unconfined: some of it needs rights, some a kernel with the means.
const NEEDS_RIGHTS: [&str; 5] = ["namespace", "trace", "ring", "read memory", "write own program"];

/// Whether this machine can confine at all; if not, says so.
pub(super) fn can_confine() -> bool {
    let here = confinement_here();
    if here.level != ConfinementLevel::Full {
        eprintln!("skipped: workers cannot be confined here ({here})");
        return false;
    }
    true
}

/// A place with all that the acts are about; the listeners live as long as they are held.
pub(super) fn scene() -> (Lab, TcpListener, UnixListener) {
    let lab = Lab::new();
    fs::create_dir(lab.path("other")).unwrap();
    fs::create_dir_all(lab.path("state/cache/effects")).unwrap();
    for name in ["other/secret", "other/victim", "out/foreign", "in/other.txt"] {
        lab.write(name, name);
    }
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let unix = UnixListener::bind(lab.path("other/socket")).unwrap();
    lab.write(&format!("out/{OTHER_PART}"), "other part");
    lab.write("in/a.wav", &format!("try {}", tcp.local_addr().unwrap().port()));
    (lab, tcp, unix)
}

/// Runs the acts in a worker; the report says what each came to.
fn report_of(lab: &Lab, confine: bool) -> Value {
    report_with(plan("a"), lab, confine)
}

/// The same with another plan.
fn report_with(plan: Plan, lab: &Lab, confine: bool) -> Value {
    let (settings, events) = settings(lab.folder.path(), true);
    let settings = DaemonSettings { confine, ..settings };
    let plans = Plans::of(std::iter::once(("test.toml".into(), plan))).unwrap();
    let summary = run_with(&settings, plans).unwrap();
    let events: Vec<_> = events.try_iter().collect();
    assert_eq!(summary.done, 1, "{events:?}");
    let report = events.into_iter().find_map(|event| match event {
        DaemonEvent::JobDone { report, .. } => report,
        _ => None,
    });
    report.unwrap().tags
}

fn worked(tried: &Value) -> BTreeSet<&str> {
    let tried = tried.as_object().unwrap();
    tried.iter().filter(|(_, error)| error.is_null()).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn confined_worker_can_do_its_job_and_nothing_else() {
    if !can_confine() {
        return;
    }
    let (lab, _tcp, _unix) = scene();
    let tried = &report_of(&lab, true)["tried"];
    assert_eq!(worked(tried), BTreeSet::from(ALLOWED), "{tried:#}");
    assert_eq!(tried["execute"], "Function not implemented (os error 38)", "{tried:#}");
    assert_eq!(lab.read("other/secret"), "other/secret");
    assert_eq!(lab.names("other"), ["secret", "socket", "victim"]);
    assert_eq!(lab.names("in"), ["a.wav", "other.txt"]);
    assert_eq!(lab.names("out"), [OTHER_PART, "a.a", "a.json", "foreign"]);
    assert_eq!(lab.read("out/foreign"), "out/foreign");
    assert_eq!(lab.read(&format!("out/{OTHER_PART}")), "other part");
}

/// Compiled code is run by whoever loads it next, the daemon too.
#[test]
fn worker_of_effects_reads_their_compiled_code_and_writes_none() {
    if !can_confine() {
        return;
    }
    let text = "version = 1\n[pipeline]\nname = \"test\"\n[[step]]\neffect = \"gate\"\n\
                [report]\njson = \"out/x.json\"\n";
    let loaded = wavemill_pipelines::load(text, &Defaults::default(), &Effects::default());
    let mut plan = plan("a");
    plan.pipeline.steps = loaded.unwrap().pipeline.steps;
    let (lab, _tcp, _unix) = scene();
    let tried = &report_with(plan, &lab, true)["tried"];
    let allowed = BTreeSet::from(["make spool", "list compiled effects"]);
    assert_eq!(worked(tried), allowed, "{tried:#}");
    assert!(!lab.path("state/cache/effects/planted.fxcode").exists());
}

/// Whether it is confined or not: what hands the files over knows the job.
#[test]
fn daemon_hands_over_no_file_of_another_job() {
    let (lab, _tcp, _unix) = scene();
    let asked = &report_of(&lab, can_confine())["asked"];
    let asked = asked.as_object().unwrap();
    assert_eq!(asked.len(), 12, "{asked:?}");
    for (wish, error) in asked {
        let error = error.as_str().unwrap_or_else(|| panic!("{wish} worked"));
        assert!(error.ends_with("is not a file of this job"), "{wish}: {error}");
    }
}

/// Otherwise the acts would be denied by something else, and the test above would prove nothing.
#[test]
fn unconfined_worker_can_do_what_its_user_can() {
    let (lab, _tcp, _unix) = scene();
    let tried = &report_of(&lab, false)["tried"];
    let is_denied = |(name, error): &(&String, &Value)| {
        !error.is_null() && !NEEDS_RIGHTS.contains(&name.as_str())
    };
    let denied: Vec<_> = tried.as_object().unwrap().iter().filter(is_denied).collect();
    assert!(denied.is_empty(), "{denied:?}");
    assert_eq!(lab.names("other"), ["new", "secret", "socket"]);
}

/// A file that took its worker over has no hold on the jobs that follow, in the same place too.
#[test]
fn each_job_has_a_worker_of_its_own_that_ends_with_it() {
    let lab = Lab::new();
    for name in ["a", "b", "c"] {
        lab.write(&format!("in/{name}.wav"), "sound");
    }
    let (mut settings, events) = settings(lab.folder.path(), true);
    settings.workers = 1;
    let plans = Plans::of(std::iter::once(("test.toml".into(), plan("a")))).unwrap();
    let summary = run_with(&settings, plans).unwrap();
    assert_eq!(summary, Summary { done: 3, ..Summary::default() });
    let workers: BTreeSet<_> = events
        .try_iter()
        .filter_map(|event| match event {
            DaemonEvent::JobDone { report, .. } => report.as_ref()?.tags["worker"].as_u64(),
            _ => None,
        })
        .collect();
    assert_eq!(workers.len(), 3);
    assert!(workers.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()));
}

/// A worker keeps what it was allowed, not what has its name later; its outputs are handed to it.
#[test]
fn folder_that_was_made_anew_is_written() {
    let lab = Lab::new();
    lab.write("in/one.wav", "sound");
    let running = lab.start(&plan("a"), false);
    let done = |name: &'static str| {
        move |event: &DaemonEvent| {
            assert!(!matches!(event, DaemonEvent::JobFailed { .. }), "{event:?}");
            matches!(event, DaemonEvent::JobDone { input, .. } if input.ends_with(name))
        }
    };
    running.wait_for(done("in/one.wav"));
    fs::rename(lab.path("out"), lab.path("out-before")).unwrap();
    lab.write("in/two.wav", "sound");
    running.wait_for(done("in/two.wav"));
    running.stop.escalate();
    running.thread.join().unwrap().unwrap();
    assert_eq!(lab.names("out"), ["two.a", "two.json"]);
    assert_eq!(lab.names("out-before"), ["one.a", "one.json"]);
}
