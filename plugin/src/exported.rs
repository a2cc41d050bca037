//! One effect as a plugin of its own: this file, where `wavemill effects export-clap` made it.

use crate::rack::source::{self, Source};
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use wavemill_rack::{MARK, Part};

/// What an export changes; read at run time.
#[used]
static OWN_MARK: [u8; 32] = MARK;

/// What hosts are offered.
pub(crate) enum Offer {
    /// The meters and the rack.
    Wavemill,
    /// One effect.
    Effect(Exported),
    /// Nothing: the effect is damaged.
    Nothing,
}

/// The effect of an exported file, as hosts see it.
pub(crate) struct Exported {
    /// Identity of the effect; of the plugin in CLAP.
    pub(crate) id: String,
    /// Identity of the plugin in VST3.
    pub(crate) vst3_id: [u8; 16],
    pub(crate) name: String,
    pub(crate) vendor: String,
    pub(crate) version: String,
    pub(crate) homepage: String,
    pub(crate) summary: String,
    module: Vec<u8>,
}

/// What this file offers, found out once.
pub(crate) fn offer() -> &'static Offer {
    static OFFER: OnceLock<Offer> = OnceLock::new();
    OFFER.get_or_init(|| {
        // SAFETY: it points to a static. An export writes to the file, which the compiler does not know.
        let mark = unsafe { std::ptr::read_volatile(&raw const OWN_MARK) };
        if !wavemill_rack::is_exported(&mark) {
            return Offer::Wavemill;
        }
        let path = own_path().unwrap_or_default();
        Exported::open(&path).map_or_else(
            |reason| {
                // The one line that a host's log gets: it sees no plugin.
                let _ = writeln!(std::io::stderr(), "wavemill: {}: {reason}", path.display());
                Offer::Nothing
            },
            Offer::Effect,
        )
    })
}

/// The effect, where this file has one only.
pub(crate) fn exported() -> Option<&'static Exported> {
    match offer() {
        Offer::Effect(exported) => Some(exported),
        Offer::Wavemill | Offer::Nothing => None,
    }
}

impl Exported {
    fn open(path: &Path) -> Result<Self, String> {
        let module = wavemill_rack::exported_module(path).map_err(|error| error.to_string())?;
        // It ends here, and its threads: a host that only looks unloads the library next.
        let _sandbox = source::effects();
        let part = source::part("the effect", &module)?;
        let description = part.module().ok_or("has no effect")?.description();
        Ok(Self {
            id: description.id.clone(),
            vst3_id: vst3_id(&description.id),
            name: description.name.clone(),
            vendor: vendor(&description.id),
            version: description.version.clone(),
            homepage: description.homepage.clone(),
            summary: description.summary.clone(),
            module,
        })
    }

    /// What stands in the only slot.
    ///
    /// # Errors
    /// One line: why it cannot be loaded.
    pub(crate) fn content(&self) -> Result<(Source, Part), String> {
        let part = source::part(&self.id, &self.module)?;
        Ok((Source::of(&part), part))
    }
}

/// A number that follows from the effect's identity, in the order that the system has.
fn vst3_id(effect: &str) -> [u8; 16] {
    let hash = blake3::derive_key(
        "Wavemill 2026-11-25 VST3 class id of an exported effect",
        effect.as_bytes(),
    );
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    if cfg!(windows) {
        // The first three fields of a GUID are numbers there.
        id[..4].reverse();
        id[4..6].reverse();
        id[6..8].reverse();
    }
    id
}

/// `com.example.glow` is of `example.com`.
fn vendor(effect: &str) -> String {
    let (domain, _) = effect.rsplit_once('.').unwrap_or((effect, ""));
    domain.rsplit('.').collect::<Vec<_>>().join(".")
}

/// The file that this code was loaded from.
#[cfg(unix)]
fn own_path() -> Option<PathBuf> {
    use std::ffi::CStr;
    use std::os::unix::ffi::OsStringExt as _;
    // SAFETY: `dladdr` writes what it finds, and its text lives as long as the library.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        let is_found = libc::dladdr((&raw const OWN_MARK).cast(), &raw mut info) != 0;
        let name = (is_found && !info.dli_fname.is_null()).then(|| CStr::from_ptr(info.dli_fname));
        name.map(|name| OsString::from_vec(name.to_bytes().to_vec()).into())
    }
}

/// The file that this code was loaded from.
#[cfg(windows)]
fn own_path() -> Option<PathBuf> {
    use std::os::windows::ffi::OsStringExt as _;
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
        GetModuleFileNameW, GetModuleHandleExW,
    };
    let flags =
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    let mut name = vec![0u16; 32_768];
    let mut module = std::ptr::null_mut();
    // SAFETY: the address is inside this library, and `name` has the length that is named.
    let length = unsafe {
        if GetModuleHandleExW(flags, (&raw const OWN_MARK).cast(), &raw mut module) == 0 {
            return None;
        }
        GetModuleFileNameW(module, name.as_mut_ptr(), 32_768)
    };
    let name = name.get(..usize::try_from(length).ok()?).filter(|name| !name.is_empty())?;
    Some(OsString::from_wide(name).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendor_is_the_domain_of_the_identity() {
        assert_eq!(vendor("com.example.glow"), "example.com");
        assert_eq!(vendor("wavemill.gate"), "wavemill");
        assert_eq!(vendor("glow"), "glow");
    }

    /// Projects name effects by it.
    #[cfg(not(windows))]
    #[test]
    fn vst3_id_of_an_effect_stays_for_ever() {
        let id = u128::from_be_bytes(vst3_id("wavemill.compressor"));
        assert_eq!(id, 0xb149_f1b4_deb2_ec3d_c5ee_a600_efff_24f4);
        assert_ne!(vst3_id("wavemill.gate"), vst3_id("wavemill.compressor"));
    }

    #[test]
    fn own_file_is_known_and_offers_all() {
        assert!(own_path().is_some_and(|path| path.is_file()));
        assert!(matches!(offer(), Offer::Wavemill) && exported().is_none());
    }
}
