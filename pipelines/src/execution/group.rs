//! Exports that store the same samples: quantized, hashed and measured once for all of them.

use super::RunError;
use super::fingerprint::Fingerprint;
use super::stage::{Chain, Stage, Taps};
use super::writer::WriterInput;
use crate::error::refused;
use crossbeam_channel::{Receiver, Sender};
use std::sync::Arc;
use wavemill_core::analysis::{self, Analysis, Analyzer};
use wavemill_core::audio::{Block, PcmFormat, Samples, StreamSpec, convert};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::encode::{Dither, Quantizer};
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::loudness::{LoudnessReport, Piece};
use wavemill_core::units::{Dbfs, Frames};

/// A piece of the signal on its way to exports.
#[derive(Clone)]
pub(super) enum Signal {
    /// The decoder's own samples.
    Raw(Arc<Samples>),
    /// What a step made of them.
    Block(Arc<Block>),
}

/// How the samples of a group come about.
pub(super) struct ExportGroup {
    /// The signal that comes.
    pub(super) input: StreamSpec,
    /// What changes the channels, then the rate.
    pub(super) conversions: Vec<Stage>,
    /// What is stored.
    pub(super) output: StreamSpec,
    /// Format of the samples that come.
    pub(super) from: PcmFormat,
    /// Format of the samples that are stored.
    pub(super) to: PcmFormat,
    pub(super) dither: Dither,
    /// What to measure of what is stored.
    pub(super) measures: analysis::Options,
}

/// What was stored.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredSignal {
    pub(super) frames: Frames,
    /// What was measured of it.
    pub(super) measured: Analysis,
    /// What it contributes to the loudness of a group.
    pub(super) piece: Piece,
    pub(super) clipped_samples: u64,
    /// Largest sample of converted channels before full scale cuts it; `None` without a conversion or
    /// sound.
    pub(super) converted_peak: Option<Dbfs>,
    /// What was added to the samples.
    pub(super) dither: Dither,
}

impl StoredSignal {
    pub(super) fn loudness(&self) -> Option<&LoudnessReport> {
        self.measured.loudness.as_ref()
    }
}

impl ExportGroup {
    /// Hands what comes through `signal` on to the writers until its end.
    ///
    /// # Errors
    /// [`RunError::Canceled`] when the other side is gone: it failed first and says why.
    pub(super) fn run(
        self,
        signal: &Receiver<Option<Signal>>,
        writers: &[Sender<WriterInput>],
    ) -> Result<StoredSignal, RunError> {
        let _flush = FlushDenormals::on();
        let mut stages = self.conversions;
        for stage in &mut stages {
            stage.begin(None)?;
        }
        let stage_count = stages.len();
        let from = if stages.is_empty() { self.from } else { PcmFormat::FLOAT };
        let channel_count = self.output.channel_count();
        let measures = &self.measures;
        let meter =
            (!measures.groups.is_empty()).then(|| Analyzer::new(&self.output, self.to, measures));
        let mut store = Store {
            writers,
            to: self.to,
            channel_count,
            last: stage_count.checked_sub(1),
            quantizer: Quantizer::new(from, self.to, self.dither, channel_count),
            meter,
            measured: Block::new(channel_count, BLOCK_FRAMES),
            fingerprint: Fingerprint::default(),
            converted_peak: 0.0,
        };
        let mut chain = Chain::new(&mut stages, 0..stage_count);
        let mut block = chain.block(&self.input);
        loop {
            let signal = match signal.recv() {
                Ok(Some(signal)) => signal,
                Ok(None) => break,
                Err(_) => return Err(RunError::Canceled),
            };
            if stage_count == 0 {
                store.keep(signal)?;
                continue;
            }
            match &signal {
                Signal::Raw(samples) => convert::to_block(samples, &mut block),
                Signal::Block(source) => block.copy_from(source, 0, source.frame_count()),
            }
            chain.push(&mut block, &mut store)?;
        }
        chain.finish(&mut block, &mut store)?;
        store.end()
    }
}

/// Quantizes, measures and hands on.
struct Store<'w> {
    writers: &'w [Sender<WriterInput>],
    to: PcmFormat,
    channel_count: usize,
    /// The last conversion, if there is any.
    last: Option<usize>,
    quantizer: Quantizer,
    meter: Option<Analyzer>,
    /// What is measured, as floats again.
    measured: Block,
    fingerprint: Fingerprint,
    /// Largest sample after the conversions.
    converted_peak: f32,
}

impl Store<'_> {
    /// Stores a signal that nothing converts.
    fn keep(&mut self, signal: Signal) -> Result<(), RunError> {
        let mut out = Samples::empty(self.to, self.channel_count);
        match signal {
            Signal::Raw(samples) if samples.format() == self.to => return self.store(&samples),
            Signal::Raw(samples) => self.quantizer.quantize(&samples, &mut out),
            Signal::Block(block) => self.quantizer.quantize_block(&block, &mut out),
        }
        self.store(&Arc::new(out))
    }

    fn store(&mut self, samples: &Arc<Samples>) -> Result<(), RunError> {
        self.fingerprint.push(samples);
        if let Some(meter) = &mut self.meter {
            convert::to_block(samples, &mut self.measured);
            meter.push(&self.measured).map_err(|error| refused(error.to_string()))?;
        }
        for writer in self.writers {
            send(writer, WriterInput::Samples(Arc::clone(samples)))?;
        }
        Ok(())
    }

    fn end(self) -> Result<StoredSignal, RunError> {
        let (measured, piece) = self.meter.map(Analyzer::finish_as_piece).unwrap_or_default();
        for writer in self.writers {
            let loudness = measured.loudness.clone().map(Box::new);
            send(writer, WriterInput::End(self.fingerprint.clone(), loudness))?;
        }
        Ok(StoredSignal {
            frames: Frames(self.fingerprint.frames),
            measured,
            piece,
            clipped_samples: self.quantizer.clipped_samples(),
            converted_peak: Dbfs::from_amplitude(self.converted_peak.into()),
            dither: self.quantizer.dither(),
        })
    }
}

impl Taps for Store<'_> {
    fn take(&mut self, index: usize, block: &Block) -> Result<(), RunError> {
        if self.last != Some(index) {
            return Ok(());
        }
        let samples = block.planes().flatten();
        self.converted_peak =
            samples.fold(self.converted_peak, |peak, sample| peak.max(sample.abs()));
        let mut out = Samples::empty(self.to, self.channel_count);
        self.quantizer.quantize_block(block, &mut out);
        self.store(&Arc::new(out))
    }
}

fn send(writer: &Sender<WriterInput>, input: WriterInput) -> Result<(), RunError> {
    writer.send(input).map_err(|_| RunError::Canceled)
}
