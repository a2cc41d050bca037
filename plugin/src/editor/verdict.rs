//! How the programme stands to the chosen target.

use crate::lookup::{Answer, Lookup};
use crate::meters::{Reading, Readings};
use crate::plugin::SharedState;
use std::path::Path;
use std::time::Duration;
use wavemill_core::delivery::{JudgedFile, Judgment, Outcome, Target, Verdict, judge};
use wavemill_core::loudness::LoudnessReport;
use wavemill_core::units::{Dbtp, Decibels, Lu, Lufs};
use wavemill_pipelines::delivery;

/// How much louder than the whole its loudest 3 s may be. Source: EBU R 128 s1, which allows -18 LUFS at
/// -23 LUFS.
const LOUD_LU: f64 = 5.0;

/// The chosen target and what became of its measures.
pub(crate) struct TargetState {
    /// As it was chosen: an id, or a file with an id. `None` until it is known what that means.
    name: Option<String>,
    pub(super) target: Option<Target>,
    /// One line: why there is no target.
    pub(super) error: Option<String>,
    pub(crate) judgment: Option<Judgment>,
    /// Targets of one's own are in files.
    file: Lookup<String, Result<Target, String>>,
}

/// How one measure stands, as it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Pass,
    Fail,
    /// Shown only, or not asked for, or nothing measured yet.
    None,
}

impl TargetState {
    pub(crate) fn new() -> Self {
        Self { name: None, target: None, error: None, judgment: None, file: Lookup::default() }
    }

    /// Judges the readings that are shown by the chosen target.
    pub(crate) fn update(&mut self, desk: &SharedState) {
        let name = desk.params.choices.read().target.clone();
        self.judge_by(name, desk);
    }

    /// Judges the readings that are shown by a target.
    pub(super) fn judge_by(&mut self, name: String, desk: &SharedState) {
        self.choose(name, desk);
        let report = LoudnessReport {
            invalid_samples: desk.shared.invalid_samples(),
            ..report(desk.shared.shown().0)
        };
        self.judgment =
            self.target.as_ref().filter(|_| report.integrated_lufs.is_some()).map(|target| {
                judge(target, JudgedFile { loudness: &report, channels: desk.channel_count() })
            });
    }

    /// What it is called in a project.
    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// What the target is called: by its name in the project as long as nothing else is known.
    pub(super) fn title(&self) -> &str {
        self.target.as_ref().map_or(self.name(), |target| &target.name)
    }

    /// Forgets the target: its file changed.
    pub(super) fn forget(&mut self) {
        self.name = None;
    }

    fn choose(&mut self, name: String, desk: &SharedState) {
        if self.name.as_ref() == Some(&name) {
            return;
        }
        let known = desk.targets.as_ref().map_or(name.clone(), |store| store.resolved(&name));
        let target = match path(&known) {
            Some(path) if path.is_absolute() => {
                match self.file.ask(&known, Duration::MAX, |name| read(name)) {
                    Answer::Known(found) => found.clone(),
                    Answer::Waiting => return,
                    Answer::Late => {
                        let words = format!("the disk does not respond: {}", path.display());
                        (self.target, self.error) = (None, Some(words));
                        return;
                    }
                }
            }
            Some(path) => Err(format!(
                "`{0}` is a relative path; in a DAW, write the full path, such as `/home/me/{0}`",
                path.display()
            )),
            None => delivery::find_one(&known, Path::new("")).map_err(|error| error.to_string()),
        };
        // Who writes the name again wants the file to be read again.
        self.file.forget();
        (self.target, self.error) = match target {
            Ok(target) => (Some(target), None),
            Err(error) => (None, Some(error)),
        };
        self.name = Some(name);
    }

    fn verdict(&self, measure: &str) -> Option<&Verdict> {
        self.judgment.as_ref()?.verdicts.iter().find(|verdict| verdict.measure == measure)
    }

    /// How a measure stands, by its key in reports.
    pub(super) fn mark(&self, measure: &str) -> Mark {
        match self.verdict(measure).map(|verdict| verdict.outcome) {
            Some(Outcome::Pass) => Mark::Pass,
            Some(Outcome::Fail) => Mark::Fail,
            _ => Mark::None,
        }
    }

    /// Whether the loudness that is asked for is that of the dialogue.
    fn is_of_dialogue(&self) -> bool {
        self.target.as_ref().is_some_and(|target| target.is_dialogue_gated)
    }

    /// Loudness to aim at.
    pub(super) fn aim_lufs(&self) -> Option<f32> {
        self.target.as_ref()?.integrated_lufs.map(|lufs| shown(lufs.0))
    }

    /// Loudness that passes, from and to.
    pub(super) fn band_lufs(&self) -> Option<(f32, f32)> {
        let target = self.target.as_ref()?;
        let (aim, tolerance) = (target.integrated_lufs?, target.tolerance_lu?);
        Some((shown(aim.0 - tolerance.0), shown(aim.0 + tolerance.0)))
    }

    /// Short-term loudness beyond which a moment stands out: the target's own limit. Where only the whole is
    /// judged, moments may be louder, as they are in every programme that meets its target.
    pub(crate) fn loud_lufs(&self) -> Option<f32> {
        let target = self.target.as_ref()?;
        let of_whole =
            || target.tolerance_lu.and(target.integrated_lufs).map(|aim| aim.0 + LOUD_LU);
        target.short_term_max_lufs.map(|lufs| lufs.0).or_else(of_whole).map(shown)
    }

    /// The largest true peak that passes now.
    pub(crate) fn peak_max_dbtp(&self) -> Option<f32> {
        let of_verdict = self.verdict("true_peak_dbtp").and_then(|verdict| verdict.max);
        let of_target = || self.target.as_ref()?.true_peak_max_dbtp.map(|peak| peak.0);
        of_verdict.or_else(of_target).map(shown)
    }

    /// The verdict in a few words, with how it is drawn.
    pub(super) fn headline(&self) -> (Mark, String) {
        let Some(judgment) = &self.judgment else {
            return (Mark::None, "no program yet".into());
        };
        let failed = |measure| self.mark(measure) == Mark::Fail;
        let loudness = self.verdict("integrated_lufs").and_then(|verdict| verdict.difference);
        let words = match loudness {
            Some(difference) if failed("integrated_lufs") && difference > 0.0 => {
                format!("{difference:.1} LU too loud")
            }
            Some(difference) if failed("integrated_lufs") => {
                format!("{:.1} LU too quiet", -difference)
            }
            _ => {
                let over = judgment.verdicts.iter().find(|v| v.outcome == Outcome::Fail);
                match over.map(|verdict| (verdict.measure, verdict.difference)) {
                    Some(("true_peak_dbtp", Some(db))) => format!("peaks {db:.1} dB too high"),
                    Some(("invalid_samples", _)) => "broken samples".into(),
                    Some((measure, _)) => format!("{} out of range", plain(measure)),
                    None if judgment.passed == Some(true) => "within the target".into(),
                    None if self.is_of_dialogue() => "dialogue loudness not measured".into(),
                    None => "partly not measured".into(),
                }
            }
        };
        let mark = match judgment.passed {
            Some(true) => Mark::Pass,
            Some(false) => Mark::Fail,
            None => Mark::None,
        };
        (mark, words)
    }

    /// What the platform does to the level, as far as it is known.
    pub(super) fn playback_gain(&self) -> Option<Decibels> {
        Some(self.judgment.as_ref()?.playback?.gain_db)
    }

    /// What fails, with its value and its limit, in words.
    pub(super) fn failures(&self) -> Vec<String> {
        let verdicts = self.judgment.iter().flat_map(|judgment| &judgment.verdicts);
        let failed = verdicts.filter(|verdict| verdict.outcome == Outcome::Fail);
        let words = failed.filter_map(|verdict| {
            let (value, limit) = (verdict.value?, verdict.max.or(verdict.min)?);
            let limit = verdict.min.filter(|min| verdict.value < Some(*min)).unwrap_or(limit);
            let decimals = verdict.decimals();
            Some(format!("{}: {value:.decimals$}, limit {limit:.1}", plain(verdict.measure)))
        });
        words.map(|words| words.replace('-', "\u{2212}")).collect()
    }

    /// What the platform will do to it, in a few words.
    pub(super) fn action(&self) -> Option<String> {
        let playback = self.judgment.as_ref()?.playback?;
        let gain_db = playback.gain_db.0;
        Some(match gain_db {
            _ if gain_db < -0.05 => format!("turned down {:.1} dB", -gain_db),
            _ if playback.is_held_by_peaks && gain_db <= 0.05 => "as it is: no headroom".into(),
            _ if playback.is_held_by_peaks => format!("up only {gain_db:.1} dB: headroom"),
            _ if gain_db > 0.05 => format!("turned up {gain_db:.1} dB"),
            _ => "played as it is".into(),
        })
    }

    /// What the platform will do to it, in one line.
    pub(super) fn prediction(&self) -> Option<String> {
        let playback = self.judgment.as_ref()?.playback?;
        let gain_db = playback.gain_db.0;
        let loudness = playback.loudness_lufs;
        Some(if gain_db < -0.05 {
            format!("will be turned down {:.1} dB", -gain_db)
        } else if playback.is_held_by_peaks {
            format!("will be turned up only {gain_db:.1} dB: no headroom ({:.1} LUFS)", loudness.0)
        } else if gain_db > 0.05 {
            format!("will be turned up {gain_db:.1} dB")
        } else {
            format!("will be played unchanged ({:.1} LUFS)", loudness.0)
        })
    }
}

/// The path of a name that is one of a file.
fn path(name: &str) -> Option<&Path> {
    let path = Path::new(name.split('#').next()?);
    path.extension().is_some_and(|extension| extension == "toml").then_some(path)
}

/// The target of this name, out of a file.
fn read(name: &str) -> Result<Target, String> {
    // Opening a pipe would wait for its writer.
    if let Some(path) = path(name).filter(|path| path.exists() && !path.is_file()) {
        return Err(format!("{} is not a file", path.display()));
    }
    delivery::find_one(name, Path::new("")).map_err(|error| error.to_string())
}

/// The readings as a report, which is what is judged.
pub(super) fn report(readings: &Readings) -> LoudnessReport {
    let value = |reading: &Reading| reading.get().map(f64::from);
    LoudnessReport {
        integrated_lufs: value(&readings.integrated_lufs).map(Lufs),
        loudness_range_lu: value(&readings.loudness_range_lu).map(Lu),
        momentary_max_lufs: value(&readings.momentary_max_lufs).map(Lufs),
        short_term_max_lufs: value(&readings.short_term_max_lufs).map(Lufs),
        true_peak_dbtp: value(&readings.true_peak_dbtp).map(Dbtp),
        true_peak_precise_dbtp: value(&readings.true_peak_precise_dbtp).map(Dbtp),
        peak_to_loudness_lu: value(&readings.peak_to_loudness_lu).map(Lu),
        peak_to_short_term_lu: value(&readings.peak_to_short_term_lu).map(Lu),
        ..LoudnessReport::default()
    }
}

/// A key of a report as words.
fn plain(measure: &str) -> String {
    let name = measure.rsplit_once('_').map_or(measure, |(name, _)| name);
    name.replace('_', " ")
}

#[expect(clippy::cast_possible_truncation, reason = "a display")]
fn shown(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(target: &str, integrated: f64, true_peak: f64) -> TargetState {
        let desk = SharedState::default();
        desk.params.choices.write().target = target.into();
        desk.shared.readings.integrated_lufs.set(Some(shown(integrated)));
        desk.shared.readings.true_peak_dbtp.set(Some(shown(true_peak)));
        let mut standing = TargetState::new();
        standing.update(&desk);
        assert_eq!(standing.error, None);
        standing
    }

    #[test]
    fn programme_at_its_target_passes() {
        let standing = standing("r128", -23.0, -3.0);
        assert_eq!(standing.headline(), (Mark::Pass, "within the target".into()));
        assert_eq!(standing.mark("integrated_lufs"), Mark::Pass);
        assert_eq!(standing.aim_lufs(), Some(-23.0));
    }

    #[test]
    fn programme_beside_its_target_shows_by_how_much() {
        let loud = standing("r128", -20.0, -3.0).headline();
        assert_eq!(loud, (Mark::Fail, "3.0 LU too loud".into()));
        let soft = standing("r128", -26.0, -3.0).headline();
        assert_eq!(soft, (Mark::Fail, "3.0 LU too quiet".into()));
        let high = standing("r128", -23.0, 0.5).headline();
        assert_eq!(high, (Mark::Fail, "peaks 1.5 dB too high".into()));
    }

    #[test]
    fn precise_peak_beyond_the_limit_fails_as_in_a_report() {
        let desk = SharedState::default();
        for (reading, value) in [
            (&desk.shared.readings.integrated_lufs, -23.0),
            (&desk.shared.readings.true_peak_dbtp, -1.2),
            (&desk.shared.readings.true_peak_precise_dbtp, -0.8),
        ] {
            reading.set(Some(value));
        }
        let mut standing = TargetState::new();
        standing.update(&desk);
        assert_eq!(standing.headline(), (Mark::Fail, "peaks 0.2 dB too high".into()));
    }

    #[test]
    fn moments_stand_out_only_beyond_what_a_programme_may_have() {
        for (target, loud) in [
            ("r128", Some(-18.0)),
            ("r128-s1", Some(-18.0)),
            ("atsc-a85", Some(-19.0)),
            ("spotify", None),
        ] {
            assert_eq!(standing(target, -23.0, -3.0).loud_lufs(), loud, "{target}");
        }
    }

    #[test]
    fn platforms_say_what_they_will_do() {
        let prediction = standing("spotify", -9.0, -1.0).prediction();
        assert_eq!(prediction.as_deref(), Some("will be turned down 5.0 dB"));
    }

    #[test]
    fn nothing_measured_is_no_verdict() {
        let mut standing = TargetState::new();
        standing.update(&SharedState::default());
        assert_eq!(standing.headline(), (Mark::None, "no program yet".into()));
    }

    #[test]
    fn relative_path_of_a_target_is_refused() {
        let desk = SharedState::default();
        for name in ["targets.toml#house", "./targets.toml"] {
            desk.params.choices.write().target = name.into();
            let mut standing = TargetState::new();
            standing.update(&desk);
            let error = standing.error.unwrap();
            assert!(error.contains("relative") && error.contains("targets.toml`"), "{error}");
        }
    }

    #[test]
    fn target_of_dialogue_says_what_is_not_measured() {
        let (mark, words) = standing("netflix", -27.0, -3.0).headline();
        assert_eq!((mark, words.as_str()), (Mark::None, "dialogue loudness not measured"));
        let high = standing("netflix", -27.0, 0.0).headline();
        assert_eq!(high.0, Mark::Fail, "what is measured is judged");
    }

    /// As a project may have it: reading it would wait for ever.
    #[cfg(unix)]
    #[test]
    fn target_in_a_pipe_is_refused_and_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.toml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let desk = SharedState::default();
        desk.params.choices.write().target = format!("{}#house", pipe.display());
        let mut standing = TargetState::new();
        while standing.error.is_none() {
            standing.update(&desk);
            std::thread::yield_now();
        }
        assert!(standing.error.unwrap().ends_with("is not a file"));
    }

    #[test]
    fn unknown_target_is_reported() {
        let desk = SharedState::default();
        desk.params.choices.write().target = "spotfy".into();
        let mut standing = TargetState::new();
        standing.update(&desk);
        assert!(standing.error.as_deref().unwrap().contains("spotify"));
    }
}
