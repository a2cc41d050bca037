//! Exports that store the same samples: quantized, hashed and measured once for all of them.

use super::RunError;
use super::error::refused;
use super::fingerprint::Fingerprint;
use super::writer::Fed;
use crossbeam_channel::{Receiver, Sender};
use std::sync::Arc;
use wavemill_core::analysis::{self, Analysis, Analyzer};
use wavemill_core::audio::{Block, PcmFormat, Samples, StreamSpec, convert};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::encode::{Dither, Quantizer};
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::loudness::{LoudnessReport, MonoMode};
use wavemill_core::processor::{Processor, Status};
use wavemill_core::units::Dbfs;

/// A piece of the signal on its way to exports.
#[derive(Clone)]
pub(super) enum Signal {
    /// The decoder's own samples.
    Raw(Arc<Samples>),
    /// What a step made of them.
    Block(Arc<Block>),
}

/// How the samples of a group come about.
pub(super) struct Group {
    /// The signal that comes.
    pub(super) input: StreamSpec,
    /// Changes the number of channels.
    pub(super) remix: Option<Box<dyn Processor>>,
    /// What is stored.
    pub(super) output: StreamSpec,
    /// Format of the samples that come.
    pub(super) from: PcmFormat,
    /// Format of the samples that are stored.
    pub(super) to: PcmFormat,
    pub(super) dither: Dither,
    /// What to measure of what is stored.
    pub(super) measures: Vec<analysis::Group>,
    /// How a mono output counts.
    pub(super) mono: MonoMode,
}

/// What was stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    /// What was measured of it.
    pub(super) measured: Analysis,
    pub(super) clipped_samples: u64,
    /// Largest sample of mixed channels before full scale cuts it; `None` without a mix or sound.
    pub(super) mixed_peak: Option<Dbfs>,
    /// What was added to the samples.
    pub(super) dither: Dither,
}

impl Stored {
    pub(super) fn loudness(&self) -> Option<&LoudnessReport> {
        self.measured.loudness.as_ref()
    }
}

impl Group {
    /// Hands what comes through `signal` on to the writers until its end.
    ///
    /// # Errors
    /// [`RunError::Canceled`] when the other side is gone: it failed first and says why.
    pub(super) fn run(
        mut self,
        signal: &Receiver<Option<Signal>>,
        writers: &[Sender<Fed>],
    ) -> Result<Stored, RunError> {
        let _flush = FlushDenormals::on();
        let channel_count = self.output.channel_count();
        let from = if self.remix.is_some() { PcmFormat::FLOAT } else { self.from };
        let mut quantizer = Quantizer::new(from, self.to, self.dither, channel_count);
        let mut meter = (!self.measures.is_empty()).then(|| {
            let groups = std::mem::take(&mut self.measures);
            let options = analysis::Options { groups, mono: self.mono };
            Analyzer::new(&self.output, self.to, &options)
        });
        let mut fingerprint = Fingerprint::default();
        let mut mixed_peak = 0.0;
        let capacity = self.input.channel_count().max(channel_count);
        let mut block = Block::with_capacity(self.input.channel_count(), capacity, BLOCK_FRAMES);
        loop {
            let signal = match signal.recv() {
                Ok(Some(signal)) => signal,
                Ok(None) => break,
                Err(_) => return Err(RunError::Canceled),
            };
            let samples = self.store(signal, &mut quantizer, &mut block, &mut mixed_peak)?;
            fingerprint.push(&samples);
            if let Some(meter) = &mut meter {
                grow(&mut block, samples.frame_count());
                convert::to_block(&samples, &mut block);
                meter.push(&block).map_err(|error| refused(error.to_string()))?;
            }
            for writer in writers {
                send(writer, Fed::Samples(samples.clone()))?;
            }
        }
        for writer in writers {
            send(writer, Fed::End(fingerprint.clone()))?;
        }
        Ok(Stored {
            measured: meter.map(Analyzer::finish).unwrap_or_default(),
            clipped_samples: quantizer.clipped_samples(),
            mixed_peak: Dbfs::from_amplitude(mixed_peak.into()),
            dither: quantizer.dither(),
        })
    }

    /// The signal as it is stored; raises `mixed_peak` to the largest sample of mixed channels.
    fn store(
        &mut self,
        signal: Signal,
        quantizer: &mut Quantizer,
        block: &mut Block,
        mixed_peak: &mut f32,
    ) -> Result<Arc<Samples>, RunError> {
        let mut out = Samples::empty(self.to, self.output.channel_count());
        if let Some(remix) = &mut self.remix {
            match &signal {
                Signal::Raw(samples) => {
                    grow(block, samples.frame_count());
                    convert::to_block(samples, block);
                }
                Signal::Block(source) => {
                    grow(block, source.frame_count());
                    block.copy_from(source, 0, source.frame_count());
                }
            }
            if remix.process(block) == Status::Failed {
                let reason = remix.failure().unwrap_or_default();
                return Err(refused(format!("the channels cannot be remixed: {reason}")));
            }
            let samples = block.planes().flatten();
            *mixed_peak = samples.fold(*mixed_peak, |peak, sample| peak.max(sample.abs()));
            quantizer.quantize_block(block, &mut out);
            return Ok(Arc::new(out));
        }
        match signal {
            Signal::Raw(samples) if samples.format() == self.to => return Ok(samples),
            Signal::Raw(samples) => quantizer.quantize(&samples, &mut out),
            Signal::Block(block) => quantizer.quantize_block(&block, &mut out),
        }
        Ok(Arc::new(out))
    }
}

/// Steps may deliver longer blocks than they were given.
fn grow(block: &mut Block, frame_count: usize) {
    if block.frame_capacity() < frame_count {
        let (channels, capacity) = (block.channel_count(), block.channel_capacity());
        *block = Block::with_capacity(channels, capacity, frame_count);
    }
}

fn send(writer: &Sender<Fed>, fed: Fed) -> Result<(), RunError> {
    writer.send(fed).map_err(|_| RunError::Canceled)
}
