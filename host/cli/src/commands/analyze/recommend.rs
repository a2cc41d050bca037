//! Files held against a profile: what to do about them, and a pipeline that does it.

use super::files::{self, Item};
use super::{Record, work};
use crate::analysis::{Cache, Part};
use crate::commands::output_file;
use crate::commands::{CliError, Context, steps};
use crate::diagnostics;
use crate::report::{Paint, Tone, one_line, shown};
use serde_json::Value;
use std::path::{Path, PathBuf};
use wavemill_core::advice::{Advice, Level, Profile, advise};
use wavemill_core::analysis::{Analysis, MeasureGroup};
use wavemill_core::delivery::Target;
use wavemill_core::music::{RhythmOptions, TempoPrior};
use wavemill_pipelines::mastering::{self, Master};
use wavemill_pipelines::profiles;
use wavemill_pipelines::report::AdviceText;
use wavemill_pipelines::report::html::Recommendations;

/// What is held against a profile.
pub(in crate::commands) const PARTS: &[Part] = &[
    Part::Measures(MeasureGroup::Loudness),
    Part::Measures(MeasureGroup::Level),
    Part::Measures(MeasureGroup::Stereo),
    Part::Measures(MeasureGroup::Bands),
];

/// What advice is asked for.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Mastering advice")]
pub(super) struct Recommend {
    /// Advise what to change, by the ranges of a genre or a reference track
    #[arg(long = "recommend", id = "recommend", conflicts_with_all = ["csv", "history"])]
    pub(super) is_wanted: bool,

    /// Genre, such as techno or "deep house", or a file of `references profile` [default: general advice]
    #[arg(
        long,
        value_name = "GENRE|FILE.toml",
        requires = "recommend",
        conflicts_with = "reference"
    )]
    genre: Option<String>,

    /// Track to compare with instead of a genre: a file, or a name from `wavemill references list`
    #[arg(long, value_name = "FILE|NAME", requires = "recommend")]
    reference: Option<PathBuf>,

    /// How much to advise
    #[arg(
        long,
        value_parser = level,
        default_value = Level::Suggestive.name(),
        value_name = "subtle|suggestive|assertive"
    )]
    level: Level,

    /// Write a pipeline that makes the changes that a pipeline can; FILE must not exist
    #[arg(long, value_name = "FILE.toml", requires = "recommend")]
    pub(super) apply: Option<PathBuf>,
}

fn level(name: &str) -> Result<Level, String> {
    let names = Level::ALL.map(Level::name);
    Level::ALL
        .into_iter()
        .find(|level| level.name() == name)
        .ok_or_else(|| format!("expected one of {}", names.join(", ")))
}

/// What files are held against.
#[derive(Debug)]
pub(super) struct Advisor {
    profile: Profile,
    level: Level,
}

/// What is advised on a file.
#[derive(Debug)]
pub(super) struct Recommendation {
    /// With what delivery targets ask for.
    profile: Profile,
    level: Level,
    analysis: Analysis,
    pub(super) advice: Vec<Advice>,
}

impl Recommend {
    /// Refuses what would be refused after the work.
    pub(super) fn check(&self, file_count: usize) -> Result<(), CliError> {
        let Some(path) = &self.apply else { return Ok(()) };
        if path.extension().is_none_or(|extension| extension != "toml") {
            return Err(CliError::usage(format!("--apply {}: name it FILE.toml", shown(path))));
        }
        if file_count != 1 {
            return Err(CliError::usage("--apply writes a pipeline for one file: name one"));
        }
        if path.symlink_metadata().is_ok() {
            return Err(CliError::failed(format!(
                "{} already exists; choose another name for --apply",
                shown(path)
            )));
        }
        Ok(())
    }

    /// What to compare with that is not shipped. A stored track is asked for here, and a profile read, while that is
    /// still allowed.
    ///
    /// # Errors
    /// When there is neither a file nor a stored reference of that name, or the profile has mistakes.
    pub(super) fn reference(&self, context: &Context) -> Result<Option<Reference>, CliError> {
        let genre = self.genre.as_deref().map(Path::new);
        let is_file = |path: &&Path| path.extension().is_some_and(|extension| extension == "toml");
        if let Some(path) = genre.filter(is_file) {
            return Ok(Some(Reference::Own(Box::new(own_profile(path, context)?))));
        }
        let Some(path) = &self.reference else { return Ok(None) };
        if path.symlink_metadata().is_ok() {
            let item = files::items(std::slice::from_ref(path), None).pop();
            return Ok(item.map(Reference::File));
        }
        let name = path.to_string_lossy();
        let found = context.settings.client()?.reference(&name).map_err(|error| {
            let reason = one_line(&error.to_string());
            CliError::failed(format!("--reference {}: no such file, and {reason}", shown(path)))
        })?;
        let Some(Value::Object(record)) = found.measures else {
            let name = one_line(&name);
            let reason = format!("reference `{name}` has no measures; add its file again");
            return Err(CliError::failed(reason));
        };
        Ok(Some(Reference::Stored { name: one_line(&name), record }))
    }

    /// What to hold files against; `None` where nobody asked.
    ///
    /// # Errors
    /// When the reference track cannot be measured.
    pub(super) fn advisor(
        &self,
        reference: Option<Reference>,
        cache: Option<&Cache>,
        context: &Context,
    ) -> Result<Option<Advisor>, CliError> {
        if !self.is_wanted {
            return Ok(None);
        }
        let level = self.level;
        if let Some(Reference::Own(profile)) = reference {
            return Ok(Some(Advisor { profile: *profile, level }));
        }
        if let Some(Reference::Stored { name, record }) = &reference {
            let analysis = analysis_of(record)
                .map_err(|reason| CliError::failed(format!("reference `{name}`: {reason}")))?;
            return Ok(Some(Advisor { profile: Profile::of_reference(name, &analysis), level }));
        }
        if let Some(Reference::File(item)) = reference {
            let path = item.path.clone();
            let wanted = work::MeasureRequest {
                parts: PARTS,
                rhythm: RhythmOptions::default(),
                cache,
                has_charts: false,
            };
            let outcome = work::analyze_all(&[item], wanted, context).pop();
            let found = outcome.unwrap_or_else(|| Err("is not there".to_owned()));
            let analysis = found.and_then(|found| analysis_of(&found.record));
            let analysis = analysis
                .map_err(|reason| CliError::failed(format!("{} {reason}", shown(&path))))?;
            let profile = Profile::of_reference(&shown(&path), &analysis);
            return Ok(Some(Advisor { profile, level }));
        }
        let Some(genre) = &self.genre else {
            return Ok(Some(Advisor { profile: Profile::general(), level }));
        };
        let found = profiles::find(genre);
        if let Some(note) = &found.note {
            context.report.warning(&one_line(note));
        }
        Ok(Some(Advisor { profile: found.profile, level }))
    }

    /// Writes the pipeline for a file, where there is something that a pipeline can do.
    pub(super) fn write(
        &self,
        file: &Path,
        advised: &Recommendation,
        context: &Context,
    ) -> Result<(), CliError> {
        let Some(path) = &self.apply else { return Ok(()) };
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let Recommendation { profile, level, analysis, .. } = advised;
        let master = Master { name: &name, analysis, profile, level: *level };
        let Some(text) = mastering::pipeline(master) else {
            context.report.note("Nothing that a pipeline can correct; no file written.");
            return Ok(());
        };
        output_file::write(path, text.as_bytes(), false)?;
        let (path, input) = (shown(path), shown(file));
        context.report.note(&format!("{path} written; next: wavemill run {path} {input}"));
        Ok(())
    }
}

/// What files are held against that is not shipped.
pub(super) enum Reference {
    /// A profile of somebody's own tracks.
    Own(Box<Profile>),
    /// One that is measured now.
    File(Item),
    /// One that was measured and kept.
    Stored {
        /// What one types for it.
        name: String,
        /// What was measured.
        record: Record,
    },
}

impl Reference {
    /// The file that is read for it.
    pub(super) fn item(&self) -> Option<&Item> {
        match self {
            Self::File(item) => Some(item),
            Self::Own(_) | Self::Stored { .. } => None,
        }
    }
}

/// The first profile of a file.
fn own_profile(path: &Path, context: &Context) -> Result<Profile, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::path(path, error))?;
    let found = profiles::read(&text).map_err(|all| {
        let paint = context.report.note_paint();
        context.report.raw_error(&diagnostics::draw(path, &text, &all, paint));
        CliError::Mistakes { path: path.to_owned(), count: all.len() }
    })?;
    found.into_iter().next().ok_or_else(|| CliError::failed(format!("{}: no profile", shown(path))))
}

/// The measures of a record.
fn analysis_of(record: &Record) -> Result<Analysis, String> {
    let measures = PARTS.iter().filter_map(|part| record.get_key_value(part.name()));
    let measures: Record = measures.map(|(name, value)| (name.clone(), value.clone())).collect();
    serde_json::from_value(Value::Object(measures)).map_err(|error| error.to_string())
}

impl Advisor {
    /// What its genre makes one expect of the tempo; `None` where it has no range of tempi.
    pub(super) fn tempo_prior(&self) -> Option<TempoPrior> {
        let range = self.profile.tempo_bpm;
        Some(TempoPrior::of_range(range.min?, range.max?))
    }

    /// Holds a record against the profile and the targets.
    ///
    /// # Errors
    /// When the record is not one of ours; reads on after the path.
    pub(super) fn advise(
        &self,
        record: &Record,
        targets: &[Target],
    ) -> Result<Recommendation, String> {
        let analysis = analysis_of(record)?;
        let loudness = analysis.loudness.as_ref().and_then(|report| report.integrated_lufs);
        let profile = targets
            .iter()
            .fold(self.profile.clone(), |profile, target| profile.within(target, loudness));
        let advice = advise(&analysis, &profile, self.level);
        Ok(Recommendation { profile, level: self.level, analysis, advice })
    }
}

/// Columns that lines are broken at.
const COLUMNS: usize = 80;

impl Recommendation {
    /// What one types for the profile.
    pub(super) fn profile(&self) -> &str {
        &self.profile.id
    }

    /// As the page has it.
    pub(super) fn recommendations(&self) -> Recommendations {
        Recommendations { profile: self.profile.clone(), advice: self.advice.clone() }
    }

    /// The lines for people.
    pub(super) fn lines(&self, paint: Paint) -> Vec<String> {
        let profile = &self.profile;
        let name = paint.tone(Tone::Strong, one_line(&profile.name));
        let what = if self.advice.is_empty() { "nothing to change" } else { self.level.name() };
        let mut lines = vec![String::new(), format!("  Advice by {name}: {what}")];
        lines.push(paint.tone(Tone::Faint, format!("  {}", profile.origin())));
        for one in self.advice.iter().map(AdviceText::of) {
            let AdviceText { name, measured, wanted, difference, why, action } = one;
            let name = paint.tone(Tone::Strong, name);
            lines.push(String::new());
            lines.push(format!("    {name}: {measured}, wanted {wanted} ({difference})"));
            lines.extend(steps::wrap_at(&why, "      ", COLUMNS));
            lines.extend(steps::wrap_at(&action, "      ", COLUMNS));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::loudness::LoudnessReport;
    use wavemill_core::units::{Dbtp, Lufs};

    fn advised(peak: f64) -> Recommendation {
        let loudness = LoudnessReport {
            integrated_lufs: Some(Lufs(-15.0)),
            true_peak_dbtp: Some(Dbtp(peak)),
            ..LoudnessReport::default()
        };
        let record = Analysis { loudness: Some(loudness), ..Analysis::default() };
        let Value::Object(record) = serde_json::to_value(record).unwrap() else { unreachable!() };
        let profile = profiles::find("techno").profile;
        Advisor { profile, level: Level::Subtle }.advise(&record, &[]).unwrap()
    }

    #[test]
    fn advice_fits_80_columns_and_says_what_was_wanted() {
        let lines = advised(0.5).lines(Paint::PLAIN);
        assert!(lines.iter().all(|line| line.len() <= COLUMNS), "{lines:#?}");
        let text = lines.join("\n");
        for part in [
            "Advice by Techno, peak-time: subtle",
            "not measurements of records",
            "integrated loudness: -15.0 LUFS, wanted -9.0 to -6.0 (-6.0 LU)",
            "true peak: 0.5 dBTP, wanted at most -1.0 (+1.5 dB)",
            "If you agree by ear, raise the level",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn target_narrows_the_profile() {
        let advised = advised(-1.5);
        let Value::Object(record) = serde_json::to_value(&advised.analysis).unwrap() else {
            unreachable!()
        };
        let target = Target {
            true_peak_max_dbtp: Some(Dbtp(-3.0)),
            id: "house".into(),
            ..Target::default()
        };
        let advisor = Advisor { profile: Profile::general(), level: Level::Assertive };
        let found = advisor.advise(&record, &[target]).unwrap();
        assert_eq!(found.advice[0].max, Some(-3.0));
        assert_eq!(advisor.advise(&record, &[]).unwrap().advice, []);
    }
}
