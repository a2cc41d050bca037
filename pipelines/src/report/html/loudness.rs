//! Loudness over time.

use super::chart::{Chart, HEIGHT, Path, Tick, multiples, rectangle, time_ticks};
use super::{Scope, Signal, number};
use std::fmt::Write as _;
use wavemill_core::loudness::{HistoryPoint, LoudnessReport};
use wavemill_core::units::Decibels;

/// What the scale covers at least and at most, in LU.
const SPAN_LU_MIN: f64 = 18.0;
const SPAN_LU_MAX: f64 = 48.0;

/// Distance of the scale's lines, in LU.
const STEP_LU: f64 = 6.0;

/// What a chart of loudness covers; several charts beside each other share it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    top_lufs: f64,
    bottom_lufs: f64,
}

impl Scale {
    /// A scale on which the signals can be compared; `None` where they have no loudness.
    pub(super) fn of<'s>(signals: impl IntoIterator<Item = &'s Signal>) -> Option<Self> {
        let mut all: Vec<f64> = Vec::new();
        for signal in signals {
            all.extend(signal.history.iter().filter_map(loudness));
        }
        all.sort_unstable_by(f64::total_cmp);
        let loudest = *all.last()?;
        let quietest = all[all.len() / 20];
        let top_lufs = (loudest / STEP_LU).ceil() * STEP_LU;
        let bottom_lufs = ((quietest - 3.0) / STEP_LU).floor() * STEP_LU;
        let bottom_lufs = bottom_lufs.clamp(top_lufs - SPAN_LU_MAX, top_lufs - SPAN_LU_MIN);
        Some(Self { top_lufs, bottom_lufs })
    }

    fn share(self, lufs: f64) -> f64 {
        ((self.top_lufs - lufs) / (self.top_lufs - self.bottom_lufs)).clamp(0.0, 1.0)
    }

    fn y(self, lufs: f64) -> f64 {
        self.share(lufs) * HEIGHT
    }

    fn ticks(self) -> Vec<Tick> {
        let tick = |lufs: f64| Tick { at: self.share(lufs), label: number::fixed(lufs, 0) };
        // Labels at the edges would reach beyond them.
        multiples(self.bottom_lufs, self.top_lufs, STEP_LU)
            .filter(|lufs| *lufs > self.bottom_lufs + 1.0 && *lufs < self.top_lufs - 1.0)
            .map(tick)
            .collect()
    }
}

/// What is drawn where no short-term loudness exists, in what is shorter than 3 s.
fn loudness(point: &HistoryPoint) -> Option<f64> {
    point.short_term_lufs.or(point.momentary_lufs).map(|lufs| lufs.0)
}

/// Loudness over time; `None` where there is none.
pub(super) fn section(signal: &Signal, scale: Scale, scope: Scope) -> Option<String> {
    let duration_s = signal.history.last()?.at_s.0;
    signal.history.iter().find_map(loudness)?;
    let width = signal.history.len().min(scope.points);
    let report = signal.analysis.loudness.clone().unwrap_or_default();
    let range = range(&signal.history);
    let mut shapes = String::new();
    for tick in scale.ticks() {
        let _ = write!(shapes, "<path class=\"l grid\" d=\"M0 {:.0}h{width}\"/>", tick.at * HEIGHT);
    }
    if let Some((low, high)) = range {
        let (top, bottom) = (scale.y(high), scale.y(low));
        shapes.push_str(&rectangle("range", 0.0, top, width as f64, bottom - top));
    }
    let columns = columns(&signal.history, width, |point| point.momentary_lufs.map(|it| it.0));
    for run in runs(&columns) {
        shapes.push_str(&area(&run, scale).filled("moment"));
    }
    let columns = self::columns(&signal.history, width, loudness);
    for run in runs(&columns) {
        shapes.push_str(&line(&run, scale).line("short"));
    }
    if let Some(integrated) = report.integrated_lufs {
        let y = scale.y(integrated.0);
        let _ = write!(shapes, "<path class=\"l whole\" d=\"M0 {y:.0}h{width}\"/>");
    }
    let chart = Chart {
        label: &label(&report, duration_s),
        class: "loud",
        width: width as f64,
        shapes: &shapes,
        y_ticks: &scale.ticks(),
        x_ticks: &time_ticks(duration_s),
    };
    Some(chart.markup() + &legend(&report, range))
}

fn label(report: &LoudnessReport, duration_s: f64) -> String {
    format!(
        "Loudness over {}: integrated {} LUFS, range {} LU, short-term at most {} LUFS",
        number::duration(duration_s),
        number::shown(report.integrated_lufs.map(|lufs| lufs.0), 1),
        number::shown(report.loudness_range_lu.map(|range| range.0), 1),
        number::shown(report.short_term_max_lufs.map(|lufs| lufs.0), 1),
    )
}

fn legend(report: &LoudnessReport, range: Option<(f64, f64)>) -> String {
    let mut out = String::from("<p class=\"legend\"><span class=\"k short\">Short-term</span> ");
    out.push_str("<span class=\"k moment\">Momentary</span>");
    if let Some(integrated) = report.integrated_lufs {
        let lufs = number::fixed(integrated.0, 1);
        let _ = write!(out, " <span class=\"k whole\">Integrated {lufs} LUFS</span>");
    }
    if let (Some((low, high)), Some(width)) = (range, report.loudness_range_lu) {
        let _ = write!(
            out,
            " <span class=\"k range\">Range {} LU ({} to {} LUFS)</span>",
            number::fixed(width.0, 1),
            number::fixed(low, 1),
            number::fixed(high, 1)
        );
    }
    out + "</p>"
}

/// Lower and upper edge of the loudness range.
///
/// Source: EBU Tech 3342: gates at -70 LUFS and -20 LU below the loudness of what passes the first one, then
/// from the 10th to the 95th percentile.
fn range(history: &[HistoryPoint]) -> Option<(f64, f64)> {
    let mut values: Vec<f64> =
        history.iter().filter_map(|point| point.short_term_lufs.map(|lufs| lufs.0)).collect();
    values.retain(|lufs| *lufs >= -70.0);
    let power: f64 = values.iter().map(|lufs| 10f64.powf(lufs / 10.0)).sum();
    let gate = Decibels::from_power(power / values.len() as f64)?.0 - 20.0;
    values.retain(|lufs| *lufs >= gate);
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let percentile = |percent: usize| values[(last * percent + 50) / 100];
    Some((percentile(10), percentile(95)))
}

/// The loudest value of each column; `None` where it is silent.
fn columns(
    history: &[HistoryPoint],
    width: usize,
    value: impl Fn(&HistoryPoint) -> Option<f64>,
) -> Vec<Option<f64>> {
    let mut columns = vec![None; width];
    // By number: points have one distance, and places from their times would leave columns empty.
    for (index, point) in history.iter().enumerate() {
        if let Some(loudest) = columns.get_mut(index * width / history.len()) {
            *loudest = [*loudest, value(point)].into_iter().flatten().reduce(f64::max);
        }
    }
    columns
}

/// Stretches without silence: the number of their first column, and their values.
fn runs(columns: &[Option<f64>]) -> Vec<(usize, Vec<f64>)> {
    let mut runs: Vec<(usize, Vec<f64>)> = Vec::new();
    let mut is_going_on = false;
    for (index, column) in columns.iter().enumerate() {
        if let Some(lufs) = column {
            match runs.last_mut() {
                Some((_, values)) if is_going_on => values.push(*lufs),
                _ => runs.push((index, vec![*lufs])),
            }
        }
        is_going_on = column.is_some();
    }
    runs
}

fn line((start, values): &(usize, Vec<f64>), scale: Scale) -> Path {
    let mut path = Path::default();
    for (index, lufs) in values.iter().enumerate() {
        path.to((start + index) as f64, scale.y(*lufs));
    }
    path
}

/// What is below a line.
fn area(run: &(usize, Vec<f64>), scale: Scale) -> Path {
    let mut path = line(run, scale);
    let (start, values) = run;
    path.to((start + values.len() - 1) as f64, HEIGHT);
    path.to(*start as f64, HEIGHT);
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::units::{Lufs, Seconds};

    fn history(lufs: impl IntoIterator<Item = f64>) -> Vec<HistoryPoint> {
        let point = |(index, lufs)| HistoryPoint {
            at_s: Seconds(f64::from(u32::try_from(index).unwrap()) / 10.0),
            momentary_lufs: Some(Lufs(lufs)),
            short_term_lufs: Some(Lufs(lufs)),
            true_peak_dbtp: None,
        };
        lufs.into_iter().enumerate().map(point).collect()
    }

    /// 100 windows from -40 to -20.2 LUFS: all pass both gates.
    #[test]
    fn range_reaches_from_the_10th_to_the_95th_percentile() {
        let ramp = (0..100).map(|index| -40.0 + f64::from(index) * 0.2);
        let (low, high) = range(&history(ramp)).unwrap();
        assert!((low + 38.0).abs() < 0.11 && (high + 21.2).abs() < 0.11, "{low} {high}");
    }

    #[test]
    fn every_column_has_its_points() {
        for (count, width) in [(120, 120), (1237, 800), (5, 5)] {
            let points = history((0..count).map(|_| -20.0));
            let columns = columns(&points, width, loudness);
            assert!(columns.iter().all(Option::is_some), "{count} points in {width} columns");
        }
    }

    #[test]
    fn what_is_20_lu_quieter_has_no_part_in_the_range() {
        let two = (0..200).map(|index| if index < 100 { -60.0 } else { -20.0 });
        assert_eq!(range(&history(two)), Some((-20.0, -20.0)));
        assert_eq!(range(&[]), None);
    }
}
