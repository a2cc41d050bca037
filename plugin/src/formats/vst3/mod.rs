//! The VST3 entry point: the framework's component behind one that notes the mode and checks every block.

// The names are those of the interfaces.
#![allow(non_snake_case, reason = "the names of the VST3 interfaces")]

mod outputs;

use crate::exported::{Exported, Offer, offer};
use crate::formats::buses::{Bus, Buses};
use crate::formats::outputs::Output;
use crate::formats::session::{ParamName, Session};
use crate::{Rack, Wavemill};
use nice_plug::prelude::Vst3Plugin;
use nice_plug::wrapper::setup_logger;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    self, AudioBusBuffers, BusDirection, BusInfo, ChannelContext, IAttributeList, IAudioProcessor,
    IAudioProcessorTrait, IComponent, IComponentHandler, IComponentHandlerTrait, IComponentTrait,
    IEditController, IEditControllerTrait, IProcessContextRequirements,
    IProcessContextRequirementsTrait, IUnitInfo, IUnitInfoTrait, IoMode, MediaType, ParamID,
    ParamValue, ParameterInfo, ParameterInfo_::ParameterFlags_, ProcessData, ProcessSetup,
    ProgramListID, ProgramListInfo, RestartFlags_, RoutingInfo, SpeakerArrangement, String128,
    TChar, UnitID, UnitInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IBStream, IPlugView, IPluginBaseTrait, IPluginFactory, IPluginFactory2,
    IPluginFactory2Trait, IPluginFactory3, IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo,
    PClassInfo2, PClassInfoW, PFactoryInfo, TBool, TUID, int16, int32, kInvalidArgument,
    kNotInitialized, kResultOk, tresult, uint32,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComRef, ComWrapper};
use nice_plug::wrapper::vst3::{PluginInfo, Wrapper};
use parking_lot::Mutex;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use wavemill_core::audio::ChannelLayout;

/// An instance as the host sees it.
struct Component<P: Vst3Plugin> {
    framework: Wrapper<P>,
    session: Arc<Session>,
    /// The mode of the setup in force is offline.
    is_offline: AtomicBool,
    is_set_up: AtomicBool,
    handler: Arc<Mutex<Option<Handler>>>,
}

/// What the host wants to be informed by; on its main thread only.
struct Handler(ComPtr<IComponentHandler>);

// SAFETY: it is called on the host's main thread only; references are counted by the host, as by all objects of VST3.
unsafe impl Send for Handler {}

impl Handler {
    /// Lets the host read names and values anew.
    fn rescan(&self) {
        let changed = RestartFlags_::kParamTitlesChanged | RestartFlags_::kParamValuesChanged;
        // SAFETY: this is the host's main thread.
        let _ = unsafe { self.0.restartComponent(changed) };
    }
}

/// What a parameter stands for at this moment.
fn write_name(info: &mut ParameterInfo, name: &ParamName) {
    outputs::write_text(&mut info.title, &name.name);
    outputs::write_text(&mut info.shortTitle, &name.name);
    info.defaultNormalizedValue = name.default;
    if name.is_hidden {
        info.flags = ParameterFlags_::kIsReadOnly | ParameterFlags_::kIsHidden;
    }
}

impl<P: Vst3Plugin> Component<P> {
    fn new() -> Self {
        let framework = Wrapper::new();
        let session = Session::of_latest();
        let handler = Arc::new(Mutex::new(None::<Handler>));
        let to_inform = Arc::clone(&handler);
        session.set_rescan(move || {
            if let Some(handler) = &*to_inform.lock() {
                handler.rescan();
            }
        });
        Self {
            framework,
            session,
            handler,
            is_offline: AtomicBool::new(false),
            is_set_up: AtomicBool::new(false),
        }
    }

    /// One of those that are only read, and its place.
    fn output(&self, id: ParamID) -> Option<(usize, &'static Output)> {
        self.session.readout()?.by_id(id)
    }

    /// One of those by its place behind the framework's.
    fn output_behind(&self, index: int32) -> Option<&'static Output> {
        self.session.readout()?.list().get(usize::try_from(index).ok()?)
    }

    /// One block. Real-time, but for offline renders.
    ///
    /// # Safety
    /// As VST3 says of `process`.
    unsafe fn block(&self, data: &ProcessData) -> tresult {
        // Some hosts say it in the setup, Ardour with each block, JUCE in both.
        let is_offline = self.is_offline.load(Ordering::Relaxed) || is_offline(data.processMode);
        self.session.set_offline(is_offline);
        if !self.is_set_up.load(Ordering::Acquire) || data.symbolicSampleSize != SAMPLE_32 {
            return kNotInitialized;
        }
        let mut data = *data;
        // SAFETY: the host's promise.
        let buses = unsafe {
            Buses {
                input: main_bus(data.inputs, data.numInputs),
                output: main_bus(data.outputs, data.numOutputs),
            }
        };
        let channel_count = self.session.channel_count();
        if data.numSamples < 0 || channel_count.is_none_or(|count| !buses.fit(count)) {
            // SAFETY: the host's promise.
            unsafe { buses.pass(usize::try_from(data.numSamples).unwrap_or(0)) };
            // What remains are changes of parameters.
            (data.numSamples, data.numInputs, data.numOutputs) = (0, 0, 0);
            (data.inputs, data.outputs) = (ptr::null_mut(), ptr::null_mut());
        }
        // SAFETY: the host's promise, and the framework's is checked.
        let result = unsafe { self.framework.process(&raw mut data) };
        if let Some(readout) = self.session.readout() {
            // SAFETY: as above.
            unsafe { outputs::send(readout, data.outputParameterChanges, data.numSamples) };
        }
        if channel_count.is_none() { kNotInitialized } else { result }
    }
}

#[allow(
    clippy::cast_possible_wrap,
    clippy::unnecessary_cast,
    reason = "the type of these constants depends on the system; they are small"
)]
const CODES: (int32, int32) =
    (Vst::SymbolicSampleSizes_::kSample32 as int32, Vst::ProcessModes_::kOffline as int32);
const SAMPLE_32: int32 = CODES.0;
const OFFLINE: int32 = CODES.1;

fn is_offline(mode: int32) -> bool {
    mode == OFFLINE
}

/// # Safety
/// `buses` is null, or points to so many buses.
unsafe fn main_bus<'a>(buses: *mut AudioBusBuffers, count: int32) -> Bus<'a> {
    if buses.is_null() || count < 1 {
        // SAFETY: there is nothing.
        return unsafe { Bus::new(ptr::null_mut(), 0) };
    }
    // SAFETY: there is a first one, and its samples are floats of 32 bits.
    unsafe {
        let planes = (*buses).__field0.channelBuffers32;
        Bus::new(planes, usize::try_from((*buses).numChannels).unwrap_or(0))
    }
}

impl<P: Vst3Plugin> Class for Component<P> {
    type Interfaces = (
        IComponent,
        IEditController,
        IAudioProcessor,
        IProcessContextRequirements,
        IUnitInfo,
        ChannelContext::IInfoListener,
    );
}

/// Hands calls on to the framework as they are.
macro_rules! passed_on {
    ($interface:path: $($name:ident($($word:ident: $kind:ty),*) -> $result:ty;)*) => {
        $(unsafe fn $name(&self, $($word: $kind),*) -> $result {
            // SAFETY: the host's promise to us is that to the framework.
            unsafe { <Wrapper<P> as $interface>::$name(&self.framework, $($word),*) }
        })*
    };
}

impl<P: Vst3Plugin> IPluginBaseTrait for Component<P> {
    passed_on! { IPluginBaseTrait:
        initialize(context: *mut FUnknown) -> tresult;
        terminate() -> tresult;
    }
}

impl<P: Vst3Plugin> IComponentTrait for Component<P> {
    passed_on! { IComponentTrait:
        getControllerClassId(id: *mut TUID) -> tresult;
        setIoMode(mode: IoMode) -> tresult;
        getBusCount(kind: MediaType, dir: BusDirection) -> int32;
        getBusInfo(kind: MediaType, dir: BusDirection, index: int32, bus: *mut BusInfo) -> tresult;
        getRoutingInfo(from: *mut RoutingInfo, to: *mut RoutingInfo) -> tresult;
        activateBus(kind: MediaType, dir: BusDirection, index: int32, state: TBool) -> tresult;
        setActive(state: TBool) -> tresult;
        setState(state: *mut IBStream) -> tresult;
        getState(state: *mut IBStream) -> tresult;
    }
}

impl<P: Vst3Plugin> IAudioProcessorTrait for Component<P> {
    passed_on! { IAudioProcessorTrait:
        setBusArrangements(
            inputs: *mut SpeakerArrangement, input_count: int32,
            outputs: *mut SpeakerArrangement, output_count: int32
        ) -> tresult;
        canProcessSampleSize(size: int32) -> tresult;
        getLatencySamples() -> uint32;
        setProcessing(state: TBool) -> tresult;
        getTailSamples() -> uint32;
    }

    /// The framework names loudspeakers of up to eight channels, and of eight those that cinemas have behind the screen.
    unsafe fn getBusArrangement(
        &self,
        dir: BusDirection,
        index: int32,
        to: *mut SpeakerArrangement,
    ) -> tresult {
        // SAFETY: all of it may be zero.
        let mut bus: BusInfo = unsafe { std::mem::zeroed() };
        // SAFETY: the host's promise, and the structure is there.
        let found = unsafe { self.framework.getBusInfo(AUDIO, dir, index, &raw mut bus) };
        match arrangement(bus.channelCount).filter(|_| found == kResultOk && !to.is_null()) {
            Some(speakers) => {
                // SAFETY: the host's promise.
                unsafe { *to = speakers };
                kResultOk
            }
            // SAFETY: the host's promise.
            None => unsafe { self.framework.getBusArrangement(dir, index, to) },
        }
    }

    unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
        // SAFETY: the host's promise.
        let Some(given) = (unsafe { setup.as_ref() }) else { return kInvalidArgument };
        self.is_offline.store(is_offline(given.processMode), Ordering::Relaxed);
        self.session.set_offline(is_offline(given.processMode));
        // SAFETY: as above.
        let result = unsafe { self.framework.setupProcessing(setup) };
        self.is_set_up.fetch_or(result == kResultOk, Ordering::Release);
        result
    }

    unsafe fn process(&self, data: *mut ProcessData) -> tresult {
        // SAFETY: the host's promise.
        unsafe { data.as_ref().map_or(kInvalidArgument, |data| self.block(data)) }
    }
}

/// Source: `MediaTypes` of VST3, whose type depends on the system.
const AUDIO: MediaType = 0;

/// The loudspeakers of so many channels, where the framework has none, or others than we measure. Bits are those of the
/// mask of WAVE files.
fn arrangement(channel_count: i32) -> Option<SpeakerArrangement> {
    let count = usize::try_from(channel_count).ok()?;
    let mask = matches!(count, 3 | 4 | 8 | 10 | 12).then(|| ChannelLayout::usual(count).mask());
    mask.flatten().map(SpeakerArrangement::from)
}

impl<P: Vst3Plugin> IEditControllerTrait for Component<P> {
    passed_on! { IEditControllerTrait:
        setComponentState(state: *mut IBStream) -> tresult;
        setState(state: *mut IBStream) -> tresult;
        getState(state: *mut IBStream) -> tresult;
        createView(name: FIDString) -> *mut IPlugView;
    }

    unsafe fn getParameterCount(&self) -> int32 {
        let outputs = self.session.readout().map_or(0, |readout| readout.list().len());
        // SAFETY: the host's promise.
        let of_framework = unsafe { self.framework.getParameterCount() };
        of_framework + int32::try_from(outputs).unwrap_or(0)
    }

    unsafe fn getParameterInfo(&self, index: int32, info: *mut ParameterInfo) -> tresult {
        // SAFETY: the host's promise. The framework checks the index one too late.
        let result = unsafe {
            let count = self.framework.getParameterCount();
            if index >= count {
                let output = self.output_behind(index - count);
                return write_info(info, output.map(outputs::info_of));
            }
            self.framework.getParameterInfo(index, info)
        };
        let names = self.session.names();
        let name =
            usize::try_from(index).ok().zip(names).and_then(|(index, names)| names.param(index));
        if let Some(name) = name.filter(|_| result == kResultOk) {
            // SAFETY: it was written.
            unsafe { write_name(&mut *info, &name) };
        }
        result
    }

    unsafe fn getParamStringByValue(
        &self,
        id: ParamID,
        value: ParamValue,
        words: *mut String128,
    ) -> tresult {
        let Some((_, output)) = self.output(id) else {
            // SAFETY: the host's promise.
            return unsafe { self.framework.getParamStringByValue(id, value, words) };
        };
        // SAFETY: as above.
        let Some(words) = (unsafe { words.as_mut() }) else { return kInvalidArgument };
        outputs::write_text(words, &output.text(output.of_normalized(value)));
        kResultOk
    }

    unsafe fn getParamValueByString(
        &self,
        id: ParamID,
        words: *mut TChar,
        value: *mut ParamValue,
    ) -> tresult {
        let Some((_, output)) = self.output(id) else {
            // SAFETY: the host's promise.
            return unsafe { self.framework.getParamValueByString(id, words, value) };
        };
        // SAFETY: as above.
        let text = unsafe { outputs::read_text(words) };
        let parsed = text.and_then(|text| output.parse(&text));
        // SAFETY: as above.
        unsafe { write_info(value, parsed.map(|plain| output.normalized(plain))) }
    }

    unsafe fn normalizedParamToPlain(&self, id: ParamID, value: ParamValue) -> ParamValue {
        match self.output(id) {
            Some((_, output)) => output.of_normalized(value),
            // SAFETY: the host's promise.
            None => unsafe { self.framework.normalizedParamToPlain(id, value) },
        }
    }

    unsafe fn plainParamToNormalized(&self, id: ParamID, value: ParamValue) -> ParamValue {
        match self.output(id) {
            Some((_, output)) => output.normalized(value),
            // SAFETY: the host's promise.
            None => unsafe { self.framework.plainParamToNormalized(id, value) },
        }
    }

    unsafe fn getParamNormalized(&self, id: ParamID) -> ParamValue {
        match (self.session.readout(), self.output(id)) {
            (Some(readout), Some((index, output))) => output.normalized(readout.fresh(index)),
            // SAFETY: the host's promise.
            _ => unsafe { self.framework.getParamNormalized(id) },
        }
    }

    unsafe fn setParamNormalized(&self, id: ParamID, value: ParamValue) -> tresult {
        if self.output(id).is_some() {
            // Hosts bring here what the processor sent; this object knows it already.
            return kResultOk;
        }
        // SAFETY: the host's promise.
        unsafe { self.framework.setParamNormalized(id, value) }
    }

    unsafe fn setComponentHandler(&self, handler: *mut IComponentHandler) -> tresult {
        // SAFETY: the host's promise.
        let own = unsafe { ComRef::from_raw(handler) }.map(|handler| handler.to_com_ptr());
        *self.handler.lock() = own.map(Handler);
        // SAFETY: as above.
        unsafe { self.framework.setComponentHandler(handler) }
    }
}

impl<P: Vst3Plugin> IProcessContextRequirementsTrait for Component<P> {
    passed_on! { IProcessContextRequirementsTrait: getProcessContextRequirements() -> uint32; }
}

impl<P: Vst3Plugin> IUnitInfoTrait for Component<P> {
    passed_on! { IUnitInfoTrait:
        getUnitCount() -> int32;
        getUnitInfo(index: int32, info: *mut UnitInfo) -> tresult;
        getProgramListCount() -> int32;
        getProgramListInfo(index: int32, info: *mut ProgramListInfo) -> tresult;
        getProgramName(list: ProgramListID, program: int32, name: *mut String128) -> tresult;
        getProgramInfo(
            list: ProgramListID, program: int32, name: Vst::CString, value: *mut String128
        ) -> tresult;
        hasProgramPitchNames(list: ProgramListID, program: int32) -> tresult;
        getProgramPitchName(
            list: ProgramListID, program: int32, pitch: int16, name: *mut String128
        ) -> tresult;
        getSelectedUnit() -> UnitID;
        selectUnit(id: UnitID) -> tresult;
        getUnitByBus(
            kind: MediaType, dir: BusDirection, bus: int32, channel: int32, id: *mut UnitID
        ) -> tresult;
        setUnitProgramData(id: int32, program: int32, data: *mut IBStream) -> tresult;
    }
}

impl<P: Vst3Plugin> ChannelContext::IInfoListenerTrait for Component<P> {
    passed_on! { ChannelContext::IInfoListenerTrait:
        setChannelContextInfos(list: *mut IAttributeList) -> tresult;
    }
}

/// A class of the factory.
struct Product {
    info: PluginInfo,
    make: fn(*const TUID, *mut *mut c_void) -> tresult,
}

impl Product {
    fn of<P: Vst3Plugin>() -> Self {
        Self { info: PluginInfo::for_plugin::<P>(), make: make::<P> }
    }

    fn exported(effect: &'static Exported) -> Self {
        let info = PluginInfo {
            cid: &effect.vst3_id,
            name: &effect.name,
            subcategories: "Fx".to_owned(),
            vendor: &effect.vendor,
            version: &effect.version,
            url: &effect.homepage,
            email: "",
        };
        Self { info, make: make::<Rack> }
    }

    /// What hosts see, in order.
    fn all() -> Vec<Self> {
        match offer() {
            Offer::Wavemill => vec![Self::of::<Wavemill>(), Self::of::<Rack>()],
            Offer::Effect(effect) => vec![Self::exported(effect)],
            Offer::Nothing => Vec::new(),
        }
    }
}

fn make<P: Vst3Plugin>(iid: *const TUID, obj: *mut *mut c_void) -> tresult {
    let component = ComWrapper::new(Component::<P>::new());
    let Some(unknown) = component.as_com_ref::<FUnknown>() else { return kInvalidArgument };
    let unknown = unknown.as_ptr();
    // SAFETY: the object lives until this function returns, and longer if someone asked for it; the pointers are the
    // host's.
    unsafe { ((*(*unknown).vtbl).queryInterface)(unknown, iid, obj) }
}

/// Makes instances.
struct Factory(Vec<Product>);

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

impl Factory {
    fn at(&self, index: int32) -> Option<&PluginInfo> {
        self.0.get(usize::try_from(index).ok()?).map(|product| &product.info)
    }
}

/// Writes what the host asks for.
///
/// # Safety
/// `to` is null, or can be written.
unsafe fn write_info<T>(to: *mut T, info: Option<T>) -> tresult {
    let Some(info) = info.filter(|_| !to.is_null()) else { return kInvalidArgument };
    // SAFETY: the caller's promise.
    unsafe { to.write(info) };
    kResultOk
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        let own = || PluginInfo::for_plugin::<Rack>().create_factory_info();
        let first = self.at(0).map_or_else(own, PluginInfo::create_factory_info);
        // SAFETY: the host's promise.
        unsafe { write_info(info, Some(first)) }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "there are two at most"
    )]
    unsafe fn countClasses(&self) -> int32 {
        self.0.len() as int32
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        // SAFETY: the host's promise.
        unsafe { write_info(info, self.at(index).map(PluginInfo::create_class_info)) }
    }

    unsafe fn createInstance(
        &self,
        cid: FIDString,
        iid: FIDString,
        obj: *mut *mut c_void,
    ) -> tresult {
        if cid.is_null() || iid.is_null() || obj.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: identifiers have 16 bytes.
        let cid = unsafe { *cid.cast::<[u8; 16]>() };
        let product = self.0.iter().find(|product| *product.info.cid == cid);
        product.map_or(kInvalidArgument, |product| (product.make)(iid.cast::<TUID>(), obj))
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: the host's promise.
        unsafe { write_info(info, self.at(index).map(PluginInfo::create_class_info_2)) }
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: the host's promise.
        unsafe { write_info(info, self.at(index).map(PluginInfo::create_class_info_unicode)) }
    }

    unsafe fn setHostContext(&self, _context: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// What a host calls for a factory.
#[unsafe(no_mangle)]
pub extern "system" fn GetPluginFactory() -> *mut c_void {
    let factory = ComWrapper::new(Factory(Product::all()));
    factory
        .to_com_ptr::<IPluginFactory>()
        .map_or(ptr::null_mut(), |factory| factory.into_raw().cast())
}

/// Defines what hosts of a system call when they load and unload the library.
macro_rules! module {
    ($system:meta, $call:literal, $begin:ident($($word:ident: $kind:ty)?), $end:ident) => {
        #[cfg($system)]
        #[unsafe(no_mangle)]
        extern $call fn $begin($($word: $kind)?) -> bool {
            setup_logger::<Wavemill>();
            true
        }

        #[cfg($system)]
        #[unsafe(no_mangle)]
        extern $call fn $end() -> bool {
            true
        }
    };
}

module!(all(unix, not(target_os = "macos")), "C", ModuleEntry(_library: *mut c_void), ModuleExit);
module!(target_os = "macos", "C", bundleEntry(_bundle: *mut c_void), bundleExit);
module!(windows, "system", InitDll(), ExitDll);
