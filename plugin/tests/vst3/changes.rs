//! What a processor sends of its parameters with a block.

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IParamValueQueue, IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, ParamID,
    ParamValue,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{int32, kInvalidArgument, kResultOk, tresult};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComWrapper};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ptr;
use std::rc::Rc;

/// The latest value of each parameter.
type Latest = Rc<RefCell<BTreeMap<ParamID, ParamValue>>>;

/// A host's side of it.
#[derive(Default)]
pub(crate) struct Changes {
    latest: Latest,
    queues: RefCell<Vec<ComPtr<IParamValueQueue>>>,
}

impl Changes {
    pub(crate) fn into(latest: &Latest) -> ComPtr<IParameterChanges> {
        let changes = Self { latest: Rc::clone(latest), ..Self::default() };
        ComWrapper::new(changes).to_com_ptr::<IParameterChanges>().unwrap()
    }
}

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        0
    }

    unsafe fn getParameterData(&self, _index: int32) -> *mut IParamValueQueue {
        ptr::null_mut()
    }

    unsafe fn addParameterData(
        &self,
        id: *const ParamID,
        _index: *mut int32,
    ) -> *mut IParamValueQueue {
        // SAFETY: the plugin says which parameter it means.
        let queue = Queue { id: unsafe { *id }, latest: Rc::clone(&self.latest) };
        let queue = ComWrapper::new(queue).to_com_ptr::<IParamValueQueue>().unwrap();
        self.queues.borrow_mut().push(queue.clone());
        queue.as_ptr()
    }
}

struct Queue {
    id: ParamID,
    latest: Latest,
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id
    }

    unsafe fn getPointCount(&self) -> int32 {
        0
    }

    unsafe fn getPoint(&self, _: int32, _: *mut int32, _: *mut ParamValue) -> tresult {
        kInvalidArgument
    }

    unsafe fn addPoint(&self, frame: int32, value: ParamValue, _index: *mut int32) -> tresult {
        assert!(frame >= 0 && (0.0..=1.0).contains(&value), "{value} at {frame}");
        self.latest.borrow_mut().insert(self.id, value);
        kResultOk
    }
}
