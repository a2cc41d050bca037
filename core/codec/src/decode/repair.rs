//! What is done about damage where the caller asked for that, and the account of it.

use super::DecodeError;
use serde::{Deserialize, Serialize};
use wavemill_audio::limits::{PAUSES_MAX, REPAIRED_SILENCE_MAX};
use wavemill_audio::units::{Frames, SampleRate, Seconds};

/// What becomes of a damaged file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Damaged {
    /// It is refused.
    #[default]
    Refuse,
    /// What can be had of it is delivered, silence in the place of what cannot, and
    /// [`super::Decoder::repairs`] reports it.
    Repair,
}

impl Damaged {
    /// The names that people write, in the order of [`Self::ALL`].
    pub const NAMES: [&str; 2] = ["refuse", "repair"];

    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Refuse, Self::Repair];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The one of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    pub(super) fn is_repaired(self) -> bool {
        self == Self::Repair
    }
}

/// A kind of damage.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RepairKind {
    /// The container's times pause; silence stands there. Of sound files too.
    Pause,
    /// Sound is missing; silence of its length stands there.
    Missing,
    /// Packets cannot be decoded; silence of their length stands there.
    Undecodable,
    /// Bytes that are no part of the sound were left out.
    LeftOut,
    /// Samples that were NaN or infinite are 0.
    NonFinite,
    /// Samples had bits below those that are valid; they were cut.
    ExtraBits,
    /// It ends before its header says.
    CutShort,
    /// It goes on after its header says.
    Longer,
}

impl RepairKind {
    /// What happened `count` times.
    fn what(self, count: u64) -> String {
        let counted = |one: &str, many: &str| match count {
            1 => one.to_owned(),
            _ => format!("{count} {many}"),
        };
        match self {
            Self::Pause => {
                format!("it has {}, filled with silence", counted("a gap", "gaps"))
            }
            Self::Missing => format!(
                "audio is missing in {} and was replaced by silence",
                counted("one place", "places")
            ),
            Self::Undecodable => match count {
                1 => "a packet cannot be decoded and was replaced by silence".to_owned(),
                _ => format!("{count} packets cannot be decoded and were replaced by silence"),
            },
            Self::LeftOut => {
                format!("data that is not audio was skipped {}", counted("once", "times"))
            }
            Self::NonFinite => match count {
                1 => "an invalid sample (NaN or infinite) was set to 0".to_owned(),
                _ => format!("{count} invalid samples (NaN or infinite) were set to 0"),
            },
            Self::ExtraBits => {
                "its samples use more bits than its header states; the extra bits were cut off"
                    .to_owned()
            }
            Self::CutShort => "it is cut short".to_owned(),
            Self::Longer => "it is longer than its header states".to_owned(),
        }
    }
}

/// Most places kept of one kind.
const PLACE_COUNT_MAX: usize = 8;

/// Places nearer to each other are one: those of a frame's channels, or of the samples of a moment.
const PLACE_DISTANCE: Seconds = Seconds(0.001);

/// What was repaired of one kind.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repair {
    /// What was wrong.
    pub kind: RepairKind,
    /// How often; at least 1.
    pub count: u64,
    /// How much silence stands for it.
    pub silence_s: Seconds,
    /// Where, from the start of what is delivered: the first few.
    pub at_s: Vec<Seconds>,
    /// What else is known, as what a header promised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Repair {
    /// One line for people.
    pub fn line(&self) -> String {
        let what = self.kind.what(self.count);
        let silence = match self.silence_s.0 {
            0.0 => String::new(),
            seconds => format!(", {seconds:.3} s in total"),
        };
        let detail = self.detail.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
        let places: Vec<_> = self.at_s.iter().map(|at| format!("{:.3} s", at.0)).collect();
        let places = places.join(", ");
        let more = if self.at_s.len() == PLACE_COUNT_MAX { " and possibly elsewhere" } else { "" };
        let prefix = if self.kind == RepairKind::Pause { "" } else { "repaired: " };
        format!("{prefix}{what}{silence}{detail}, at {places}{more}")
    }
}

/// What packets say of what was between them.
#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) kind: RepairKind,
    pub(super) detail: Option<String>,
}

/// Keeps the account of one decoder.
pub(super) struct Ledger {
    rate: SampleRate,
    /// Of the present round through the file.
    repairs: Vec<Repair>,
    /// Of the round that found most; a round that was broken off knows less.
    fullest: Vec<Repair>,
    /// Silence in the place of missing sound.
    silence: Frames,
    /// Where the last of it ended.
    silence_end: Option<u64>,
}

impl Ledger {
    pub(super) fn new(rate: SampleRate) -> Self {
        Self {
            rate,
            repairs: Vec::new(),
            fullest: Vec::new(),
            silence: Frames::ZERO,
            silence_end: None,
        }
    }

    /// Notes something at frame `at`, `count` times, with so much silence in its place.
    pub(super) fn note(
        &mut self,
        kind: RepairKind,
        at: u64,
        count: u64,
        silence: u64,
    ) -> &mut Repair {
        let place = Frames(at).duration(self.rate);
        let silence = Frames(silence).duration(self.rate);
        let found = self.repairs.iter().position(|repair| repair.kind == kind);
        let index = found.unwrap_or_else(|| {
            let (at_s, silence_s) = (Vec::new(), Seconds(0.0));
            self.repairs.push(Repair { kind, count: 0, silence_s, at_s, detail: None });
            self.repairs.len() - 1
        });
        let repair = &mut self.repairs[index];
        repair.count += count;
        repair.silence_s.0 += silence.0;
        let is_near = |other: &Seconds| (other.0 - place.0).abs() < PLACE_DISTANCE.0;
        let is_new = count > 0 && !repair.at_s.iter().any(is_near);
        if is_new && repair.at_s.len() < PLACE_COUNT_MAX {
            repair.at_s.push(place);
        }
        repair
    }

    /// Notes what is true of the file, first seen at frame `at`, however often it is seen.
    pub(super) fn note_once(&mut self, kind: RepairKind, at: u64) {
        if self.repairs.iter().all(|repair| repair.kind != kind) {
            self.note(kind, at, 1, 0);
        }
    }

    /// Notes sound that is missing before frame `at`.
    ///
    /// # Errors
    /// When that is more silence than [`REPAIRED_SILENCE_MAX`]: its times are no longer believed.
    pub(super) fn missing(&mut self, at: u64, frame_count: u64) -> Result<(), DecodeError> {
        self.silence = Frames(self.silence.0.saturating_add(frame_count));
        let all = self.silence.duration(self.rate);
        if all.0 > REPAIRED_SILENCE_MAX.0 {
            return Err(DecodeError::damaged(format!(
                "{:.0} s of it are missing, near frame {at}; at most {:.0} s can be repaired",
                all.0, REPAIRED_SILENCE_MAX.0
            )));
        }
        // Packets that are missing one after another are one hole.
        let is_more = self.silence_end.replace(at.saturating_add(frame_count)) == Some(at);
        self.note(RepairKind::Missing, at, u64::from(!is_more), frame_count);
        Ok(())
    }

    /// Notes a pause of a sound file before frame `at`.
    ///
    /// # Errors
    /// When pauses are longer than [`PAUSES_MAX`] in all.
    pub(super) fn pause(&mut self, at: u64, frame_count: u64) -> Result<(), DecodeError> {
        self.silence = Frames(self.silence.0.saturating_add(frame_count));
        let all = self.silence.duration(self.rate);
        if all.0 > PAUSES_MAX.0 {
            return Err(DecodeError::damaged(format!(
                "part of it is missing: a gap of {:.1} s near frame {at}; gaps of up to {:.0} s \
                are filled with silence, longer ones with `damaged = \"repair\"`",
                all.0, PAUSES_MAX.0
            )));
        }
        self.note(RepairKind::Pause, at, 1, frame_count);
        Ok(())
    }

    /// Notes what packets said.
    pub(super) fn take(&mut self, note: Note, at: u64) {
        let repair = self.note(note.kind, at, 1, 0);
        repair.detail = repair.detail.take().or(note.detail);
    }

    /// Sets samples that are no numbers to 0; the planes start with frame `first`.
    pub(super) fn repair_floats(&mut self, planes: &mut [Vec<f32>], first: Frames) {
        for plane in planes {
            for (offset, sample) in plane.iter_mut().enumerate() {
                if !sample.is_finite() {
                    *sample = 0.0;
                    self.note(RepairKind::NonFinite, first.0 + offset as u64, 1, 0);
                }
            }
        }
    }

    /// Begins a new round.
    pub(super) fn rewind(&mut self) {
        let repairs = std::mem::take(&mut self.repairs);
        if total(&repairs) > total(&self.fullest) {
            self.fullest = repairs;
        }
        (self.silence, self.silence_end) = (Frames::ZERO, None);
    }

    /// What was repaired, by kind.
    pub(super) fn repairs(&self) -> Vec<Repair> {
        let is_fuller = total(&self.fullest) > total(&self.repairs);
        let mut repairs = if is_fuller { self.fullest.clone() } else { self.repairs.clone() };
        repairs.sort_by_key(|repair| repair.kind);
        repairs
    }
}

fn total(repairs: &[Repair]) -> u64 {
    repairs.iter().map(|repair| repair.count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: SampleRate = SampleRate(1000);

    #[test]
    fn repairs_of_a_kind_are_one_line_with_count_and_places() {
        let mut ledger = Ledger::new(RATE);
        ledger.note(RepairKind::Undecodable, 1500, 1, 24);
        ledger.note(RepairKind::Undecodable, 2750, 1, 24);
        ledger.missing(500, 250).unwrap();
        let lines: Vec<_> = ledger.repairs().iter().map(Repair::line).collect();
        assert_eq!(
            lines,
            [
                "repaired: audio is missing in one place and was replaced by silence, 0.250 s in total, at \
                0.500 s",
                "repaired: 2 packets cannot be decoded and were replaced by silence, 0.048 s in \
                total, at 1.500 s, 2.750 s",
            ]
        );
    }

    #[test]
    fn more_places_than_are_kept_are_said_to_go_on() {
        let mut ledger = Ledger::new(RATE);
        for at in 0..20 {
            ledger.note(RepairKind::LeftOut, at * 1000, 1, 0);
        }
        let repairs = ledger.repairs();
        assert_eq!((repairs[0].count, repairs[0].at_s.len()), (20, PLACE_COUNT_MAX));
        assert!(repairs[0].line().ends_with("7.000 s and possibly elsewhere"));
    }

    #[test]
    fn missing_sound_beyond_the_bound_is_refused() {
        let mut ledger = Ledger::new(RATE);
        ledger.missing(0, 40_000).unwrap();
        let message = ledger.missing(90_000, 40_000).unwrap_err().to_string();
        assert!(message.contains("80 s of it are missing, near frame 90000"), "{message}");
    }

    #[test]
    fn round_that_was_broken_off_does_not_hide_what_one_before_found() {
        let mut ledger = Ledger::new(RATE);
        ledger.note(RepairKind::CutShort, 10, 1, 0);
        ledger.note(RepairKind::LeftOut, 5, 1, 0);
        let all = ledger.repairs();
        ledger.rewind();
        assert_eq!(ledger.repairs(), all);
        ledger.note(RepairKind::LeftOut, 5, 1, 0);
        assert_eq!(ledger.repairs(), all);
    }

    #[test]
    fn samples_that_are_no_numbers_become_zero_and_are_counted() {
        let mut ledger = Ledger::new(RATE);
        let mut planes = vec![vec![0.5, f32::NAN], vec![f32::INFINITY, -0.5]];
        ledger.repair_floats(&mut planes, Frames(100));
        assert_eq!(planes, [[0.5, 0.0], [0.0, -0.5]]);
        assert_eq!(ledger.repairs()[0].count, 2);
    }

    #[test]
    fn names_and_choices_belong_together() {
        for damaged in Damaged::ALL {
            assert_eq!(Damaged::of_name(damaged.name()), Some(damaged));
        }
        assert_eq!(Damaged::of_name("ignore"), None);
    }
}
