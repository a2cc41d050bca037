//! `wavemill export`: one file into another, as flags say.

pub(in crate::commands) mod step_flags;

use super::confinement::before_run;
use super::flags::damaged;
use super::how::RunOptions;
use super::paths::absolute;
use super::run::{first, run_confined, run_files, spool_folder};
use super::{CliError, Context, Exit, Run, pipeline_files};
use crate::analysis::{Input, RawFormat, STREAM_NAME, SampleCoding};
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};
use step_flags::StepFlags;
use wavemill_core::decode::Damaged;
use wavemill_core::encode;
use wavemill_core::suggestion::did_you_mean;
use wavemill_core::tags::Field;
use wavemill_pipelines::toml_text::{Pair, key, literal, quoted};

/// What messages call the pipeline that the flags make.
const NAME: &str = "export";

/// Convert or master one file with flags, like a pipeline with one export
#[derive(Debug, Default, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ExportOne {
    /// Audio file, or - for standard input: WAV of any length, any other format, or raw samples
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// The file to write; its extension sets the format
    #[arg(value_name = "OUT")]
    target: PathBuf,

    /// Format, if not set by the extension (`wavemill formats` lists them)
    #[arg(long, value_name = "NAME")]
    format: Option<String>,

    /// What to do with a damaged file: refuse it, or repair it and report the repairs
    #[arg(long, value_parser = damaged, default_value = Damaged::Refuse.name(), value_name = "refuse|repair")]
    damaged: Damaged,

    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,

    /// Print the flags as a pipeline, and do nothing else
    #[arg(long)]
    print_pipeline: bool,

    /// Measure the result, but write nothing
    #[arg(long, conflicts_with = "print_pipeline")]
    dry_run: bool,

    #[command(flatten)]
    steps: StepFlags,

    #[command(flatten)]
    storage: Storage,

    #[command(flatten)]
    tags: TagFlags,

    #[command(flatten)]
    raw: Raw,
}

/// What raw samples from standard input are.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Raw samples from standard input")]
struct Raw {
    /// Sample rate in Hz
    #[arg(long = "raw-rate", id = "raw_rate", value_name = "HZ")]
    #[arg(requires_all = ["raw_channels", "raw_format"])]
    rate: Option<u32>,

    /// Number of channels
    #[arg(long = "raw-channels", id = "raw_channels", value_name = "COUNT")]
    #[arg(requires_all = ["raw_rate", "raw_format"])]
    channels: Option<u16>,

    /// Sample format, little-endian
    #[arg(long = "raw-format", id = "raw_format", value_enum, value_name = "FORMAT")]
    #[arg(requires_all = ["raw_rate", "raw_channels"])]
    coding: Option<SampleCoding>,
}

/// How it is stored.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Storage")]
struct Storage {
    /// Channels [default: the source's]
    #[arg(long, value_name = "N")]
    channels: Option<u32>,

    /// Bits per sample: 16, 24, 32 [default: the source's]
    #[arg(long, value_name = "BITS")]
    bit_depth: Option<u32>,

    /// int or float [default: the source's]
    #[arg(long, value_name = "KIND")]
    sample_format: Option<String>,

    /// Dither when the bit depth is reduced: none, tpdf, shaped [default: tpdf]
    #[arg(long, value_name = "KIND")]
    dither: Option<String>,

    /// Effort of lossless compression
    #[arg(long, value_name = "LEVEL")]
    compression_level: Option<u32>,

    /// Bit rate of a lossy format, in kbit/s [default: the format's]
    #[arg(long, value_name = "KBPS", conflicts_with = "vbr_quality")]
    bit_rate: Option<u32>,

    /// Constant or average bit rate [default: MP3 constant, Opus average]
    #[arg(long, value_name = "MODE", requires = "bit_rate")]
    bit_rate_mode: Option<String>,

    /// Variable bit rate of a lossy format, by quality: the best is 0 for MP3, 10 for Vorbis
    #[arg(long, value_name = "N")]
    vbr_quality: Option<u32>,

    /// Write `REPLAYGAIN_*` tags, measured on the stored file
    #[arg(long)]
    replay_gain: bool,

    /// Give OUT the modification time of IN
    #[arg(long)]
    keep_mtime: bool,
}

/// What it says of itself.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Tags")]
struct TagFlags {
    /// Set a tag, such as title="{stem}, {date:%Y}"; can be repeated, also for several artists [default: the source's
    /// tags]
    #[arg(long = "tag", value_name = "NAME=TEXT", value_parser = tag)]
    set: Vec<(String, String)>,

    /// Remove a tag, or `pictures`, `broadcast`, `recording`, `cues`, `all`; can be repeated
    #[arg(long = "remove-tag", value_name = "NAME")]
    remove: Vec<String>,

    /// JPEG or PNG file for the cover [default: the source's pictures]
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,

    /// Chapter file: lines such as `00:01:23.500 Title`, or Podcasting 2.0 JSON [default: the source's chapters]
    #[arg(long, value_name = "FILE")]
    chapters: Option<PathBuf>,

    /// Write the chapters of OUT to this file, as Podcasting 2.0 JSON; not written if OUT has no chapters
    #[arg(long, value_name = "FILE")]
    chapters_json: Option<PathBuf>,
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=TEXT, such as title=Talk")?;
    if Field::named(name).is_none() {
        let known = Field::ALL.into_iter().map(|(name, _)| name);
        return Err(format!("unknown tag `{name}`; {}", did_you_mean(name, "tags", known)));
    }
    Ok((name.to_owned(), value.to_owned()))
}

const AFTER_HELP: &str = "\
The result is verified like that of any pipeline: complete or absent. To turn the flags into a pipeline file, use
--print-pipeline: `wavemill export a.wav b.flac --loudness -16 --print-pipeline > mine.toml`.";

impl Run for ExportOne {
    const NAME: &'static str = NAME;

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        if self.print_pipeline {
            let is_plain = |path: &Path| path.components().all(|part| part != Component::ParentDir);
            let written =
                |path: &Path| if is_plain(path) { Ok(path.to_owned()) } else { absolute(path) };
            let names = self.names(written)?;
            context.lines([self.pipeline(&names)?.trim_end()])?;
            return Ok(Exit::Done);
        }
        let names = self.names(absolute)?;
        let pipelines = pipeline_files::load_text(NAME, self.pipeline(&names)?, context)?;
        let output_root = context.settings.output_root();
        let raw = RawFormat::of(self.raw.rate, self.raw.channels, self.raw.coding)
            .map_err(|error| CliError::usage(format!("--raw-{error}")))?;
        // Its one name was typed: no other replaces it.
        let advice = "replace it with --force";
        let how = RunOptions { is_dry: self.dry_run, replaces: self.force, memory: None, advice };
        if self.input.as_os_str() != STREAM_NAME {
            if raw.is_some() {
                return Err(CliError::usage(
                    "raw samples are read from standard input: name it as `-`",
                ));
            }
            return run_files(context, &pipelines, &[self.input], output_root, &how);
        }
        let failed = |error: &dyn std::fmt::Display| CliError::failed(format!("-: {error}"));
        let spool = spool_folder(context);
        let pipeline = first(&pipelines)?;
        let _outputs = before_run(context, pipeline, &[], output_root, (&spool, &how))?;
        let folder = tempfile::tempdir_in(spool).map_err(|error| failed(&error))?;
        let path = folder.path().join("stdin");
        let mut file = std::fs::File::create_new(&path).map_err(|error| failed(&error))?;
        Input::keep_stream(std::io::stdin().lock(), raw, &mut file)
            .map_err(|error| failed(&error))?;
        run_confined(context, &pipelines, &[path], output_root, &how)
    }
}

/// The files to make.
struct Names {
    target: PathBuf,
    chapters_json: Option<PathBuf>,
}

impl ExportOne {
    fn names(
        &self,
        written: impl Fn(&Path) -> Result<PathBuf, CliError>,
    ) -> Result<Names, CliError> {
        let chapters_json = self.tags.chapters_json.as_deref().map(&written).transpose()?;
        Ok(Names { target: written(&self.target)?, chapters_json })
    }

    /// The pipeline that the flags make.
    fn pipeline(&self, names: &Names) -> Result<String, CliError> {
        let mut text = format!("version = 1\n\n[pipeline]\nname = {}\n", quoted(NAME));
        if self.damaged == Damaged::Repair {
            let _ = write!(text, "\n[decode]\ndamaged = {}\n", quoted(self.damaged.name()));
        }
        for step in self.steps.steps(self.storage.channels)? {
            let _ = write!(text, "\n[[step]]\nuse = {}\n", quoted(step.name));
            if !step.with.is_empty() {
                let pairs: Vec<_> =
                    step.with.iter().map(|(key, value)| format!("{key} = {value}")).collect();
                let _ = writeln!(text, "with = {{ {} }}", pairs.join(", "));
            }
        }
        let _ = writeln!(text, "\n[[export]]");
        for (key, value) in self.export(&names.target)? {
            let _ = writeln!(text, "{key} = {value}");
        }
        text.push_str(&self.tags.section()?);
        if let Some(path) = &names.chapters_json {
            let path = path.to_str().ok_or_else(|| {
                let path = path.display();
                CliError::usage(format!(
                    "{path} is not valid UTF-8; choose another --chapters-json"
                ))
            })?;
            let _ = write!(text, "\n[chapters]\njson = {}\n", quoted(&literal(path)));
        }
        Ok(text)
    }

    fn export(&self, target: &Path) -> Result<Vec<Pair>, CliError> {
        let path = target.to_str().ok_or_else(|| {
            CliError::usage(format!("{} is not valid UTF-8; choose another OUT", target.display()))
        })?;
        let extension = target.extension().and_then(|extension| extension.to_str());
        let format = self.format.as_deref().or(extension).ok_or_else(|| {
            CliError::usage(format!("{path} has no extension; set the format with --format"))
        })?;
        let format = encode::format(format).map_or(format, |known| known.name);
        let path = literal(path);
        let Storage { channels, bit_depth, sample_format, dither, .. } = &self.storage;
        let Storage { compression_level, bit_rate, bit_rate_mode, vbr_quality, .. } = &self.storage;
        let whole = |value: &Option<u32>| value.map(|value| value.to_string());
        let word = |value: &Option<String>| value.as_deref().map(quoted);
        let optional = [
            ("channels", whole(channels)),
            ("bit_depth", whole(bit_depth)),
            ("sample_format", word(sample_format)),
            ("dither", word(dither)),
            ("compression_level", whole(compression_level)),
            ("bit_rate_kbps", whole(bit_rate)),
            ("bit_rate_mode", word(bit_rate_mode)),
            ("vbr_quality", whole(vbr_quality)),
            ("replay_gain", self.storage.replay_gain.then(|| "true".to_owned())),
            ("keep_mtime", self.storage.keep_mtime.then(|| "true".to_owned())),
            ("on_conflict", self.force.then(|| quoted("replace"))),
        ];
        let mut pairs = vec![("format", quoted(format)), ("path", quoted(&path))];
        pairs.extend(optional.into_iter().filter_map(|(key, value)| Some((key, value?))));
        Ok(pairs)
    }
}

impl TagFlags {
    /// The section `[tags]`, or nothing.
    fn section(&self) -> Result<String, CliError> {
        let files = [("picture", &self.picture), ("chapters", &self.chapters)];
        let is_used = files.iter().any(|(_, file)| file.is_some());
        if self.set.is_empty() && self.remove.is_empty() && !is_used {
            return Ok(String::new());
        }
        let mut text = "\n[tags]\n".to_owned();
        let mut fields: Vec<(&str, Vec<String>)> = Vec::new();
        for (name, value) in &self.set {
            match fields.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(quoted(value)),
                None => fields.push((name, vec![quoted(value)])),
            }
        }
        for (name, values) in fields {
            let values = values.join(", ");
            let is_one = self.set.iter().filter(|(other, _)| other == name).count() == 1;
            let values = if is_one { values } else { format!("[{values}]") };
            let _ = writeln!(text, "{} = {values}", key(name));
        }
        if !self.remove.is_empty() {
            let names: Vec<_> = self.remove.iter().map(|name| quoted(name)).collect();
            let _ = writeln!(text, "remove = [{}]", names.join(", "));
        }
        for (key, file) in files {
            let Some(file) = file else { continue };
            let path = absolute(file)?;
            let path = path.to_str().ok_or_else(|| {
                CliError::usage(format!(
                    "{} is not valid UTF-8; choose another --{key}",
                    file.display()
                ))
            })?;
            let _ = writeln!(text, "{key} = {}", quoted(&literal(path)));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    fn text(export: &ExportOne) -> String {
        export.pipeline(&export.names(|path| Ok(path.to_owned())).unwrap()).unwrap()
    }

    fn to(target: &str) -> ExportOne {
        ExportOne { target: target.into(), ..ExportOne::default() }
    }

    #[test]
    fn extension_names_the_format() {
        let expected = "version = 1\n\n[pipeline]\nname = \"export\"\n\n[[export]]\nformat = \"flac\"\n\
                        path = \"out/b.FLAC\"\n";
        assert_eq!(text(&to("out/b.FLAC")), expected);
    }

    #[test]
    fn steps_come_in_the_order_of_the_help() {
        let line =
            "export a.wav b.wav --loudness -16 --limit --fade-out 2 --trim-silence --start 1.5";
        let words = ["wavemill"].into_iter().chain(line.split(' '));
        let matches = super::super::command().try_get_matches_from(words).unwrap();
        let (_, sub) = matches.subcommand().unwrap();
        let text = text(&ExportOne::from_arg_matches(sub).unwrap());
        let steps: Vec<&str> = text.lines().filter(|line| line.starts_with("use")).collect();
        let expected = ["range", "trim-silence", "fade", "loudness"];
        assert_eq!(steps, expected.map(|name| format!("use = \"{name}\"")));
        assert!(text.contains("with = { start_s = 1.5 }"), "{text}");
        assert!(text.contains("with = { target_lufs = -16.0, mode = \"limit\" }"), "{text}");
    }

    #[test]
    fn name_with_braces_and_quotes_is_taken_as_it_is() {
        let text = text(&to("a {x} \"b\".wav"));
        assert!(text.contains("a {{x}} "), "{text}");
        let parsed: toml::Table = text.parse().unwrap();
        let path = parsed["export"][0]["path"].as_str().unwrap();
        assert_eq!(path, "a {{x}} \"b\".wav");
    }

    #[test]
    fn tags_make_a_section() {
        let set = vec![("title".to_owned(), "a \"b\"".to_owned())];
        let tags = TagFlags { set, remove: vec!["all".to_owned()], ..TagFlags::default() };
        let text = text(&ExportOne { tags, ..to("b.flac") });
        assert!(text.ends_with("\n[tags]\ntitle = 'a \"b\"'\nremove = [\"all\"]\n"), "{text}");
    }

    #[test]
    fn files_of_tags_are_absolute_paths() {
        let tags = TagFlags {
            picture: Some("/art/{x}.png".into()),
            chapters: Some("/talk.txt".into()),
            ..TagFlags::default()
        };
        let text = text(&ExportOne { tags, ..to("b.flac") });
        let expected = "\n[tags]\npicture = \"/art/{{x}}.png\"\nchapters = \"/talk.txt\"\n";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn chapters_beside_the_export_make_a_section() {
        let tags = TagFlags { chapters_json: Some("{b}.json".into()), ..TagFlags::default() };
        let text = text(&ExportOne { tags, ..to("b.flac") });
        assert!(text.ends_with("\n\n[chapters]\njson = \"{{b}}.json\"\n"), "{text}");
        assert!(!text.contains("[tags]"), "{text}");
    }

    #[test]
    fn replay_gain_is_a_key_of_the_export() {
        let storage = Storage { replay_gain: true, ..Storage::default() };
        let text = text(&ExportOne { storage, ..to("b.flac") });
        assert!(text.ends_with("replay_gain = true\n"), "{text}");
        let defaults = wavemill_pipelines::model::Defaults::default();
        let effects = wavemill_pipelines::Effects::default();
        assert!(wavemill_pipelines::load(&text, &defaults, &effects).is_ok());
    }

    #[test]
    fn name_without_an_extension_needs_a_format() {
        let names = Names { target: "noise".into(), chapters_json: None };
        let error = to("noise").pipeline(&names).unwrap_err();
        assert_eq!(error.to_string(), "noise has no extension; set the format with --format");
    }
}
