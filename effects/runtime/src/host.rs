//! What a module can call: `fx.log` and `env.abort`.

use crate::deadline::Deadline;
use crate::fault::Abort;
use crate::limiter::Limiter;
use crate::limits;
use crate::rewrite::{self, Pages};
use crate::text;
use wasmtime::{Caller, Engine, Extern, Linker};

/// The host's side of one instance.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) limiter: Limiter,
    /// Lines of `fx.log`, the first ones.
    pub(crate) log: Vec<String>,
    /// The call of `env.abort` that ended the instance.
    pub(crate) abort: Option<AbortCall>,
    /// Of the call under way, in a live stream.
    pub(crate) deadline: Deadline,
}

/// The arguments of `env.abort`. Its texts stay in the module's memory until somebody asks: the audio thread must
/// not allocate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AbortCall {
    message: i32,
    file: i32,
    line: i32,
    column: i32,
}

impl AbortCall {
    /// What it says.
    pub(crate) fn text(self, memory: &[u8]) -> String {
        let read = |address: i32| {
            text::assembly_script(memory, address.cast_unsigned(), limits::ERROR_BYTES_MAX)
        };
        let message = read(self.message).unwrap_or_else(|| "abort without a message".into());
        match read(self.file) {
            Some(file) => format!("{message} ({file}:{}:{})", self.line, self.column),
            None => message,
        }
    }
}

impl Host {
    /// `fixed` are the pages of a module whose memory has a fixed size.
    pub(crate) fn new(memory_mib: u32, fixed: Option<Pages>) -> Self {
        Self {
            limiter: Limiter::new(memory_mib, fixed),
            log: Vec::new(),
            abort: None,
            deadline: Deadline::default(),
        }
    }
}

/// A linker with the functions a module may import.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("fx", "log", log)?;
    linker.func_wrap("env", "abort", abort)?;
    linker.func_wrap(rewrite::MEMORY_MODULE, rewrite::SIZE, memory_size)?;
    linker.func_wrap(rewrite::MEMORY_MODULE, rewrite::GROW, memory_grow)?;
    Ok(linker)
}

/// `memory.size` in a memory of a fixed size.
#[expect(clippy::needless_pass_by_value, reason = "the linker asks for it so")]
fn memory_size(caller: Caller<'_, Host>) -> i32 {
    caller.data().limiter.pages().unwrap_or(0).cast_signed()
}

/// `memory.grow` in a memory of a fixed size.
fn memory_grow(mut caller: Caller<'_, Host>, pages: i32) -> i32 {
    caller.data_mut().limiter.grow(pages.cast_unsigned())
}

/// Keeps a line. Once audio runs, nothing is kept: the audio thread must not allocate.
fn log(mut caller: Caller<'_, Host>, level: i32, address: i32, length: i32) {
    let host = caller.data();
    if host.limiter.is_sealed() || host.log.len() >= limits::LOG_LINES_MAX {
        return;
    }
    let Some(memory) = memory(&mut caller) else { return };
    let (start, length) = (address.cast_unsigned() as usize, length.cast_unsigned() as usize);
    let length = length.min(limits::LOG_LINE_BYTES_MAX);
    let bytes = memory.get(start..).and_then(|rest| rest.get(..length));
    let Some(line) = bytes.and_then(|bytes| text::line(bytes, length)) else { return };
    let word = match level {
        0 => "error: ",
        1 => "warning: ",
        3 => "debug: ",
        _ => "",
    };
    caller.data_mut().log.push(format!("{word}{line}"));
}

/// Ends the instance and keeps where its words are.
fn abort(
    mut caller: Caller<'_, Host>,
    message: i32,
    file: i32,
    line: i32,
    column: i32,
) -> wasmtime::Result<()> {
    caller.data_mut().abort = Some(AbortCall { message, file, line, column });
    Err(Abort.into())
}

/// The module's memory.
fn memory<'a>(caller: &'a mut Caller<'_, Host>) -> Option<&'a [u8]> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Some(memory.data(caller)),
        _ => None,
    }
}
