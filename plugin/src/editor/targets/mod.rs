//! The list of targets, what becomes of it in the user's file, and the strip of several verdicts.

mod form;
mod list;
mod mark;
mod strip;

pub(super) use strip::Strip;

use super::verdict::TargetState;
use crate::lookup::{Answer, Lookup};
use crate::params::Choices;
use crate::plugin::SharedState;
use crate::targets::{Change, Store, UserTargets};
use form::Form;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a look at the user's file holds while the list is open.
const READ_INTERVAL: Duration = Duration::from_secs(2);

const LATE: &str = "the disk with your targets does not respond";

/// What the list remembers.
#[derive(Default)]
pub(super) struct View {
    search: String,
    /// What stands in the field for files of targets.
    path: String,
    /// A target that is being written.
    form: Option<Form>,
    was_open: bool,
    user: UserTargets,
    reading: Lookup<Store, UserTargets>,
    /// Changes that the disk does not have yet, the first one first, with a number each.
    changes: VecDeque<(u64, Change)>,
    count: u64,
    writing: Lookup<(Store, (u64, Change)), Result<(), String>>,
    /// Why the latest change was refused.
    problem: Option<String>,
    /// The user's file is another one since this was last asked.
    has_changed: bool,
}

impl View {
    /// Whether the user's file was changed here; once.
    pub(super) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// Looks at the disk while the list is open, and brings changes there.
    fn settle(&mut self, desk: &SharedState) {
        let Some(store) = &desk.targets else { return };
        if let Some(change) = self.changes.front() {
            let question = (store.clone(), change.clone());
            let write = |(store, (_, change)): &(Store, (u64, Change))| store.change(change);
            match self.writing.ask(&question, Duration::MAX, write) {
                Answer::Known(written) => {
                    let written = written.clone();
                    self.written(desk, written);
                }
                Answer::Waiting => {}
                Answer::Late => self.problem = Some(LATE.into()),
            }
        }
        match self.reading.ask(store, READ_INTERVAL, Store::read) {
            Answer::Known(user) if self.changes.is_empty() => self.user = user.clone(),
            Answer::Late => self.problem = Some(LATE.into()),
            Answer::Known(_) | Answer::Waiting => {}
        }
    }

    fn written(&mut self, desk: &SharedState, written: Result<(), String>) {
        let change = self.changes.pop_front().map(|(_, change)| change);
        self.reading.forget();
        self.problem = written.err();
        match change {
            Some(Change::Put(target, replaced)) if self.problem.is_none() => {
                let name = crate::targets::own_name(&target.id);
                let mut choices = desk.params.choices.write();
                let old = replaced.map(|id| crate::targets::own_name(&id));
                for compared in &mut choices.compared {
                    if Some(&*compared) == old.as_ref() {
                        compared.clone_from(&name);
                    }
                }
                choices.target = name;
                self.form = None;
                self.has_changed = true;
            }
            Some(Change::Remove(id)) if self.problem.is_none() => {
                let name = crate::targets::own_name(&id);
                let mut choices = desk.params.choices.write();
                choices.compared.retain(|compared| *compared != name);
                if choices.target == name {
                    choices.target = Choices::default().target;
                }
                self.form = None;
                self.has_changed = true;
            }
            _ => {}
        }
    }

    fn change(&mut self, change: Change) {
        self.count += 1;
        self.problem = None;
        // What is shown does not wait for the disk.
        if let Change::Favorite(name, is_favorite) = &change {
            self.user.favorites.retain(|other| other != name);
            self.user.favorites.extend(is_favorite.then(|| name.clone()));
        }
        self.changes.push_back((self.count, change));
    }
}
