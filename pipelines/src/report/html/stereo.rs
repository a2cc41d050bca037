//! How the sides relate, as places on scales.

use super::number::{self, shown};
use super::{PageFile, Scope};
use std::fmt::Write as _;
use wavemill_core::measure::StereoReport;

/// What the scale of the balance covers to either side, in dB.
const BALANCE_DB_MAX: f64 = 6.0;

/// A scale with a value on it.
struct Gauge {
    name: &'static str,
    /// What stands at its left end, middle and right end.
    ends: [&'static str; 3],
    /// Smallest and largest value.
    range: (f64, f64),
    digits: usize,
    unit: &'static str,
    value: fn(&StereoReport) -> Option<f64>,
}

const GAUGES: &[Gauge] = &[
    Gauge {
        name: "Width",
        ends: ["mono", "", "sides only"],
        range: (0.0, 1.0),
        digits: 2,
        unit: "",
        value: |stereo| stereo.width,
    },
    Gauge {
        name: "Correlation",
        ends: ["\u{2212}1 inverted", "0", "+1 mono"],
        range: (-1.0, 1.0),
        digits: 2,
        unit: "",
        value: |stereo| stereo.correlation,
    },
    Gauge {
        name: "Balance",
        ends: ["left", "center", "right"],
        range: (-BALANCE_DB_MAX, BALANCE_DB_MAX),
        digits: 1,
        unit: " dB",
        value: |stereo| stereo.balance_db.map(|balance| balance.0),
    },
];

/// Width, correlation and balance; `None` where none of them exists.
pub(super) fn section(file: &PageFile, _scope: Scope) -> Option<String> {
    let latest = file.latest().analysis.stereo.as_ref()?;
    let before = file.source.analysis.stereo.as_ref().filter(|_| file.export.is_some());
    let mut out = String::new();
    for gauge in GAUGES {
        let Some(value) = (gauge.value)(latest) else { continue };
        let earlier = before.and_then(|stereo| (gauge.value)(stereo));
        out.push_str(&gauge.markup(value, earlier));
    }
    let remark = "<p class=\"legend\"><span class=\"k now\">Export</span> \
                  <span class=\"k was\">Source</span></p>";
    (!out.is_empty()).then(|| {
        let remark = if before.is_some() { remark } else { "" };
        format!("<div class=\"gauges\">{out}</div>{remark}")
    })
}

impl Gauge {
    fn markup(&self, value: f64, earlier: Option<f64>) -> String {
        let Self { name, unit, digits, .. } = self;
        let mut shown = number::fixed(value, *digits) + unit;
        if let Some(earlier) = earlier {
            shown = format!("{}{unit} \u{2192} {shown}", self::shown(Some(earlier), *digits));
        }
        let mut out = format!(
            "<div class=\"gauge\"><p><span>{name}</span><b>{shown}</b></p><div class=\"rail\" aria-hidden=\"true\">"
        );
        if let Some(earlier) = earlier {
            let _ = write!(out, "<i class=\"was\" style=\"left:{}%\"></i>", self.percent(earlier));
        }
        let _ = write!(out, "<i class=\"now\" style=\"left:{}%\"></i></div>", self.percent(value));
        let [left, middle, right] = self.ends;
        let _ = write!(
            out,
            "<p class=\"ends\" aria-hidden=\"true\"><span>{left}</span><span>{middle}</span><span>{right}</span></p></div>"
        );
        out
    }

    /// Where a value stands, in percent from the left.
    fn percent(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        (((value - low) / (high - low)).clamp(0.0, 1.0) * 1000.0).round() / 10.0
    }
}
