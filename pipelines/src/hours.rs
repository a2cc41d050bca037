//! When jobs of a pipeline may begin: windows of the week, in the pipeline's time zone.

use jiff::Zoned;
use jiff::civil::Time;

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// Days, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A window that comes back every week: `"22:00-06:00"`, `"mon-fri 20:00-24:00"`, `"sat-sun"`.
///
/// A window that ends at or before its beginning goes on into the next day; the days are those on which it
/// begins. When clocks are set, the wall clock decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Whether it begins on this day, Monday first.
    days: [bool; 7],
    /// Minute of the day of its beginning.
    from: u16,
    /// Minute of the day of its end, 1 to 1440; at or before `from` it is one of the next day.
    to: u16,
}

impl Hours {
    /// Reads a window.
    ///
    /// # Errors
    /// What is wrong, to be read after the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut window = Self { days: [true; 7], from: 0, to: DAY_MINUTES };
        let words: Vec<_> = text.split_whitespace().collect();
        let (days, times) = match words[..] {
            [times] if times.contains(':') => (None, Some(times)),
            [days] => (Some(days), None),
            [days, times] => (Some(days), Some(times)),
            _ => return Err("is not a time window".to_owned()),
        };
        if let Some(days) = days {
            window.days = parse_days(days)?;
        }
        if let Some(times) = times {
            let (from, to) = times.split_once('-').ok_or("has no end time")?;
            (window.from, window.to) = (parse_time(from)?, parse_time(to)?);
            if window.to == 0 {
                window.to = DAY_MINUTES;
            }
            if window.from == DAY_MINUTES {
                return Err("starts at 24:00; write 00:00 of the next day".to_owned());
            }
        }
        Ok(window)
    }

    /// When the window begins next, after this moment and within a week; a beginning at this very moment is past.
    /// `None` for a window of no day.
    pub(crate) fn begins_after(&self, now: &Zoned) -> Option<Zoned> {
        let part = |minutes: u16| i8::try_from(minutes).ok();
        let time = Time::new(part(self.from / 60)?, part(self.from % 60)?, 0, 0).ok()?;
        let begins = |day: Zoned| {
            let begin = day.with().time(time).build().ok();
            begin.filter(|_| self.days[weekday(&day)])
        };
        // A window of one day, whose time today is past, begins in a week.
        let days = (0..=7).filter_map(|days| now.checked_add(jiff::Span::new().days(days)).ok());
        days.filter_map(begins).find(|begin| begin > now)
    }

    /// Whether this moment lies in the window.
    pub(crate) fn contains(&self, now: &Zoned) -> bool {
        let today = weekday(now);
        let yesterday = (today + 6) % 7;
        let minute =
            u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs());
        if self.from < self.to {
            return self.days[today] && (self.from..self.to).contains(&minute);
        }
        (self.days[today] && minute >= self.from) || (self.days[yesterday] && minute < self.to)
    }
}

/// Place in [`DAYS`].
fn weekday(day: &Zoned) -> usize {
    usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())
}

/// `mon-fri`, `sat,sun`, `mon`; a range may go over the end of the week.
fn parse_days(text: &str) -> Result<[bool; 7], String> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (parse_day(first)?, parse_day(last)?);
        days[day] = true;
        while day != last {
            day = (day + 1) % 7;
            days[day] = true;
        }
    }
    Ok(days)
}

fn parse_day(text: &str) -> Result<usize, String> {
    DAYS.iter()
        .position(|day| day.eq_ignore_ascii_case(text))
        .ok_or_else(|| format!("has an unknown day `{text}`"))
}

/// `22:00`; `24:00` is the end of the day.
fn parse_time(text: &str) -> Result<u16, String> {
    let number = |text: &str, max: u16| {
        let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|number| is_plain && *number <= max)
    };
    let time = text.split_once(':').and_then(|(hour, minute)| {
        Some((number(hour, 24)? * 60) + number(minute, 59)?).filter(|time| *time <= DAY_MINUTES)
    });
    time.ok_or_else(|| format!("has an invalid time `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-`day` (the 16th is a Monday) at `time`.
    fn at(day: i8, time: &str) -> Zoned {
        let (hour, minute) = time.split_once(':').unwrap();
        jiff::civil::date(2026, 11, day)
            .at(hour.parse().unwrap(), minute.parse().unwrap(), 0, 0)
            .to_zoned(jiff::tz::TimeZone::UTC)
            .unwrap()
    }

    fn holds(window: &str, day: i8, time: &str) -> bool {
        Hours::parse(window).unwrap().contains(&at(day, time))
    }

    #[test]
    fn next_beginning_is_the_first_one_to_come() {
        let next = |window: &str, day: i8, time: &str| {
            Hours::parse(window).unwrap().begins_after(&at(day, time)).unwrap()
        };
        assert_eq!(next("22:00-06:00", 16, "12:00"), at(16, "22:00"));
        assert_eq!(next("22:00-06:00", 16, "22:00"), at(17, "22:00"));
        assert_eq!(next("sat-sun", 16, "12:00"), at(21, "00:00"));
        assert_eq!(next("mon 08:30-09:00", 16, "10:00"), at(23, "08:30"));
    }

    #[test]
    fn window_within_a_day_has_its_first_minute_and_not_its_last() {
        assert!(holds("09:00-17:30", 16, "09:00"));
        assert!(holds("09:00-17:30", 22, "17:29"));
        assert!(!holds("09:00-17:30", 16, "17:30"));
        assert!(!holds("09:00-17:30", 16, "08:59"));
    }

    #[test]
    fn window_over_midnight_belongs_to_the_day_it_begins_on() {
        assert!(holds("fri 22:00-06:00", 20, "22:00"));
        assert!(holds("fri 22:00-06:00", 21, "05:59"));
        assert!(!holds("fri 22:00-06:00", 21, "22:00"));
        assert!(!holds("fri 22:00-06:00", 20, "05:00"));
        // From Sunday into Monday.
        assert!(holds("sun 22:00-06:00", 16, "03:00"));
    }

    #[test]
    fn days_alone_are_whole_days_and_ranges_go_over_the_weekend() {
        assert!(holds("sat-sun", 21, "00:00"));
        assert!(holds("Sat-Mon", 16, "23:59"));
        assert!(!holds("sat,sun", 20, "23:59"));
        assert!(holds("mon-fri 20:00-24:00", 20, "23:59"));
        assert!(!holds("mon-fri 20:00-24:00", 21, "00:00"));
        assert!(holds("00:00-00:00", 19, "12:00"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "night", "25:00-06:00", "22-06", "22:00", "mon 1:00-2:00", "a b c", "24:00-06:00"]
        {
            assert!(Hours::parse(text).is_err(), "{text}");
        }
    }
}
