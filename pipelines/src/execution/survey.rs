//! What must be known of the source before anything is decided: scans, and gates on the source.

use super::RunError;
use super::blueprint::{Blueprint, Pass};
use super::gates::{self, Subject};
use super::references;
use super::run::Run;
use super::when::skip_reason;
use crate::model::RequireOn;
use crate::template::Template;
use wavemill_core::analysis::MeasureGroup;

impl Run<'_> {
    /// Measures of the source that the caller or the report ask for.
    pub(super) fn wants_loudness(&self) -> bool {
        self.is_dry || self.pipeline.is_reported() || self.needs_loudness()
    }

    /// Measures of the source that must be known before anything is written.
    pub(super) fn needs_loudness(&self) -> bool {
        gates::need_loudness(self.pipeline, RequireOn::Input)
            || gates::need_level(self.pipeline, RequireOn::Input)
            || self.names_need_measures()
            || self.pipeline.tags.needs_measures()
    }

    /// Whether names of outputs hold measures.
    pub(super) fn names_need_measures(&self) -> bool {
        self.pipeline.output_paths().any(Template::needs_measures)
    }

    /// What is to be measured of the source and is not yet; without loudness where a step will measure it.
    pub(super) fn unmeasured(&self, step_measures_loudness: bool) -> Vec<MeasureGroup> {
        let mut groups = Vec::new();
        if self.known.loudness.is_none() && !step_measures_loudness {
            groups.push(MeasureGroup::Loudness);
        }
        if self.known.measures.is_none() {
            groups.extend(
                self.pipeline.measures.iter().filter(|one| **one != MeasureGroup::Loudness),
            );
            if gates::need_level(self.pipeline, RequireOn::Input) {
                groups.push(MeasureGroup::Level);
            }
        }
        groups
    }

    /// Scans the source if conditions of steps, or gates on its length, cannot be judged without.
    pub(super) fn scan_for_conditions(&mut self) -> Result<(), RunError> {
        let steps = &self.pipeline.steps;
        let loudness = steps.iter().any(|step| step.when.needs_loudness());
        let duration = steps.iter().any(|step| step.when.needs_duration())
            || gates::need_duration(self.pipeline);
        if loudness || (duration && self.known.frames.is_none()) {
            self.scan(loudness || self.wants_loudness())?;
        }
        Ok(())
    }

    /// Measures the recordings that the steps go by which run.
    pub(super) fn measure_references(&mut self) -> Result<(), RunError> {
        let facts = self.known.facts(&self.input);
        let steps = self.pipeline.steps.iter();
        let steps = steps.filter(|step| skip_reason(&step.when, facts).is_none());
        let (access, cancel) = (self.places.access.as_ref(), self.places.cancel);
        self.known.references = references::measure(steps, access, cancel)?;
        Ok(())
    }

    /// Scans the source if the first pass writes what depends on measures, or needs its length.
    pub(super) fn scan_for_passes(&mut self, blueprint: &Blueprint) -> Result<(), RunError> {
        let feeds_first = (0..blueprint.groups.len()).any(|group| blueprint.pass_of(group) == 0);
        let lacks_loudness = self.needs_loudness() && self.known.loudness.is_none() && feeds_first;
        let lacks_length = blueprint.needs_length() && self.known.frames.is_none();
        if lacks_loudness || lacks_length {
            self.scan(self.wants_loudness())?;
        }
        Ok(())
    }

    /// A pass of its own over the source, before anything is decided.
    pub(super) fn scan(&mut self, measures: bool) -> Result<(), RunError> {
        self.passes_left += 1;
        let pass = Pass { decodes: true, stages: 0..0, observer: None, spools: false };
        let measures = if measures { self.unmeasured(false) } else { Vec::new() };
        self.pass(&pass, &mut [], Vec::new(), measures, None)?;
        Ok(())
    }

    pub(super) fn source_subject(&self) -> Subject<'_> {
        Subject {
            name: "the source",
            spec: &self.input.info.spec,
            frames: self.known.frames,
            loudness: self.known.loudness.as_ref(),
            level: self.known.measures.as_ref().and_then(|measures| measures.level.as_ref()),
        }
    }

    pub(super) fn check_input_facts(&mut self) -> Option<String> {
        let verdicts = gates::check_facts(self.pipeline, RequireOn::Input, self.source_subject());
        self.judge(verdicts)
    }

    pub(super) fn check_input_loudness(&mut self) -> Option<String> {
        let verdicts =
            gates::check_measures(self.pipeline, RequireOn::Input, self.source_subject());
        self.judge(verdicts)
    }
}
