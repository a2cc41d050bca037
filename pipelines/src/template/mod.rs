//! Paths with placeholders, such as `outbox/{date:%Y/%m/%d}/{stem}.{ext}`.
//!
//! A template is checked when the pipeline is loaded. Whatever is put in for a placeholder (names and
//! tags come from strangers) stays one path component and can never lead out of the folder.

mod component;
mod parse;
mod values;

pub(crate) use parse::PLACEHOLDERS;
pub use parse::TemplateError;
pub use values::Values;

use component::Components;
use jiff::fmt::strtime;
use serde::{Serialize, Serializer};
use std::path::PathBuf;

/// A checked path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Text of the user's own; `/` separates folders.
    Literal(String),
    /// Something that is known only with the file.
    Placeholder(Placeholder),
}

/// What can stand between braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Placeholder {
    Stem,
    Name,
    Ext,
    Reldir,
    /// The day the job was made, in this `strftime` format; its slashes make folders.
    Date(String),
    JobId,
    Hash8,
    Pipeline,
    Title,
    Artist,
    Album,
    Genre,
    Year,
    Track,
    Lufs,
    TruePeak,
}

impl Placeholder {
    /// Whether it comes from the file's tags.
    pub(crate) fn is_tag(&self) -> bool {
        matches!(
            self,
            Self::Title | Self::Artist | Self::Album | Self::Genre | Self::Year | Self::Track
        )
    }

    /// Whether the file must be measured to know it.
    pub(crate) fn is_measure(&self) -> bool {
        matches!(self, Self::Lufs | Self::TruePeak)
    }
}

impl Template {
    /// Checks a template.
    ///
    /// # Errors
    /// All its mistakes, each with the bytes it is about.
    pub fn parse(text: &str) -> Result<Self, Vec<TemplateError>> {
        parse::path(text).map(|parts| Self { text: text.to_owned(), parts })
    }

    /// Checks a template of text that is no path, for [`Self::expand_text`].
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_text(text: &str) -> Result<Self, Vec<TemplateError>> {
        parse::text(text).map(|parts| Self { text: text.to_owned(), parts })
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What must be known to expand it.
    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Placeholder(placeholder) => Some(placeholder),
        })
    }

    /// Whether the file must be measured before the path is known.
    pub(crate) fn needs_measures(&self) -> bool {
        self.placeholders().any(Placeholder::is_measure)
    }

    /// The folders before the first placeholder, as written.
    pub fn fixed_folder(&self) -> PathBuf {
        let fixed = match self.parts.first() {
            Some(Part::Literal(text)) => text.as_str(),
            _ => "",
        };
        let end = fixed.rfind('/').map_or(0, |slash| slash + 1);
        PathBuf::from(&fixed[..end])
    }

    /// The same of a folder's path: all of it where it has no placeholder.
    pub fn fixed_part_of_folder(&self) -> PathBuf {
        let is_fixed = self.placeholders().next().is_none();
        if is_fixed { PathBuf::from(&self.text) } else { self.fixed_folder() }
    }

    /// The path for these values: relative (and then below whatever it is joined to) or, where the
    /// template begins with `/`, absolute.
    pub fn expand(&self, values: &Values) -> PathBuf {
        self.components(values).into_path(self.text.starts_with('/'))
    }

    /// The same for the path of a folder: `done/{reldir}` is `done` for what lies at the top.
    pub fn expand_folder(&self, values: &Values) -> PathBuf {
        self.components(values).into_folder(self.text.starts_with('/'))
    }

    fn components(&self, values: &Values) -> Components {
        let mut components = Components::default();
        for part in &self.parts {
            match part {
                Part::Literal(text) => components.literal(text),
                Part::Placeholder(Placeholder::Reldir) => components.folders(&values.reldir),
                Part::Placeholder(Placeholder::Date(format)) => {
                    let date = strtime::format(format, &values.date).unwrap_or_default();
                    components.date(&date);
                }
                Part::Placeholder(placeholder) => {
                    components.value(&values.bytes(placeholder), origin(placeholder));
                }
            }
        }
        components
    }

    /// The text for these values, as they are; what is not known is empty.
    pub fn expand_text(&self, values: &Values) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Placeholder(Placeholder::Reldir) => {
                String::from_utf8_lossy(&values.reldir.join(&b'/')).into_owned()
            }
            Part::Placeholder(Placeholder::Date(format)) => {
                strtime::format(format, &values.date).unwrap_or_default()
            }
            Part::Placeholder(placeholder) => {
                String::from_utf8_lossy(&values.bytes(placeholder)).into_owned()
            }
        };
        self.parts.iter().map(part).collect()
    }
}

fn origin(placeholder: &Placeholder) -> component::Origin {
    match placeholder {
        Placeholder::Stem | Placeholder::Name => component::Origin::FileName,
        _ => component::Origin::Text,
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
