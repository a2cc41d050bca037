//! The page of a run: source and first export are decoded once more, and measured as the page shows them.

use super::RunError;
use super::blueprint::Blueprint;
use super::run::{Files, Run};
use super::source::Input;
use crate::report::Report;
use crate::report::html::{Page, PageFile, Signal, WAVEFORM_POINTS_MAX};
use std::sync::atomic::{AtomicBool, Ordering};
use wavemill_core::analysis::{Analyzer, Options};
use wavemill_core::audio::{Block, convert};
use wavemill_core::decode::Damaged;
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::loudness::MonoMode;
use wavemill_core::waveform::{Resolution, WaveformMeter};

/// What the page shows of the audio.
pub(super) struct Signals {
    source: Signal,
    /// `None` where nothing was written.
    export: Option<Signal>,
}

impl Run<'_> {
    /// Measures the source, and the first export as its file has it.
    pub(super) fn signals(
        &mut self,
        blueprint: Option<&Blueprint>,
        files: &Files,
    ) -> Result<Signals, RunError> {
        let cancel = self.places.cancel;
        let pipeline = self.pipeline;
        let options = |mono| pipeline.analysis(Options::default().groups, mono);
        let first = files.first_key_value().zip(blueprint);
        let export = first.map(|((&export, file), blueprint)| {
            let extension = Some(self.pipeline.exports[export].format.extension);
            let (path, access) = (file.temporary.path(), self.places.access.as_ref());
            let mut input = Input::open_as(path, extension, Damaged::Refuse, access)?;
            signal(&mut input, &options(blueprint.groups[blueprint.group_of[export]].mono), cancel)
        });
        let source = signal(&mut self.input, &options(MonoMode::Single), cancel)?;
        Ok(Signals { source, export: export.transpose()? })
    }

    /// The page.
    pub(super) fn page(&self, signals: Signals, report: &Report) -> Page {
        let title = self.pipeline.page.as_ref().and_then(|page| page.title.clone());
        let file = PageFile {
            facts: report.input.file.clone(),
            tags: report.tags.clone(),
            source: signals.source,
            export: signals.export,
            warnings: report.warnings.clone(),
            report: Some(report.clone()),
            ..PageFile::default()
        };
        Page { title, logo: self.logo.clone(), files: vec![file], album: None }
    }
}

/// Decodes a file to its end and measures it.
fn signal(input: &mut Input, options: &Options, cancel: &AtomicBool) -> Result<Signal, RunError> {
    let info = input.info.clone();
    let mut analyzer = Analyzer::new(&info.spec, info.format, options).with_history();
    let resolution = [Resolution::Even(WAVEFORM_POINTS_MAX)];
    let mut waveform = WaveformMeter::new(&info.spec, info.format, info.frame_count, &resolution);
    let mut block = Block::new(info.spec.channel_count(), BLOCK_FRAMES);
    let mut reader = input.reader()?;
    while let Some(samples) = reader.next()? {
        if cancel.load(Ordering::Relaxed) {
            return Err(RunError::Canceled);
        }
        convert::to_block(samples, &mut block);
        waveform.push(&block);
        analyzer
            .push(&block)
            .map_err(|error| RunError::Input { reason: error.to_string(), incomplete: false })?;
    }
    let loudness = analyzer.loudness_mut();
    let history = loudness.map_or_else(Vec::new, |meter| {
        meter.end();
        meter.take_history()
    });
    Ok(Signal { analysis: analyzer.finish(), history, waveform: Some(waveform.finish()) })
}
