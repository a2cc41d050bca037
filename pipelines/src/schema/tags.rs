//! `[tags]`: what exports say of themselves besides what their source says.

use super::template;
use crate::model::{TagEdits, TagPart};
use crate::reader::Sink;
use crate::reader::Values;
use crate::reader::{Key, Kind};
use crate::template::Template;
use std::path::Path;
use toml::Spanned;
use wavemill_core::tags::{Field, Tags};

/// The key that removes.
const REMOVE: &str = "remove";

/// The keys that name files.
const PICTURE: &str = "picture";
const CHAPTERS: &str = "chapters";

/// The fields by name, then the other keys.
pub(super) const KEYS: &[Key] = &{
    let remove = Key::optional(
        REMOVE,
        Kind::Words(&NAMES),
        "Tags of the source not to copy, such as [\"comment\", \"pictures\"] or \"all\".",
    );
    let mut keys = [remove; Field::ALL.len() + 3];
    let mut index = 0;
    while index < Field::ALL.len() {
        keys[index] = Key::optional(
            Field::ALL[index].0,
            if Field::ALL[index].1.has_several() { Kind::Texts } else { Kind::Text },
            "Text, which may contain placeholders; if the result is empty, the source's tag stays. \
            Artists, composers, genres and ISRCs may be lists, such as [\"Ann\", \"Bo\"].",
        );
        index += 1;
    }
    keys[index] = Key::optional(
        PICTURE,
        Kind::Text,
        "A JPEG or PNG file that replaces the source's pictures as the cover; relative to the \
        pipeline file. May contain {stem}, {name}, {ext}, {reldir}, {pipeline}.",
    );
    keys[index + 1] = Key::optional(
        CHAPTERS,
        Kind::Text,
        "A chapter file that replaces the source's chapters: lines such as `00:01:23.500 Title`, \
        or Podcasting 2.0 JSON; relative to the source's folder, such as \"{stem}.chapters.txt\". \
        Times refer to the source. If the file is missing, the job fails.",
    );
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

pub(super) fn read(sink: &mut Sink<'_>, values: &Values<'_>, folder: &Path) -> TagEdits {
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
        picture: read_path(sink, values, PICTURE)
            .filter(|picture| is_there(sink, picture, folder))
            .map(Spanned::into_inner),
        chapters: read_path(sink, values, CHAPTERS).map(Spanned::into_inner),
        folder: folder.to_owned(),
    }
}

fn read_path(sink: &mut Sink<'_>, values: &Values<'_>, key: &str) -> Option<Spanned<Template>> {
    template::read(sink, &values.text(key)?, template::COMPANION)
}

/// Whether a picture that is the same for all files is one.
fn is_there(sink: &mut Sink<'_>, picture: &Spanned<Template>, folder: &Path) -> bool {
    let text = picture.get_ref().text();
    let path = folder.join(text);
    if !text.contains(['{', '}']) && !path.is_file() {
        let message = format!("the file {} does not exist", path.display());
        sink.error("missing-file", picture.span(), message)
            .help("picture paths are relative to the pipeline file");
        return false;
    }
    true
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
