//! What a bundle says of the library in it, compared with the library.

use crate::component::{METERS, RACK, factory};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    IPluginFactory3, IPluginFactory3Trait, IPluginFactoryTrait, PClassInfoW, PFactoryInfo,
    kResultOk,
};
use serde_json::{Value, json};

/// A text of 16-bit units that ends with 0.
fn wide(units: &[u16]) -> String {
    let units: Vec<u16> = units.iter().copied().take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units).unwrap()
}

/// The classes by the interface that the file is not made of.
fn classes() -> Vec<Value> {
    let factory = factory().cast::<IPluginFactory3>().unwrap();
    // SAFETY: the plugin's factory, which keeps the rules of VST3.
    unsafe {
        let classes = (0..factory.countClasses()).map(|index| {
            let mut info: PClassInfoW = std::mem::zeroed();
            assert_eq!(factory.getClassInfoUnicode(index, &raw mut info), kResultOk);
            json!([wide(&info.name), wide(&info.vendor), wide(&info.version), info.cardinality])
        });
        classes.collect()
    }
}

#[test]
fn module_info_says_what_the_library_says() {
    let test = std::env::current_exe().unwrap();
    let name =
        format!("{}wavemill_plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let text = crate::module_info::of(&test.with_file_name(name), "Wavemill").unwrap();
    let info: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&info["Name"], &info["Version"]),
        (&json!("Wavemill"), &json!(env!("CARGO_PKG_VERSION")))
    );
    let listed = info["Classes"].as_array().unwrap();
    let keys = ["Name", "Vendor", "Version", "Cardinality"];
    let of = |class: &Value| Value::from(keys.map(|key| class[key].clone()).to_vec());
    assert_eq!(listed.iter().map(of).collect::<Vec<_>>(), classes());
    let hex = |id: &[u8; 16]| id.map(|byte| format!("{byte:02X}")).concat();
    let ids: Vec<_> = listed.iter().map(|class| class["CID"].as_str().unwrap()).collect();
    assert_eq!(ids, [hex(METERS), hex(RACK)]);
    assert_eq!(listed[0]["Category"], "Audio Module Class");
    assert_eq!(listed[0]["Sub Categories"], json!(["Fx", "Analyzer", "Mastering", "Tools"]));
    // SAFETY: as above.
    let url = unsafe {
        let mut info: PFactoryInfo = std::mem::zeroed();
        assert_eq!(factory().getFactoryInfo(&raw mut info), kResultOk);
        std::ffi::CStr::from_ptr(info.url.as_ptr()).to_str().unwrap().to_owned()
    };
    assert_eq!(info["Factory Info"]["URL"], url);
    assert_eq!(info["Factory Info"]["Flags"]["Unicode"], true);
}
