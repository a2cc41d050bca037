//! From a file to the bytes of the output.

use super::flags::{Flags, Format};
use super::scan::{Range, ScanError, Span, scan};
use crate::report::{duration, shown};
use std::path::Path;
use wavemill_core::decode::{Decoder, StreamInfo};
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::measure::LevelMeter;
use wavemill_core::units::Seconds;
use wavemill_core::waveform::audiowaveform::Data;
use wavemill_core::waveform::json::Document;
use wavemill_core::waveform::picture::{Numbers, Picture, point_count};
use wavemill_core::waveform::{Resolution, Waveform, WaveformMeter};

/// The output and how many points are in it.
pub(super) struct Rendering {
    pub(super) bytes: Vec<u8>,
    pub(super) point_counts: Vec<usize>,
}

pub(super) fn render(
    path: &Path,
    mut decoder: Box<dyn Decoder>,
    range: Range,
    format: Format,
    flags: &Flags,
) -> Result<Rendering, ScanError> {
    let info = decoder.info().clone();
    let span = Span::new(range, decoder.as_ref())?;
    let start = span.start.duration(info.spec.sample_rate);
    if format.is_picture() {
        return picture(path, decoder.as_mut(), range, format, flags);
    }
    let resolutions = flags.resolutions(format);
    let mut meter = WaveformMeter::new(&info.spec, info.format, span.frame_count, &resolutions);
    scan(decoder.as_mut(), range, span, |block| meter.push(block))?;
    let waveform = meter.finish();
    let is_split = flags.is_split(format);
    let bytes = if format == Format::Json {
        let path = path.to_string_lossy();
        let document = Document::new(&path, &waveform, start, is_split);
        let mut json = serde_json::to_vec(&document).expect("numbers and texts become JSON");
        json.push(b'\n');
        json
    } else {
        let data = Data::new(waveform.sample_rate, &waveform.levels[0], is_split, flags.bits())
            .expect("points were asked to have one length");
        if format == Format::Dat { data.to_dat() } else { data.to_json().into_bytes() }
    };
    Ok(Rendering { bytes, point_counts: point_counts(&waveform) })
}

fn point_counts(waveform: &Waveform) -> Vec<usize> {
    waveform.levels.iter().map(|level| level.mix.len()).collect()
}

fn picture(
    path: &Path,
    decoder: &mut dyn Decoder,
    range: Range,
    format: Format,
    flags: &Flags,
) -> Result<Rendering, ScanError> {
    let info = decoder.info().clone();
    let span = Span::new(range, decoder)?;
    let settings = flags.picture(format);
    let points = point_count(&settings, info.spec.channel_count(), format == Format::Svg);
    let resolutions = [Resolution::Even(points)];
    let mut meter = WaveformMeter::new(&info.spec, info.format, span.frame_count, &resolutions);
    let mut loudness = LoudnessMeter::new(&info.spec, MonoMode::Single).with_history();
    let mut level = LevelMeter::new(&info.spec, info.format);
    scan(decoder, range, span, |block| {
        meter.push(block);
        if !settings.is_plain {
            loudness.push(block);
            level.push(block);
        }
    })?;
    let waveform = meter.finish();
    loudness.end();
    let curve = loudness.take_history();
    let loudness = loudness.finish();
    let numbers = Numbers {
        integrated_lufs: loudness.integrated_lufs,
        loudness_range_lu: loudness.loudness_range_lu,
        true_peak_dbtp: loudness.larger_true_peak(),
        clipped_samples: level.finish().clipped_samples,
    };
    let start = span.start.duration(info.spec.sample_rate);
    let title = shown(Path::new(path.file_name().unwrap_or(path.as_os_str())));
    let subtitle = subtitle(&info, &waveform, range, start);
    let picture = Picture {
        title: &title,
        subtitle: &subtitle,
        waveform: &waveform,
        start,
        numbers,
        curve: &curve,
    };
    let bytes = match format {
        Format::Svg => picture.to_svg(&settings).into_bytes(),
        _ => picture.to_png(&settings),
    };
    Ok(Rendering { bytes, point_counts: point_counts(&waveform) })
}

/// Length, or the part that is shown, and the format.
fn subtitle(info: &StreamInfo, waveform: &Waveform, range: Range, start: Seconds) -> String {
    let length = waveform.frame_count.duration(waveform.sample_rate);
    // A tenth of a second says nothing of a click.
    let shown = |time: Seconds| match time.0 {
        seconds if seconds > 0.0 && seconds < 1.0 => format!("{:.3} ms", seconds * 1000.0),
        seconds => duration(seconds),
    };
    let time = if range.to.is_none() && start.0 <= 0.0 {
        shown(length)
    } else {
        format!("{} from {}", shown(length), shown(start))
    };
    let rate = f64::from(info.spec.sample_rate.0) / 1000.0;
    let mut parts = vec![time, format!("{rate} kHz")];
    if info.lossless {
        parts.push(info.format.to_string());
    }
    parts.push(info.spec.layout.to_string());
    parts.push(info.container.to_uppercase());
    parts.join("  \u{b7}  ")
}
