//! A VST3 host in the test's own process, which says and does what no well-behaved one does.

use crate::changes::Changes;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, IAudioProcessor, IAudioProcessorTrait, IComponent,
    IComponentTrait, IEditController, IEditControllerTrait, ParamID, ParamValue, ParameterInfo,
    ProcessData, ProcessSetup, SpeakerArrangement, String128,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FUnknown, IBStream, IBStreamTrait, IPluginBaseTrait, IPluginFactory, IPluginFactoryTrait,
    PClassInfo, int32, int64, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComWrapper, Interface};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

/// Source: `ProcessModes` of VST3.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    RealTime = 0,
    Offline = 2,
}

#[allow(
    clippy::unnecessary_cast,
    clippy::cast_sign_loss,
    reason = "the sign of a character depends on the system"
)]
fn i8_to_u8(character: std::ffi::c_char) -> u8 {
    character as u8
}

/// Ids of the classes of a factory.
pub(crate) fn class_ids(factory: &ComPtr<IPluginFactory>) -> Vec<[u8; 16]> {
    // SAFETY: the plugin's factory, which keeps the rules of VST3.
    unsafe {
        let classes = (0..factory.countClasses()).map(|index| {
            let mut info: PClassInfo = std::mem::zeroed();
            assert_eq!(factory.getClassInfo(index, &raw mut info), kResultOk);
            info.cid.map(i8_to_u8)
        });
        classes.collect()
    }
}

/// An instance.
pub(crate) struct Component {
    main: ComPtr<IComponent>,
    processor: ComPtr<IAudioProcessor>,
    controller: ComPtr<IEditController>,
    /// The latest values of parameters that it sent with blocks.
    pub(crate) sent: Rc<RefCell<BTreeMap<ParamID, ParamValue>>>,
}

/// Source: the ids in the manual.
pub(crate) const METERS: &[u8; 16] = b"WavemillMeters01";
pub(crate) const RACK: &[u8; 16] = b"WavemillRack0001";

/// The plugin's factory.
pub(crate) fn factory() -> ComPtr<IPluginFactory> {
    let factory = wavemill_plugin::GetPluginFactory().cast::<IPluginFactory>();
    // SAFETY: it is one.
    unsafe { ComPtr::from_raw(factory) }.unwrap()
}

impl Component {
    /// The meters.
    pub(crate) fn new() -> Self {
        Self::of(METERS)
    }

    /// The class of an id.
    pub(crate) fn of(id: &[u8; 16]) -> Self {
        let factory = factory();
        assert_eq!(class_ids(&factory), [*METERS, *RACK]);
        Self::of_factory(&factory, id)
    }

    /// The class of an id of any factory.
    pub(crate) fn of_factory(factory: &ComPtr<IPluginFactory>, id: &[u8; 16]) -> Self {
        // SAFETY: the plugin's factory, which keeps the rules of VST3.
        unsafe {
            let mut made: *mut c_void = ptr::null_mut();
            let iid = IComponent::IID.as_ptr().cast();
            let result = factory.createInstance(id.as_ptr().cast(), iid, &raw mut made);
            assert_eq!(result, kResultOk);
            let component = ComPtr::from_raw(made.cast::<IComponent>()).unwrap();
            let processor = component.cast::<IAudioProcessor>().unwrap();
            assert!(processor.cast::<FUnknown>().is_some());
            let controller = component.cast::<IEditController>().unwrap();
            component.initialize(ptr::null_mut());
            Self { main: component, processor, controller, sent: Rc::default() }
        }
    }

    /// What the main bus becomes where these loudspeakers are asked for; `None` where they are refused.
    pub(crate) fn arranged(&self, mut asked: SpeakerArrangement) -> Option<SpeakerArrangement> {
        let mut other = asked;
        // SAFETY: there is one bus either way.
        unsafe {
            let result = self.processor.setBusArrangements(&raw mut asked, 1, &raw mut other, 1);
            let mut found = 0;
            (result == kResultOk
                && self.processor.getBusArrangement(1, 0, &raw mut found) == kResultOk)
                .then_some(found)
        }
    }

    pub(crate) fn set_up(&self, sample_rate_hz: f64, mode: Mode) -> tresult {
        let mut setup = ProcessSetup {
            processMode: mode as int32,
            symbolicSampleSize: 0,
            maxSamplesPerBlock: 4096,
            sampleRate: sample_rate_hz,
        };
        // SAFETY: the setup is one.
        unsafe { self.processor.setupProcessing(&raw mut setup) }
    }

    pub(crate) fn activate(&self, is_active: bool) -> tresult {
        // SAFETY: this is allowed at any time.
        unsafe {
            if !is_active {
                self.processor.setProcessing(0);
            }
            let result = self.main.setActive(u8::from(is_active));
            if is_active {
                self.processor.setProcessing(1);
            }
            result
        }
    }

    /// Frames by which it is late.
    pub(crate) fn latency(&self) -> usize {
        // SAFETY: this is allowed at any time.
        usize::try_from(unsafe { self.processor.getLatencySamples() }).unwrap()
    }

    /// As a DAW goes from one mode to another.
    pub(crate) fn restart(&self, mode: Mode) {
        self.activate(false);
        assert_eq!(self.set_up(48_000.0, mode), kResultOk);
        assert_eq!(self.activate(true), kResultOk);
    }

    /// Processes a block of so many planes; returns what came out, and the result.
    pub(crate) fn process(
        &self,
        input: &[Vec<f32>],
        output_count: usize,
        mode: Mode,
    ) -> (Vec<Vec<f32>>, tresult) {
        let frames = input.first().map_or(64, Vec::len);
        let mut input = input.to_vec();
        let mut output = vec![vec![9.0; frames]; output_count];
        let planes = |of: &mut Vec<Vec<f32>>| of.iter_mut().map(Vec::as_mut_ptr).collect();
        let mut pointers: [Vec<*mut f32>; 2] = [planes(&mut input), planes(&mut output)];
        let [mut from, mut to] = pointers.each_mut().map(|pointers| AudioBusBuffers {
            numChannels: int32::try_from(pointers.len()).unwrap(),
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: pointers.as_mut_ptr() },
        });
        let changes = Changes::into(&self.sent);
        let mut data = ProcessData {
            processMode: mode as int32,
            symbolicSampleSize: 0,
            numSamples: int32::try_from(frames).unwrap(),
            numInputs: 1,
            numOutputs: 1,
            inputs: &raw mut from,
            outputs: &raw mut to,
            inputParameterChanges: ptr::null_mut(),
            outputParameterChanges: changes.as_ptr(),
            inputEvents: ptr::null_mut(),
            outputEvents: ptr::null_mut(),
            processContext: ptr::null_mut(),
        };
        // SAFETY: the pointers are those of the planes above.
        let result = unsafe { self.processor.process(&raw mut data) };
        (output, result)
    }

    /// All parameters.
    pub(crate) fn params(&self) -> Vec<ParameterInfo> {
        // SAFETY: the infos are written where they are there.
        unsafe {
            let count = self.controller.getParameterCount();
            let mut info: ParameterInfo = std::mem::zeroed();
            assert_ne!(self.controller.getParameterInfo(count, &raw mut info), kResultOk);
            let infos = (0..count).map(|index| {
                assert_eq!(self.controller.getParameterInfo(index, &raw mut info), kResultOk);
                info
            });
            infos.collect()
        }
    }

    /// The value of a parameter, in its unit.
    pub(crate) fn plain(&self, id: ParamID) -> ParamValue {
        // SAFETY: this is allowed at any time.
        unsafe {
            self.controller.normalizedParamToPlain(id, self.controller.getParamNormalized(id))
        }
    }

    /// The value of a parameter in words, which lead back to it.
    pub(crate) fn text(&self, id: ParamID) -> String {
        // SAFETY: the texts are written where they are there.
        unsafe {
            let value = self.controller.getParamNormalized(id);
            let (mut words, mut back): (String128, _) = ([0; 128], 9.0);
            let result = self.controller.getParamStringByValue(id, value, &raw mut words);
            assert_eq!(result, kResultOk);
            let result =
                self.controller.getParamValueByString(id, words.as_mut_ptr(), &raw mut back);
            assert_eq!(result, kResultOk);
            assert!((back - value).abs() < 0.001, "{value} became {back}");
            let units = words.iter().take_while(|unit| **unit != 0);
            String::from_utf16(&units.copied().collect::<Vec<_>>()).unwrap()
        }
    }

    /// Sets a parameter as a host's window does.
    pub(crate) fn set(&self, id: ParamID, value: ParamValue) {
        // SAFETY: this is allowed at any time.
        assert_eq!(unsafe { self.controller.setParamNormalized(id, value) }, kResultOk);
    }

    /// Loads a state of the format that both formats share.
    pub(crate) fn load(&self, state: &serde_json::Value) {
        let stream = ComWrapper::new(Stream(RefCell::new((state.to_string().into_bytes(), 0))));
        let stream = stream.to_com_ptr::<IBStream>().unwrap();
        // SAFETY: the stream lives until the call is over.
        assert_eq!(unsafe { self.main.setState(stream.as_ptr()) }, kResultOk);
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        self.activate(false);
        // SAFETY: it was initialized.
        unsafe { self.main.terminate() };
    }
}

/// Bytes and a place in them.
struct Stream(RefCell<(Vec<u8>, usize)>);

impl Class for Stream {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for Stream {
    unsafe fn read(&self, to: *mut c_void, count: int32, done: *mut int32) -> tresult {
        let (bytes, at) = &mut *self.0.borrow_mut();
        let count = usize::try_from(count).unwrap().min(bytes.len() - *at);
        // SAFETY: the caller has room for as many bytes as it asks for.
        unsafe {
            ptr::copy_nonoverlapping(bytes[*at..].as_ptr(), to.cast::<u8>(), count);
            if !done.is_null() {
                *done = int32::try_from(count).unwrap();
            }
        }
        *at += count;
        kResultOk
    }

    unsafe fn write(&self, _from: *mut c_void, _count: int32, _done: *mut int32) -> tresult {
        unreachable!("nothing is saved")
    }

    unsafe fn seek(&self, to: int64, from: int32, done: *mut int64) -> tresult {
        let (bytes, at) = &mut *self.0.borrow_mut();
        let base = [0, *at, bytes.len()][usize::try_from(from).unwrap()];
        *at = usize::try_from(int64::try_from(base).unwrap() + to).unwrap();
        if !done.is_null() {
            // SAFETY: the caller wants to know.
            unsafe { *done = int64::try_from(*at).unwrap() };
        }
        kResultOk
    }

    unsafe fn tell(&self, to: *mut int64) -> tresult {
        // SAFETY: the caller wants to know.
        unsafe { *to = int64::try_from(self.0.borrow().1).unwrap() };
        kResultOk
    }
}
