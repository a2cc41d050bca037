//! What hooks are to be notified of.

use super::super::notices::Backlog;
use super::*;

fn hook(on: &[Occasion], pipelines: &[&str]) -> HookRecord {
    HookRecord {
        on: on.to_vec(),
        pipelines: pipelines.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// A store with these hooks and a job of `podcast` that is running.
fn store_with(hooks: &[(&str, HookRecord)]) -> (tempfile::TempDir, Store, JobRecord) {
    let (folder, store) = open();
    let hooks = hooks.iter().map(|(name, hook)| ((*name).to_owned(), hook.clone())).collect();
    store.keep_hooks(hooks).unwrap();
    settle(&store, "a.wav", "a", 1);
    let job = claim_now(&store, 1).remove(0);
    (folder, store, job)
}

fn fail(store: &Store, job: &JobRecord) {
    let end = End {
        why: EndReason::Failed,
        reason: "bad".to_owned(),
        source: SourceRecord::Kept,
        is_crash: false,
        now_ms: 77,
    };
    store.give_up(&Lease::of(job), end).unwrap();
}

fn subjects(store: &Store, hook: &str) -> Vec<(Occasion, String)> {
    let notices = store.notices_due(hook, 0, 99).unwrap().0;
    notices.into_iter().map(|notice| (notice.occasion, notice.subject)).collect()
}

#[test]
fn end_of_a_job_is_to_be_sent_to_those_that_want_to_know() {
    let hooks = [
        ("all", hook(&[Occasion::Done, Occasion::Failed], &[])),
        ("done", hook(&[Occasion::Done], &[])),
        ("other", hook(&[Occasion::Failed], &["music"])),
        ("podcast", hook(&[Occasion::Failed], &["music", "podcast"])),
    ];
    let (_folder, store, job) = store_with(&hooks);
    assert_eq!(subjects(&store, "all"), []);
    fail(&store, &job);
    let expected = [(Occasion::Failed, job.id.clone())];
    assert_eq!(subjects(&store, "all"), expected);
    assert_eq!(subjects(&store, "podcast"), expected);
    assert_eq!(subjects(&store, "done"), []);
    assert_eq!(subjects(&store, "other"), []);
}

#[test]
fn notice_is_kept_until_it_was_sent() {
    let (folder, store, job) = store_with(&[("a", hook(&[Occasion::Failed], &[]))]);
    fail(&store, &job);
    let mut notice = store.notices_due("a", 0, 99).unwrap().0.remove(0);
    assert_eq!((notice.happened_ms, notice.tries, notice.due_ms), (77, 0, 0));
    notice.tries = 3;
    notice.due_ms = 900;
    notice.reason = Some("no answer".to_owned());
    store.put_off_notice("a", notice.clone()).unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.notices_due("a", 899, 99).unwrap(), (Vec::new(), Some(900)));
    assert_eq!(store.notices_due("a", 900, 99).unwrap(), (vec![notice.clone()], None));
    // The clock was set back by years.
    notice.due_ms = 900 + 30 * 24 * 3_600_000;
    store.put_off_notice("a", notice.clone()).unwrap();
    assert_eq!(store.notices_due("a", 900, 99).unwrap(), (vec![notice.clone()], None));
    let view = store.hooks().unwrap().remove(0);
    assert_eq!((view.waiting, view.reason.as_deref()), (1, Some("no answer")));
    store.forget_notice("a", &notice).unwrap();
    assert_eq!(store.notices_due("a", 900, 99).unwrap(), (Vec::new(), None));
    // Whoever was still sending it does not bring it back.
    store.put_off_notice("a", notice).unwrap();
    assert_eq!(store.notices_due("a", 900, 99).unwrap(), (Vec::new(), None));
}

#[test]
fn hook_that_is_gone_is_sent_nothing_any_more() {
    let hooks = [("a", hook(&[Occasion::Failed], &[])), ("ab", hook(&[Occasion::Failed], &[]))];
    let (_folder, store, job) = store_with(&hooks);
    fail(&store, &job);
    store.keep_hooks(vec![("ab".to_owned(), hook(&[Occasion::Failed], &[]))]).unwrap();
    assert_eq!(subjects(&store, "a"), []);
    assert_eq!(subjects(&store, "ab").len(), 1);
    settle(&store, "b.wav", "b", 1);
    let job = claim_now(&store, 1).remove(0);
    fail(&store, &job);
    assert_eq!(subjects(&store, "a"), []);
    assert_eq!(subjects(&store, "ab").len(), 2);
}

#[test]
fn what_waits_is_counted_without_reading_it() {
    const COUNT: u64 = 100_000;
    let hooks = [("a", hook(&[Occasion::Failed], &[])), ("ab", hook(&[Occasion::Done], &[]))];
    let (_folder, store, job) = store_with(&hooks);
    let notice_at = move |number: u64| NoticeRecord {
        occasion: Occasion::Failed,
        subject: job.id.clone(),
        pipeline: "podcast".to_owned(),
        happened_ms: number,
        tries: 0,
        due_ms: 0,
        reason: None,
    };
    let announced = notice_at.clone();
    store
        .write(move |tx| (0..COUNT).try_for_each(|number| tx.announce(&announced(number))))
        .unwrap();
    let failed = NoticeRecord { reason: Some("no answer".to_owned()), ..notice_at(COUNT / 2) };
    store.put_off_notice("a", failed.clone()).unwrap();
    store.forget_notice("a", &notice_at(1)).unwrap();
    tables::DECODED.set(0);
    let views = store.hooks().unwrap();
    assert!(tables::DECODED.get() <= 2 * views.len(), "{} records read", tables::DECODED.get());
    assert_eq!((views[0].waiting, views[0].reason.as_deref()), (COUNT - 1, Some("no answer")));
    assert_eq!((views[1].waiting, views[1].reason.as_deref()), (0, None));
    store.forget_notice("a", &failed).unwrap();
    let view = store.hooks().unwrap().remove(0);
    assert_eq!((view.waiting, view.reason), (COUNT - 2, None));
}

#[test]
fn what_waits_in_a_store_of_an_earlier_version_is_counted() {
    let (folder, store, job) = store_with(&[("a", hook(&[Occasion::Failed], &[]))]);
    fail(&store, &job);
    store.write(|tx| tx.remove(tables::BACKLOGS, b"a")).unwrap();
    assert_eq!(store.hooks().unwrap()[0].waiting, 1);
    store.keep_hooks(vec![("a".to_owned(), hook(&[Occasion::Failed], &[]))]).unwrap();
    tables::DECODED.set(0);
    assert_eq!(store.hooks().unwrap()[0].waiting, 1);
    assert_eq!(tables::DECODED.get(), 2);
    // Counted anew at a start, whatever was written meanwhile by an earlier version.
    store.write(|tx| tx.put(tables::BACKLOGS, b"a", &Backlog::default())).unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    store.keep_hooks(vec![("a".to_owned(), hook(&[Occasion::Failed], &[]))]).unwrap();
    assert_eq!(store.hooks().unwrap()[0].waiting, 1);
}
