//! What exports say of lossy formats.

use crate::reader::Sink;
use crate::reader::Values;
use wavemill_core::encode::{BitRateMode, FormatDescriptor, Lossy, LossyQuality};

/// Keys of samples' bits, which lossy formats have none of.
const OF_SAMPLES: [&str; 3] = ["bit_depth", "sample_format", "dither"];

/// `bit_rate_kbps` or `vbr_quality`, held against the format.
pub(super) fn read(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    format: Option<&'static FormatDescriptor>,
) -> Option<LossyQuality> {
    let bit_rate = values.integer("bit_rate_kbps");
    let vbr = values.integer("vbr_quality");
    if let (None, Some(span)) = (&bit_rate, values.written("bit_rate_mode")) {
        let message = "`bit_rate_mode` needs `bit_rate_kbps`";
        sink.error("contradiction", span, message)
            .help("add `bit_rate_kbps`, or remove `bit_rate_mode`");
        return None;
    }
    if let (Some(_), Some(vbr)) = (&bit_rate, &vbr) {
        let message = "`bit_rate_kbps` and `vbr_quality` cannot be combined";
        sink.error("contradiction", vbr.span(), message).help("remove one of them");
        return None;
    }
    if let Some(FormatDescriptor { name, lossy: None, .. }) = format {
        for (key, written) in [("bit_rate_kbps", &bit_rate), ("vbr_quality", &vbr)] {
            let Some(written) = written else { continue };
            sink.error("unsupported", written.span(), format!("{name} is lossless"))
                .help(format!("remove `{key}`; `wavemill formats` shows which formats are lossy"));
        }
        return None;
    }
    let lossy = format.and_then(|format| Some((format.name, format.lossy.as_ref()?)));
    if let Some((name, _)) = lossy {
        for key in OF_SAMPLES {
            if let Some(span) = values.written(key) {
                sink.error("unsupported", span, format!("{name} has no `{key}`"))
                    .help("remove it; `bit_rate_kbps` or `vbr_quality` sets the quality");
            }
        }
    }
    let mode = read_mode(sink, values, lossy);
    let bit_rate = bit_rate.and_then(|written| {
        let kbps = u16::try_from(*written.get_ref()).ok()?;
        if let Some((name, Lossy { bit_rates_kbps, .. })) = lossy
            && !bit_rates_kbps.contain(kbps)
        {
            sink.error("out-of-range", written.span(), format!("`bit_rate_kbps` is {kbps}"))
                .help(format!("{name} has {bit_rates_kbps}"));
        }
        Some(mode.of(kbps))
    });
    let vbr = vbr.and_then(|written| {
        let quality = u8::try_from(*written.get_ref()).ok()?;
        match lossy {
            Some((name, Lossy { vbr_qualities: None, .. })) => {
                let message = format!("{name} has no variable bit rate");
                sink.error("unsupported", written.span(), message).help("use `bit_rate_kbps`");
            }
            Some((name, Lossy { vbr_qualities: Some((best, smallest)), .. }))
                if !(best.min(smallest)..=best.max(smallest)).contains(&&quality) =>
            {
                sink.error("out-of-range", written.span(), format!("`vbr_quality` is {quality}"))
                    .help(format!("{name} has {best} (best) to {smallest}"));
            }
            _ => {}
        }
        Some(LossyQuality::Vbr(quality))
    });
    bit_rate.or(vbr)
}

/// How the bit rate is meant: as it is written, else as is usual for the format.
fn read_mode(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    lossy: Option<(&str, &Lossy)>,
) -> BitRateMode {
    let usual = lossy.map_or(BitRateMode::Constant, |(_, lossy)| lossy.usual_mode());
    let Some(written) = values.word("bit_rate_mode") else { return usual };
    let named = BitRateMode::ALL.into_iter().find(|mode| mode.name() == *written.get_ref());
    let mode = named.unwrap_or(usual);
    if let Some((name, lossy)) = lossy
        && !lossy.bit_rate_modes.contains(&mode)
    {
        let message = format!("{name} has no {} bit rates", mode.name());
        sink.error("unsupported", written.span(), message)
            .help(format!("its bit rates are {}: remove `bit_rate_mode`", usual.name()));
    }
    mode
}
