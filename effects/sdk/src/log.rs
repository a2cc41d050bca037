//! Lines for the author.

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It does not work.
    Error = 0,
    /// It may not be what was meant.
    Warning = 1,
    /// Worth knowing.
    Information = 2,
    /// For a search.
    Debug = 3,
}

/// Hands a line to the host, which keeps the first 64 of an instance, 256 bytes of each. Does
/// nothing while [`process`](crate::Effect::process) runs. In native builds the line goes to
/// standard error.
pub fn log(level: Level, line: &str) {
    #[cfg(target_arch = "wasm32")]
    // SAFETY: the host only reads the line, and only during the call.
    unsafe {
        fx_log(level as i32, line.as_ptr(), line.len());
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        #[expect(clippy::print_stderr, reason = "that is what it is for")]
        {
            eprintln!("{level:?}: {line}");
        }
    }
}

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "fx")]
unsafe extern "C" {
    #[link_name = "log"]
    fn fx_log(level: i32, address: *const u8, length: usize);
}
