//! Parameters that are only read, as VST3 has them.

use crate::formats::outputs::{Output, Readout};
use nice_plug::wrapper::vst3::vst3::ComRef;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, ParameterInfo,
    ParameterInfo_::ParameterFlags_, TChar, kRootUnitId,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{int32, kResultOk};

/// Writes a text that ends with 0, cut where there is no more room.
pub(super) fn write_text(to: &mut [TChar], text: &str) {
    to.fill(0);
    let room = to.len() - 1;
    for (to, from) in to[..room].iter_mut().zip(text.encode_utf16()) {
        *to = from as TChar;
    }
}

/// # Safety
/// `text` is null, or ends with 0.
pub(super) unsafe fn read_text(text: *const TChar) -> Option<String> {
    /// Of `String128`.
    const UNITS_MAX: usize = 128;
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    let unit = |index| unsafe { *text.add(index) };
    let units: Vec<u16> = (0..UNITS_MAX).map(unit).take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units).ok()
}

/// What hosts see of one.
pub(super) fn info_of(output: &Output) -> ParameterInfo {
    let list = if output.words.is_empty() { 0 } else { ParameterFlags_::kIsList };
    let mut info = ParameterInfo {
        id: output.id,
        title: [0; _],
        shortTitle: [0; _],
        units: [0; _],
        stepCount: output.step_count(),
        defaultNormalizedValue: 0.0,
        unitId: kRootUnitId,
        flags: ParameterFlags_::kIsReadOnly | list,
    };
    write_text(&mut info.title, output.name);
    write_text(&mut info.shortTitle, output.name);
    write_text(&mut info.units, output.unit);
    info
}

/// Sends what changed at the last frame. Real-time.
///
/// # Safety
/// `changes` is null or the host's.
pub(super) unsafe fn send(readout: &Readout, changes: *mut IParameterChanges, frames: int32) {
    // SAFETY: the caller's promise.
    let Some(changes) = (unsafe { ComRef::from_raw(changes) }) else { return };
    readout.send(|output, value| {
        let (mut queue_index, mut point_index) = (0, 0);
        // SAFETY: the host answers with a queue that lives for the block, or with null.
        unsafe {
            let queue = changes.addParameterData(&raw const output.id, &raw mut queue_index);
            ComRef::from_raw(queue).is_some_and(|queue| {
                let value = output.normalized(value);
                queue.addPoint((frames - 1).max(0), value, &raw mut point_index) == kResultOk
            })
        }
    });
}
