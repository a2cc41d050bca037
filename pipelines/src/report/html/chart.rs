//! Charts whose shapes stretch with the page, while their labels stay text of its own size.

use super::markup::Text;
use std::fmt::Write as _;

/// Height of all charts in units of their own; widths are what each chart needs.
pub(super) const HEIGHT: f64 = 400.0;

/// A mark on an axis.
pub(super) struct Tick {
    /// From the left or upper edge, 0 to 1.
    pub(super) at: f64,
    pub(super) label: String,
}

/// Shapes with axes.
pub(super) struct Chart<'a> {
    /// What it says, for who cannot see it.
    pub(super) label: &'a str,
    /// Class that gives it its height.
    pub(super) class: &'a str,
    /// Units across.
    pub(super) width: f64,
    pub(super) shapes: &'a str,
    pub(super) y_ticks: &'a [Tick],
    pub(super) x_ticks: &'a [Tick],
}

impl Chart<'_> {
    pub(super) fn markup(&self) -> String {
        let Self { label, class, width, shapes, .. } = self;
        let mut out = format!("<div class=\"chart {class}\"><div class=\"plot\">");
        for (ticks, axis, edge) in [(self.y_ticks, "y", "top"), (self.x_ticks, "x", "left")] {
            for tick in ticks {
                // Decoration: the label of the picture says what matters.
                let percent = (tick.at * 1000.0).round() / 10.0;
                let _ = write!(
                    out,
                    "<span class=\"{axis}\" style=\"{edge}:{percent}%\" aria-hidden=\"true\"><i>{}</i></span>",
                    Text(&tick.label)
                );
            }
        }
        let _ = write!(
            out,
            "<svg viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-label=\"{}\">{shapes}</svg></div></div>",
            Text(label)
        );
        out
    }
}

/// Data of a path through places in whole units. Steps are differences of rounded places, so that errors do not
/// add up.
#[derive(Default)]
pub(super) struct Path {
    data: String,
    at: (i64, i64),
    /// Whether the step before was one in both directions, whose letter counts for the next one too.
    is_going_on: bool,
}

impl Path {
    /// A line to a place; the first begins the path.
    pub(super) fn to(&mut self, x: f64, y: f64) {
        let next = (whole(x), whole(y));
        let step = (next.0 - self.at.0, next.1 - self.at.1);
        let separator = match (self.data.is_empty(), step.1) {
            (true, _) => "M",
            (false, 0) => "h",
            (false, _) if !self.is_going_on => "l",
            _ if step.0 >= 0 => " ",
            _ => "",
        };
        self.is_going_on = !matches!(separator, "M" | "h");
        let _ = write!(self.data, "{separator}{}", step.0);
        if separator != "h" {
            let gap = if step.1 >= 0 { " " } else { "" };
            let _ = write!(self.data, "{gap}{}", step.1);
        }
        self.at = next;
    }

    /// An open line.
    pub(super) fn line(&self, class: &str) -> String {
        format!("<path class=\"l {class}\" d=\"{}\"/>", self.data)
    }

    /// A filled shape.
    pub(super) fn filled(&self, class: &str) -> String {
        format!("<path class=\"{class}\" d=\"{}z\"/>", self.data)
    }
}

/// A filled rectangle.
pub(super) fn rectangle(class: &str, x: f64, y: f64, width: f64, height: f64) -> String {
    let (x, y) = (whole(x), whole(y));
    let (width, height) = (whole(width), whole(height));
    format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>")
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates far outside of any chart")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// Steps of a time axis, in seconds: those that people count in.
const TIME_STEPS_S: &[f64] = &[
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0,
    3600.0, 7200.0, 14_400.0,
];

/// Most labels of a time axis: as many as a phone can hold.
const TIME_LABELS_MAX: f64 = 7.0;

/// Marks of a time axis.
pub(super) fn time_ticks(duration_s: f64) -> Vec<Tick> {
    let fits = |step: &&f64| duration_s / **step <= TIME_LABELS_MAX;
    let Some(&step_s) = TIME_STEPS_S.iter().find(fits) else { return Vec::new() };
    let label = |at_s: f64| {
        if step_s < 1.0 { format!("{at_s:.1} s") } else { super::number::clock(at_s) }
    };
    multiples(0.0, duration_s, step_s)
        // The last would stand beyond the edge.
        .filter(|at_s| at_s / duration_s < 0.97)
        .map(|at_s| Tick { at: at_s / duration_s, label: label(at_s) })
        .collect()
}

/// Multiples of a step from `start` to `end`.
pub(super) fn multiples(start: f64, end: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (start / step - 1e-9).ceil();
    // Each from its number: a sum would drift.
    (0u32..)
        .map(move |index| (first + f64::from(index)) * step)
        .take_while(move |&at| at <= end + step * 1e-9)
}
