//! Facts and measures of one file, without a pipeline.

mod cache;
mod error;
mod input;
mod raw;

use cache::key_of;
pub(crate) use cache::{Cache, Record};
pub(crate) use error::AnalyzeError;
pub(crate) use input::Input;
pub(crate) use input::STREAM_NAME;
pub(crate) use raw::{RawFormat, SampleCoding};

use clap::builder::PossibleValue;
use serde_json::Value;
use std::path::Path;
use std::sync::LazyLock;
use wavemill_core::analysis::{Analyzer, MeasureGroup, Options};
use wavemill_core::audio::{Block, Samples, convert};
use wavemill_core::decode::{Damaged, DecodeError, Decoder, Repair, StreamInfo};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::music::RhythmOptions;
use wavemill_core::tags::{self, TagReading};
use wavemill_core::units::Frames;
use wavemill_pipelines::report::{self, FileFacts};

/// What was repaired of a file, in its record; absent where nothing was.
pub(crate) const REPAIRS: &str = "repairs";

/// A group of facts or measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Container, codec, size, duration, hash.
    File,
    /// Title, artist, broadcast information.
    Tags,
    /// A group of measures.
    Measures(MeasureGroup),
}

impl Part {
    /// All of them, in the order of reports.
    pub(crate) fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Part>> = LazyLock::new(|| {
            let groups = MeasureGroup::ALL.iter().map(|group| Part::Measures(*group));
            [Part::File, Part::Tags].into_iter().chain(groups).collect()
        });
        &ALL
    }

    /// Its key in reports, and what one types to ask for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Tags => "tags",
            Self::Measures(group) => group.name(),
        }
    }

    /// Whether it is shown where nobody says what to show.
    pub(crate) fn is_usual(self) -> bool {
        self.group().is_none_or(MeasureGroup::is_usual)
    }

    fn summary(self) -> &'static str {
        match self {
            Self::File => "Container, codec, size, duration, hash",
            Self::Tags => "Title, artist, broadcast information",
            Self::Measures(group) => group.summary(),
        }
    }

    /// The group of measures, where it is one.
    fn group(self) -> Option<MeasureGroup> {
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

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.summary()))
    }
}

/// Analyzes a file. Reads it once for its hash where that is asked for, or where results are kept; decodes
/// it once, if anything asked for needs that and is not known from before with the same `rhythm`. Memory does not grow with its
/// length but for the meters' 80 bytes a second. `progress` gets the share that is decoded.
///
/// # Errors
/// When it is no audio file, damaged or unreadable.
pub(crate) fn analyze(
    input: &Input,
    parts: &[Part],
    rhythm: RhythmOptions,
    cache: Option<&Cache>,
    progress: &mut dyn FnMut(f64),
) -> Result<Record, AnalyzeError> {
    let _flush = FlushDenormals::on();
    let groups: Vec<MeasureGroup> = parts.iter().filter_map(|part| part.group()).collect();
    // Without measures everything is read faster than the file is hashed.
    let Some(cache) = cache.filter(|_| !groups.is_empty()) else {
        let found = measure(input, parts, &groups, rhythm, progress)?;
        return Ok(select(input, found, parts));
    };
    let key = key_of(input)?;
    let mut kept = cache.get(&key).unwrap_or_default();
    let mut known = named(&kept, rhythm);
    let missing: Vec<MeasureGroup> =
        groups.iter().copied().filter(|group| !known.contains_key(group.name())).collect();
    if missing.is_empty() {
        tracing::debug!(path = %input.name(), "Cached results used.");
        return Ok(select(input, known, parts));
    }
    let found = measure(input, &[Part::File, Part::Tags], &missing, rhythm, progress)?;
    let names = found.iter().map(|(name, value)| (kept_name(name, rhythm), value.clone()));
    kept.extend(names);
    cache.put(&key, &kept);
    known.extend(found);
    Ok(select(input, known, parts))
}

/// The name under which the cache keeps a measure: that of rhythm says with which options it was measured, where
/// these are not the usual ones.
fn kept_name(name: &str, rhythm: RhythmOptions) -> String {
    if name != MeasureGroup::Rhythm.name() || rhythm == RhythmOptions::default() {
        return name.to_owned();
    }
    let RhythmOptions { tempo_bpm_min, tempo_bpm_max, prior } = rhythm;
    let prior = prior.map(|prior| format!(" {}+-{}", prior.mean_bpm, prior.width_octaves));
    format!("{name} {tempo_bpm_min}-{tempo_bpm_max}{}", prior.unwrap_or_default())
}

/// What was kept, by the names of reports.
fn named(kept: &Record, rhythm: RhythmOptions) -> Record {
    let names = kept.keys().map(String::as_str).chain([MeasureGroup::Rhythm.name()]);
    let value = |name: &str| kept.get(&kept_name(name, rhythm)).cloned();
    let mut known = Record::new();
    for name in names {
        match value(name) {
            Some(value) => known.insert(name.to_owned(), value),
            None => known.remove(name),
        };
    }
    known
}

/// What was asked for, in the order of reports.
fn select(input: &Input, mut found: Record, parts: &[Part]) -> Record {
    let mut record = Record::new();
    for part in Part::all().iter().filter(|part| parts.contains(part)) {
        if let Some(mut value) = found.remove(part.name()) {
            // Equal files share what is known of them; only where they are is their own.
            if let (Part::File, Some(file)) = (part, value.as_object_mut()) {
                file.insert("path".to_owned(), input.name().into());
            }
            record.insert(part.name().to_owned(), value);
        }
    }
    // Whatever was asked for: nobody may take a repaired file for a sound one.
    if let Some(repairs) = found.remove(REPAIRS) {
        record.insert(REPAIRS.to_owned(), repairs);
    }
    record
}

/// Decodes and measures; `parts` says which facts are wanted beside the groups.
fn measure(
    input: &Input,
    parts: &[Part],
    groups: &[MeasureGroup],
    rhythm: RhythmOptions,
    progress: &mut dyn FnMut(f64),
) -> Result<Record, AnalyzeError> {
    tracing::debug!(path = %input.name(), "Decoding a file.");
    let mut decoder = input.decoder()?;
    let info = decoder.info().clone();
    let options = Options { groups: groups.to_vec(), rhythm, ..Options::default() };
    let mut analyzer = Analyzer::new(&info.spec, info.format, &options);
    let is_repaired = input.damaged() == Damaged::Repair;
    let frames = match info.frame_count {
        // Only the end of a file shows what is wrong with it.
        Some(frames) if groups.is_empty() && !is_repaired => frames,
        _ => decode(decoder.as_mut(), &info, &mut analyzer, progress)?,
    };
    let repairs = decoder.repairs();
    drop(decoder);
    let mut found = Record::new();
    if parts.contains(&Part::File) {
        let warnings = info.all_warnings().into_iter().chain(repairs.iter().map(Repair::line));
        let warnings: Vec<String> = warnings.collect();
        found.insert(Part::File.name().to_owned(), facts(input, &info, frames, &warnings)?);
    }
    if !repairs.is_empty() {
        found.insert(REPAIRS.to_owned(), report::measures(&repairs));
    }
    if parts.contains(&Part::Tags) {
        let tags = report::measures(&input.tags()?.tags);
        found.insert(Part::Tags.name().to_owned(), tags);
    }
    if let Value::Object(measures) = report::measures(&analyzer.finish()) {
        found.extend(measures);
    }
    Ok(found)
}

/// Decodes everything into the analyzer; returns the number of frames.
fn decode(
    decoder: &mut dyn Decoder,
    info: &StreamInfo,
    analyzer: &mut Analyzer,
    progress: &mut dyn FnMut(f64),
) -> Result<Frames, AnalyzeError> {
    let channel_count = info.spec.channel_count();
    let mut samples = Samples::empty(info.format, channel_count);
    let mut block = Block::new(channel_count, BLOCK_FRAMES);
    while decoder.read(&mut samples, BLOCK_FRAMES)? > 0 {
        convert::to_block(&samples, &mut block);
        analyzer.push(&block).map_err(|error| DecodeError::NonFinite { frame: error.frame })?;
        if let Some(total) = info.frame_count {
            progress(analyzer.frame_count().0 as f64 / total.0.max(1) as f64);
        }
    }
    Ok(analyzer.frame_count())
}

fn facts(
    input: &Input,
    info: &StreamInfo,
    frames: Frames,
    warnings: &[String],
) -> Result<Value, AnalyzeError> {
    let content = input.content()?;
    let duration = frames.duration(info.spec.sample_rate);
    let path = Path::new(input.name());
    let facts =
        FileFacts::new(path, info, content.size_bytes, Some(duration), content.blake3.clone());
    let mut facts = report::measures(&facts);
    if input.is_raw() {
        facts["format"] = "raw".into();
    }
    if !warnings.is_empty() {
        facts["warnings"] = warnings.into();
    }
    Ok(facts)
}

/// A decoder of a file, at its first frame.
///
/// # Errors
/// When it is no audio file, damaged or unreadable.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Decoder>, AnalyzeError> {
    Input::file(path)?.decoder()
}

/// What a file's header says of its stream.
///
/// # Errors
/// When it is no audio file, damaged or unreadable.
pub(crate) fn header(path: &Path) -> Result<StreamInfo, AnalyzeError> {
    Ok(open(path)?.info().clone())
}

/// Reads a file's tags.
///
/// # Errors
/// When it is no audio file or unreadable; broken tags are warnings.
pub(crate) fn read_tags(path: &Path) -> Result<TagReading, AnalyzeError> {
    Input::file(path)?.tags()
}

impl Input {
    /// Decodes it block by block into something that is made for its stream; ends early where `push`
    /// says that nobody listens any more.
    ///
    /// # Errors
    /// When it is no audio file, damaged or unreadable; what was pushed before stays valid.
    pub(crate) fn each_block<T>(
        &self,
        make: impl FnOnce(&StreamInfo) -> T,
        mut push: impl FnMut(&mut T, &Block) -> bool,
    ) -> Result<T, AnalyzeError> {
        let _flush = FlushDenormals::on();
        let mut decoder = self.decoder()?;
        let info = decoder.info().clone();
        let mut made = make(&info);
        let channel_count = info.spec.channel_count();
        let mut samples = Samples::empty(info.format, channel_count);
        let mut block = Block::new(channel_count, BLOCK_FRAMES);
        let mut position = Frames::ZERO;
        while decoder.read(&mut samples, BLOCK_FRAMES)? > 0 {
            convert::to_block(&samples, &mut block);
            if let Some(index) = block.first_non_finite() {
                return Err(
                    DecodeError::NonFinite { frame: position + Frames(index as u64) }.into()
                );
            }
            position += Frames(block.frame_count() as u64);
            if !push(&mut made, &block) {
                break;
            }
        }
        Ok(made)
    }

    fn tags(&self) -> Result<TagReading, AnalyzeError> {
        if self.is_raw() {
            return Ok(TagReading::default());
        }
        Ok(tags::read(&mut self.open()?, self.extension())?)
    }
}
