//! What a pipeline file means: checked, completed with defaults, free of TOML.

use crate::error::RunError;
use crate::hours::Hours;
use crate::job::Job;
use crate::template::{Template, Values};
use jiff::Zoned;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wavemill_core::analysis::{MeasureGroup, Options};
use wavemill_core::audio::{SampleFormat, StreamSpec};
use wavemill_core::decode::Damaged;
use wavemill_core::delivery::Target;
use wavemill_core::descriptor::{Params, Peaks, StepDescriptor};
use wavemill_core::encode::{FormatDescriptor, LossyQuality};
use wavemill_core::loudness::MonoMode;
use wavemill_core::music::RhythmOptions;
use wavemill_core::processor::StepProcessor;
use wavemill_core::tags::{Cue, Field, Picture, Tags};

/// What holds where a pipeline file says nothing; from flags, environment and the config file.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
pub struct Defaults {
    /// `target_lufs` of `loudness` steps that name none (`WAVEMILL_TARGET_LUFS`).
    pub target_lufs: Option<f64>,
    /// `false` turns all `loudness` steps off (`WAVEMILL_NORMALIZE=false`).
    pub normalize: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { target_lufs: None, normalize: true }
    }
}

/// A pipeline.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Its name: part of what identifies finished work, so it stays when the file is edited.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// Maximum number of concurrent jobs of this pipeline.
    pub concurrency: usize,
    /// Jobs with a higher priority run first; 0 by default.
    pub priority: i32,
    /// Longest a job's attempt may take.
    pub timeout: Duration,
    /// Most resident memory of a worker in an attempt; `None` is the host's own bound.
    pub memory_bytes_max: Option<u64>,
    /// Most files that a worker may have open in an attempt; `None` is the host's own bound.
    pub open_files_max: Option<u64>,
    /// IANA name of the time zone of `{date}`; `None` is the machine's.
    pub timezone: Option<String>,
    /// When its jobs may begin; empty is always.
    pub hours: Vec<Hours>,
    /// Age at which files that were made and that nobody changed are deleted; `None` is never.
    pub keep_for: Option<Duration>,
    /// Retries after transient errors.
    pub retry: Retry,
    /// Folders it watches.
    pub watches: Vec<Watch>,
    /// What becomes of damaged sources.
    pub damaged: Damaged,
    /// Gates a file or its outputs must pass.
    pub requires: Vec<Require>,
    /// Processing, in order.
    pub steps: Vec<Step>,
    /// Files it makes.
    pub exports: Vec<Export>,
    /// Where to write the chapters of the exports, as Podcasting 2.0 JSON.
    pub chapters: Option<Template>,
    /// Where the JSON report goes.
    pub report: Option<Template>,
    /// The report for people.
    pub page: Option<PageOutput>,
    /// Groups of measures that the report holds besides loudness, of the source and of every export.
    pub measures: Vec<MeasureGroup>,
    /// How rhythm is measured.
    pub rhythm: RhythmOptions,
    /// How the tags of the exports differ from the source's.
    pub tags: TagEdits,
    /// What to do with the source afterward.
    pub source: SourcePolicy,
    /// Hash of the text and the defaults it was loaded with (64 hex digits).
    pub hash: String,
}

/// The report for people, a page of HTML.
#[derive(Clone, Debug, PartialEq)]
pub struct PageOutput {
    /// Where it goes.
    pub path: Template,
    /// Who sends it.
    pub title: Option<String>,
    /// A picture beside the title.
    pub logo: Option<PathBuf>,
}

impl Pipeline {
    /// What placeholders stand for in a job.
    ///
    /// # Errors
    /// [`RunError::Refused`] when the job's date or the pipeline's time zone cannot be understood.
    pub fn values(&self, job: &Job) -> Result<Values, RunError> {
        Values::of_job(&self.name, self.timezone.as_deref(), job)
    }

    /// A pipeline that does nothing yet, with the defaults of every key.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: String::new(),
            concurrency: CONCURRENCY,
            priority: 0,
            timeout: TIMEOUT,
            memory_bytes_max: None,
            open_files_max: None,
            timezone: None,
            hours: Vec::new(),
            keep_for: None,
            retry: Retry::default(),
            watches: Vec::new(),
            damaged: Damaged::Refuse,
            requires: Vec::new(),
            steps: Vec::new(),
            exports: Vec::new(),
            chapters: None,
            report: None,
            page: None,
            measures: Vec::new(),
            rhythm: RhythmOptions::default(),
            tags: TagEdits::default(),
            source: SourcePolicy { on_success: SourceAction::Keep, on_failure: SourceAction::Keep },
            hash: String::new(),
        }
    }

    /// How to measure these groups.
    pub(crate) fn analysis(&self, groups: Vec<MeasureGroup>, mono: MonoMode) -> Options {
        Options { groups, mono, rhythm: self.rhythm }
    }

    /// The step that gives files one gain together, and which files those are.
    pub fn grouped_step(&self) -> Option<(usize, Grouping)> {
        self.steps.iter().enumerate().find_map(|(index, step)| Some((index, step.grouping()?)))
    }

    /// Whether its jobs may begin at this moment. A time zone that is not known any more is the machine's.
    pub fn may_begin_at(&self, now: &Zoned) -> bool {
        let here = self.clock(now);
        self.hours.is_empty() || self.hours.iter().any(|hours| hours.contains(&here))
    }

    /// When its jobs may begin next after this moment, by its own clock; `None` where it has no hours.
    pub fn begins_after(&self, now: &Zoned) -> Option<Zoned> {
        let here = self.clock(now);
        self.hours.iter().filter_map(|hours| hours.begins_after(&here)).min()
    }

    fn clock(&self, now: &Zoned) -> Zoned {
        let zone = self.timezone.as_deref().and_then(|name| jiff::tz::TimeZone::get(name).ok());
        zone.map_or_else(|| now.clone(), |zone| now.with_time_zone(zone))
    }

    /// Whether what is measured is reported to a file.
    pub(crate) fn is_reported(&self) -> bool {
        self.report.is_some() || self.page.is_some()
    }

    /// Where its outputs go: exports, chapters, page, report.
    pub fn output_paths(&self) -> impl Iterator<Item = &Template> {
        let exports = self.exports.iter().map(|export| &export.path);
        let page = self.page.as_ref().map(|page| &page.path);
        exports.chain(&self.chapters).chain(page).chain(&self.report)
    }

    /// Folders that its outputs go to, as far as they are the same for all files.
    pub fn output_folders(&self, output_root: &Path) -> Vec<PathBuf> {
        let templates = self.output_paths();
        let mut folders: Vec<_> =
            templates.map(|template| output_root.join(template.fixed_folder())).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// Whether it has a step that runs a loaded module, which may be another one tomorrow.
    pub fn has_effects(&self) -> bool {
        self.steps.iter().any(Step::is_effect)
    }
}

/// How the tags of a pipeline's exports differ from the source's.
#[derive(Clone, Debug, Default)]
pub struct TagEdits {
    /// What is not carried over.
    pub remove: Vec<Field>,
    /// What is no field and not carried over.
    pub remove_parts: Vec<TagPart>,
    /// What is said instead, one text or several; empty ones say nothing, and leave the tag as it is where there
    /// are no others.
    pub set: Vec<(Field, Vec<Template>)>,
    /// A file, relative to `folder`, that stands in the place of the source's pictures.
    pub picture: Option<Template>,
    /// A file, relative to the source's folder, that stands in the place of its cue points and chapters.
    pub chapters: Option<Template>,
    /// Folder of the pipeline file.
    pub folder: PathBuf,
}

/// What tags hold besides fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagPart {
    /// Broadcast information.
    Broadcast,
    /// Cue points and chapters.
    Cues,
    /// Pictures.
    Pictures,
    /// What a recorder noted.
    Recording,
}

impl TagPart {
    /// All of them, with their names.
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("broadcast", Self::Broadcast),
        ("cues", Self::Cues),
        ("pictures", Self::Pictures),
        ("recording", Self::Recording),
    ];

    fn remove(self, tags: &mut Tags) {
        match self {
            Self::Broadcast => tags.broadcast = None,
            Self::Cues => tags.cues.clear(),
            Self::Pictures => tags.pictures.clear(),
            Self::Recording => tags.recording = None,
        }
    }
}

/// What came of the files beside a source that a pipeline names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Companions {
    /// Stands in the place of the source's pictures.
    pub picture: Option<Picture>,
    /// Stand in the place of the source's cue points and chapters; their times are those of the source.
    pub chapters: Option<Vec<Cue>>,
}

impl TagEdits {
    /// The tags of a source with these changes, and a line for each that could not be made.
    pub(crate) fn apply(
        &self,
        tags: &Tags,
        companions: &Companions,
        values: &Values,
    ) -> (Tags, Vec<String>) {
        let mut tags = tags.clone();
        for field in &self.remove {
            field.remove(&mut tags);
        }
        for part in &self.remove_parts {
            part.remove(&mut tags);
        }
        if let Some(picture) = &companions.picture {
            tags.pictures = vec![picture.clone()];
        }
        if let Some(chapters) = &companions.chapters {
            tags.cues.clone_from(chapters);
        }
        let mut warnings = Vec::new();
        for (field, templates) in &self.set {
            let texts = templates.iter().map(|template| template.expand_text(values));
            let texts = texts.map(|text| text.trim().to_owned());
            let mut texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
            if texts.len() > 1 {
                tags.set_values(*field, texts);
                continue;
            }
            let Some(text) = texts.pop() else { continue };
            if let Err(error) = field.set(&mut tags, &text) {
                let (name, expected) = (field.name(), error.expected);
                warnings
                    .push(format!("the tag {name} was not changed: \"{text}\" is not {expected}"));
            }
        }
        (tags, warnings)
    }

    /// Whether the exports of a source can have cue points or chapters.
    pub(crate) fn leaves_cues(&self, tags: &Tags, companions: &Companions) -> bool {
        let is_removed = self.remove_parts.contains(&TagPart::Cues);
        companions.chapters.is_some() || (!is_removed && !tags.cues.is_empty())
    }

    /// Whether it says something that is known only after measuring.
    pub(crate) fn needs_measures(&self) -> bool {
        self.set.iter().flat_map(|(_, templates)| templates).any(Template::needs_measures)
    }

    /// Whether it changes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.remove.is_empty()
            && self.remove_parts.is_empty()
            && self.set.is_empty()
            && self.picture.is_none()
            && self.chapters.is_none()
    }
}

/// Jobs of a pipeline at once where it names no number.
const CONCURRENCY: usize = 2;

/// Longest attempt where a pipeline names none: many times what the longest file needs.
const TIMEOUT: Duration = Duration::from_hours(6);

/// Attempts after transient errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// Wait before the second attempt; doubles from there.
    pub backoff_min: Duration,
    /// Longest wait.
    pub backoff_max: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff_min: Duration::from_secs(30),
            backoff_max: Duration::from_mins(10),
        }
    }
}

/// A watched folder.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The folder; relative paths are below the root.
    pub path: PathBuf,
    /// Globs over the path below the folder, case-insensitive; empty means everything decodable.
    pub include: Vec<String>,
    /// Globs that are left alone, in addition to the built-in ones.
    pub ignore: Vec<String>,
    /// Where changes are learned from.
    pub mode: WatchMode,
    /// Time between full walks; `None` chooses by file system.
    pub rescan: Option<Duration>,
    /// How long a file must stay unchanged.
    pub stable_for: Option<Duration>,
    /// File name (with `{name}`) that must exist beside the file before it is taken.
    pub marker: Option<String>,
    /// What happens to a file whose content was processed under another path.
    pub duplicates: Duplicates,
}

/// Where changes in a folder are learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchMode {
    /// Events where the file system has them, else polling.
    Auto,
    /// Events and a slow rescan.
    Events,
    /// Rescans only.
    Poll,
}

/// What happens to a copy under a new name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// It is processed.
    Process,
    /// It is skipped, and said so.
    Skip,
}

/// Bounds of a number; at least one is set.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Smallest value that passes.
    pub min: Option<f64>,
    /// Largest value that passes.
    pub max: Option<f64>,
}

/// A gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Require {
    /// What is gated.
    pub on: RequireOn,
    /// Duration in seconds.
    pub duration_s: Option<Bounds>,
    /// Channel counts that pass; empty means all.
    pub channels: Vec<usize>,
    /// Sample rates that pass, in Hz; empty means all.
    pub sample_rates_hz: Vec<u32>,
    /// Integrated loudness.
    pub integrated_lufs: Option<Bounds>,
    /// True peak: the larger of the measures at hand.
    pub true_peak_dbtp: Option<Bounds>,
    /// Loudness range.
    pub loudness_range_lu: Option<Bounds>,
    /// Mean square of all channels and frames, as a level.
    pub rms_dbfs: Option<Bounds>,
    /// The same of the quietest half second.
    pub noise_floor_dbfs: Option<Bounds>,
    /// A delivery target, all of whose limits must hold.
    pub target: Option<Target>,
}

/// What a gate looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequireOn {
    /// The file as it came.
    Input,
    /// Every export, decoded again.
    Output,
}

/// A processing step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Name that exports refer to.
    pub id: Option<String>,
    /// What it does.
    pub task: Task,
    /// When it runs.
    pub when: When,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Task {
    /// A step of this program's own.
    BuiltIn {
        /// What it is.
        descriptor: &'static StepDescriptor,
        /// Its checked parameters.
        params: Params,
    },
    /// A loaded effect module.
    #[cfg(feature = "effects")]
    Effect(crate::effects::EffectStep),
}

impl Step {
    /// What the pipeline calls it: the name of a step, or the name or path of an effect.
    pub fn name(&self) -> &str {
        match &self.task {
            Task::BuiltIn { descriptor, .. } => descriptor.name,
            #[cfg(feature = "effects")]
            Task::Effect(effect) => &effect.name,
        }
    }

    /// A fresh instance of it for a stream.
    ///
    /// # Errors
    /// One line when it cannot process such a stream.
    pub(crate) fn build(&self, spec: &StreamSpec) -> Result<StepProcessor, String> {
        match &self.task {
            Task::BuiltIn { descriptor, params } => {
                (descriptor.build)(params, spec).map_err(|error| error.to_string())
            }
            #[cfg(feature = "effects")]
            Task::Effect(effect) => effect.build(spec),
        }
    }

    /// The effect, if it is one.
    #[cfg(feature = "effects")]
    pub fn effect(&self) -> Option<&crate::effects::EffectStep> {
        match &self.task {
            Task::BuiltIn { .. } => None,
            Task::Effect(effect) => Some(effect),
        }
    }

    /// Whether it is a loaded module.
    pub(crate) fn is_effect(&self) -> bool {
        self.built_in().is_none()
    }

    /// Its name where it is built in.
    pub(crate) fn built_in_name(&self) -> Option<&'static str> {
        self.built_in().map(|(descriptor, _)| descriptor.name)
    }

    /// What it does to peaks; a module may raise any.
    pub(crate) fn peaks(&self) -> Peaks {
        self.built_in().map_or(Peaks::Raises, |(descriptor, _)| descriptor.peaks)
    }

    /// Whether it is built in and brings a signal to a loudness.
    pub(crate) fn aims_at_loudness(&self) -> bool {
        self.built_in().is_some_and(|(descriptor, _)| descriptor.aims_at_loudness())
    }

    /// Which files it treats together; `None` where each is treated by itself.
    pub(crate) fn grouping(&self) -> Option<Grouping> {
        match self.choice("group")? {
            "folder" => Some(Grouping::Folder),
            _ => Some(Grouping::Batch),
        }
    }

    /// A number among the parameters of a built-in step.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.built_in()?.1.optional_number(key)
    }

    /// A whole number among the parameters of a built-in step.
    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        self.built_in()?.1.optional_integer(key)
    }

    /// A word among the parameters of a built-in step.
    pub(crate) fn choice(&self, key: &str) -> Option<&str> {
        self.built_in()?.1.optional_choice(key)
    }

    #[cfg_attr(
        not(feature = "effects"),
        expect(clippy::unnecessary_wraps, reason = "without effects, all steps are built in")
    )]
    pub(crate) fn built_in(&self) -> Option<(&'static StepDescriptor, &Params)> {
        match &self.task {
            Task::BuiltIn { descriptor, params } => Some((descriptor, params)),
            #[cfg(feature = "effects")]
            Task::Effect(_) => None,
        }
    }
}

/// Which files belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// Those of one folder.
    Folder,
    /// Those that were given together.
    Batch,
}

/// Conditions of a step; all must hold. The default always holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct When {
    /// Shortest duration of the input.
    pub min_duration: Option<Duration>,
    /// Longest duration of the input.
    pub max_duration: Option<Duration>,
    /// Channel counts of the input; empty means all.
    pub channels: Vec<usize>,
    /// Lowest integrated loudness of the input.
    pub min_lufs: Option<f64>,
    /// Highest integrated loudness of the input.
    pub max_lufs: Option<f64>,
    /// Tags of the input that must have these values, compared without case.
    pub tag: Vec<(String, String)>,
}

/// A file the pipeline makes.
#[derive(Clone, Debug)]
pub struct Export {
    /// Where in the chain the signal is taken.
    pub after: After,
    /// The format.
    pub format: &'static FormatDescriptor,
    /// Integers or floats; `None` keeps the source's.
    pub sample_format: Option<SampleFormat>,
    /// Bits; `None` keeps the source's where the format can.
    pub bit_depth: Option<u16>,
    /// Noise added where bits are reduced; `None` chooses.
    pub dither: Option<Dither>,
    /// Channels; `None` keeps the signal's.
    pub channels: Option<usize>,
    /// Sample rate in Hz; `None` keeps the signal's.
    pub sample_rate_hz: Option<u32>,
    /// Effort of compression.
    pub compression_level: Option<u8>,
    /// Whether its `ReplayGain` is written into it.
    pub replay_gain: bool,
    /// Whether it gets the source's time of modification.
    pub keep_mtime: bool,
    /// How many bits a lossy format spends; `None` is the format's default.
    pub quality: Option<LossyQuality>,
    /// Where it goes; relative paths are below the output folder or the root.
    pub path: Template,
    /// What to do if a file of that name exists.
    pub on_conflict: OnConflict,
}

/// Noise added where an export loses bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dither {
    /// None: plain rounding.
    None,
    /// Triangular.
    #[default]
    Tpdf,
    /// Triangular, and the noise lies where hearing is worst; only at rates that have a curve.
    Shaped,
}

/// Where an export takes its signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The decoder's own samples.
    Decode,
    /// The output of the step with this index.
    Step(usize),
    /// The output of the last step.
    Last,
}

/// What happens when a name is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnConflict {
    /// The job fails.
    #[default]
    Error,
    /// The output is left out.
    Skip,
    /// A free name is made: `name-2.ext`.
    Suffix,
    /// The former file is replaced atomically.
    Replace,
}

/// What becomes of a source.
#[derive(Clone, Debug)]
pub struct SourcePolicy {
    /// After every output was published.
    pub on_success: SourceAction,
    /// After the job failed or was rejected.
    pub on_failure: SourceAction,
}

impl SourcePolicy {
    /// Whether sources always stay where they are.
    pub fn keeps_all(&self) -> bool {
        let is_kept = |action| matches!(action, &SourceAction::Keep);
        is_kept(&self.on_success) && is_kept(&self.on_failure)
    }
}

/// What is done to a source.
#[derive(Clone, Debug)]
pub enum SourceAction {
    /// It stays.
    Keep,
    /// It is moved into this folder; a template.
    Move(Template),
    /// It goes to the trash folder of its file system.
    Trash,
    /// It is deleted.
    Delete,
}
