//! The VST3 entry point: the framework's component behind one that notes the mode and checks every block.

// The names are those of the interfaces.
#![allow(non_snake_case, reason = "the names of the VST3 interfaces")]

use super::buses::{Bus, Buses};
use super::session::Session;
use crate::Wavemill;
use nice_plug::wrapper::setup_logger;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    self, AudioBusBuffers, BusDirection, BusInfo, ChannelContext, IAttributeList, IAudioProcessor,
    IAudioProcessorTrait, IComponent, IComponentHandler, IComponentTrait, IEditController,
    IEditControllerTrait, IProcessContextRequirements, IProcessContextRequirementsTrait, IUnitInfo,
    IUnitInfoTrait, IoMode, MediaType, ParamID, ParamValue, ParameterInfo, ProcessData,
    ProcessSetup, ProgramListID, ProgramListInfo, RoutingInfo, SpeakerArrangement, String128,
    TChar, UnitID, UnitInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IBStream, IPlugView, IPluginBaseTrait, IPluginFactory, IPluginFactory2,
    IPluginFactory2Trait, IPluginFactory3, IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo,
    PClassInfo2, PClassInfoW, PFactoryInfo, TBool, TUID, int16, int32, kInvalidArgument,
    kNotInitialized, kResultOk, tresult, uint32,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};
use nice_plug::wrapper::vst3::{PluginInfo, Wrapper};
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An instance as the host sees it.
struct Component {
    framework: Wrapper<Wavemill>,
    session: Arc<Session>,
    /// The mode of the setup in force is offline.
    is_offline: AtomicBool,
    is_set_up: AtomicBool,
}

impl Component {
    fn new() -> Self {
        let framework = Wrapper::new();
        Self {
            framework,
            session: Session::of_latest(),
            is_offline: AtomicBool::new(false),
            is_set_up: AtomicBool::new(false),
        }
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

impl Class for Component {
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
            unsafe { <Wrapper<Wavemill> as $interface>::$name(&self.framework, $($word),*) }
        })*
    };
}

impl IPluginBaseTrait for Component {
    passed_on! { IPluginBaseTrait:
        initialize(context: *mut FUnknown) -> tresult;
        terminate() -> tresult;
    }
}

impl IComponentTrait for Component {
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

impl IAudioProcessorTrait for Component {
    passed_on! { IAudioProcessorTrait:
        setBusArrangements(
            inputs: *mut SpeakerArrangement, input_count: int32,
            outputs: *mut SpeakerArrangement, output_count: int32
        ) -> tresult;
        getBusArrangement(dir: BusDirection, index: int32, to: *mut SpeakerArrangement) -> tresult;
        canProcessSampleSize(size: int32) -> tresult;
        getLatencySamples() -> uint32;
        setProcessing(state: TBool) -> tresult;
        getTailSamples() -> uint32;
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

impl IEditControllerTrait for Component {
    passed_on! { IEditControllerTrait:
        setComponentState(state: *mut IBStream) -> tresult;
        setState(state: *mut IBStream) -> tresult;
        getState(state: *mut IBStream) -> tresult;
        getParameterCount() -> int32;
        getParameterInfo(index: int32, info: *mut ParameterInfo) -> tresult;
        getParamStringByValue(id: ParamID, value: ParamValue, words: *mut String128) -> tresult;
        getParamValueByString(id: ParamID, words: *mut TChar, value: *mut ParamValue) -> tresult;
        normalizedParamToPlain(id: ParamID, value: ParamValue) -> ParamValue;
        plainParamToNormalized(id: ParamID, value: ParamValue) -> ParamValue;
        getParamNormalized(id: ParamID) -> ParamValue;
        setParamNormalized(id: ParamID, value: ParamValue) -> tresult;
        setComponentHandler(handler: *mut IComponentHandler) -> tresult;
        createView(name: FIDString) -> *mut IPlugView;
    }
}

impl IProcessContextRequirementsTrait for Component {
    passed_on! { IProcessContextRequirementsTrait: getProcessContextRequirements() -> uint32; }
}

impl IUnitInfoTrait for Component {
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

impl ChannelContext::IInfoListenerTrait for Component {
    passed_on! { ChannelContext::IInfoListenerTrait:
        setChannelContextInfos(list: *mut IAttributeList) -> tresult;
    }
}

/// Makes instances.
struct Factory(PluginInfo);

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

/// Writes what the host asks for about the only class.
///
/// # Safety
/// `to` is null, or can be written.
unsafe fn write_info<T>(index: int32, to: *mut T, info: impl FnOnce() -> T) -> tresult {
    if index != 0 || to.is_null() {
        return kInvalidArgument;
    }
    // SAFETY: the caller's promise.
    unsafe { to.write(info()) };
    kResultOk
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        // SAFETY: the host's promise.
        unsafe { write_info(0, info, || self.0.create_factory_info()) }
    }

    unsafe fn countClasses(&self) -> int32 {
        1
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        // SAFETY: the host's promise.
        unsafe { write_info(index, info, || self.0.create_class_info()) }
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
        if unsafe { *cid.cast::<[u8; 16]>() } != *self.0.cid {
            return kInvalidArgument;
        }
        let component = ComWrapper::new(Component::new());
        let Some(unknown) = component.as_com_ref::<FUnknown>() else { return kInvalidArgument };
        let unknown = unknown.as_ptr();
        // SAFETY: the object lives until this function returns, and longer if someone asked for it.
        unsafe { ((*(*unknown).vtbl).queryInterface)(unknown, iid.cast::<TUID>(), obj) }
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: the host's promise.
        unsafe { write_info(index, info, || self.0.create_class_info_2()) }
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: the host's promise.
        unsafe { write_info(index, info, || self.0.create_class_info_unicode()) }
    }

    unsafe fn setHostContext(&self, _context: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// What a host calls for a factory.
#[unsafe(no_mangle)]
pub extern "system" fn GetPluginFactory() -> *mut c_void {
    let factory = ComWrapper::new(Factory(PluginInfo::for_plugin::<Wavemill>()));
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
