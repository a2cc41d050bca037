//! A WAV file of 32-bit floats that grows.

use std::io::{self, Seek, SeekFrom, Write};
use wavemill_core::encode::{EncodeSettings, WavHeader};

/// Bytes of a sample.
pub(super) const SAMPLE_BYTES: u64 = size_of::<f32>() as u64;

/// Samples written at once: as many are lost at most when the disk is full, though some of them had room.
const PIECE_SAMPLES: usize = 4096;

/// A file that can be written and rewound.
pub(super) trait WriteSeek: Write + Seek + Send {}
impl<T: Write + Seek + Send> WriteSeek for T {}

/// One file.
pub(super) struct Wav {
    file: Box<dyn WriteSeek>,
    header: WavHeader,
    /// Of samples.
    bytes: u64,
    piece: Vec<u8>,
}

impl Wav {
    /// Writes a header without samples.
    pub(super) fn begin(
        mut file: Box<dyn WriteSeek>,
        settings: &EncodeSettings,
    ) -> io::Result<Self> {
        let header = WavHeader::new(settings).map_err(io::Error::other)?;
        file.write_all(&header.bytes(0))?;
        file.flush()?;
        Ok(Self { file, header, bytes: 0, piece: Vec::new() })
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
        let header = self.header.bytes(self.bytes);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header)?;
        // Not the end of the file: a write that failed may have left something there.
        self.file.seek(SeekFrom::Start(header.len() as u64 + self.bytes))?;
        self.file.flush()
    }

    /// The same, with the tags of these settings, which take as much room as those it began with.
    pub(super) fn finish(&mut self, settings: &EncodeSettings) -> io::Result<()> {
        let header = WavHeader::new(settings).map_err(io::Error::other)?;
        if header.bytes(0).len() == self.header.bytes(0).len() {
            self.header = header;
        }
        self.flush()
    }
}
