//! Cue points of a WAVE file.
//!
//! Source: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0": `cue `, and in a `LIST`
//! chunk of type `adtl` the texts of points (`labl`) and the lengths of those that are regions (`ltxt`).

use super::text::{clean, from_latin1};
use super::{CUE_COUNT_MAX, Cue, CueEnd, Place};

/// Bytes of one point: identifier, position, three fields of playlists and compression, frame.
const POINT_BYTES: usize = 24;

/// Points and labels as they are collected, in any order of the chunks.
#[derive(Debug, Default)]
pub(super) struct Cues {
    points: Vec<(u32, u32)>,
    labels: Vec<(u32, String)>,
    lengths: Vec<(u32, u32)>,
}

impl Cues {
    /// Takes the data of a `cue ` chunk.
    pub(super) fn add_points(&mut self, data: &[u8]) {
        let count = u32_at(data, 0).map_or(0, |count| count as usize);
        let points = data.get(4..).unwrap_or_default().chunks_exact(POINT_BYTES).take(count);
        let room = CUE_COUNT_MAX.saturating_sub(self.points.len());
        self.points.extend(points.take(room).filter_map(|p| Some((u32_at(p, 0)?, u32_at(p, 20)?))));
    }

    /// Takes the data of a `LIST` chunk; `false` where it is of another type than `adtl`.
    pub(super) fn add_labels(&mut self, data: &[u8]) -> bool {
        let Some(mut rest) = data.strip_prefix(b"adtl") else { return false };
        while let (Some(id), Some(length)) = (rest.get(..4), u32_at(rest, 4)) {
            let end = 8usize.saturating_add(length as usize);
            let Some(body) = rest.get(8..end) else { break };
            if id == b"labl" && self.labels.len() < CUE_COUNT_MAX {
                self.labels.extend(label(body));
            }
            if id == b"ltxt" && self.lengths.len() < CUE_COUNT_MAX {
                self.lengths.extend(u32_at(body, 0).zip(u32_at(body, 4)).filter(|it| it.1 > 0));
            }
            rest = rest.get(end + length as usize % 2..).unwrap_or_default();
        }
        true
    }

    /// The points in the order of time, each with its label.
    pub(super) fn finish(self) -> Vec<Cue> {
        let label_of = |id| self.labels.iter().find(|(of, _)| *of == id);
        let length_of = |id| self.lengths.iter().find(|(of, _)| *of == id);
        let cue = |&(id, frame): &(u32, u32)| {
            let frame = u64::from(frame);
            let end = length_of(id).map(|(_, length)| Place::Frame(frame + u64::from(*length)));
            Cue {
                start: Place::Frame(frame),
                end: end.map_or(CueEnd::Point, CueEnd::At),
                label: label_of(id).map(|(_, text)| text.clone()),
            }
        };
        let mut cues: Vec<Cue> = self.points.iter().map(cue).collect();
        cues.sort_by_key(|cue| cue.start);
        cues
    }
}

/// Which point it is of, and its text.
fn label(body: &[u8]) -> Option<(u32, String)> {
    let text = body.get(4..)?;
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    let text =
        std::str::from_utf8(&text[..end]).map_or_else(|_| from_latin1(&text[..end]), str::to_owned);
    Some((u32_at(body, 0)?, clean(&text)?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_sorted_and_find_their_labels() {
        let point = |id: u32, frame: u32| {
            [id, frame, u32::from_le_bytes(*b"data"), 0, 0, frame].map(u32::to_le_bytes).concat()
        };
        let mut cues = Cues::default();
        assert!(!cues.add_labels(b"INFOINAM"));
        assert!(cues.add_labels(b"adtllabl\x07\0\0\0\x02\0\0\0hi\0\0ltxt\x02\0\0\0xx"));
        let region = [&b"adtlltxt\x14\0\0\0\x09\0\0\0\x32\0\0\0rgn "[..], &[0; 8]].concat();
        assert!(cues.add_labels(&region));
        cues.add_points(&[&2u32.to_le_bytes()[..], &point(2, 500), &point(9, 100)].concat());
        let region =
            Cue { start: Place::Frame(100), end: CueEnd::At(Place::Frame(150)), label: None };
        let point = Cue::point(Place::Frame(500), Some("hi".to_owned()));
        assert_eq!(cues.finish(), [region, point]);
    }

    #[test]
    fn chunks_that_are_cut_or_lie_give_what_is_there() {
        let mut cues = Cues::default();
        cues.add_points(&u32::MAX.to_le_bytes());
        cues.add_points(b"");
        assert!(cues.add_labels(b"adtllabl\xff\xff\xff\xff"));
        assert_eq!(cues.finish(), []);
    }
}
