//! Facts and measures of one file, without a pipeline.

use serde::Serialize;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::LazyLock;
use thiserror::Error;
use wavemill_core::analysis::{Analyzer, Group, Options};
use wavemill_core::audio::{Block, Samples, convert};
use wavemill_core::decode::{self, DecodeError, Decoder, StreamInfo};
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::loudness::MonoMode;
use wavemill_core::tags::{self, TagReading, Tags};
use wavemill_core::units::Frames;
use wavemill_pipelines::execution::FileFacts;

/// Bytes read at once: large enough that the system call costs nothing.
const READ_BYTES: usize = 256 * 1024;

/// A group of facts or measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Container, codec, size, duration, hash.
    File,
    /// Title, artist, broadcast information.
    Tags,
    /// A group of measures.
    Measures(Group),
}

impl Part {
    /// All of them, in the order of reports.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Part>> = LazyLock::new(|| {
            let groups = Group::ALL.iter().map(|group| Part::Measures(*group));
            [Part::File, Part::Tags].into_iter().chain(groups).collect()
        });
        &ALL
    }

    /// Its key in reports, and what one types to ask for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Tags => "tags",
            Self::Measures(group) => group.name(),
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::File => "Container, codec, size, duration, hash",
            Self::Tags => "Title, artist, broadcast information",
            Self::Measures(group) => group.summary(),
        }
    }

    /// The group of measures, where it is one.
    fn group(self) -> Option<Group> {
        match self {
            Self::File | Self::Tags => None,
            Self::Measures(group) => Some(group),
        }
    }
}

impl clap::ValueEnum for Part {
    fn value_variants<'a>() -> &'a [Self] {
        Self::all()
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.name()).help(self.summary()))
    }
}

/// What was asked for; parts that were not are absent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// Facts of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileFacts>,
    /// Tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
    /// The groups of measures.
    #[serde(flatten)]
    pub measures: wavemill_core::analysis::Analysis,
}

/// Why a file cannot be analyzed; reads on after the file's name.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnalyzeError {
    /// It is a folder, a pipe or the like.
    #[error("is {what}, not a file")]
    NotAFile {
        /// What it is, with article.
        what: &'static str,
    },
    /// It cannot be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl From<io::Error> for AnalyzeError {
    fn from(error: io::Error) -> Self {
        Self::Decode(DecodeError::Io(error))
    }
}

/// Analyzes a file. Reads it once for its hash and decodes it once, if anything asked for needs that;
/// memory does not grow with its length but for the meters' 80 bytes a second.
///
/// # Errors
/// When it is no audio file, damaged or unreadable.
pub fn analyze(path: &Path, parts: &[Part]) -> Result<Analysis, AnalyzeError> {
    let mut decoder = open(path)?;
    let info = decoder.info().clone();
    let has = |part| parts.contains(&part);
    let groups: Vec<Group> = parts.iter().filter_map(|part| part.group()).collect();
    let needs_samples = !groups.is_empty();
    let options = Options { groups, mono: MonoMode::Single };
    let mut analyzer = Analyzer::new(&info.spec, info.format, &options);
    let frames = match info.frame_count {
        Some(frames) if !needs_samples => frames,
        _ => measure(decoder.as_mut(), &info, &mut analyzer)?,
    };
    Ok(Analysis {
        file: has(Part::File).then(|| facts(path, &info, frames)).transpose()?,
        tags: has(Part::Tags).then(|| read_tags(path)).transpose()?.map(|reading| reading.tags),
        measures: analyzer.finish(),
    })
}

/// What a file's header says of its stream.
///
/// # Errors
/// When it is no audio file, damaged or unreadable.
pub fn header(path: &Path) -> Result<StreamInfo, AnalyzeError> {
    Ok(open(path)?.info().clone())
}

/// Reads a file's tags.
///
/// # Errors
/// When it is no audio file or unreadable; broken tags are warnings.
pub fn read_tags(path: &Path) -> Result<TagReading, AnalyzeError> {
    let mut source = source(path)?;
    Ok(tags::read(&mut source, extension(path))?)
}

/// Opens a file for decoding.
///
/// # Errors
/// When it is no audio file, damaged or unreadable.
pub fn open(path: &Path) -> Result<Box<dyn Decoder>, AnalyzeError> {
    Ok(decode::open(Box::new(source(path)?), extension(path))?)
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(|extension| extension.to_str())
}

/// Opens a regular file; anything else could block for ever.
fn source(path: &Path) -> Result<BufReader<File>, AnalyzeError> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(AnalyzeError::NotAFile { what: "a folder" });
    }
    if !kind.is_file() {
        return Err(AnalyzeError::NotAFile { what: "a pipe, socket or device" });
    }
    Ok(BufReader::with_capacity(READ_BYTES, File::open(path)?))
}

/// Decodes everything into the analyzer; returns the number of frames.
fn measure(
    decoder: &mut dyn Decoder,
    info: &StreamInfo,
    analyzer: &mut Analyzer,
) -> Result<Frames, AnalyzeError> {
    let channel_count = info.spec.channel_count();
    let mut samples = Samples::empty(info.format, channel_count);
    let mut block = Block::new(channel_count, BLOCK_FRAMES);
    while decoder.read(&mut samples, BLOCK_FRAMES)? > 0 {
        convert::to_block(&samples, &mut block);
        analyzer.push(&block).map_err(|error| DecodeError::NonFinite { frame: error.frame })?;
    }
    Ok(analyzer.frame_count())
}

fn facts(path: &Path, info: &StreamInfo, frames: Frames) -> io::Result<FileFacts> {
    let mut hasher = blake3::Hasher::new();
    let size_bytes =
        io::copy(&mut BufReader::with_capacity(READ_BYTES, File::open(path)?), &mut hasher)?;
    let duration = frames.duration(info.spec.sample_rate);
    let blake3 = hasher.finalize().to_hex().to_string();
    Ok(FileFacts::new(path, info, size_bytes, Some(duration), blake3))
}
