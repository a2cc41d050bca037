//! A WAV file of 32-bit floats that grows.

use std::io::{self, Seek, SeekFrom, Write};
use wavemill_core::audio::ChannelLayout;

/// Bytes of a sample.
pub(super) const SAMPLE_BYTES: u64 = size_of::<f32>() as u64;

/// Samples written at once: as many are lost at most when the disk is full, though some of them had room.
const PIECE_SAMPLES: usize = 4096;

/// Bytes before the samples.
const HEADER_BYTES: u32 = 68;

/// Where the sizes of the file and of its samples are.
const RIFF_SIZE_AT: u64 = 4;
const DATA_SIZE_AT: u64 = 64;

/// `KSDATAFORMAT_SUBTYPE_IEEE_FLOAT`. Source: Microsoft, `ksmedia.h`.
const FLOAT: [u8; 16] = [3, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// A file that can be written and rewound.
pub(super) trait WriteSeek: Write + Seek + Send {}
impl<T: Write + Seek + Send> WriteSeek for T {}

/// One file.
pub(super) struct Wav {
    file: Box<dyn WriteSeek>,
    /// Of samples.
    bytes: u64,
    piece: Vec<u8>,
}

impl Wav {
    /// Writes a header without samples.
    ///
    /// Source: Microsoft, "Multiple channel audio data and WAVE files": `WAVEFORMATEXTENSIBLE`, also for mono and
    /// stereo.
    pub(super) fn begin(
        mut file: Box<dyn WriteSeek>,
        layout: &ChannelLayout,
        sample_rate_hz: u32,
    ) -> io::Result<Self> {
        let frame_bytes = layout.channel_count() as u64 * SAMPLE_BYTES;
        #[expect(clippy::cast_possible_truncation, reason = "eight channels at most")]
        let (channels, frame_bytes) = (layout.channel_count() as u16, frame_bytes as u16);
        let mut header = Vec::with_capacity(HEADER_BYTES as usize);
        let long = |value: u32| value.to_le_bytes();
        header.extend_from_slice(b"RIFF");
        header.extend(long(HEADER_BYTES - 8));
        header.extend_from_slice(b"WAVEfmt ");
        header.extend(long(40));
        header.extend(0xfffe_u16.to_le_bytes());
        header.extend(channels.to_le_bytes());
        header.extend(long(sample_rate_hz));
        header.extend(long(sample_rate_hz * u32::from(frame_bytes)));
        header.extend(frame_bytes.to_le_bytes());
        // Bits of a sample, bytes that follow, valid bits.
        for value in [32_u16, 22, 32] {
            header.extend(value.to_le_bytes());
        }
        header.extend(long(layout.mask().unwrap_or(0)));
        header.extend(FLOAT);
        header.extend_from_slice(b"data");
        header.extend(long(0));
        file.write_all(&header)?;
        file.flush()?;
        Ok(Self { file, bytes: 0, piece: Vec::new() })
    }

    /// Bytes of samples so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes interleaved samples.
    pub(super) fn write(&mut self, samples: &[f32]) -> io::Result<()> {
        for samples in samples.chunks(PIECE_SAMPLES) {
            self.piece.clear();
            self.piece.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
            self.file.write_all(&self.piece)?;
            self.bytes += self.piece.len() as u64;
        }
        Ok(())
    }

    /// Brings everything to the disk, and the header up to date.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let bytes = u32::try_from(self.bytes).unwrap_or(u32::MAX);
        let sizes = [(RIFF_SIZE_AT, bytes.saturating_add(HEADER_BYTES - 8)), (DATA_SIZE_AT, bytes)];
        for (at, size) in sizes {
            self.file.seek(SeekFrom::Start(at))?;
            self.file.write_all(&size.to_le_bytes())?;
        }
        // Not the end of the file: a write that failed may have left something there.
        self.file.seek(SeekFrom::Start(u64::from(HEADER_BYTES) + self.bytes))?;
        self.file.flush()
    }
}
