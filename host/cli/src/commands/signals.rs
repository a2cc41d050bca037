//! SIGINT and SIGTERM, passed to a closure on a thread of its own.

use std::io;

/// Which signal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// SIGINT: a person pressed Ctrl-C.
    Interrupt,
    /// SIGTERM: a service manager asks.
    Terminate,
}

/// Calls `on_signal` once for each signal from now on, outside of the signal handler, so it may lock
/// and print.
pub(super) fn on_stop(on_signal: impl FnMut(Stop) + Send + 'static) -> io::Result<()> {
    platform::on_stop(on_signal)
}

/// Calls `on_signal` once for each SIGHUP from now on, as [`on_stop`]. Without such a signal never.
pub(super) fn on_hangup(on_signal: impl FnMut() + Send + 'static) -> io::Result<()> {
    platform::on_hangup(on_signal)
}

#[cfg(unix)]
mod platform {
    use super::Stop;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::low_level::pipe;
    use std::io::{self, Read};
    use std::os::unix::net::UnixStream;
    use std::thread;

    pub(super) fn on_stop(on_signal: impl FnMut(Stop) + Send + 'static) -> io::Result<()> {
        // Both threads' closures need it; a signal is rare, so a lock costs nothing.
        let on_signal = std::sync::Arc::new(parking_lot::Mutex::new(on_signal));
        for (signal, stop) in [(SIGINT, Stop::Interrupt), (SIGTERM, Stop::Terminate)] {
            let on_signal = std::sync::Arc::clone(&on_signal);
            on(signal, move || {
                let mut on_signal = on_signal.lock();
                (*on_signal)(stop);
            })?;
        }
        Ok(())
    }

    pub(super) fn on_hangup(on_signal: impl FnMut() + Send + 'static) -> io::Result<()> {
        on(SIGHUP, on_signal)
    }

    fn on(signal: i32, mut on_signal: impl FnMut() + Send + 'static) -> io::Result<()> {
        let (mut reader, writer) = UnixStream::pair()?;
        // The handler only writes a byte: the one thing that is safe there.
        pipe::register(signal, writer)?;
        let wait = move || {
            let mut byte = [0];
            while reader.read_exact(&mut byte).is_ok() {
                on_signal();
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
        Ok(())
    }
}

#[cfg(not(unix))]
mod platform {
    use super::Stop;
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Duration;

    /// How late a signal may be noticed.
    const POLL: Duration = Duration::from_millis(50);

    #[expect(clippy::unnecessary_wraps, reason = "as where there is such a signal")]
    pub(super) fn on_hangup(_: impl FnMut() + Send + 'static) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn on_stop(mut on_signal: impl FnMut(Stop) + Send + 'static) -> io::Result<()> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let terminated = Arc::new(AtomicBool::new(false));
        flag::register(SIGINT, Arc::clone(&interrupted))?;
        flag::register(SIGTERM, Arc::clone(&terminated))?;
        let wait = move || {
            loop {
                thread::park_timeout(POLL);
                for (flag, stop) in
                    [(&interrupted, Stop::Interrupt), (&terminated, Stop::Terminate)]
                {
                    if flag.swap(false, Ordering::SeqCst) {
                        on_signal(stop);
                    }
                }
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
        Ok(())
    }
}
