//! The CLAP entry point: the framework's plugin behind one that notes the mode and checks every block.

mod params;

use crate::exported::{Exported, Offer, offer};
use crate::formats::buses::{Bus, Buses};
use crate::formats::session::Session;
use crate::{Rack, Wavemill};
use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::entry::clap_plugin_entry;
use clap_sys::ext::gui::CLAP_EXT_GUI;
use clap_sys::ext::params::{
    CLAP_EXT_PARAMS, CLAP_PARAM_RESCAN_INFO, CLAP_PARAM_RESCAN_TEXT, CLAP_PARAM_RESCAN_VALUES,
    clap_host_params, clap_plugin_params,
};
use clap_sys::ext::render::{
    CLAP_EXT_RENDER, CLAP_RENDER_OFFLINE, clap_plugin_render, clap_plugin_render_mode,
};
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::host::clap_host;
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use clap_sys::version::CLAP_VERSION;
use nice_plug::prelude::ClapPlugin;
use nice_plug::wrapper::clap::{PluginDescriptor, Wrapper};
use nice_plug::wrapper::setup_logger;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::{Arc, OnceLock};

/// An instance as the host sees it: the framework's functions find theirs by `plugin_data`, ours by the address.
#[repr(C)]
struct Instance {
    plugin: clap_plugin,
    framework: *const clap_plugin,
    host: *const clap_host,
    session: Arc<Session>,
}

impl Instance {
    /// # Safety
    /// `plugin` is one that [`create_plugin`] made.
    unsafe fn of<'a>(plugin: *const clap_plugin) -> &'a Self {
        // SAFETY: it is the first field of one.
        unsafe { &*plugin.cast::<Self>() }
    }

    /// The framework's own.
    fn framework(&self) -> &clap_plugin {
        // SAFETY: it lives until `destroy`.
        unsafe { &*self.framework }
    }

    /// Whether the host shows windows of plugins.
    fn has_windows(&self) -> bool {
        // SAFETY: the host outlives its plugins, and extensions are asked for once they are initialized.
        unsafe {
            let host = self.host.as_ref();
            let get_extension = host.and_then(|host| host.get_extension);
            get_extension.is_some_and(|get| !get(self.host, CLAP_EXT_GUI.as_ptr()).is_null())
        }
    }

    /// The framework's parameters.
    fn framework_params(&self) -> Option<clap_plugin_params> {
        let get = self.framework().get_extension?;
        // SAFETY: the framework's plugin lives as long as this does, and so does what it hands out.
        unsafe {
            get(self.framework, CLAP_EXT_PARAMS.as_ptr())
                .cast::<clap_plugin_params>()
                .as_ref()
                .copied()
        }
    }

    /// One block. Real-time, but for offline renders.
    ///
    /// # Safety
    /// As CLAP says of `process`.
    unsafe fn block(&self, process: &clap_process) -> clap_process_status {
        // SAFETY: the host's promise.
        let buses = unsafe {
            Buses {
                input: main_bus(process.audio_inputs, process.audio_inputs_count),
                output: main_bus(process.audio_outputs, process.audio_outputs_count),
            }
        };
        let channel_count = self.session.channel_count();
        let mut process = *process;
        if channel_count.is_none_or(|count| !buses.fit(count)) {
            // SAFETY: the host's promise.
            unsafe { buses.pass(process.frames_count as usize) };
            if channel_count.is_none() {
                return CLAP_PROCESS_ERROR;
            }
            // What remains are changes of parameters.
            (process.audio_inputs_count, process.audio_outputs_count) = (0, 0);
            (process.audio_inputs, process.audio_outputs) = (ptr::null(), ptr::null_mut());
        }
        // SAFETY: the host's promise, and the framework's is checked.
        unsafe {
            let status = self.framework().process.map_or(CLAP_PROCESS_ERROR, |of_framework| {
                of_framework(self.framework, &raw const process)
            });
            self.send_outputs(process.out_events, process.frames_count);
            status
        }
    }
}

/// # Safety
/// `buses` is null, or points to so many buses.
unsafe fn main_bus<'a>(buses: *const clap_audio_buffer, count: u32) -> Bus<'a> {
    // SAFETY: there is a first one, or nothing.
    unsafe {
        match buses.as_ref().filter(|_| count > 0) {
            Some(bus) => Bus::new(bus.data32, bus.channel_count as usize),
            None => Bus::new(ptr::null_mut(), 0),
        }
    }
}

unsafe extern "C" fn process(
    plugin: *const clap_plugin,
    process: *const clap_process,
) -> clap_process_status {
    // SAFETY: the host's promise.
    unsafe {
        process.as_ref().map_or(CLAP_PROCESS_ERROR, |process| Instance::of(plugin).block(process))
    }
}

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    // SAFETY: `create_plugin` made it, and the host does not use it again.
    let instance = unsafe { Box::from_raw(plugin.cast::<Instance>().cast_mut()) };
    if let Some(of_framework) = instance.framework().destroy {
        // SAFETY: as above.
        unsafe { of_framework(instance.framework) };
    }
}

/// What waits for the main thread is done before: of a new latency the framework informs a host that has deactivated the
/// plugin at once, which CLAP allows only while it activates it.
unsafe extern "C" fn deactivate(plugin: *const clap_plugin) {
    // SAFETY: the host's promise.
    let instance = unsafe { Instance::of(plugin) };
    let framework = instance.framework();
    for function in [framework.on_main_thread, framework.deactivate].into_iter().flatten() {
        // SAFETY: this is the main thread, and the plugin is active.
        unsafe { function(instance.framework) };
    }
}

unsafe extern "C" fn get_extension(plugin: *const clap_plugin, id: *const c_char) -> *const c_void {
    if id.is_null() {
        return ptr::null();
    }
    // SAFETY: the host's promise.
    unsafe {
        if CStr::from_ptr(id) == CLAP_EXT_RENDER {
            return (&raw const RENDER).cast();
        }
        let instance = Instance::of(plugin);
        if CStr::from_ptr(id) == CLAP_EXT_PARAMS && instance.framework_params().is_some() {
            return (&raw const params::PARAMS).cast();
        }
        // The framework resizes its window by calls to the host, and takes for granted that they are there.
        if CStr::from_ptr(id) == CLAP_EXT_GUI && !instance.has_windows() {
            return ptr::null();
        }
        let of_framework = instance.framework().get_extension;
        of_framework.map_or(ptr::null(), |get| get(instance.framework, id))
    }
}

/// How this host reads names and values anew.
fn rescan(host: *const clap_host) -> impl Fn() + Send + Sync + 'static {
    let host = host as usize;
    move || {
        let host = host as *const clap_host;
        // SAFETY: the host outlives its plugins, and this is its main thread.
        unsafe {
            let get_extension = host.as_ref().and_then(|host| host.get_extension);
            let params = get_extension.map(|get| get(host, CLAP_EXT_PARAMS.as_ptr()));
            let params = params.and_then(|params| params.cast::<clap_host_params>().as_ref());
            if let Some(rescan) = params.and_then(|params| params.rescan) {
                let all =
                    CLAP_PARAM_RESCAN_INFO | CLAP_PARAM_RESCAN_TEXT | CLAP_PARAM_RESCAN_VALUES;
                rescan(host, all);
            }
        }
    }
}

/// Ours, since a mode counts from the next block on, whether or not the host activates anew.
static RENDER: clap_plugin_render = clap_plugin_render {
    has_hard_realtime_requirement: Some(has_hard_realtime_requirement),
    set: Some(set_mode),
};

unsafe extern "C" fn has_hard_realtime_requirement(_plugin: *const clap_plugin) -> bool {
    false
}

unsafe extern "C" fn set_mode(plugin: *const clap_plugin, mode: clap_plugin_render_mode) -> bool {
    // SAFETY: the host's promise.
    unsafe { Instance::of(plugin) }.session.set_offline(mode == CLAP_RENDER_OFFLINE);
    true
}

/// A plugin of this file.
struct Product {
    descriptor: &'static clap_plugin_descriptor,
    make: fn(*const clap_host, &'static clap_plugin_descriptor) -> *const clap_plugin,
}

impl Product {
    fn of<P: ClapPlugin>() -> Self {
        // Once a process, as all statics are.
        let descriptor = Box::leak(Box::new(PluginDescriptor::for_plugin::<P>()));
        Self { descriptor: descriptor.clap_plugin_descriptor(), make: make::<P> }
    }

    fn exported(effect: &Exported) -> Self {
        let text = |text: &str| {
            CString::new(text.replace('\0', "")).unwrap_or_default().into_raw().cast_const()
        };
        let features = [c"audio-effect", c"mono", c"stereo"].map(CStr::as_ptr);
        let features = Box::leak(Box::new([features[0], features[1], features[2], ptr::null()]));
        let descriptor = Box::leak(Box::new(clap_plugin_descriptor {
            clap_version: CLAP_VERSION,
            id: text(&effect.id),
            name: text(&effect.name),
            vendor: text(&effect.vendor),
            url: text(&effect.homepage),
            manual_url: ptr::null(),
            support_url: ptr::null(),
            version: text(&effect.version),
            description: text(&effect.summary),
            features: features.as_ptr(),
        }));
        Self { descriptor, make: make::<Rack> }
    }
}

/// What hosts see, in order.
fn products() -> &'static [Product] {
    static PRODUCTS: OnceLock<Vec<Product>> = OnceLock::new();
    PRODUCTS.get_or_init(|| match offer() {
        Offer::Wavemill => vec![Product::of::<Wavemill>(), Product::of::<Rack>()],
        Offer::Effect(effect) => vec![Product::exported(effect)],
        Offer::Nothing => Vec::new(),
    })
}

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(get_plugin_count),
    get_plugin_descriptor: Some(get_plugin_descriptor),
    create_plugin: Some(create_plugin),
};

unsafe extern "C" fn get_plugin_count(_factory: *const clap_plugin_factory) -> u32 {
    u32::try_from(products().len()).unwrap_or(0)
}

unsafe extern "C" fn get_plugin_descriptor(
    _factory: *const clap_plugin_factory,
    index: u32,
) -> *const clap_plugin_descriptor {
    let product = products().get(index as usize);
    product.map_or(ptr::null(), |product| ptr::from_ref(product.descriptor))
}

unsafe extern "C" fn create_plugin(
    _factory: *const clap_plugin_factory,
    host: *const clap_host,
    id: *const c_char,
) -> *const clap_plugin {
    if id.is_null() {
        return ptr::null();
    }
    // SAFETY: the host's promise, and descriptors have an id.
    let product = unsafe {
        let id = CStr::from_ptr(id);
        products().iter().find(|product| CStr::from_ptr(product.descriptor.id) == id)
    };
    product.map_or(ptr::null(), |product| (product.make)(host, product.descriptor))
}

fn make<P: ClapPlugin>(
    host: *const clap_host,
    descriptor: &'static clap_plugin_descriptor,
) -> *const clap_plugin {
    // SAFETY: the host's promise to the factory. `destroy` of the framework takes it back.
    let wrapper = Arc::into_raw(unsafe { Wrapper::<P>::new(host) });
    // SAFETY: it was made above.
    let framework: *const clap_plugin = unsafe { (*wrapper).clap_plugin.as_ptr() };
    let plugin = clap_plugin {
        desc: descriptor,
        destroy: Some(destroy),
        deactivate: Some(deactivate),
        process: Some(process),
        get_extension: Some(get_extension),
        // SAFETY: as above.
        ..unsafe { *framework }
    };
    let session = Session::of_latest();
    session.set_rescan(rescan(host));
    let instance = Instance { plugin, framework, host, session };
    Box::into_raw(Box::new(instance)).cast::<clap_plugin>()
}

extern "C" fn init(_path: *const c_char) -> bool {
    setup_logger::<Wavemill>();
    true
}

extern "C" fn deinit() {}

extern "C" fn get_factory(id: *const c_char) -> *const c_void {
    // SAFETY: the host's promise.
    if !id.is_null() && unsafe { CStr::from_ptr(id) } == CLAP_PLUGIN_FACTORY_ID {
        return (&raw const FACTORY).cast();
    }
    ptr::null()
}

/// What a host looks for in the library.
#[unsafe(no_mangle)]
#[used]
pub static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(init),
    deinit: Some(deinit),
    get_factory: Some(get_factory),
};
