//! What the daemon does as numbers, in the text format of Prometheus.
//!
//! Source: Prometheus exposition formats, "Text-based format", version 0.0.4.

use super::types::{CacheView, Status, WatchState};
use std::fmt::Write;
use wavemill_store::Clock;

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4";

/// Numbers that `status` does not have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Extra {
    /// When the job was made that has waited for the longest time, milliseconds since 1970.
    pub(super) oldest_ready_ms: Option<u64>,
    /// Attempts to be retried since the start.
    pub retries: u64,
    /// Audio of the jobs that ended well since the start, s.
    pub audio_s: f64,
    /// Free space by folder, as last looked at.
    pub free_bytes: Vec<(String, u64)>,
    /// Seconds since the scheduler went round last.
    pub(super) scheduler_age_s: f64,
    /// Batches in progress.
    pub(super) open_batches: u64,
    /// The store's cache.
    pub(super) cache: CacheView,
}

/// The text.
pub(super) fn text(status: &Status, extra: &Extra) -> String {
    let mut page = Page::default();
    let now_ms = Clock::now_ms();
    page.family("wavemill_info", "gauge", "The program's version.");
    page.sample("wavemill_info", &[("version", &status.version)], 1.0);
    page.one("wavemill_uptime_seconds", "gauge", "Time since the start.", status.uptime_s);
    page.one("wavemill_draining", "gauge", "1 while the daemon is draining.", status.is_draining);
    page.one("wavemill_paused", "gauge", "1 while all pipelines are paused.", status.paused.all);
    page.family("wavemill_jobs", "gauge", "Jobs by state.");
    for (state, count) in &status.jobs {
        page.sample("wavemill_jobs", &[("state", state.name())], *count);
    }
    let age = extra.oldest_ready_ms.map_or(0, |made_ms| now_ms.saturating_sub(made_ms));
    let help = "Age of the oldest waiting job.";
    page.one("wavemill_oldest_ready_seconds", "gauge", help, seconds(age));
    page.family("wavemill_hook_waiting", "gauge", "Notifications not delivered yet.");
    for hook in &status.hooks {
        page.sample("wavemill_hook_waiting", &[("hook", &hook.name)], hook.waiting);
    }
    page.cache(&extra.cache);
    let help = "Batches in progress.";
    page.one("wavemill_open_batches", "gauge", help, extra.open_batches);
    let help = "Attempts to be retried since the start.";
    page.one("wavemill_retries_total", "counter", help, extra.retries);
    let help = "Audio of delivered sources since the start; its rate is the speed.";
    page.one("wavemill_audio_seconds_total", "counter", help, extra.audio_s);
    let help = "Time since the scheduler last ran.";
    page.one("wavemill_scheduler_age_seconds", "gauge", help, extra.scheduler_age_s);
    page.family("wavemill_watch_online", "gauge", "1 while a watched folder can be read.");
    for watch in &status.watches {
        let labels = [("pipeline", watch.pipeline.as_str()), ("path", &watch.path)];
        page.sample("wavemill_watch_online", &labels, watch.state == WatchState::Online);
    }
    page.family("wavemill_watch_files", "gauge", "Files of a watched folder.");
    for watch in &status.watches {
        let labels = [("pipeline", watch.pipeline.as_str()), ("path", &watch.path)];
        page.sample("wavemill_watch_files", &labels, watch.files);
    }
    let help = "Time since the last full scan of a watched folder.";
    page.family("wavemill_watch_scan_age_seconds", "gauge", help);
    for watch in &status.watches {
        let scan = watch.last_scan.as_deref().and_then(|scan| scan.parse::<jiff::Timestamp>().ok());
        if let Some(scan) = scan {
            let scan_ms = u64::try_from(scan.as_millisecond()).unwrap_or(0);
            let labels = [("pipeline", watch.pipeline.as_str()), ("path", &watch.path)];
            let age_s = seconds(now_ms.saturating_sub(scan_ms));
            page.sample("wavemill_watch_scan_age_seconds", &labels, age_s);
        }
    }
    page.family("wavemill_free_bytes", "gauge", "Free space where jobs write, when last checked.");
    for (path, bytes) in &extra.free_bytes {
        page.sample("wavemill_free_bytes", &[("path", path)], *bytes);
    }
    page.family("wavemill_worker_memory_bytes", "gauge", "Resident memory of a worker.");
    for (index, worker) in status.workers.iter().enumerate() {
        let place = index.to_string();
        page.sample(
            "wavemill_worker_memory_bytes",
            &[("worker", &place)],
            worker.rss_bytes.unwrap_or(0),
        );
    }
    page.text
}

fn seconds(ms: u64) -> f64 {
    std::time::Duration::from_millis(ms).as_secs_f64()
}

/// A value of a sample.
trait Number {
    fn shown(self) -> String;
}

impl Number for f64 {
    fn shown(self) -> String {
        self.to_string()
    }
}

impl Number for u64 {
    fn shown(self) -> String {
        self.to_string()
    }
}

impl Number for bool {
    fn shown(self) -> String {
        u8::from(self).to_string()
    }
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn cache(&mut self, cache: &CacheView) {
        let help = "Pages of the store, by where they were found.";
        self.family("wavemill_store_cache_reads_total", "counter", help);
        for (found, count) in [("cache", cache.hits), ("disk", cache.misses)] {
            self.sample("wavemill_store_cache_reads_total", &[("found", found)], count);
        }
        let help = "Pages evicted from the store's cache.";
        self.one("wavemill_store_cache_evictions_total", "counter", help, cache.evictions);
        let help = "Memory used by the store's cache.";
        self.one("wavemill_store_cache_bytes", "gauge", help, cache.used_bytes);
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Number) {
        let labels: Vec<_> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{name}{labels} {}", value.shown());
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Number) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
}

/// A label's value: backslash, quote and line feed are escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_numbers_are_plain() {
        let mut page = Page::default();
        page.sample("a", &[("path", "in\\\"x\"\n")], 0.5);
        page.sample("b", &[], true);
        assert_eq!(page.text, "a{path=\"in\\\\\\\"x\\\"\\n\"} 0.5\nb 1\n");
    }
}
