//! Pipelines: those of today, and those that interrupted jobs began with.

use super::settings::{DaemonError, PipelineSource};
use crate::store::{CurrentPlan, PlanRecord, Store, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use wavemill_pipelines::Pipeline;
use wavemill_pipelines::model::Defaults;

/// A pipeline with the text it came from, which is what workers get.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) pipeline: Pipeline,
    pub(super) text: String,
    pub(super) defaults: Defaults,
}

/// Every pipeline that a job may need.
#[derive(Debug, Default)]
pub(super) struct Plans {
    current: BTreeMap<String, Arc<Plan>>,
    former: Mutex<HashMap<String, Arc<Plan>>>,
}

impl Plans {
    /// Reads the pipelines.
    pub(super) fn load(
        sources: &[PipelineSource],
        defaults: &Defaults,
    ) -> Result<Self, DaemonError> {
        let mut loaded = Vec::new();
        for source in sources {
            let plan = load(&source.text, defaults).map_err(|diagnostics| {
                let (path, text) = (source.path.clone(), source.text.clone());
                DaemonError::Pipeline { path, text, diagnostics }
            })?;
            loaded.push((source.path.clone(), plan));
        }
        Self::of(loaded.into_iter())
    }

    /// Of pipelines that are read already.
    pub(super) fn of(
        plans: impl Iterator<Item = (std::path::PathBuf, Plan)>,
    ) -> Result<Self, DaemonError> {
        let mut current = BTreeMap::new();
        let mut paths: HashMap<String, std::path::PathBuf> = HashMap::new();
        for (path, plan) in plans {
            let name = plan.pipeline.name.clone();
            if let Some(other) = paths.insert(name.clone(), path.clone()) {
                let reason = format!(
                    "{} and {} are both named `{name}`; a name identifies finished work, so each \
                     pipeline needs its own",
                    other.display(),
                    path.display()
                );
                return Err(DaemonError::Conflict { reason });
            }
            current.insert(name, Arc::new(plan));
        }
        Ok(Self { current, former: Mutex::default() })
    }

    /// The pipelines of today, by name.
    pub(super) fn current(&self) -> &BTreeMap<String, Arc<Plan>> {
        &self.current
    }

    /// What new jobs run with, by pipeline.
    pub(super) fn records(&self, output_root: &Path) -> Vec<(PlanRecord, CurrentPlan)> {
        let record = |plan: &Arc<Plan>| {
            let current = CurrentPlan {
                plan: plan.pipeline.hash.clone(),
                output_root: output_root.to_path_buf(),
                priority: plan.pipeline.priority,
            };
            let record = PlanRecord {
                name: plan.pipeline.name.clone(),
                text: plan.text.clone(),
                defaults: plan.defaults.clone(),
            };
            (record, current)
        };
        self.current.values().map(record).collect()
    }

    /// The pipeline with this hash; today's of that name when the former cannot be read any more.
    pub(super) fn get(
        &self,
        store: &Store,
        name: &str,
        hash: &str,
    ) -> Result<Option<Arc<Plan>>, StoreError> {
        let current = self.current.get(name);
        if let Some(plan) = current.filter(|plan| plan.pipeline.hash == hash) {
            return Ok(Some(Arc::clone(plan)));
        }
        let mut former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = former.get(hash) {
            return Ok(Some(Arc::clone(plan)));
        }
        let record = store.plan(hash)?;
        let loaded = record.and_then(|record| load(&record.text, &record.defaults).ok());
        Ok(match loaded {
            Some(plan) => {
                let plan = Arc::new(plan);
                former.insert(hash.to_owned(), Arc::clone(&plan));
                Some(plan)
            }
            None => current.map(Arc::clone),
        })
    }
}

fn load(text: &str, defaults: &Defaults) -> Result<Plan, Vec<wavemill_pipelines::Diagnostic>> {
    let loaded = wavemill_pipelines::load(text, defaults)?;
    Ok(Plan { pipeline: loaded.pipeline, text: text.to_owned(), defaults: defaults.clone() })
}
