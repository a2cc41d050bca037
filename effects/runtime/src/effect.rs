//! A module at work on one stream.

use crate::allowance::Allowance;
use crate::budgets::TimeAccount;
use crate::changes::{Change, Changes};
use crate::create::CreateError;
use crate::description::Param;
use crate::fault::{Failure, Fault};
use crate::guest::{self, CallFault, Guest, Stream, Times};
use crate::lane::Lane;
use crate::limits;
use crate::module::Module;
use crate::settings::SettingsError;
use crate::ticker;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::denormals::FlushDenormals;
use wavemill_core::descriptor::ParamValue;
use wavemill_core::processor::{Finding, Processor, Properties, Status, StepReport, Tail};
use wavemill_core::units::{Frames, SampleRate};

/// An effect on one stream: one instance for all channels, or one a channel where the module takes
/// one channel only.
pub struct Effect {
    module: Module,
    sample_rate: SampleRate,
    channel_count: usize,
    /// Most frames of one call.
    max_frames: usize,
    /// Every parameter with its value, in the order of the description.
    settings: Vec<(u32, f64)>,
    lanes: Vec<Lane>,
    /// What the first instance said.
    times: Option<Times>,
    latency: Frames,
    tail: Tail,
    spending: TimeAccount,
    /// Frames processed so far.
    position: u64,
    changes: Changes,
    /// The first fault; nothing is called after it.
    broken: Option<PlacedFault>,
    failure: Option<String>,
}

/// Why and where an effect broke; what the module says about it is asked outside of the audio thread, by
/// [`Effect::explain`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlacedFault {
    call: &'static str,
    fault: Fault,
    at: u64,
    lane: usize,
}

impl PlacedFault {
    /// Whether a call took too long. It may be the machine that was late.
    pub fn is_late(&self) -> bool {
        matches!(self.fault, Fault::OutOfTime | Fault::OutOfFileTime)
    }
}

impl Effect {
    /// Frames by which output lags behind input.
    pub fn latency(&self) -> Frames {
        self.latency
    }

    /// How long it sounds after the input's end.
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// Why it cannot go on, where it cannot.
    pub fn failure(&self) -> Option<String> {
        self.failure.clone()
    }

    pub(crate) fn new(
        module: Module,
        spec: &StreamSpec,
        settings: Vec<(u32, f64)>,
        max_frames: usize,
    ) -> Result<Self, CreateError> {
        let budgets = module.sandbox().budgets();
        let tick = ticker::of(module.sandbox().mode()).tick();
        let mut effect = Self {
            module,
            sample_rate: spec.sample_rate,
            channel_count: spec.channel_count(),
            max_frames: max_frames.clamp(1, limits::FRAMES_MAX),
            settings,
            lanes: Vec::new(),
            times: None,
            latency: Frames::ZERO,
            tail: Tail::Frames(Frames::ZERO),
            spending: TimeAccount::new(budgets, spec.sample_rate, tick),
            position: 0,
            changes: Changes::default(),
            broken: None,
            failure: None,
        };
        effect.make_lanes()?;
        effect.take_times()?;
        Ok(effect)
    }

    /// Fresh instances. They say the same about latency and tail as those before them.
    fn make_lanes(&mut self) -> Result<(), CreateError> {
        let _flush = FlushDenormals::on();
        let lane_channels = if self.module.is_mono() { 1 } else { self.channel_count };
        let stream = Stream {
            sample_rate_hz: self.sample_rate.0,
            channel_count: u32::try_from(lane_channels).unwrap_or(u32::MAX),
            max_frames: u32::try_from(self.max_frames).unwrap_or(u32::MAX),
        };
        self.lanes.clear();
        for first_channel in (0..self.channel_count).step_by(lane_channels) {
            let lane = Lane::new(&self.module, stream, &self.settings, first_channel)?;
            if *self.times.get_or_insert(lane.times) != lane.times {
                return Err(CreateError::Unequal { effect: self.name() });
            }
            self.lanes.push(lane);
        }
        Ok(())
    }

    /// What the instances say about latency and tail, brought within the limits.
    fn take_times(&mut self) -> Result<(), CreateError> {
        let Times { latency, tail } = self.times.unwrap_or_default();
        self.latency = self.verified_latency(latency)?;
        self.tail = self.capped_tail(tail);
        Ok(())
    }

    fn verified_latency(&self, frames: u32) -> Result<Frames, CreateError> {
        let latency_s = f64::from(frames) / f64::from(self.sample_rate.0);
        if latency_s > limits::LATENCY_TIME_MAX.as_secs_f64() {
            let max_s = limits::LATENCY_TIME_MAX.as_secs();
            return Err(CreateError::Latency { effect: self.name(), latency_s, max_s });
        }
        Ok(Frames(u64::from(frames)))
    }

    fn capped_tail(&self, frames: u32) -> Tail {
        let tail_s = f64::from(frames) / f64::from(self.sample_rate.0);
        if frames == guest::TAIL_INFINITE || tail_s > limits::TAIL_TIME_MAX.as_secs_f64() {
            return Tail::Infinite;
        }
        Tail::Frames(Frames(u64::from(frames)))
    }

    /// Cuts its tail: a file keeps its length.
    pub fn cut_tail(&mut self) {
        self.tail = Tail::Frames(Frames::ZERO);
    }

    /// The module at work.
    pub fn module(&self) -> &Module {
        &self.module
    }

    fn name(&self) -> String {
        self.module.description().name.clone()
    }

    fn param(&self, id: u32) -> Option<&Param> {
        self.module.description().params.iter().find(|param| param.id == id)
    }

    /// Lets a parameter have a value from a frame of the input on, counted from the stream's start.
    /// A frame that has passed means the next one. [`Processor::reset`] begins the stream, and
    /// these changes, anew. Allocates.
    ///
    /// # Errors
    /// When there is no such parameter, the value is not allowed, or the parameter is not
    /// automatable.
    pub fn schedule(&mut self, at: Frames, id: u32, value: f64) -> Result<(), SettingsError> {
        let param = self.param(id).ok_or_else(|| SettingsError::UnknownParam {
            key: id.to_string(),
            help: "this is the number of a parameter, as the description gives it".into(),
        })?;
        let value = param.value_of(&ParamValue::Number(value))?;
        if !param.is_automatable {
            return Err(SettingsError::NotAutomatable { key: param.key.clone() });
        }
        self.changes.add(Change { at: at.0, id, value });
        Ok(())
    }

    /// Sets a parameter from the next frame on, and for good. The value is brought into the
    /// parameter's range; a number that is no parameter, or one that is not automatable, does
    /// nothing and returns `false`. A call that takes too long breaks the effect. Real-time.
    pub fn set(&mut self, id: u32, value: f64) -> bool {
        self.set_within(id, value, &mut self.usual_allowance(0))
    }

    /// [`Self::set`] in the time that a chain of live effects has. Real-time.
    pub fn set_within(&mut self, id: u32, value: f64, allowance: &mut Allowance) -> bool {
        let Some(param) = self.param(id).filter(|param| param.is_automatable) else {
            return false;
        };
        let clamped = value.max(param.min).min(param.max);
        let Ok(value) = param.value_of(&ParamValue::Number(clamped)) else { return false };
        if let Some(setting) = self.settings.iter_mut().find(|(known, _)| *known == id) {
            setting.1 = value;
        }
        let _flush = FlushDenormals::on();
        if self.broken.is_none()
            && let Err(broken) = self.set_in_lanes(id, value, allowance)
        {
            self.broken = Some(broken);
        }
        true
    }

    /// Reads the meter of this number, in its unit and within its range, as of the last processed frames; of
    /// several instances that which is farthest from 0. `None` for a number that is no meter, a reading that is
    /// no number, and an effect that broke. A call that takes too long, live one tick, breaks it. Real-time.
    pub fn meter(&mut self, index: usize) -> Option<f32> {
        let meter = self.module.description().meters.get(index)?;
        #[expect(clippy::cast_possible_truncation, reason = "a description's range fits")]
        let (min, max) = (meter.min as f32, meter.max as f32);
        let reading = self.reading(index).ok().filter(|reading| reading.is_finite())?;
        Some(reading.clamp(min, max))
    }

    /// What the module says for a meter's number, whatever it is.
    pub(crate) fn reading(&mut self, index: usize) -> Result<f32, PlacedFault> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let _flush = FlushDenormals::on();
        let mut farthest = 0.0_f32;
        let result = self.in_lanes("fx_meter", &mut Allowance::of_ticks(0), |guest, ticks| {
            let reading = guest.meter(index, ticks)?;
            if reading.is_nan() || reading.abs() > farthest.abs() {
                farthest = reading;
            }
            Ok(())
        });
        if let Err(broken) = result {
            self.broken = Some(broken);
        }
        result.map(|()| farthest)
    }

    /// What the module wrote with `fx.log` before the first block, of the first channel's instance.
    pub fn log(&self) -> Vec<String> {
        self.lanes.first().map(|lane| lane.guest.log().to_vec()).unwrap_or_default()
    }

    /// The fault that ended it.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.broken.map(|broken| broken.fault)
    }

    /// Whether the module asked for memory after `fx_create`, which is refused.
    pub fn asked_for_memory(&self) -> bool {
        self.lanes.iter().any(|lane| lane.guest.refused_growth())
    }

    /// Fuel used so far by all instances, their start included: a cost that does not depend on the
    /// machine. `None` unless the sandbox is [`Mode::Metered`](crate::sandbox::Mode::Metered).
    pub fn fuel_used(&self) -> Option<u64> {
        self.lanes.iter().map(|lane| lane.guest.fuel_used()).sum()
    }

    /// What calls for `frames` frames may take where nobody says what all of them may take.
    pub(crate) fn usual_allowance(&self, frames: usize) -> Allowance {
        self.spending.usual(frames)
    }

    /// Processes frames `[start, start + count)` of a block, in a live sandbox in the time of the allowance,
    /// in another one in that of files. Real-time but for a trap, in which the engine makes two small allocations
    /// and frees them.
    ///
    /// # Errors
    /// When the module breaks. What the frames hold then is not determined, and may not be finite; from then
    /// on every call returns this error at once.
    pub fn advance(
        &mut self,
        block: &mut Block,
        start: usize,
        count: usize,
        allowance: &mut Allowance,
    ) -> Result<Status, PlacedFault> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let _flush = FlushDenormals::on();
        let result = self.advance_in_pieces(block, start, start + count, allowance);
        if let Err(broken) = result {
            self.broken = Some(broken);
        }
        result
    }

    fn advance_in_pieces(
        &mut self,
        block: &mut Block,
        mut start: usize,
        end: usize,
        allowance: &mut Allowance,
    ) -> Result<Status, PlacedFault> {
        if block.channel_count() != self.channel_count {
            return Err(self.broken("fx_process", Fault::Channels, 0));
        }
        let mut status = Status::Continue;
        while start < end {
            while let Some(change) = self.changes.take_due(self.position) {
                self.set_in_lanes(change.id, change.value, allowance)?;
            }
            let until_change = self.changes.frames_until_next(self.position);
            let count = (end - start).min(self.max_frames).min(until_change);
            status = self.process_piece(block, start, count, allowance)?;
            start += count;
            self.position += count as u64;
        }
        Ok(status)
    }

    /// Processes frames `[start, start + count)` of the block.
    fn process_piece(
        &mut self,
        block: &mut Block,
        start: usize,
        count: usize,
        allowance: &mut Allowance,
    ) -> Result<Status, PlacedFault> {
        let mut is_silent = true;
        for index in 0..self.lanes.len() {
            let Some(ticks) = self.spending.deadline(count, self.position, allowance) else {
                return Err(self.broken("fx_process", Fault::OutOfFileTime, index));
            };
            let lane = &mut self.lanes[index];
            let result = lane.process(block, start, count, ticks);
            self.spending.add(lane.guest.ticks_taken(), allowance);
            match result {
                Ok(code) => is_silent &= code == 1,
                Err((failed, frame)) => {
                    let fault = self.accounted(failed.fault, count, allowance);
                    let at = self.position + frame as u64;
                    return Err(PlacedFault { call: failed.call, fault, at, lane: index });
                }
            }
        }
        Ok(if is_silent { Status::Silent } else { Status::Continue })
    }

    /// Which of the two budgets was used up.
    fn accounted(&self, fault: Fault, count: usize, allowance: &Allowance) -> Fault {
        let has_time = self.spending.deadline(count, self.position, allowance).is_some();
        if fault == Fault::OutOfTime && !has_time { Fault::OutOfFileTime } else { fault }
    }

    fn set_in_lanes(
        &mut self,
        id: u32,
        value: f64,
        allowance: &mut Allowance,
    ) -> Result<(), PlacedFault> {
        self.in_lanes("fx_set_param", allowance, |guest, ticks| guest.set_param(id, value, ticks))
    }

    /// A call of every instance that is not about frames.
    fn in_lanes(
        &mut self,
        name: &'static str,
        allowance: &mut Allowance,
        mut call: impl FnMut(&mut Guest, u64) -> Result<(), CallFault>,
    ) -> Result<(), PlacedFault> {
        for index in 0..self.lanes.len() {
            let deadline = self.spending.deadline(self.max_frames, self.position, allowance);
            let Some(ticks) = deadline else {
                return Err(self.broken(name, Fault::OutOfFileTime, index));
            };
            let guest = &mut self.lanes[index].guest;
            let result = call(guest, ticks);
            self.spending.add(guest.ticks_taken(), allowance);
            result.map_err(|failed| self.broken(failed.call, failed.fault, index))?;
        }
        Ok(())
    }

    fn broken(&self, call: &'static str, fault: Fault, lane: usize) -> PlacedFault {
        PlacedFault { call, fault, at: self.position, lane }
    }

    /// The fault with what the module says about it. Not real-time: allocates and calls the module.
    pub fn explain(&mut self, broken: PlacedFault) -> Failure {
        let ticks = self.module.sandbox().budgets().describe;
        // A sample that is wrong is nothing the module knows of.
        let may_say = !matches!(broken.fault, Fault::Sample { .. } | Fault::Channels);
        let lane = self.lanes.get_mut(broken.lane).filter(|_| may_say);
        Failure {
            said: lane.and_then(|lane| lane.guest.said(ticks)),
            effect: self.name(),
            call: broken.call,
            fault: broken.fault,
            engine: None,
            at: Some(Frames(broken.at)),
        }
    }

    /// Processes silence and forgets it, where the module can forget, so that the first block finds memory and
    /// code where they belong. Not real-time.
    ///
    /// # Errors
    /// When the module breaks.
    pub fn warm_up(&mut self) -> Result<(), PlacedFault> {
        /// The first call faults pages in, the second shows the caches what repeats.
        const BLOCKS: usize = 2;
        if self.lanes.iter().all(|lane| lane.guest.can_reset()) {
            for _ in 0..BLOCKS {
                let mut block = Block::new(self.channel_count, self.max_frames);
                block.set_frame_count(self.max_frames);
                let mut allowance = Allowance::offline(self.max_frames, self.sample_rate);
                let _ = self.advance(&mut block, 0, self.max_frames, &mut allowance)?;
            }
            self.reset_if_real_time();
        }
        self.broken.map_or(Ok(()), Err)
    }

    /// Forgets the signal, with the parameters of now, where that takes no fresh instance; says `false` and does
    /// nothing where the module has no `fx_reset` or broke. Real-time.
    pub fn reset_if_real_time(&mut self) -> bool {
        let can_reset = self.lanes.iter().all(|lane| lane.guest.can_reset());
        if !can_reset || self.broken.is_some() {
            return false;
        }
        let _flush = FlushDenormals::on();
        if let Err(broken) = self.restart() {
            self.broken = Some(broken);
        }
        true
    }

    /// The state after creation, with the settings of now.
    fn restart(&mut self) -> Result<(), PlacedFault> {
        let is_automated = self.changes.is_begun();
        self.position = 0;
        self.changes.rewind();
        self.spending.restart();
        let mut allowance = self.usual_allowance(self.max_frames);
        if is_automated {
            for index in 0..self.settings.len() {
                let (id, value) = self.settings[index];
                if self.param(id).is_some_and(|param| param.is_automatable) {
                    self.set_in_lanes(id, value, &mut allowance)?;
                }
            }
        }
        self.in_lanes("fx_reset", &mut allowance, Guest::reset)
    }
}

impl Processor for Effect {
    fn process(&mut self, block: &mut Block) -> Status {
        let mut allowance = self.usual_allowance(block.frame_count());
        match self.advance(block, 0, block.frame_count(), &mut allowance) {
            Ok(status) => status,
            Err(broken) => {
                if self.failure.is_none() {
                    self.failure = Some(self.explain(broken).to_string());
                }
                Status::Failed
            }
        }
    }

    /// Real-time for a module with `fx_reset`; another one gets fresh instances.
    fn reset(&mut self) {
        if self.reset_if_real_time() {
            return;
        }
        self.position = 0;
        self.changes.rewind();
        self.spending.restart();
        self.failure = None;
        self.broken = None;
        if let Err(error) = self.make_lanes() {
            self.broken = Some(self.broken("fx_create", Fault::Host, usize::MAX));
            self.failure = Some(error.to_string());
        }
    }

    fn properties(&self) -> Properties {
        Properties { latency: self.latency, tail: self.tail, ..Properties::default() }
    }

    fn report(&self) -> StepReport {
        let description = self.module.description();
        let mut findings = vec![
            Finding::text("effect", format!("{} {}", description.id, description.version)),
            Finding::text("sha256", self.module.sha256()),
        ];
        let log = self.log();
        if !log.is_empty() {
            findings.push(Finding::text("log", log.join("\n")));
        }
        StepReport { findings, failure: self.failure.clone() }
    }
}
