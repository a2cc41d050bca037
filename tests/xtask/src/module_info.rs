//! `moduleinfo.json` of a VST3 bundle: what the library says of itself, for hosts that do not want to load it.
//!
//! Source: VST 3 Developer Portal, "Module Info"; interfaces and structures: `ipluginbase.h` of the VST3 SDK.

use libloading::{Library, Symbol};
use serde_json::{Value, json};
use std::ffi::{c_char, c_void};
use std::path::Path;
use std::ptr;

/// `PFactoryInfo`.
#[repr(C)]
struct FactoryInfo {
    vendor: [u8; 64],
    url: [u8; 256],
    email: [u8; 128],
    flags: i32,
}

/// `PClassInfo2`.
#[repr(C)]
struct ClassInfo {
    cid: [u8; 16],
    cardinality: i32,
    category: [u8; 32],
    name: [u8; 64],
    flags: u32,
    sub_categories: [u8; 128],
    vendor: [u8; 64],
    version: [u8; 64],
    sdk_version: [u8; 64],
}

/// `IPluginFactory2`: its functions in order, those of what it derives from first.
#[repr(C)]
struct FactoryTable {
    query_interface:
        unsafe extern "system" fn(*mut Factory, *const [u8; 16], *mut *mut c_void) -> i32,
    add_ref: unsafe extern "system" fn(*mut Factory) -> u32,
    release: unsafe extern "system" fn(*mut Factory) -> u32,
    get_factory_info: unsafe extern "system" fn(*mut Factory, *mut FactoryInfo) -> i32,
    count_classes: unsafe extern "system" fn(*mut Factory) -> i32,
    get_class_info: unsafe extern "system" fn(*mut Factory, i32, *mut c_void) -> i32,
    create_instance: unsafe extern "system" fn(
        *mut Factory,
        *const c_char,
        *const c_char,
        *mut *mut c_void,
    ) -> i32,
    get_class_info_2: unsafe extern "system" fn(*mut Factory, i32, *mut ClassInfo) -> i32,
}

#[repr(C)]
struct Factory {
    table: *const FactoryTable,
}

/// `IPluginFactory2`.
const FACTORY_2: [u32; 4] = [0x0007_B650, 0xF24B_4C0B, 0xA464_EDB9, 0xF00B_2ABB];

/// `kResultOk`.
const OK: i32 = 0;

/// `PFactoryInfo::FactoryFlags`.
const FLAGS: [(&str, i32); 3] =
    [("Unicode", 1 << 4), ("Classes Discardable", 1 << 0), ("Component Non Discardable", 1 << 3)];

/// The text of the file for a library, as part of a bundle of this name.
///
/// # Errors
/// One line: what the library does not have.
pub(crate) fn of(library: &Path, name: &str) -> Result<String, String> {
    // SAFETY: a plugin of ours, which does nothing when it is loaded.
    let code = unsafe { Library::new(library) }
        .map_err(|error| format!("cannot load {}: {error}", library.display()))?;
    // SAFETY: every VST3 has this function.
    let factory = unsafe {
        let get: Symbol<'_, unsafe extern "system" fn() -> *mut Factory> =
            code.get(b"GetPluginFactory\0").map_err(|error| error.to_string())?;
        get()
    };
    if factory.is_null() {
        return Err(format!("{} has no factory", library.display()));
    }
    // SAFETY: it is not null, and the library stays until the end.
    let info = unsafe { read(factory, name)? };
    Ok(format!("{info:#}\n"))
}

/// # Safety
/// The factory is a VST3's, and released here.
unsafe fn read(first: *mut Factory, name: &str) -> Result<Value, String> {
    let mut second: *mut c_void = ptr::null_mut();
    let id = uid_bytes(FACTORY_2);
    // SAFETY: the caller's promise.
    let result = unsafe {
        let table = &*(*first).table;
        let result = (table.query_interface)(first, &raw const id, &raw mut second);
        (table.release)(first);
        result
    };
    if result != OK || second.is_null() {
        return Err("the factory is of version 1".to_owned());
    }
    let factory = second.cast::<Factory>();
    // SAFETY: as above; structures are of plain numbers.
    unsafe {
        let table = &*(*factory).table;
        let mut info: FactoryInfo = std::mem::zeroed();
        let is_known = (table.get_factory_info)(factory, &raw mut info) == OK;
        let class_at = |index| {
            let mut class: ClassInfo = std::mem::zeroed();
            let result = (table.get_class_info_2)(factory, index, &raw mut class);
            (result == OK).then(|| class_json(&class))
        };
        let classes: Option<Vec<Value>> =
            (0..(table.count_classes)(factory)).map(class_at).collect();
        (table.release)(factory);
        let classes = classes.filter(|classes| is_known && !classes.is_empty());
        Ok(module_json(name, &info, &classes.ok_or("the factory does not say what it has")?))
    }
}

fn module_json(name: &str, info: &FactoryInfo, classes: &[Value]) -> Value {
    let flags: serde_json::Map<String, Value> = FLAGS
        .iter()
        .map(|(name, flag)| ((*name).to_owned(), (info.flags & flag != 0).into()))
        .collect();
    json!({
        "Name": name,
        "Version": classes[0]["Version"],
        "Factory Info": {
            "Vendor": text(&info.vendor),
            "URL": text(&info.url),
            "E-Mail": text(&info.email),
            "Flags": flags,
        },
        "Classes": classes,
    })
}

fn class_json(class: &ClassInfo) -> Value {
    let sub_categories = text(&class.sub_categories);
    json!({
        "CID": uid_text(class.cid),
        "Category": text(&class.category),
        "Name": text(&class.name),
        "Vendor": text(&class.vendor),
        "Version": text(&class.version),
        "SDKVersion": text(&class.sdk_version),
        "Sub Categories": sub_categories.split('|').filter(|s| !s.is_empty()).collect::<Vec<_>>(),
        "Class Flags": class.flags,
        "Cardinality": class.cardinality,
        "Snapshots": [],
    })
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// An identifier as the system has it: on Windows, the first three fields are numbers.
fn uid_bytes(words: [u32; 4]) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
        to.copy_from_slice(&word.to_be_bytes());
    }
    system_order(bytes)
}

/// The same text on all systems.
fn uid_text(bytes: [u8; 16]) -> String {
    system_order(bytes).map(|byte| format!("{byte:02X}")).concat()
}

fn system_order(mut bytes: [u8; 16]) -> [u8; 16] {
    if cfg!(windows) {
        bytes[..4].reverse();
        bytes[4..6].reverse();
        bytes[6..8].reverse();
    }
    bytes
}
