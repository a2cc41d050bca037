//! Going on with other pipelines and settings, all of them or none.

use super::engine::Engine;
use super::event::DaemonEvent;
use super::plans::{Current, Plans};
use super::settings::{DaemonError, Reload};
use super::watches::{ActiveWatch, warn_of_contention};
use std::collections::BTreeMap;
use std::sync::Arc;
use wavemill_store::StoreError;

/// What became of the watches there were.
#[derive(Debug)]
struct Next {
    plans: Current,
    /// Watches that go on, by their place, with what new jobs of them get.
    kept: BTreeMap<usize, ActiveWatch>,
    /// Watches that begin, which run already.
    begun: Vec<ActiveWatch>,
}

impl Engine {
    /// Takes what was read anew; what could not be read changes nothing, and is reported.
    pub(super) fn take_reload(&mut self, reload: Result<Reload, String>) -> Result<(), StoreError> {
        let next = reload.and_then(|reload| {
            let next = self.prepare(&reload).map_err(|error| error.to_string())?;
            Ok((reload, next))
        });
        match next {
            Ok((reload, next)) => self.adopt(reload, next),
            Err(reason) => {
                tracing::info!(%reason, "Pipelines not reloaded.");
                self.shared.live.set_reload_refused(Some(reason.clone()));
                self.shared.emit(DaemonEvent::ReloadRefused { reason });
                Ok(())
            }
        }
    }

    /// Does all that can fail. An error leaves everything as it was.
    fn prepare(&mut self, reload: &Reload) -> Result<Next, DaemonError> {
        let shared = Arc::clone(&self.shared);
        let plans = shared.plans.read(&reload.pipelines, &reload.defaults)?;
        let mut watches = Vec::new();
        for plan in plans.values() {
            watches.extend(ActiveWatch::of_plan(plan, &shared.root, &shared.output_root)?);
        }
        if watches.is_empty() {
            let reason = "none of these pipelines watches a folder".to_owned();
            return Err(DaemonError::Conflict { reason });
        }
        let (mut kept, mut begun) = (BTreeMap::new(), Vec::new());
        for watch in watches {
            let is_same =
                |old: &Option<ActiveWatch>| old.as_ref().is_some_and(|old| old.watches_as(&watch));
            match self.watches.iter().position(is_same) {
                Some(index) => drop(kept.insert(index, watch)),
                None => begun.push(watch),
            }
        }
        let first = self.watches.len();
        for (number, watch) in begun.iter_mut().enumerate() {
            shared.live.add_watch(watch.view());
            if let Err(error) = watch.start(&shared, first + number, self.changes.clone()) {
                // Those before it may have reported changes already: no other may get their places.
                let count = first + number + 1;
                (first..count).for_each(|index| shared.live.remove_watch(index));
                self.watches.resize_with(count, || None);
                return Err(error);
            }
        }
        Ok(Next { plans, kept, begun })
    }

    fn adopt(&mut self, reload: Reload, next: Next) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let Next { plans, mut kept, begun } = next;
        shared.store.keep_plans(Plans::records_of(&plans, &shared.output_root))?;
        for (index, place) in self.watches.iter_mut().enumerate() {
            match (place.as_mut(), kept.remove(&index)) {
                (Some(old), Some(new)) => old.go_on_as(new, &shared, index),
                (Some(_), None) => {
                    shared.live.remove_watch(index);
                    end(place.take());
                }
                (None, _) => {}
            }
        }
        self.watches.extend(begun.into_iter().map(Some));
        warn_of_contention(self.watches.iter().flatten());
        let event = self.changed(&plans);
        shared.live.set_watched(plans.keys().cloned().collect());
        shared.live.set_outputs(Plans::output_folders(&plans, &shared.output_root));
        shared.live.set_reload_refused(None);
        shared.live.set_defaults(reload.defaults);
        shared.space.set_free_bytes_min(reload.free_bytes_min);
        shared.plans.set_current(plans);
        shared.set_hooks(reload.hooks);
        tracing::info!("Pipelines reloaded.");
        shared.emit(event);
        for (pipeline, jobs) in shared.store.waiting_counts()? {
            if !shared.live.runs(&pipeline) {
                shared.emit(DaemonEvent::PipelineUnwatched { pipeline, jobs });
            }
        }
        Ok(())
    }

    /// What is reported of new pipelines.
    fn changed(&self, next: &Current) -> DaemonEvent {
        let now = self.shared.plans.current();
        let is_changed = |name: &&String| {
            let both = now.get(*name).zip(next.get(*name));
            both.is_some_and(|(now, next)| now.pipeline.hash != next.pipeline.hash)
        };
        DaemonEvent::Reloaded {
            begun: next.keys().filter(|name| !now.contains_key(*name)).cloned().collect(),
            changed: next.keys().filter(is_changed).cloned().collect(),
            ended: now.keys().filter(|name| !next.contains_key(*name)).cloned().collect(),
        }
    }
}

/// Stops a watch on a thread of its own: one that hangs in a dead file system must not stop the scheduler.
fn end(watch: Option<ActiveWatch>) {
    let ended = std::thread::Builder::new().name("watch end".to_owned()).spawn(move || drop(watch));
    if let Err(error) = ended {
        tracing::warn!(%error, "Watch stopped without a thread.");
    }
}
