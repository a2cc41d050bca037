//! SIGINT and SIGTERM, told to a closure on a thread of its own.

use std::io;

/// Which signal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// SIGINT: a person pressed Ctrl-C.
    Interrupt,
    /// SIGTERM: a service manager asks.
    Terminate,
}

/// Calls `told` once for each signal from now on, outside of the signal handler, so it may lock
/// and print.
pub(super) fn on_stop(told: impl FnMut(Stop) + Send + 'static) -> io::Result<()> {
    platform::on_stop(told)
}

/// Calls `told` once for each SIGHUP from now on, as [`on_stop`]. Without such a signal never.
pub(super) fn on_hangup(told: impl FnMut() + Send + 'static) -> io::Result<()> {
    platform::on_hangup(told)
}

#[cfg(unix)]
mod platform {
    use super::Stop;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::low_level::pipe;
    use std::io::{self, Read};
    use std::os::unix::net::UnixStream;
    use std::thread;

    pub(super) fn on_stop(told: impl FnMut(Stop) + Send + 'static) -> io::Result<()> {
        // Both threads' closures need it; a signal is rare, so a lock costs nothing.
        let told = std::sync::Arc::new(parking_lot::Mutex::new(told));
        for (signal, stop) in [(SIGINT, Stop::Interrupt), (SIGTERM, Stop::Terminate)] {
            let told = std::sync::Arc::clone(&told);
            on(signal, move || {
                let mut told = told.lock();
                (*told)(stop);
            })?;
        }
        Ok(())
    }

    pub(super) fn on_hangup(told: impl FnMut() + Send + 'static) -> io::Result<()> {
        on(SIGHUP, told)
    }

    fn on(signal: i32, mut told: impl FnMut() + Send + 'static) -> io::Result<()> {
        let (mut reader, writer) = UnixStream::pair()?;
        // The handler only writes a byte: the one thing that is safe there.
        pipe::register(signal, writer)?;
        let wait = move || {
            let mut byte = [0];
            while reader.read_exact(&mut byte).is_ok() {
                told();
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

    pub(super) fn on_stop(mut told: impl FnMut(Stop) + Send + 'static) -> io::Result<()> {
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
                        told(stop);
                    }
                }
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
        Ok(())
    }
}
