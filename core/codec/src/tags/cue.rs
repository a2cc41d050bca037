//! Places that are marked in the audio: cue points, regions and chapters are one thing here.
//!
//! Some files count frames, others time: a place stays as it was written until the sample rate is known.

use serde::ser::{Serialize, SerializeMap, Serializer};
use wavemill_audio::units::SampleRate;

/// Most places kept of one file.
pub const CUE_COUNT_MAX: usize = 4096;

const NS_A_SECOND: u128 = 1_000_000_000;

/// A marked place: a point, or what begins there and lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// Where it is.
    pub start: Place,
    /// How long it lasts.
    pub end: CueEnd,
    /// What is there.
    pub label: Option<String>,
}

/// A place in the audio, from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In frames.
    Frame(u64),
    /// In nanoseconds.
    Nanoseconds(u64),
}

/// Where what begins at a place ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CueEnd {
    /// At once: it is a point.
    Point,
    /// Where the next one begins that is no point, or with the audio: a chapter.
    Next,
    /// At this place.
    At(Place),
}

impl Place {
    /// It in frames; halves are rounded up.
    pub fn frame(self, rate: SampleRate) -> u64 {
        match self {
            Self::Frame(frame) => frame,
            Self::Nanoseconds(ns) => scaled(ns, rate.0.into(), NS_A_SECOND),
        }
    }

    /// It in nanoseconds; halves are rounded up.
    pub fn nanoseconds(self, rate: SampleRate) -> u64 {
        match self {
            Self::Frame(frame) => scaled(frame, NS_A_SECOND, rate.0.max(1).into()),
            Self::Nanoseconds(ns) => ns,
        }
    }
}

/// `value * times / of`, rounded.
fn scaled(value: u64, times: u128, of: u128) -> u64 {
    u64::try_from((u128::from(value) * times + of / 2) / of).unwrap_or(u64::MAX)
}

impl Cue {
    /// A point.
    pub fn point(start: Place, label: Option<String>) -> Self {
        Self { start, end: CueEnd::Point, label }
    }
}

/// Begin of each of `cues` and end of those that are no points, in frames: that of a chapter is where the next
/// one begins or where the audio ends, if that is known.
pub(crate) fn spans(
    cues: &[Cue],
    rate: SampleRate,
    frame_count: Option<u64>,
) -> Vec<(u64, Option<u64>)> {
    let mut next = frame_count;
    let mut spans: Vec<_> = cues
        .iter()
        .rev()
        .map(|cue| {
            let start = cue.start.frame(rate);
            let end = match cue.end {
                CueEnd::Point => return (start, None),
                CueEnd::Next => next,
                CueEnd::At(end) => Some(end.frame(rate)),
            };
            next = Some(start);
            (start, end.map(|end| end.max(start)))
        })
        .collect();
    spans.reverse();
    spans
}

/// Where cues are in audio that was made of theirs: of `rate` and of `frame_count` frames that begin where
/// `place_of` says. A point that was cut off is left out; what lasts is cut with the audio, and left out where
/// nothing of it remains. `place_of` answers with `None` for what is before the start, and for everything where
/// it is not known.
pub fn shift_cues(
    cues: &[Cue],
    rate: SampleRate,
    frame_count: u64,
    place_of: impl Fn(u64) -> Option<u64>,
) -> Vec<Cue> {
    /// Behind the last frame of any file.
    const FAR: u64 = 1 << 48;
    let move_one = |(cue, (start, end)): (&Cue, (u64, Option<u64>))| {
        let moved_end = end.map(|end| place_of(end).filter(|&end| end > 0));
        // What lasts into the audio begins with it.
        let start = place_of(start).or_else(|| moved_end.flatten().map(|_| 0));
        let start = start.filter(|&start| start < frame_count)?;
        let end = match (cue.end, moved_end.flatten()) {
            (CueEnd::Point, _) => CueEnd::Point,
            (CueEnd::Next, Some(_)) => CueEnd::Next,
            (CueEnd::At(_), Some(end)) => CueEnd::At(Place::Frame(end.min(frame_count))),
            (_, None) => return None,
        };
        Some(Cue { start: Place::Frame(start), end, label: cue.label.clone() })
    };
    cues.iter().zip(spans(cues, rate, Some(FAR))).filter_map(move_one).collect()
}

/// Cues as formats with chapters have them, in nanoseconds: each has an end, that of a point is where the next
/// one begins or where the audio ends, if that is known.
pub(crate) fn chapters(
    cues: &[Cue],
    rate: SampleRate,
    frame_count: Option<u64>,
) -> Vec<Chapter<'_>> {
    let ns = |frame: u64| Place::Frame(frame).nanoseconds(rate);
    let mut next = frame_count.map(ns);
    let mut chapters: Vec<_> = cues
        .iter()
        .rev()
        .map(|cue| {
            let start = cue.start.nanoseconds(rate).min(CHAPTER_NS_MAX);
            let end = match cue.end {
                CueEnd::At(end) => end.nanoseconds(rate).min(CHAPTER_NS_MAX),
                CueEnd::Point | CueEnd::Next => next.unwrap_or(start),
            };
            next = Some(start);
            Chapter { start, end: end.max(start), label: cue.label.as_deref() }
        })
        .collect();
    chapters.reverse();
    chapters
}

/// Latest time of a chapter: what writes it rounds it to milliseconds. Later ones, 584 years in, are lies of files.
const CHAPTER_NS_MAX: u64 = u64::MAX - 1_000_000_000;

/// A chapter on its way into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chapter<'a> {
    /// In nanoseconds from the file's start.
    pub(crate) start: u64,
    /// In nanoseconds from the file's start, not before `start`.
    pub(crate) end: u64,
    pub(crate) label: Option<&'a str>,
}

/// What a cue is as JSON.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "Cue")]
#[expect(dead_code, reason = "only its schema is used")]
struct CueJson {
    /// Where it is, in frames, as some files count.
    #[schemars(skip_serializing_if = "Option::is_none")]
    frame: Option<u64>,
    /// Where it is, in seconds, as other files count.
    #[schemars(skip_serializing_if = "Option::is_none")]
    time_s: Option<f64>,
    /// Where it ends; absent for points.
    #[schemars(skip_serializing_if = "Option::is_none")]
    end_frame: Option<u64>,
    /// Where it ends; absent for points.
    #[schemars(skip_serializing_if = "Option::is_none")]
    end_time_s: Option<f64>,
    /// It ends where the next one begins; absent where it does not.
    #[schemars(skip_serializing_if = "Option::is_none")]
    is_chapter: Option<bool>,
    /// What is there.
    label: Option<String>,
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Cue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        CueJson::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        CueJson::json_schema(generator)
    }
}

impl Serialize for Cue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        put(&mut map, ["frame", "time_s"], self.start)?;
        match self.end {
            CueEnd::Point => {}
            CueEnd::Next => map.serialize_entry("is_chapter", &true)?,
            CueEnd::At(end) => put(&mut map, ["end_frame", "end_time_s"], end)?,
        }
        map.serialize_entry("label", &self.label)?;
        map.end()
    }
}

/// A place under the name for what it is counted in.
fn put<M: SerializeMap>(map: &mut M, names: [&str; 2], place: Place) -> Result<(), M::Error> {
    match place {
        Place::Frame(frame) => map.serialize_entry(names[0], &frame),
        Place::Nanoseconds(ns) => map.serialize_entry(names[1], &(ns as f64 / 1e9)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: SampleRate = SampleRate(48_000);

    fn chapter(frame: u64) -> Cue {
        Cue { start: Place::Frame(frame), end: CueEnd::Next, label: None }
    }

    #[test]
    fn places_are_rounded_to_the_nearest_and_come_back() {
        // 44.1 kHz: a frame is 22,675.7 ns.
        let rate = SampleRate(44_100);
        assert_eq!(Place::Frame(1).nanoseconds(rate), 22_676);
        for frame in [0, 1, 12_345, 44_100 * 360_000] {
            let ns = Place::Frame(frame).nanoseconds(rate);
            assert_eq!(Place::Nanoseconds(ns).frame(rate), frame);
        }
    }

    #[test]
    fn chapter_whose_beginning_is_cut_off_begins_with_the_audio() {
        let cues = [chapter(0), chapter(1_000), chapter(5_000)];
        let after = shift_cues(&cues, RATE, 3_000, |frame| frame.checked_sub(1_500));
        // The first is gone, the second has 3,500 frames left, the third begins behind the end.
        assert_eq!(after, [chapter(0)]);
        let after = shift_cues(&cues[..2], RATE, 3_000, |frame| frame.checked_sub(1_500));
        assert_eq!(after, [chapter(0)], "the last one lasts to the end");
    }

    #[test]
    fn point_that_is_cut_off_is_left_out_and_a_region_is_cut() {
        let region = |start, end| Cue {
            end: CueEnd::At(Place::Frame(end)),
            ..Cue::point(Place::Frame(start), None)
        };
        let cues = [Cue::point(Place::Frame(10), None), region(50, 300), region(90, 100)];
        let after = shift_cues(&cues, RATE, 120, |frame| frame.checked_sub(100));
        assert_eq!(after, [region(0, 120)]);
        assert_eq!(shift_cues(&cues, RATE, 120, |_| None), []);
    }

    #[test]
    fn chapters_end_where_the_next_one_begins() {
        let cues = [Cue::point(Place::Frame(0), None), chapter(48_000)];
        let ends = |count| chapters(&cues, RATE, count).iter().map(|it| it.end).collect::<Vec<_>>();
        assert_eq!(ends(Some(96_000)), [1_000_000_000, 2_000_000_000]);
        assert_eq!(ends(None), [1_000_000_000, 1_000_000_000]);
    }
}
