//! Notifications to systemd, or another manager that speaks its protocol (`sd_notify(3)`).

use sd_notify::NotifyState;

/// Everything is set up.
pub fn ready() {
    // Whatever was said of an earlier hold is over.
    notify(NotifyState::Status("Running."));
    notify(NotifyState::Ready);
}

/// The work goes on; a manager that was asked to (`WatchdogSec=`) restarts a daemon that does not say so.
pub fn alive() {
    if sd_notify::watchdog_enabled().is_some() {
        notify(NotifyState::Watchdog);
    }
}

/// Why nothing is done for the time being; one line.
pub fn holding(reason: &str) {
    notify(NotifyState::Status(reason));
}

/// What runs is finished, then the daemon ends.
pub fn stopping() {
    notify(NotifyState::Stopping);
}

fn notify(state: NotifyState<'_>) {
    // Without a manager there is nobody to notify.
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "Service manager cannot be notified.");
    }
}
