//! Apple Lossless: its configuration, and how many frames a packet holds.
//!
//! Source: Apple, "ALAC Magic Cookie Description" and the reference decoder's `ALACAudioTypes.h`
//! (`ALACSpecificConfig`, `ALACChannelLayoutTags`), both published with the codec in 2011.

use super::bits::Bits;
use super::chunks::u32_be;
use super::{DecodeError, claims};
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_ALAC;
use wavemill_audio::{ChannelLayout, ChannelPosition};

/// Bytes of the configuration.
const COOKIE_BYTES: usize = 24;

/// Longest packet accepted, in frames. Apple's encoder writes 4096.
const PACKET_FRAMES_MAX: u32 = 16 * 4096;

/// Bytes of a packet's start that [`AlacConfig::frame_count`] looks at.
pub(super) const HEAD_BYTES: usize = 7;

use ChannelPosition::{
    BackCenter as Cs, BackLeft as Bl, BackRight as Br, FrontCenter as C, FrontLeft as L,
    FrontLeftOfCenter as Lc, FrontRight as R, FrontRightOfCenter as Rc, LowFrequency as Lfe,
    SideLeft as Sl, SideRight as Sr,
};

/// The channels that 3 to 8 of them are, as Symphonia delivers them: in the order of the WAVE mask, with
/// the surround pair of seven and eight at the sides.
const LAYOUTS: [&[ChannelPosition]; 6] = [
    &[L, R, C],
    &[L, R, C, Cs],
    &[L, R, C, Bl, Br],
    &[L, R, C, Lfe, Bl, Br],
    &[L, R, C, Lfe, Cs, Sl, Sr],
    &[L, R, C, Lfe, Lc, Rc, Sl, Sr],
];

/// An `ALACSpecificConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AlacConfig {
    /// Frames of every packet but the last.
    pub(super) packet_frames: u32,
    pub(super) bit_depth: u16,
    pub(super) channel_count: u8,
    pub(super) sample_rate_hz: u32,
    cookie: Box<[u8]>,
}

impl AlacConfig {
    /// Reads the configuration; older files have it inside of an atom, and one before it.
    ///
    /// # Errors
    /// When it is cut, or of a kind that is not decoded.
    pub(super) fn parse(cookie: &[u8]) -> Result<Self, DecodeError> {
        let mut cookie = cookie;
        for atom in [b"frma", b"alac"] {
            if cookie.get(4..8) == Some(atom) {
                cookie = cookie.get(12..).unwrap_or_default();
            }
        }
        let short = || DecodeError::damaged("its ALAC configuration is cut short");
        let cookie = cookie.get(..COOKIE_BYTES).ok_or_else(short)?;
        let field = |offset| u32_be(cookie, offset).ok_or_else(short);
        let config = Self {
            packet_frames: field(0)?,
            bit_depth: cookie[5].into(),
            channel_count: cookie[9],
            sample_rate_hz: field(20)?,
            cookie: cookie.into(),
        };
        claims::check_stream(config.sample_rate_hz.into(), config.channel_count.into())?;
        if cookie[4] != 0 {
            return Err(DecodeError::unsupported(format!("ALAC of version {}", cookie[4])));
        }
        if !matches!(config.bit_depth, 16 | 20 | 24 | 32) {
            return Err(DecodeError::unsupported(format!("{}-bit ALAC", config.bit_depth)));
        }
        if config.channel_count > 8 {
            let what = format!("ALAC with {} channels", config.channel_count);
            return Err(DecodeError::unsupported(what));
        }
        if !(1..=PACKET_FRAMES_MAX).contains(&config.packet_frames) {
            let what = format!("ALAC with packets of {} frames", config.packet_frames);
            return Err(DecodeError::unsupported(what));
        }
        Ok(config)
    }

    /// The layout of the channels as they are decoded.
    pub(super) fn layout(&self) -> ChannelLayout {
        let count = usize::from(self.channel_count);
        match count.checked_sub(3).and_then(|index| LAYOUTS.get(index)) {
            Some(positions) => ChannelLayout::new(positions.to_vec()),
            None => ChannelLayout::usual(count),
        }
    }

    /// What Symphonia is given.
    pub(super) fn params(&self) -> AudioCodecParameters {
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_ALAC).with_sample_rate(self.sample_rate_hz);
        params.with_extra_data(self.cookie.clone());
        params
    }

    /// How many frames a packet holds, by its first [`HEAD_BYTES`] bytes: only the last one states it.
    ///
    /// Source: the reference decoder, `ALACDecoder::Decode`: element of 3 bits, its number of 4, 12 that
    /// are zero, whether the packet is a partial one, 2 of shift, 1 of escape, then 32 of length.
    pub(super) fn frame_count(&self, head: &[u8]) -> u64 {
        let mut bits = Bits::new(head);
        let mut stated = || {
            let element = bits.read(3)?;
            bits.skip(4 + 12)?;
            let is_partial = bits.flag()?;
            bits.skip(2 + 1)?;
            // A single channel, a pair or a low-frequency channel.
            if is_partial && matches!(element, 0 | 1 | 3) { bits.read(32) } else { None }
        };
        stated().unwrap_or(self.packet_frames).min(self.packet_frames).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(bit_depth: u8, channel_count: u8) -> Vec<u8> {
        let mut cookie = vec![0, 0, 16, 0, 0, bit_depth, 40, 10, 14, channel_count, 0, 255];
        cookie.extend([0; 8]);
        cookie.extend(48_000u32.to_be_bytes());
        cookie
    }

    #[test]
    fn cookie_is_read_bare_and_inside_of_atoms() {
        let bare = AlacConfig::parse(&cookie(24, 6)).unwrap();
        assert_eq!((bare.packet_frames, bare.bit_depth, bare.channel_count), (4096, 24, 6));
        let old = [b"\0\0\0\x0cfrmaalac\0\0\0\x24alac\0\0\0\0", &cookie(24, 6)[..]].concat();
        assert_eq!(AlacConfig::parse(&old).unwrap(), bare);
        assert_eq!(bare.layout(), ChannelLayout::usual(6));
    }

    #[test]
    fn what_is_not_decoded_is_named() {
        let refusal = |cookie: &[u8]| AlacConfig::parse(cookie).unwrap_err().to_string();
        assert!(refusal(&cookie(17, 2)).contains("17-bit ALAC"));
        assert!(refusal(&cookie(16, 0)).contains("0 channels"));
        assert!(refusal(&cookie(16, 9)).contains("ALAC with 9 channels"));
        assert!(refusal(&cookie(16, 2)[..20]).contains("cut short"));
        let mut long = cookie(16, 2);
        long[0] = 1;
        assert!(refusal(&long).contains("packets of"));
    }

    #[test]
    fn partial_packet_states_its_frames() {
        let config = AlacConfig::parse(&cookie(16, 2)).unwrap();
        // Element 1, number 0, 12 zeros, partial, shift 0, no escape, 32 bits.
        let bits = 1u64 << 53 | 1 << 36 | 901 << 1;
        assert_eq!(config.frame_count(&bits.to_be_bytes()[1..]), 901);
        assert_eq!(config.frame_count(&[0x20, 0, 0, 0, 0, 0, 0]), 4096);
        assert_eq!(config.frame_count(&[]), 4096);
    }
}
