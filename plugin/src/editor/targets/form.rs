//! A target of the user's, as it is written in the window.

use crate::targets::Change;
use crate::window::field::row;
use crate::window::theme;
use crate::window::tip::Tip;
use egui::{Button, Id, RichText, TextEdit, Ui};
use wavemill_core::delivery::{Playback, Target};
use wavemill_core::units::{Dbtp, Lu, Lufs};

/// Fields with numbers: word, unit, what it means.
const NUMBERS: [(&str, &str, &str); 8] = [
    ("Loudness", "LUFS", "Integrated loudness to aim at."),
    ("Tolerance", "LU", "How far it may be off. Empty: the difference is shown and not judged."),
    ("True peak", "dBTP", "Largest true peak. Empty fields are not judged."),
    ("Short-term", "LUFS", "Largest short-term loudness."),
    ("Momentary", "LUFS", "Largest momentary loudness."),
    ("Range", "LU", "Largest loudness range."),
    (
        "Played at",
        "LUFS",
        "Loudness that the platform brings files to. Empty: it plays them as they are.",
    ),
    ("Up to", "dBTP", "True peak up to which the platform turns quieter files up. Empty: any."),
];

/// What the user decided.
pub(super) enum Action {
    Save(Change),
    Cancel,
}

/// A target being written.
#[derive(Clone, Debug)]
pub(super) struct Form {
    /// What the form has no fields for stays as it was.
    base: Target,
    /// The id of the target that is changed; `None` for a new one.
    replaced: Option<String>,
    name: String,
    numbers: [String; NUMBERS.len()],
    raises: bool,
    /// What is wrong with a field.
    problem: Option<String>,
}

impl Form {
    /// A change of a target.
    pub(super) fn of(target: &Target) -> Self {
        let text = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let playback = target.playback;
        Self {
            replaced: Some(target.id.clone()),
            name: target.name.clone(),
            numbers: [
                text(target.integrated_lufs.map(|lufs| lufs.0)),
                text(target.tolerance_lu.map(|lu| lu.0)),
                text(target.true_peak_max_dbtp.map(|peak| peak.0)),
                text(target.short_term_max_lufs.map(|lufs| lufs.0)),
                text(target.momentary_max_lufs.map(|lufs| lufs.0)),
                text(target.loudness_range_max_lu.map(|lu| lu.0)),
                text(playback.map(|playback| playback.level_lufs.0)),
                text(playback.and_then(|playback| playback.ceiling_dbtp).map(|peak| peak.0)),
            ],
            raises: playback.is_some_and(|playback| playback.raises),
            base: target.clone(),
            problem: None,
        }
    }

    /// A new target with the values of another one, which is not its source.
    pub(super) fn new(base: Option<&Target>) -> Self {
        let base = Target {
            id: String::new(),
            name: String::new(),
            purpose: String::new(),
            source: wavemill_core::delivery::Source::default(),
            note: None,
            ..base.cloned().unwrap_or_default()
        };
        Self { replaced: None, ..Self::of(&base) }
    }

    /// Draws it; `problem` is what the disk says, and a change may be on its way there.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        problem: Option<&str>,
        is_busy: bool,
    ) -> Option<Action> {
        let title = if self.replaced.is_some() { "YOUR TARGET" } else { "NEW TARGET" };
        ui.label(RichText::new(title).size(10.5).color(theme::FAINT));
        row(ui, "Name", "What the list calls it; its id beside it.", |ui| {
            let name = TextEdit::singleline(&mut self.name).id(Id::unique("target name"));
            ui.add(name.desired_width(200.0).hint_text("such as House, podcasts"));
            let id = self.replaced.clone().unwrap_or_else(|| slug(&self.name));
            ui.label(RichText::new(id).size(10.5).color(theme::FAINT));
        });
        for ((word, unit, tip), text) in NUMBERS.into_iter().zip(&mut self.numbers) {
            row(ui, word, tip, |ui| {
                let field = TextEdit::singleline(text).id(Id::unique(("target", word)));
                ui.add(field.desired_width(60.0));
                ui.label(RichText::new(unit).color(theme::FAINT));
            });
        }
        ui.checkbox(&mut self.raises, "The platform turns quieter files up, too");
        let problem = self.problem.as_deref().or(problem);
        if let Some(problem) = problem {
            ui.label(RichText::new(problem).color(theme::BAD).size(11.5));
        }
        self.buttons(ui, is_busy)
    }

    fn buttons(&mut self, ui: &mut Ui, is_busy: bool) -> Option<Action> {
        let mut action = None;
        ui.horizontal(|ui| {
            if ui.add_enabled(!is_busy, framed("Save")).clicked() {
                match self.target() {
                    Ok(target) => {
                        let change = Change::Put(Box::new(target), self.replaced.clone());
                        (self.problem, action) = (None, Some(Action::Save(change)));
                    }
                    Err(problem) => self.problem = Some(problem),
                }
            }
            if ui.add(framed("Cancel")).clicked() {
                action = Some(Action::Cancel);
            }
            if let Some(id) = &self.replaced {
                let button = ui.add_enabled(!is_busy, framed("Delete"));
                if button.tip("Removes the target from your file.").clicked() {
                    action = Some(Action::Save(Change::Remove(id.clone())));
                }
            }
        });
        action
    }

    /// The target that it says; the reader of files judges the rest.
    fn target(&self) -> Result<Target, String> {
        let name = self.name.trim().to_owned();
        if name.is_empty() {
            return Err("write a name".into());
        }
        let mut values = [None; NUMBERS.len()];
        for (value, ((word, ..), text)) in values.iter_mut().zip(NUMBERS.iter().zip(&self.numbers))
        {
            *value = number(text).map_err(|()| format!("{word}: `{text}` is not a number"))?;
        }
        let [loudness, tolerance, peak, short_term, momentary, range, level, ceiling] = values;
        let playback = level.map(|level| Playback {
            level_lufs: Lufs(level),
            raises: self.raises,
            ceiling_dbtp: ceiling.map(Dbtp),
        });
        Ok(Target {
            // A target that exists keeps its id, by which projects know it.
            id: self.replaced.clone().unwrap_or_else(|| slug(&name)),
            name,
            integrated_lufs: loudness.map(Lufs),
            tolerance_lu: tolerance.map(Lu),
            true_peak_max_dbtp: peak.map(Dbtp),
            short_term_max_lufs: short_term.map(Lufs),
            momentary_max_lufs: momentary.map(Lufs),
            loudness_range_max_lu: range.map(Lu),
            playback,
            ..self.base.clone()
        })
    }
}

/// A button that is seen as one in a list.
fn framed(name: &str) -> Button<'_> {
    Button::new(name).frame_when_inactive(true)
}

/// A number as people write it; `None` of an empty field.
fn number(text: &str) -> Result<Option<f64>, ()> {
    let text = text.trim().replace('\u{2212}', "-").replace(',', ".");
    if text.is_empty() {
        return Ok(None);
    }
    let value: Option<f64> = text.parse().ok();
    value.filter(|value| value.is_finite()).map(Some).ok_or(())
}

/// The id of a target with this name.
fn slug(name: &str) -> String {
    let plain = |letter: char| {
        let letter = letter.to_ascii_lowercase();
        if letter.is_ascii_alphanumeric() { letter } else { '-' }
    };
    let words: String = name.chars().map(plain).collect();
    let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_of_a_form_is_the_one_it_was_made_of() {
        for target in wavemill_pipelines::delivery::shipped() {
            assert_eq!(Form::of(target).target().as_ref(), Ok(target));
        }
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(number(" \u{2212}23,5 "), Ok(Some(-23.5)));
        assert_eq!((number(""), number("-1")), (Ok(None), Ok(Some(-1.0))));
        for text in ["loud", "inf", "NaN", "1 2"] {
            assert_eq!(number(text), Err(()), "{text}");
        }
    }

    #[test]
    fn new_target_begins_with_values_and_not_with_their_source() {
        let base = wavemill_pipelines::delivery::find("spotify", std::path::Path::new("")).unwrap();
        let mut form = Form::new(base.first());
        assert_eq!(form.target().unwrap_err(), "write a name");
        form.name = "Club & Radio (2026)".into();
        let target = form.target().unwrap();
        assert_eq!(
            (target.id.as_str(), target.integrated_lufs),
            ("club-radio-2026", Some(Lufs(-14.0)))
        );
        assert_eq!((target.source.document.as_str(), &target.note), ("", &None));
        form.numbers[2] = "high".into();
        assert_eq!(form.target().unwrap_err(), "True peak: `high` is not a number");
    }
}
