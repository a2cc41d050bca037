//! Files that a job reads besides its source: a cover, chapters, the logo of a page, and references.

use super::chapters::chapters;
use super::{FileAccess, Job, RunError};
use crate::model::{Companions, PageOutput, Pipeline};
use crate::report::html::{LOGO_BYTES_MAX, Logo};
use std::io::Read;
use std::path::{Path, PathBuf};
use wavemill_core::limits::PICTURE_BYTES_MAX;
use wavemill_core::tags::Picture;

/// Most bytes of a chapter file: as many chapters as are kept, with long titles.
const CHAPTERS_BYTES_MAX: usize = 1 << 20;

/// Keys, for messages.
const PICTURE: &str = "`[tags] picture`";
const CHAPTERS: &str = "`[tags] chapters`";
const LOGO: &str = "`[report] logo`";

/// Where the files of a job are.
#[derive(Debug)]
struct Paths {
    picture: Option<PathBuf>,
    chapters: Option<PathBuf>,
}

impl Paths {
    fn of(pipeline: &Pipeline, job: &Job) -> Result<Self, RunError> {
        let tags = &pipeline.tags;
        if tags.picture.is_none() && tags.chapters.is_none() {
            return Ok(Self { picture: None, chapters: None });
        }
        let values = pipeline.values(job)?;
        let beside = job.input.parent().unwrap_or(Path::new(""));
        let path =
            |template: &crate::template::Template, base: &Path| base.join(template.expand(&values));
        Ok(Self {
            picture: tags.picture.as_ref().map(|template| path(template, &tags.folder)),
            chapters: tags.chapters.as_ref().map(|template| path(template, beside)),
        })
    }
}

impl Pipeline {
    /// The files besides its source that a job reads.
    pub fn companion_paths(&self, job: &Job) -> Vec<PathBuf> {
        // A job whose names cannot be made fails as soon as it begins.
        Paths::of(self, job).map_or_else(
            |_| Vec::new(),
            |paths| {
                let logo = self.page.iter().filter_map(|page| page.logo.clone());
                let references = self.references().map(Path::to_owned);
                let of_tags = paths.picture.into_iter().chain(paths.chapters);
                of_tags.chain(logo).chain(references).collect()
            },
        )
    }
}

impl Companions {
    /// Reads those of a job.
    pub(super) fn read(
        pipeline: &Pipeline,
        job: &Job,
        access: &dyn FileAccess,
    ) -> Result<Self, RunError> {
        let paths = Paths::of(pipeline, job)?;
        let picture = paths.picture.map(|path| {
            let bytes = bytes_of(&path, PICTURE, PICTURE_BYTES_MAX, access)?;
            picture(bytes).map_err(|reason| refused(&path, PICTURE, &reason))
        });
        let chapters = paths.chapters.map(|path| {
            let bytes = bytes_of(&path, CHAPTERS, CHAPTERS_BYTES_MAX, access)?;
            chapters(&bytes).map_err(|reason| refused(&path, CHAPTERS, &reason))
        });
        Ok(Self { picture: picture.transpose()?, chapters: chapters.transpose()? })
    }
}

/// Reads the logo of the page.
pub(super) fn read_logo(
    page: &PageOutput,
    access: &dyn FileAccess,
) -> Result<Option<Logo>, RunError> {
    let Some(path) = &page.logo else { return Ok(None) };
    let bytes = bytes_of(path, LOGO, LOGO_BYTES_MAX, access)?;
    Logo::new(bytes).map(Some).map_err(|reason| refused(path, LOGO, &reason.to_string()))
}

fn refused(path: &Path, key: &str, reason: &str) -> RunError {
    RunError::Refused { reason: format!("{key}: {} {reason}", path.display()) }
}

fn bytes_of(
    path: &Path,
    key: &str,
    byte_count_max: usize,
    access: &dyn FileAccess,
) -> Result<Vec<u8>, RunError> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => refused(path, key, "does not exist"),
        _ => refused(path, key, &format!("cannot be read: {error}")),
    };
    // A pipe would block for ever.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(refused(path, key, "is not a regular file"));
    }
    let file = access.open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(byte_count_max as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > byte_count_max {
        return Err(refused(path, key, &format!("has more than {byte_count_max} bytes")));
    }
    Ok(bytes)
}

/// A cover; what it is, its first bytes say.
fn picture(bytes: Vec<u8>) -> Result<Picture, String> {
    let media_type = match &bytes[..] {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        _ => return Err("is neither JPEG nor PNG".to_owned()),
    };
    Ok(Picture { kind: "front cover", media_type: media_type.to_owned(), description: None, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_is_known_by_its_first_bytes() {
        assert_eq!(picture(b"\xff\xd8\xff\xe0..".to_vec()).unwrap().media_type, "image/jpeg");
        assert_eq!(picture(b"\x89PNG\r\n".to_vec()).unwrap().media_type, "image/png");
        assert_eq!(picture(b"GIF89a".to_vec()).unwrap_err(), "is neither JPEG nor PNG");
    }
}
