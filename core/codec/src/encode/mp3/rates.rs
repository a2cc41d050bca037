//! Which bit rates MP3 has at which sample rate.

use crate::encode::{LossyQuality, Refusal, list};
use wavemill_audio::StreamSpec;

/// In Hz: MPEG-2.5, MPEG-2, MPEG-1. Sources: ISO/IEC 11172-3, 13818-3; MPEG-2.5 is Fraunhofer's.
pub(super) const SAMPLE_RATES_HZ: &[u32] =
    &[8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

/// Those of layer III that some sample rate has, as far as [`bit_rates`] and the binding to LAME allow.
pub(super) const BIT_RATES_KBPS: &[u16] =
    &[24, 32, 40, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];

/// Bytes of the frame that states length and gaps, without header and side information.
///
/// Source: LAME 3.100, `VbrTag.c`, `LAMEHEADERSIZE`.
const INFO_BYTES: u32 = 156;

const HEADER_BYTES: u32 = 4;

/// What stereo gets when nothing is asked, in kbit/s a channel.
const DEFAULT_KBPS_A_CHANNEL: u16 = 96;

/// VBR qualities: of the best sound, and of the smallest files.
pub(super) const VBR_QUALITIES: (u8, u8) = (0, 9);

/// Lowest rates of MPEG-1 and MPEG-2, in Hz.
const MPEG_1_FROM_HZ: u32 = 32_000;
const MPEG_2_FROM_HZ: u32 = 16_000;

/// The bit rates for such a stream, in kbit/s. Those whose frames are too small to state the length
/// of the file are not among them: what was encoded could not be played without gaps.
fn bit_rates(spec: &StreamSpec) -> Vec<u16> {
    let rate = spec.sample_rate.0;
    let is_mono = spec.channel_count() == 1;
    // Frames have 1152 samples in MPEG-1, else 576. LAME goes no higher than 64 in MPEG-2.5.
    let (bits_a_kbps, side_info_bytes, lowest, highest) = match rate {
        MPEG_1_FROM_HZ.. => (144_000, if is_mono { 17 } else { 32 }, 32, 320),
        MPEG_2_FROM_HZ.. => (72_000, if is_mono { 9 } else { 17 }, 8, 160),
        _ => (72_000, if is_mono { 9 } else { 17 }, 8, 64),
    };
    let needed = HEADER_BYTES + side_info_bytes + INFO_BYTES;
    let is_usable = |kbps: &u16| {
        *kbps >= lowest && *kbps <= highest && bits_a_kbps * u32::from(*kbps) / rate >= needed
    };
    BIT_RATES_KBPS.iter().copied().filter(is_usable).collect()
}

/// The highest of the lower sample rates that has a bit rate, in Hz: for few bits LAME itself would take
/// one, behind the back of who asked.
fn lower_rate(spec: &StreamSpec, kbps: u16) -> Option<u32> {
    let lower = SAMPLE_RATES_HZ.iter().rev().filter(|rate| **rate < spec.sample_rate.0);
    lower.copied().find(|rate| {
        let spec = StreamSpec::new(*rate, spec.channel_count());
        bit_rates(&spec).contains(&kbps)
    })
}

/// What is spent on such a stream.
pub(super) fn resolve(
    spec: &StreamSpec,
    asked: Option<LossyQuality>,
) -> Result<LossyQuality, Refusal> {
    let rates = bit_rates(spec);
    match asked {
        None => {
            let channel_count = u16::try_from(spec.channel_count()).unwrap_or(u16::MAX);
            let wanted = DEFAULT_KBPS_A_CHANNEL.saturating_mul(channel_count);
            let highest = rates.last().copied().unwrap_or(wanted);
            Ok(LossyQuality::BitRateKbps(wanted.min(highest)))
        }
        Some(LossyQuality::BitRateKbps(kbps) | LossyQuality::AverageKbps(kbps))
            if !rates.contains(&kbps) =>
        {
            let channels = if spec.channel_count() == 1 { "mono" } else { "stereo" };
            let there = format!("it has {} kbit/s there", list(&rates, ", "));
            let instead = match lower_rate(spec, kbps) {
                Some(rate_hz) => format!("{there}, and {kbps} kbit/s at {rate_hz} Hz"),
                None => there,
            };
            Err(Refusal {
                what: format!("{kbps} kbit/s at {} {channels}", spec.sample_rate),
                instead,
            })
        }
        Some(LossyQuality::Vbr(quality)) if quality > VBR_QUALITIES.1 => Err(Refusal {
            what: format!("VBR quality {quality}"),
            instead: format!("it has {} (best) to {}", VBR_QUALITIES.0, VBR_QUALITIES.1),
        }),
        Some(asked) => Ok(asked),
    }
}

/// What LAME multiplies samples with at a quality, to leave room for the peaks that few bits raise. What
/// is written must be as loud as what came, so this is undone beforehand; peaks are for whoever decodes
/// the file again.
///
/// Source: LAME 3.100, `presets.c`, `abr_switch_map`, which constant bit rates go through as averages do.
pub(super) fn scale_by_lame(quality: LossyQuality) -> f32 {
    match quality.bit_rate() {
        Some((..=160, _)) => 0.95,
        Some((..=192, _)) => 0.97,
        Some((..=224, _)) => 0.98,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_rates_are_those_whose_frames_hold_the_length() {
        let ends = |rate, channels| {
            let rates = bit_rates(&StreamSpec::new(rate, channels));
            (rates[0], *rates.last().unwrap())
        };
        assert_eq!(ends(44_100, 2), (64, 320));
        assert_eq!(ends(44_100, 1), (64, 320));
        assert_eq!(ends(32_000, 1), (40, 320));
        assert_eq!(ends(22_050, 1), (64, 160));
        assert_eq!(ends(16_000, 1), (40, 160));
        assert_eq!(ends(8_000, 1), (24, 64));
    }

    #[test]
    fn default_is_96_kbps_a_channel_or_the_most_there_is() {
        let default = |rate, channels| resolve(&StreamSpec::new(rate, channels), None).unwrap();
        assert_eq!(default(44_100, 2), LossyQuality::BitRateKbps(192));
        assert_eq!(default(48_000, 1), LossyQuality::BitRateKbps(96));
        assert_eq!(default(24_000, 2), LossyQuality::BitRateKbps(160));
        assert_eq!(default(8_000, 1), LossyQuality::BitRateKbps(64));
    }
}
