//! Pipelines: those of today, and those that interrupted jobs began with.

use super::settings::{DaemonError, DaemonSettings, PipelineSource};
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wavemill_pipelines::model::Defaults;
use wavemill_pipelines::{Diagnostic, Effects, Pipeline};
use wavemill_store::cache::{effects_with, folder_of};
use wavemill_store::{CurrentPlan, PlanRecord, Store, StoreError};

/// A pipeline with the text it came from, which is what workers get.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) pipeline: Pipeline,
    pub(super) text: String,
    pub(super) defaults: Defaults,
    /// Folder that its effects are relative to.
    pub(super) folder: PathBuf,
}

/// Pipelines by name.
pub(super) type Current = BTreeMap<String, Arc<Plan>>;

/// Every pipeline that a job may need.
#[derive(Debug, Default)]
pub(super) struct Plans {
    current: RwLock<Arc<Current>>,
    former: Mutex<HashMap<String, Arc<Plan>>>,
    effects: Effects,
    /// Folder of plans that an older Wavemill kept, which had no effects.
    root: PathBuf,
}

impl Plans {
    /// Reads the pipelines.
    pub(super) fn load(settings: &DaemonSettings) -> Result<Self, DaemonError> {
        let effects = effects_with(&settings.state_dir);
        let plans = Self { effects, root: settings.root.clone(), ..Self::default() };
        plans.set_current(plans.read(&settings.pipelines, &settings.defaults)?);
        Ok(plans)
    }

    /// Understands pipelines, and holds them against each other.
    pub(super) fn read(
        &self,
        sources: &[PipelineSource],
        defaults: &Defaults,
    ) -> Result<Current, DaemonError> {
        let mut loaded = Vec::new();
        for source in sources {
            let folder = folder_of(&source.path)
                .map_err(|error| DaemonError::Start { reason: error.to_string() })?;
            let plan = load(&source.text, defaults, folder, &self.effects);
            let plan = plan.map_err(|diagnostics| {
                let (path, text) = (source.path.clone(), source.text.clone());
                DaemonError::Pipeline { path, text, diagnostics }
            })?;
            loaded.push((source.path.clone(), plan));
        }
        named(loaded.into_iter())
    }

    /// Of pipelines that are read already.
    #[cfg(test)]
    pub(super) fn of(plans: impl Iterator<Item = (PathBuf, Plan)>) -> Result<Self, DaemonError> {
        let current = RwLock::new(Arc::new(named(plans)?));
        Ok(Self { current, ..Self::default() })
    }

    /// The pipelines of today, by name.
    pub(super) fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read())
    }

    /// Has other pipelines from now on.
    pub(super) fn set_current(&self, current: Current) {
        *self.current.write() = Arc::new(current);
    }

    /// Folders that outputs of these pipelines go to.
    pub(super) fn output_folders(current: &Current, output_root: &Path) -> BTreeSet<PathBuf> {
        current.values().flat_map(|plan| plan.pipeline.output_folders(output_root)).collect()
    }

    /// What new jobs run with, by pipeline.
    pub(super) fn records(&self, output_root: &Path) -> Vec<(PlanRecord, CurrentPlan)> {
        Self::records_of(&self.current(), output_root)
    }

    /// What new jobs of these pipelines run with.
    pub(super) fn records_of(
        current: &Current,
        output_root: &Path,
    ) -> Vec<(PlanRecord, CurrentPlan)> {
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
                folder: plan.folder.clone(),
            };
            (record, current)
        };
        current.values().map(record).collect()
    }

    /// Compiles the effects of a pipeline into the cache, from which its worker only reads: compiled code of a
    /// worker that a bad file took over would be run by whoever loads it next. A module that was replaced is compiled
    /// here too, before its first job.
    pub(super) fn compile_effects(&self, plan: &Plan) {
        if plan.pipeline.has_effects() {
            // What is wrong with them is reported by the worker, which finds the same.
            let _ = load(&plan.text, &plan.defaults, plan.folder.clone(), &self.effects);
        }
    }

    /// The pipeline with this hash; today's of that name when the former cannot be read any more.
    pub(super) fn get(
        &self,
        store: &Store,
        name: &str,
        hash: &str,
    ) -> Result<Option<Arc<Plan>>, StoreError> {
        let current = self.current().get(name).map(Arc::clone);
        if let Some(plan) = current.as_ref().filter(|plan| plan.pipeline.hash == hash) {
            return Ok(Some(Arc::clone(plan)));
        }
        let mut former = self.former.lock();
        if let Some(plan) = former.get(hash) {
            return Ok(Some(Arc::clone(plan)));
        }
        let record = store.plan(hash)?;
        let loaded = record.and_then(|record| {
            let is_old = record.folder.as_os_str().is_empty();
            let folder = if is_old { self.root.clone() } else { record.folder };
            load(&record.text, &record.defaults, folder, &self.effects).ok()
        });
        Ok(match loaded {
            Some(plan) => {
                let plan = Arc::new(plan);
                former.insert(hash.to_owned(), Arc::clone(&plan));
                Some(plan)
            }
            None => current,
        })
    }
}

/// Pipelines by their names, which must differ.
fn named(plans: impl Iterator<Item = (PathBuf, Plan)>) -> Result<Current, DaemonError> {
    let mut current = BTreeMap::new();
    let mut paths: HashMap<String, PathBuf> = HashMap::new();
    for (path, plan) in plans {
        let name = plan.pipeline.name.clone();
        if let Some(other) = paths.insert(name.clone(), path.clone()) {
            let reason = format!(
                "{} and {} are both named `{name}`; each pipeline needs its own name, because jobs \
                are identified by it",
                other.display(),
                path.display()
            );
            return Err(DaemonError::Conflict { reason });
        }
        current.insert(name, Arc::new(plan));
    }
    Ok(current)
}

fn load(
    text: &str,
    defaults: &Defaults,
    folder: PathBuf,
    effects: &Effects,
) -> Result<Plan, Vec<Diagnostic>> {
    let loaded = wavemill_pipelines::load(text, defaults, &effects.in_folder(&folder))?;
    let (text, defaults) = (text.to_owned(), defaults.clone());
    Ok(Plan { pipeline: loaded.pipeline, text, defaults, folder })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::Write as _;

    const TEXT: &str = "version = 1\n[pipeline]\nname = \"a\"\n[[step]]\neffect = \"fx/x.wasm\"\n\
                        [report]\njson = \"{stem}.json\"\n";

    /// Whether a job whose plan was kept with this folder finds it again, when its module is here.
    fn is_found(kept: &str, module_in: &str) -> bool {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(module_in).join("fx");
        fs::create_dir_all(&folder).unwrap();
        let module = wavemill_runtime::bundled::MODULES[0].bytes;
        File::create(folder.join("x.wasm")).unwrap().write_all(module).unwrap();
        let store = Store::open(&home.path().join("state")).unwrap();
        let kept = if kept.is_empty() { PathBuf::new() } else { home.path().join(kept) };
        let record = PlanRecord {
            name: "a".to_owned(),
            text: TEXT.to_owned(),
            defaults: Defaults::default(),
            folder: kept,
        };
        let current = CurrentPlan { plan: "h".to_owned(), output_root: "/".into(), priority: 0 };
        store.keep_plans(vec![(record, current)]).unwrap();
        let plans = Plans { root: home.path().join("root"), ..Plans::default() };
        plans.get(&store, "a", "h").unwrap().is_some_and(|plan| plan.pipeline.has_effects())
    }

    #[test]
    fn former_plan_finds_its_modules_in_the_folder_it_was_kept_with() {
        assert!(is_found("pipelines", "pipelines"));
        assert!(!is_found("pipelines", "elsewhere"));
    }

    #[test]
    fn former_plan_without_a_folder_looks_in_the_root() {
        assert!(is_found("", "root"));
    }
}
