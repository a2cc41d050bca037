//! What is asked for, and which flags go together.

use crate::commands::CliError;
use clap::ValueEnum;
use wavemill_core::waveform::audiowaveform::Bits;
use wavemill_core::waveform::picture::{
    HEIGHT_MAX, HEIGHT_MIN, Settings, Theme, WIDTH_MAX, WIDTH_MIN,
};
use wavemill_core::waveform::{POINT_COUNT_MAX, Resolution};

/// Points of data when nobody says how many: as wide as a player.
const POINTS_DEFAULT: u64 = 1000;

/// Width of pictures when nobody says.
const WIDTH_DEFAULT: u32 = 1280;

/// Flags that say what the output is.
#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Format, if not set by the output's extension [default: json]
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Data: number of points; json accepts several [default: 1000]
    #[arg(long, value_name = "N", value_delimiter = ',',
        value_parser = clap::value_parser!(u64).range(1..=POINT_COUNT_MAX as u64))]
    points: Vec<u64>,

    /// audiowaveform data: bits per value [default: 16]
    #[arg(long, value_enum)]
    bits: Option<BitCount>,

    /// Data of each channel separately (json: the mix too)
    #[arg(long, conflicts_with = "mix")]
    split_channels: bool,

    /// Pictures: one lane, the mean of the channels
    #[arg(long)]
    mix: bool,

    /// Pictures: width in pixels [default: 1280]
    #[arg(long, value_name = "PIXELS",
        value_parser = clap::value_parser!(u32).range(i64::from(WIDTH_MIN)..=i64::from(WIDTH_MAX)))]
    width: Option<u32>,

    /// Pictures: height in pixels [default: as the channels need]
    #[arg(long, value_name = "PIXELS",
        value_parser = clap::value_parser!(u32).range(i64::from(HEIGHT_MIN)..=i64::from(HEIGHT_MAX)))]
    height: Option<u32>,

    /// Pictures: colors; auto follows the viewer in SVG and is light in PNG [default: auto]
    #[arg(long, value_enum)]
    theme: Option<ThemeName>,

    /// Pictures: only the waveform
    #[arg(long)]
    plain: bool,
}

/// What can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Json,
    Dat,
    AudiowaveformJson,
    Png,
    Svg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BitCount {
    #[value(name = "8")]
    Eight,
    #[value(name = "16")]
    Sixteen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ThemeName {
    Auto,
    Light,
    Dark,
}

impl Format {
    /// What one types.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Dat => "dat",
            Self::AudiowaveformJson => "audiowaveform-json",
            Self::Png => "png",
            Self::Svg => "svg",
        }
    }

    pub(super) fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::AudiowaveformJson)
    }

    pub(super) fn is_binary(self) -> bool {
        matches!(self, Self::Dat | Self::Png)
    }

    pub(super) fn is_picture(self) -> bool {
        matches!(self, Self::Png | Self::Svg)
    }

    fn is_audiowaveform(self) -> bool {
        matches!(self, Self::Dat | Self::AudiowaveformJson)
    }
}

impl Flags {
    /// The format: as the flag says, else as the output's extension does.
    pub(super) fn format(&self, extension: Option<&str>) -> Result<Format, CliError> {
        let of_extension = || match extension.map(str::to_ascii_lowercase).as_deref() {
            None | Some("json") => Ok(Format::Json),
            Some("dat") => Ok(Format::Dat),
            Some("png") => Ok(Format::Png),
            Some("svg") => Ok(Format::Svg),
            Some(other) => Err(CliError::usage(format!(
                "unknown extension `.{other}`: use .json, .dat, .png or .svg, or set --format"
            ))),
        };
        self.format.map_or_else(of_extension, Ok)
    }

    /// Refuses flags that mean nothing for a format: they were meant to change something.
    pub(super) fn check(&self, format: Format) -> Result<(), CliError> {
        let (is_picture, is_bbc) = (format.is_picture(), format.is_audiowaveform());
        let wrong = [
            (
                !self.points.is_empty() && is_picture,
                "--points",
                "data; a picture has one for each pixel",
            ),
            (self.points.len() > 1 && is_bbc, "several --points", "json"),
            (self.bits.is_some() && !is_bbc, "--bits", "dat and audiowaveform-json"),
            (self.mix && !is_picture, "--mix", "pictures; data is of the mean unless split"),
            (self.width.is_some() && !is_picture, "--width", "pictures"),
            (self.height.is_some() && !is_picture, "--height", "pictures"),
            (self.theme.is_some() && !is_picture, "--theme", "pictures"),
            (self.plain && !is_picture, "--plain", "pictures"),
        ];
        match wrong.iter().find(|(is_wrong, ..)| *is_wrong) {
            Some((_, flag, for_what)) => {
                let name = format.name();
                Err(CliError::usage(format!("{flag} is for {for_what}; this is {name}")))
            }
            None => Ok(()),
        }
    }

    /// Resolutions of data.
    pub(super) fn resolutions(&self, format: Format) -> Vec<Resolution> {
        let default = [POINTS_DEFAULT];
        let points = if self.points.is_empty() { &default[..] } else { &self.points };
        let count = |&points: &u64| usize::try_from(points).unwrap_or(POINT_COUNT_MAX);
        let resolution =
            if format.is_audiowaveform() { Resolution::Uniform } else { Resolution::Even };
        points.iter().map(count).map(resolution).collect()
    }

    pub(super) fn is_split(&self, format: Format) -> bool {
        self.split_channels || (format.is_picture() && !self.mix)
    }

    pub(super) fn bits(&self) -> Bits {
        match self.bits {
            Some(BitCount::Eight) => Bits::Eight,
            Some(BitCount::Sixteen) | None => Bits::Sixteen,
        }
    }

    pub(super) fn picture(&self, format: Format) -> Settings {
        Settings {
            width: self.width.unwrap_or(WIDTH_DEFAULT),
            height: self.height,
            theme: match self.theme {
                Some(ThemeName::Light) => Theme::Light,
                Some(ThemeName::Dark) => Theme::Dark,
                Some(ThemeName::Auto) | None => Theme::Auto,
            },
            is_split: self.is_split(format),
            is_plain: self.plain,
        }
    }
}
