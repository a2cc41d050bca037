//! The time of day, in the forms jobs need.

use std::time::{SystemTime, UNIX_EPOCH};

/// Reads the system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Clock {
    /// Milliseconds since 1970.
    pub fn now_ms() -> u64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
    }

    /// RFC 3339 with offset and zone (RFC 9557), frozen into jobs as the value of `{date}`.
    pub fn now_zoned() -> String {
        jiff::Zoned::now().to_string()
    }
}

/// A moment as RFC 3339 in UTC.
pub fn rfc3339(ms: u64) -> String {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moment_is_written_in_utc() {
        assert_eq!(rfc3339(1_000), "1970-01-01T00:00:01Z");
    }
}
