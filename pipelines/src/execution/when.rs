//! Whether a step runs on a file.

use crate::model::When;
use crate::reader::duration;
use wavemill_core::tags::{Field, Tags};
use wavemill_core::units::{Lufs, Seconds};

/// What conditions look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) duration: Option<Seconds>,
    pub(super) channel_count: usize,
    pub(super) tags: &'a Tags,
    /// `None` is silence; measured before, if a condition asks.
    pub(super) integrated: Option<Lufs>,
}

impl When {
    /// Whether the duration must be known.
    pub(crate) fn needs_duration(&self) -> bool {
        self.min_duration.is_some() || self.max_duration.is_some()
    }

    /// Whether the loudness must be known.
    pub(crate) fn needs_loudness(&self) -> bool {
        self.min_lufs.is_some() || self.max_lufs.is_some()
    }
}

/// Why a step does not run; `None` when it does.
pub(super) fn skip_reason(when: &When, facts: Facts<'_>) -> Option<String> {
    duration_reason(when, facts)
        .or_else(|| channels_reason(when, facts))
        .or_else(|| loudness_reason(when, facts))
        .or_else(|| tag_reason(when, facts))
}

fn duration_reason(when: &When, facts: Facts<'_>) -> Option<String> {
    let duration = facts.duration?;
    if let Some(min) = when.min_duration
        && duration.0 < min.as_secs_f64()
    {
        return Some(format!("{duration} is shorter than {}", duration::display(min)));
    }
    let max = when.max_duration.filter(|max| duration.0 > max.as_secs_f64())?;
    Some(format!("{duration} is longer than {}", duration::display(max)))
}

fn channels_reason(when: &When, facts: Facts<'_>) -> Option<String> {
    let count = facts.channel_count;
    let is_other = !when.channels.is_empty() && !when.channels.contains(&count);
    is_other.then(|| format!("{count} channels are not among {:?}", when.channels))
}

fn loudness_reason(when: &When, facts: Facts<'_>) -> Option<String> {
    if !when.needs_loudness() {
        return None;
    }
    let Some(integrated) = facts.integrated else {
        return Some("the file has no loudness".to_owned());
    };
    if let Some(min) = when.min_lufs.filter(|min| integrated.0 < *min) {
        return Some(format!("{integrated} is quieter than {}", Lufs(min)));
    }
    let max = when.max_lufs.filter(|max| integrated.0 > *max)?;
    Some(format!("{integrated} is louder than {}", Lufs(max)))
}

fn tag_reason(when: &When, facts: Facts<'_>) -> Option<String> {
    let (name, value) = when.tag.iter().find(|(name, value)| {
        let tag = Field::named(name).and_then(|field| field.get(facts.tags));
        tag.is_none_or(|tag| tag.to_lowercase() != value.to_lowercase())
    })?;
    Some(format!("the tag {name} is not \"{value}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn reason(when: &When) -> Option<String> {
        let tags = Tags { genre: Some("Talk".to_owned()), ..Tags::default() };
        let facts = Facts {
            duration: Some(Seconds(10.0)),
            channel_count: 2,
            tags: &tags,
            integrated: Some(Lufs(-20.0)),
        };
        skip_reason(when, facts)
    }

    #[test]
    fn conditions_hold_or_say_why_not() {
        let seconds = |count| Some(Duration::from_secs(count));
        let tag = |value: &str| vec![("genre".to_owned(), value.to_owned())];
        let always = When::default();
        assert_eq!(reason(&always), None);
        for holds in [
            When { min_duration: seconds(10), ..always.clone() },
            When { max_duration: seconds(10), ..always.clone() },
            When { channels: vec![1, 2], ..always.clone() },
            When { min_lufs: Some(-20.0), max_lufs: Some(-20.0), ..always.clone() },
            When { tag: tag("TALK"), ..always.clone() },
        ] {
            assert_eq!(reason(&holds), None, "{holds:?}");
        }
        for (fails, why) in [
            (When { min_duration: seconds(11), ..always.clone() }, "shorter than 11s"),
            (When { max_duration: seconds(9), ..always.clone() }, "longer than 9s"),
            (When { channels: vec![1], ..always.clone() }, "2 channels"),
            (When { min_lufs: Some(-19.0), ..always.clone() }, "quieter than -19.00 LUFS"),
            (When { max_lufs: Some(-21.0), ..always.clone() }, "louder than -21.00 LUFS"),
            (When { tag: tag("Music"), ..always }, "genre is not \"Music\""),
        ] {
            assert!(reason(&fails).unwrap().contains(why), "{fails:?}");
        }
    }
}
