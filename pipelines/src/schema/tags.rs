//! `[tags]`: what exports say of themselves besides what their source says.

use super::key::{Key, Kind};
use super::sink::Sink;
use super::template;
use super::values::Values;
use crate::model::{TagEdits, TagPart};
use crate::template::Template;
use toml::Spanned;
use wavemill_core::tags::{Field, Tags};

/// The key that removes.
const REMOVE: &str = "remove";

/// The fields by name, then [`REMOVE`].
pub(super) const KEYS: &[Key] = &{
    let remove = Key::optional(
        REMOVE,
        Kind::Words(&NAMES),
        "Tags of the source that are not carried over, as [\"comment\", \"pictures\"] or \"all\".",
    );
    let mut keys = [remove; Field::ALL.len() + 1];
    let mut index = 0;
    while index < Field::ALL.len() {
        keys[index] = Key::optional(
            Field::ALL[index].0,
            if Field::ALL[index].1.has_several() { Kind::Texts } else { Kind::Text },
            "Text with placeholders; where it comes out empty, the source's tag stays. Artists, composers, genres \
             and ISRCs may be several, as [\"Ann\", \"Bo\"].",
        );
        index += 1;
    }
    keys
};

/// What removes everything.
const ALL: &str = "all";

/// Everything that can be removed.
const NAMES: [&str; Field::ALL.len() + TagPart::ALL.len() + 1] = {
    let mut names = [ALL; Field::ALL.len() + TagPart::ALL.len() + 1];
    let mut index = 0;
    while index < Field::ALL.len() {
        names[index] = Field::ALL[index].0;
        index += 1;
    }
    while index < Field::ALL.len() + TagPart::ALL.len() {
        names[index] = TagPart::ALL[index - Field::ALL.len()].0;
        index += 1;
    }
    names
};

pub(super) fn read(sink: &mut Sink<'_>, values: &Values<'_>) -> TagEdits {
    let removed = values.words(REMOVE).map(Spanned::into_inner).unwrap_or_default();
    let is_removed = |name: &str| removed.contains(&name) || removed.contains(&ALL);
    let fields = Field::ALL.into_iter();
    TagEdits {
        remove: fields.clone().filter(|(name, _)| is_removed(name)).map(|(_, it)| it).collect(),
        remove_parts: TagPart::ALL
            .into_iter()
            .filter(|(name, _)| is_removed(name))
            .map(|(_, part)| part)
            .collect(),
        set: fields.filter_map(|(name, field)| read_field(sink, values, name, field)).collect(),
    }
}

fn read_field(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    name: &'static str,
    field: Field,
) -> Option<(Field, Vec<Template>)> {
    let written = match values.texts(name) {
        Some(several) => several.into_inner(),
        None => vec![values.text(name)?],
    };
    let mut templates = Vec::new();
    for text in &written {
        let template = template::read(sink, text, template::TAG)?;
        if template.get_ref().placeholders().next().is_none()
            && let Err(error) = field.set(&mut Tags::default(), text.get_ref())
        {
            let message = format!("`{name}` cannot be \"{}\"", text.get_ref());
            sink.error("bad-tag", text.span(), message).help(format!("write {}", error.expected));
            return None;
        }
        templates.push(template.into_inner());
    }
    Some((field, templates))
}
