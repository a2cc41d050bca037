//! The parameters of an instance: the framework's, with the names of this moment, and behind them those that are only read.

use super::Instance;
use crate::formats::outputs::Output;
use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_VALUE, clap_event_header, clap_event_param_value,
    clap_input_events, clap_output_events,
};
use clap_sys::ext::params::{
    CLAP_PARAM_IS_ENUM, CLAP_PARAM_IS_HIDDEN, CLAP_PARAM_IS_READONLY, CLAP_PARAM_IS_STEPPED,
    clap_param_info, clap_plugin_params,
};
use clap_sys::id::clap_id;
use clap_sys::plugin::clap_plugin;
use std::ffi::{CStr, c_char};
use std::{ptr, slice};

/// What takes the place of the framework's.
pub(super) static PARAMS: clap_plugin_params = clap_plugin_params {
    count: Some(count),
    get_info: Some(get_info),
    get_value: Some(get_value),
    value_to_text: Some(value_to_text),
    text_to_value: Some(text_to_value),
    flush: Some(flush),
};

/// Where hosts see the parameters that are only read.
const MODULE: &str = "Readings";

impl Instance {
    fn framework_count(&self) -> u32 {
        let count = self.framework_params().and_then(|params| params.count);
        // SAFETY: the framework's plugin lives as long as this does.
        count.map_or(0, |count| unsafe { count(self.framework) })
    }

    fn outputs(&self) -> &'static [Output] {
        self.session.readout().map_or(&[], |readout| readout.list())
    }

    fn output(&self, id: clap_id) -> Option<(usize, &'static Output)> {
        self.session.readout()?.by_id(id)
    }

    /// Sends what changed of what is only read, at the last frame. Real-time.
    ///
    /// # Safety
    /// `events` is null or the host's.
    pub(super) unsafe fn send_outputs(&self, events: *const clap_output_events, frames: u32) {
        let Some(readout) = self.session.readout() else { return };
        // SAFETY: the caller's promise.
        let Some(push) = (unsafe { events.as_ref() }).and_then(|events| events.try_push) else {
            return;
        };
        readout.send(|output, value| {
            let event = value_event(output.id, value, frames.saturating_sub(1));
            // SAFETY: the host copies the event.
            unsafe { push(events, (&raw const event).cast()) }
        });
    }
}

fn value_event(param_id: clap_id, value: f64, time: u32) -> clap_event_param_value {
    #[expect(clippy::cast_possible_truncation, reason = "a few bytes")]
    let size = size_of::<clap_event_param_value>() as u32;
    clap_event_param_value {
        header: clap_event_header {
            size,
            time,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_: CLAP_EVENT_PARAM_VALUE,
            flags: 0,
        },
        param_id,
        cookie: ptr::null_mut(),
        note_id: -1,
        port_index: -1,
        channel: -1,
        key: -1,
        value,
    }
}

/// Writes a text that ends with 0 as all of C's do, cut where there is no more room.
fn write_text(to: &mut [c_char], text: &str) {
    let Some(room) = to.len().checked_sub(1) else { return };
    let text = &text[..text.floor_char_boundary(room)];
    to.fill(0);
    for (to, from) in to.iter_mut().zip(text.bytes()) {
        *to = from.cast_signed();
    }
}

fn info_of(output: &Output) -> clap_param_info {
    let stepped = if output.is_stepped() { CLAP_PARAM_IS_STEPPED } else { 0 };
    let words = if output.words.is_empty() { 0 } else { CLAP_PARAM_IS_ENUM };
    let mut info = clap_param_info {
        id: output.id,
        flags: CLAP_PARAM_IS_READONLY | stepped | words,
        cookie: ptr::null_mut(),
        name: [0; _],
        module: [0; _],
        min_value: output.min,
        max_value: output.max,
        default_value: output.min,
    };
    write_text(&mut info.name, output.name);
    write_text(&mut info.module, MODULE);
    info
}

unsafe extern "C" fn count(plugin: *const clap_plugin) -> u32 {
    // SAFETY: the host's promise.
    let instance = unsafe { Instance::of(plugin) };
    instance.framework_count() + u32::try_from(instance.outputs().len()).unwrap_or(0)
}

unsafe extern "C" fn get_info(
    plugin: *const clap_plugin,
    index: u32,
    info: *mut clap_param_info,
) -> bool {
    // SAFETY: the host's promise.
    let instance = unsafe { Instance::of(plugin) };
    // The framework checks the index one too late.
    let Some(behind) = index.checked_sub(instance.framework_count()) else {
        // SAFETY: as above.
        return unsafe { framework_info(instance, index, info) };
    };
    // SAFETY: as above.
    match (instance.outputs().get(behind as usize), unsafe { info.as_mut() }) {
        (Some(output), Some(info)) => {
            *info = info_of(output);
            true
        }
        _ => false,
    }
}

/// That of one of the framework's, with the name of this moment.
///
/// # Safety
/// As CLAP says of `get_info`; the index is one of the framework's.
unsafe fn framework_info(instance: &Instance, index: u32, info: *mut clap_param_info) -> bool {
    let get_info = instance.framework_params().and_then(|params| params.get_info);
    // SAFETY: the caller's promise.
    let is_read = get_info.is_some_and(|get| unsafe { get(instance.framework, index, info) });
    // SAFETY: it was written.
    let info = unsafe { info.as_mut() };
    let name = instance.session.names().and_then(|names| names.param(index as usize));
    if let (true, Some(info), Some(name)) = (is_read, info, name) {
        write_text(&mut info.name, &name.name);
        info.default_value = name.default;
        if name.is_hidden {
            info.flags |= CLAP_PARAM_IS_HIDDEN;
        }
    }
    is_read
}

unsafe extern "C" fn get_value(plugin: *const clap_plugin, id: clap_id, value: *mut f64) -> bool {
    // SAFETY: the host's promise.
    unsafe {
        let instance = Instance::of(plugin);
        if let (Some(readout), Some((index, _))) = (instance.session.readout(), instance.output(id))
        {
            return value.as_mut().map(|value| *value = readout.fresh(index)).is_some();
        }
        let of_framework = instance.framework_params().and_then(|params| params.get_value);
        of_framework.is_some_and(|get| get(instance.framework, id, value))
    }
}

unsafe extern "C" fn value_to_text(
    plugin: *const clap_plugin,
    id: clap_id,
    value: f64,
    text: *mut c_char,
    size: u32,
) -> bool {
    // SAFETY: the host's promise.
    unsafe {
        let instance = Instance::of(plugin);
        if let Some((_, output)) = instance.output(id) {
            if text.is_null() || size == 0 {
                return false;
            }
            let text = slice::from_raw_parts_mut(text, size as usize);
            write_text(text, &output.text_with_unit(value));
            return true;
        }
        let of_framework = instance.framework_params().and_then(|params| params.value_to_text);
        of_framework.is_some_and(|get| get(instance.framework, id, value, text, size))
    }
}

unsafe extern "C" fn text_to_value(
    plugin: *const clap_plugin,
    id: clap_id,
    text: *const c_char,
    value: *mut f64,
) -> bool {
    // SAFETY: the host's promise.
    unsafe {
        let instance = Instance::of(plugin);
        if let Some((_, output)) = instance.output(id) {
            let text = (!text.is_null()).then(|| CStr::from_ptr(text).to_str().ok()).flatten();
            let parsed = text.and_then(|text| output.parse(text));
            return value.as_mut().zip(parsed).map(|(value, parsed)| *value = parsed).is_some();
        }
        let of_framework = instance.framework_params().and_then(|params| params.text_to_value);
        of_framework.is_some_and(|get| get(instance.framework, id, text, value))
    }
}

unsafe extern "C" fn flush(
    plugin: *const clap_plugin,
    events: *const clap_input_events,
    answers: *const clap_output_events,
) {
    // SAFETY: the host's promise.
    unsafe {
        let instance = Instance::of(plugin);
        if let Some(of_framework) = instance.framework_params().and_then(|params| params.flush) {
            of_framework(instance.framework, events, answers);
        }
        instance.send_outputs(answers, 0);
    }
}
