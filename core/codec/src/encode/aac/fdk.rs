//! The encoder: Fraunhofer's FDK AAC, in C++. The only place that knows the library.
//!
//! Source: Fraunhofer IIS, "AAC Encoder" (`aacEncoder.pdf` of the library), 2 and 4.

use super::super::LossyQuality;
use fdk_aac_sys as library;
use std::ffi::c_void;
use std::ptr::{self, NonNull};

/// Frames of a packet.
pub(super) const PACKET_FRAMES: usize = 1024;

/// Most bits of a channel in a packet. Source: ISO/IEC 14496-3, 4.5.3.1.
pub(super) const PACKET_BITS_A_CHANNEL_MAX: u32 = 6144;

/// An encoder of one stream.
pub(super) struct Fdk {
    handle: NonNull<library::AACENCODER>,
    channel_count: usize,
    /// Frames by which what is decoded comes later than what went in.
    pub(super) delay: u64,
    /// What a decoder has to know: an `AudioSpecificConfig`.
    pub(super) config: Vec<u8>,
    /// Room for the largest packet.
    packet: Vec<u8>,
}

// SAFETY: all that the library knows of a stream is in memory of its own behind the handle, without
// thread-local parts, and reached only through `&mut`.
unsafe impl Send for Fdk {}

impl Fdk {
    /// For as many channels as [`super::LAYOUTS`] have; its channel modes have the same numbers. `None` where the
    /// library refuses, or would do something else than asked.
    pub(super) fn new(rate_hz: u32, channel_count: usize, quality: LossyQuality) -> Option<Self> {
        let channels = u32::try_from(channel_count).ok()?;
        let mut handle = ptr::null_mut();
        // SAFETY: `handle` is a place for a handle.
        let error = unsafe { library::aacEncOpen(&raw mut handle, 0, channels) };
        is_good(error)?;
        let handle = NonNull::new(handle)?;
        let mut encoder =
            Self { handle, channel_count, delay: 0, config: Vec::new(), packet: Vec::new() };
        let (mode, bits) = match quality {
            LossyQuality::Vbr(quality) => (u32::from(quality), None),
            LossyQuality::BitRateKbps(kbps) => (0, Some(u32::from(kbps) * 1000)),
            LossyQuality::AverageKbps(_) => return None,
        };
        encoder
            .set(library::AACENC_PARAM_AACENC_AOT, library::AUDIO_OBJECT_TYPE_AOT_AAC_LC as u32)?;
        encoder.set(library::AACENC_PARAM_AACENC_SAMPLERATE, rate_hz)?;
        encoder.set(library::AACENC_PARAM_AACENC_CHANNELMODE, channels)?;
        // 1: the order of WAVE files.
        encoder.set(library::AACENC_PARAM_AACENC_CHANNELORDER, 1)?;
        encoder.set(library::AACENC_PARAM_AACENC_BITRATEMODE, mode)?;
        if let Some(bits) = bits {
            encoder.set(library::AACENC_PARAM_AACENC_BITRATE, bits)?;
        }
        // 0: packets without a frame around them.
        encoder.set(library::AACENC_PARAM_AACENC_TRANSMUX, 0)?;
        // The best sound for the bits.
        encoder.set(library::AACENC_PARAM_AACENC_AFTERBURNER, 1)?;
        // SAFETY: the library says that a call without anything takes the settings over.
        let error = unsafe {
            library::aacEncEncode(
                encoder.handle.as_ptr(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                ptr::null_mut(),
            )
        };
        is_good(error)?;
        // It takes what is nearest where it has no such bit rate.
        // SAFETY: the handle is valid as long as `encoder` is.
        let taken = unsafe {
            library::aacEncoder_GetParam(
                encoder.handle.as_ptr(),
                library::AACENC_PARAM_AACENC_BITRATE,
            )
        };
        if bits.is_some_and(|bits| bits != taken) {
            return None;
        }
        encoder.learn()?;
        Some(encoder)
    }

    fn set(&mut self, parameter: library::AACENC_PARAM, value: u32) -> Option<()> {
        // SAFETY: the handle is valid as long as `self` is.
        is_good(unsafe { library::aacEncoder_SetParam(self.handle.as_ptr(), parameter, value) })
    }

    /// Asks what comes of the settings.
    fn learn(&mut self) -> Option<()> {
        let mut info = library::AACENC_InfoStruct {
            maxOutBufBytes: 0,
            maxAncBytes: 0,
            inBufFillLevel: 0,
            inputChannels: 0,
            frameLength: 0,
            nDelay: 0,
            nDelayCore: 0,
            confBuf: [0; 64],
            confSize: 0,
        };
        // SAFETY: the handle is valid as long as `self` is, and `info` is a place for what is returned.
        is_good(unsafe { library::aacEncInfo(self.handle.as_ptr(), &raw mut info) })?;
        if info.frameLength as usize != PACKET_FRAMES {
            return None;
        }
        self.delay = info.nDelay.into();
        self.config = info.confBuf.get(..info.confSize as usize)?.to_vec();
        self.packet = vec![0; info.maxOutBufBytes as usize];
        Some(())
    }

    /// Encodes the samples of one packet, interleaved; the packet, which may be none at first. `None` where the
    /// library gives up.
    pub(super) fn encode(&mut self, samples: &[i16]) -> Option<&[u8]> {
        debug_assert_eq!(samples.len(), PACKET_FRAMES * self.channel_count, "a whole packet");
        let count = i32::try_from(samples.len()).ok()?;
        let mut input = samples.as_ptr().cast_mut().cast::<c_void>();
        let mut input_kind = library::AACENC_BufferIdentifier_IN_AUDIO_DATA.cast_signed();
        let mut input_bytes = count * 2;
        let mut input_size = 2;
        let input = library::AACENC_BufDesc {
            numBufs: 1,
            bufs: &raw mut input,
            bufferIdentifiers: &raw mut input_kind,
            bufSizes: &raw mut input_bytes,
            bufElSizes: &raw mut input_size,
        };
        let mut output = self.packet.as_mut_ptr().cast::<c_void>();
        let mut output_kind = library::AACENC_BufferIdentifier_OUT_BITSTREAM_DATA.cast_signed();
        let mut output_bytes = i32::try_from(self.packet.len()).ok()?;
        let mut output_size = 1;
        let output = library::AACENC_BufDesc {
            numBufs: 1,
            bufs: &raw mut output,
            bufferIdentifiers: &raw mut output_kind,
            bufSizes: &raw mut output_bytes,
            bufElSizes: &raw mut output_size,
        };
        let arguments = library::AACENC_InArgs { numInSamples: count, numAncBytes: 0 };
        let mut result = library::AACENC_OutArgs {
            numOutBytes: 0,
            numInSamples: 0,
            numAncBytes: 0,
            bitResState: 0,
        };
        // SAFETY: the descriptions hold one buffer each, of the sizes they state, and all they point to lives
        // until the call ends; the library reads the samples and writes the packet only.
        let error = unsafe {
            library::aacEncEncode(
                self.handle.as_ptr(),
                &raw const input,
                &raw const output,
                &raw const arguments,
                &raw mut result,
            )
        };
        is_good(error)?;
        if result.numInSamples != count {
            return None;
        }
        self.packet.get(..usize::try_from(result.numOutBytes).ok()?)
    }
}

impl Drop for Fdk {
    fn drop(&mut self) {
        let mut handle = self.handle.as_ptr();
        // SAFETY: the handle is valid, and nobody has it after this.
        let _ = unsafe { library::aacEncClose(&raw mut handle) };
    }
}

fn is_good(error: library::AACENC_ERROR) -> Option<()> {
    (error == library::AACENC_ERROR_AACENC_OK).then_some(())
}
