//! One instance of a module: its store, its memory and its functions.

use crate::deadline;
use crate::fault::Fault;
use crate::host::Host;
use crate::limiter;
use crate::limits;
use crate::planes::{Planes, PlanesError};
use crate::rewrite::Pages;
use crate::sandbox::Mode;
use crate::text::{self, TextError};
use crate::ticker::{self, Running};
use thiserror::Error;
use wasmtime::{Instance, InstancePre, Memory, Store, TypedFunc, WasmParams, WasmResults};

/// An instance. Its calls never overlap, because each takes it as `&mut`.
pub(crate) struct Guest {
    store: Store<Host>,
    memory: Memory,
    calls: Calls,
    running: Running,
    /// The tick at which the latest call began, of files.
    begin: u64,
    is_live: bool,
}

/// The exports, looked up once.
struct Calls {
    describe: TypedFunc<(), i32>,
    create: TypedFunc<(f64, i32, i32), i32>,
    input: TypedFunc<i32, i32>,
    output: TypedFunc<i32, i32>,
    process: TypedFunc<i32, i32>,
    set_param: Option<TypedFunc<(i32, f64), ()>>,
    reset: Option<TypedFunc<(), ()>>,
    latency: Option<TypedFunc<(), i32>>,
    tail: Option<TypedFunc<(), i32>>,
    error: Option<TypedFunc<(), i32>>,
    meter: Option<TypedFunc<i32, f32>>,
}

/// The arguments of `fx_create`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stream {
    pub(crate) sample_rate_hz: u32,
    pub(crate) channel_count: u32,
    pub(crate) max_frames: u32,
}

/// What an instance says after `fx_create`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InstanceInfo {
    pub(crate) planes: Planes,
    pub(crate) times: Times,
}

/// Latency and tail.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Times {
    /// In frames.
    pub(crate) latency: u32,
    /// In frames; [`TAIL_INFINITE`] means for ever.
    pub(crate) tail: u32,
}

/// What `fx_tail` returns for ever.
pub(crate) const TAIL_INFINITE: u32 = u32::MAX;

/// A call that ended badly.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error("{call} {fault}")]
pub(crate) struct CallFault {
    pub(crate) call: &'static str,
    pub(crate) fault: Fault,
}

/// An instance that cannot be made.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{failed}{}", engine.as_ref().map_or(String::new(), |engine| format!(": {engine}")))]
pub(crate) struct StartError {
    pub(crate) failed: CallFault,
    /// What the engine says where the module is not to blame.
    pub(crate) engine: Option<String>,
}

impl From<CallFault> for StartError {
    fn from(failed: CallFault) -> Self {
        Self { failed, engine: None }
    }
}

impl StartError {
    fn of(error: &wasmtime::Error) -> Self {
        let fault = Fault::of(error);
        let engine = (fault == Fault::Host).then(|| format!("{error:#}").replace('\n', " "));
        Self { failed: CallFault { call: "instantiating it", fault }, engine }
    }
}

/// A description that cannot be had.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub(crate) enum DescribeError {
    #[error("{0}")]
    Failed(#[from] CallFault),
    #[error("fx_describe {0}")]
    Text(#[from] TextError),
}

/// A stream that cannot be prepared for.
#[derive(Clone, Debug, Error, PartialEq)]
pub(crate) enum PrepareError {
    #[error("{0}")]
    Failed(#[from] CallFault),
    #[error("{0}")]
    Planes(#[from] PlanesError),
}

impl Calls {
    /// # Errors
    /// Never for a module that [`contract::verify`](crate::contract::verify) let pass.
    fn of(instance: &Instance, store: &mut Store<Host>) -> wasmtime::Result<Self> {
        Ok(Self {
            describe: instance.get_typed_func(&mut *store, "fx_describe")?,
            create: instance.get_typed_func(&mut *store, "fx_create")?,
            input: instance.get_typed_func(&mut *store, "fx_in")?,
            output: instance.get_typed_func(&mut *store, "fx_out")?,
            process: instance.get_typed_func(&mut *store, "fx_process")?,
            set_param: optional(instance, store, "fx_set_param"),
            reset: optional(instance, store, "fx_reset"),
            latency: optional(instance, store, "fx_latency"),
            tail: optional(instance, store, "fx_tail"),
            error: optional(instance, store, "fx_error"),
            meter: optional(instance, store, "fx_meter"),
        })
    }
}

fn optional<P: WasmParams, R: WasmResults>(
    instance: &Instance,
    store: &mut Store<Host>,
    name: &str,
) -> Option<TypedFunc<P, R>> {
    instance.get_typed_func(store, name).ok()
}

/// How many of a memory's bytes the module has.
fn had(bytes: usize, host: &Host) -> usize {
    host.limiter.pages().map_or(bytes, |pages| limiter::bytes(pages).min(bytes))
}

/// Calls; the deadline was set before. Real-time as long as it does not trap.
fn call<P: WasmParams, R: WasmResults>(
    store: &mut Store<Host>,
    function: &TypedFunc<P, R>,
    params: P,
) -> Result<R, Fault> {
    function.call(store, params).map_err(|error| Fault::of(&error))
}

impl Guest {
    /// Instantiates: the start function runs, then `_initialize`, each with this deadline.
    ///
    /// # Errors
    /// A trap in either, or data that does not fit the memory.
    pub(crate) fn new(
        module: &InstancePre<Host>,
        memory_mib: u32,
        mode: Mode,
        ticks: u64,
    ) -> Result<Self, StartError> {
        let running = Running::new(ticker::of(mode));
        let mut store = Store::new(
            module.module().engine(),
            Host::new(memory_mib, Pages::of(module.module(), mode)),
        );
        store.limiter(|host| &mut host.limiter);
        if mode == Mode::Live {
            store.epoch_deadline_callback(|mut store| {
                Ok(store.data_mut().deadline.look(deadline::worked))
            });
        }
        let failed = |error| StartError::of(&error);
        if mode == Mode::Metered {
            store.set_fuel(u64::MAX).map_err(failed)?;
        }
        running.ticker().wake_for(ticks);
        let first = store.data_mut().deadline.begin(ticks);
        store.set_epoch_deadline(if mode == Mode::Live { first } else { ticks });
        let instance = module.instantiate(&mut store).map_err(failed)?;
        let no_memory = CallFault { call: "memory", fault: Fault::Host };
        let memory = instance.get_memory(&mut store, "memory").ok_or(no_memory)?;
        let calls = Calls::of(&instance, &mut store).map_err(failed)?;
        let initialize: Option<TypedFunc<(), ()>> = optional(&instance, &mut store, "_initialize");
        let is_live = mode == Mode::Live;
        let mut guest = Self { store, memory, calls, running, begin: 0, is_live };
        if let Some(initialize) = initialize {
            guest.allow(ticks);
            call(&mut guest.store, &initialize, ())
                .map_err(|fault| CallFault { call: "_initialize", fault })?;
        }
        Ok(guest)
    }

    /// Time for the calls that follow, up to the next of these. Real-time.
    fn allow(&mut self, ticks: u64) {
        self.running.ticker().wake_for(ticks);
        self.begin = self.running.ticker().now();
        let until = if self.is_live { self.store.data_mut().deadline.begin(ticks) } else { ticks };
        self.store.set_epoch_deadline(until);
    }

    /// Ticks that the latest calls took: those since [`allow`](Self::allow). Real-time.
    pub(crate) fn ticks_taken(&self) -> u64 {
        if self.is_live {
            self.store.data().deadline.taken()
        } else {
            self.running.ticker().now() - self.begin
        }
    }

    /// The description, as the module wrote it.
    pub(crate) fn describe(&mut self, ticks: u64) -> Result<Vec<u8>, DescribeError> {
        self.allow(ticks);
        let address = call(&mut self.store, &self.calls.describe, ())
            .map_err(|fault| CallFault { call: "fx_describe", fault })?;
        let memory = self.memory();
        let text = text::terminated(memory, address.cast_unsigned(), limits::DESCRIPTION_BYTES_MAX);
        Ok(text?.to_vec())
    }

    /// Sets the parameters, calls `fx_create` and asks for everything it decided; all within one
    /// deadline. From then on the memory cannot grow.
    pub(crate) fn prepare(
        &mut self,
        stream: Stream,
        params: impl Iterator<Item = (u32, f64)>,
        ticks: u64,
    ) -> Result<InstanceInfo, PrepareError> {
        self.allow(ticks);
        for (id, value) in params {
            self.set_param_in_time(id, value)?;
        }
        let params = (
            f64::from(stream.sample_rate_hz),
            stream.channel_count.cast_signed(),
            stream.max_frames.cast_signed(),
        );
        let create = |fault| CallFault { call: "fx_create", fault };
        let code = call(&mut self.store, &self.calls.create, params);
        let code = code.map_err(create)?;
        if code != 0 {
            return Err(create(Fault::Returned(code)).into());
        }
        self.store.data_mut().limiter.seal();
        if self.is_live {
            self.touch_memory();
        }
        let planes = self.planes(stream)?;
        let latency = self.number("fx_latency", |calls| calls.latency.as_ref())?;
        let tail = self.number("fx_tail", |calls| calls.tail.as_ref())?;
        Ok(InstanceInfo { planes, times: Times { latency, tail } })
    }

    /// Writes to every page, so that no page is made while audio runs.
    fn touch_memory(&mut self) {
        /// The smallest page of the systems we know.
        const PAGE_BYTES: usize = 4096;
        for page in self.memory_mut().chunks_mut(PAGE_BYTES) {
            // The compiler must not see that this changes nothing.
            page[0] = std::hint::black_box(page[0]);
        }
    }

    fn planes(&mut self, stream: Stream) -> Result<Planes, PrepareError> {
        let mut addresses = [Vec::new(), Vec::new()];
        for channel in 0..stream.channel_count {
            let both = [("fx_in", &self.calls.input), ("fx_out", &self.calls.output)];
            for ((name, function), addresses) in both.into_iter().zip(&mut addresses) {
                let channel = channel.cast_signed();
                let address = call(&mut self.store, function, channel)
                    .map_err(|fault| CallFault { call: name, fault })?;
                addresses.push(address.cast_unsigned());
            }
        }
        let [inputs, outputs] = addresses;
        let memory_bytes = self.memory().len();
        Ok(Planes::new(&inputs, &outputs, stream.max_frames, memory_bytes)?)
    }

    fn number(
        &mut self,
        name: &'static str,
        function: fn(&Calls) -> Option<&TypedFunc<(), i32>>,
    ) -> Result<u32, CallFault> {
        let Some(function) = function(&self.calls) else { return Ok(0) };
        call(&mut self.store, function, ())
            .map(i32::cast_unsigned)
            .map_err(|fault| CallFault { call: name, fault })
    }

    fn set_param_in_time(&mut self, id: u32, value: f64) -> Result<(), CallFault> {
        let Some(function) = &self.calls.set_param else { return Ok(()) };
        call(&mut self.store, function, (id.cast_signed(), value))
            .map_err(|fault| CallFault { call: "fx_set_param", fault })
    }

    /// Sets a parameter. Real-time.
    pub(crate) fn set_param(&mut self, id: u32, value: f64, ticks: u64) -> Result<(), CallFault> {
        self.allow(ticks);
        self.set_param_in_time(id, value)
    }

    /// Calls `fx_process`; returns its code, which is 0 or 1. Real-time.
    pub(crate) fn process(&mut self, frames: u32, ticks: u64) -> Result<i32, CallFault> {
        self.allow(ticks);
        let frames = frames.cast_signed();
        let code = call(&mut self.store, &self.calls.process, frames);
        match code {
            Ok(code @ (0 | 1)) => Ok(code),
            Ok(code) => Err(CallFault { call: "fx_process", fault: Fault::Returned(code) }),
            Err(fault) => Err(CallFault { call: "fx_process", fault }),
        }
    }

    /// Whether [`Self::reset`] does anything.
    pub(crate) fn can_reset(&self) -> bool {
        self.calls.reset.is_some()
    }

    /// Calls `fx_reset` if there is one. Real-time.
    pub(crate) fn reset(&mut self, ticks: u64) -> Result<(), CallFault> {
        self.allow(ticks);
        let Some(function) = &self.calls.reset else { return Ok(()) };
        call(&mut self.store, function, ()).map_err(|fault| CallFault { call: "fx_reset", fault })
    }

    /// Calls `fx_meter`; 0 where there is none. Real-time.
    pub(crate) fn meter(&mut self, index: u32, ticks: u64) -> Result<f32, CallFault> {
        self.allow(ticks);
        let Some(function) = &self.calls.meter else { return Ok(0.0) };
        call(&mut self.store, function, index.cast_signed())
            .map_err(|fault| CallFault { call: "fx_meter", fault })
    }

    /// What the module says about its last error: by `env.abort`, else by `fx_error`.
    pub(crate) fn said(&mut self, ticks: u64) -> Option<String> {
        if let Some(abort) = self.store.data_mut().abort.take() {
            return Some(abort.text(self.memory()));
        }
        self.allow(ticks);
        let function = self.calls.error.as_ref()?;
        let address = call(&mut self.store, function, ()).ok()?.cast_unsigned();
        let memory = self.memory();
        let bytes = text::terminated(memory, address, limits::ERROR_BYTES_MAX).ok()?;
        text::line(bytes, limits::ERROR_BYTES_MAX)
    }

    /// The memory that the module has. Real-time.
    pub(crate) fn memory(&self) -> &[u8] {
        let memory = self.memory.data(&self.store);
        &memory[..had(memory.len(), self.store.data())]
    }

    /// The memory, to write inputs. Real-time.
    pub(crate) fn memory_mut(&mut self) -> &mut [u8] {
        let (memory, host) = self.memory.data_and_store_mut(&mut self.store);
        let had = had(memory.len(), host);
        &mut memory[..had]
    }

    /// Lines of `fx.log`.
    pub(crate) fn log(&self) -> &[String] {
        &self.store.data().log
    }

    /// Whether the module asked for memory after `fx_create`.
    pub(crate) fn refused_growth(&self) -> bool {
        self.store.data().limiter.refused_growth()
    }

    /// Fuel used since instantiation; `None` where none is counted.
    pub(crate) fn fuel_used(&self) -> Option<u64> {
        self.store.get_fuel().ok().map(|left| u64::MAX - left)
    }
}
