//! Energies and peaks at places of the song, in any order.

use std::collections::BTreeMap;
use wavemill_core::loudness::{HopLoudness, loudness_curve};

/// Cells of a page: a minute.
const PAGE_CELLS: usize = 600;

/// Pages that are kept: a day.
pub(super) const PAGES_MAX: usize = 24 * 60;

/// 100 ms at a place of the song.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    /// Channel-weighted mean square after K-weighting; NaN where nothing was measured.
    energy: f64,
    /// True peak in dBTP: minus infinity in silence, NaN where it is not known.
    peak: f32,
    /// Whether the filters had settled.
    is_settled: bool,
}

const EMPTY: Cell = Cell { energy: f64::NAN, peak: f32::NAN, is_settled: false };

impl Cell {
    fn is_empty(&self) -> bool {
        self.energy.is_nan()
    }
}

/// Those of a song.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pages: BTreeMap<i64, Box<[Cell; PAGE_CELLS]>>,
    /// Whether cells found no room.
    pub(super) is_full: bool,
}

/// Cells without a gap between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Run {
    /// Index of the first cell.
    pub(super) first: i64,
    pub(super) energies: Vec<f64>,
    pub(super) peaks: Vec<f32>,
}

impl Cells {
    /// Writes the energy of a cell.
    pub(super) fn put(&mut self, index: i64, energy: f64, is_settled: bool) {
        let Some(cell) = self.cell(index) else { return };
        if is_settled || cell.is_empty() || !cell.is_settled {
            *cell = Cell { energy, is_settled, ..*cell };
        }
    }

    /// Writes the peak of a cell, whose energy came before it.
    pub(super) fn put_peak(&mut self, index: i64, peak: f32) {
        if let Some(cell) = self.cell(index) {
            cell.peak = peak;
        }
    }

    fn cell(&mut self, index: i64) -> Option<&mut Cell> {
        #[expect(clippy::cast_possible_wrap, reason = "it is small")]
        let (page, place) =
            (index.div_euclid(PAGE_CELLS as i64), index.rem_euclid(PAGE_CELLS as i64));
        if !self.pages.contains_key(&page) {
            if self.pages.len() >= PAGES_MAX {
                self.is_full = true;
                return None;
            }
            self.pages.insert(page, Box::new([EMPTY; PAGE_CELLS]));
        }
        let cells = self.pages.get_mut(&page)?;
        cells.get_mut(usize::try_from(place).ok()?)
    }

    /// Everything that was measured from one cell on and before another.
    pub(super) fn runs(&self, from: i64, until: i64) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        #[expect(clippy::cast_possible_wrap, reason = "it is small")]
        let cells = self.pages.iter().flat_map(|(page, cells)| {
            (page * PAGE_CELLS as i64..).zip(cells.iter()).filter(|(_, cell)| !cell.is_empty())
        });
        for (index, cell) in cells.filter(|(index, _)| (from..until).contains(index)) {
            if runs.last().is_none_or(|run| run.end() != index) {
                runs.push(Run { first: index, ..Run::default() });
            }
            if let Some(run) = runs.last_mut() {
                run.energies.push(cell.energy);
                run.peaks.push(cell.peak);
            }
        }
        runs
    }
}

impl Run {
    /// The first cell behind it.
    #[expect(clippy::cast_possible_wrap, reason = "a vector is no longer than that")]
    pub(super) fn end(&self) -> i64 {
        self.first + self.energies.len() as i64
    }

    /// Momentary and short-term loudness, and the true peak, at each cell, in LUFS and dBTP.
    pub(super) fn curve(&self) -> impl Iterator<Item = [Option<f64>; 3]> {
        loudness_curve(&self.energies).zip(&self.peaks).map(|([momentary, short_term], &peak)| {
            [momentary.map(|lufs| lufs.0), short_term.map(|lufs| lufs.0), dbtp(peak)]
        })
    }
}

/// Loudness of all runs together, and their largest true peak in dBTP.
pub(super) fn loudness(runs: &mut [Run]) -> (HopLoudness, Option<f64>) {
    let peak = runs.iter().flat_map(|run| &run.peaks).copied().fold(f32::NAN, f32::max);
    let energies: Vec<Vec<f64>> =
        runs.iter_mut().map(|run| std::mem::take(&mut run.energies)).collect();
    let loudness = HopLoudness::of_runs(&energies);
    for (run, energies) in runs.iter_mut().zip(energies) {
        run.energies = energies;
    }
    (loudness, dbtp(peak))
}

fn dbtp(peak: f32) -> Option<f64> {
    peak.is_finite().then(|| f64::from(peak))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_in_runs_whatever_their_order() {
        let mut cells = Cells::default();
        for index in [599, -1, 601, 0, 600, -600_000] {
            cells.put(index, 1.0, true);
        }
        let runs = cells.runs(i64::MIN, i64::MAX);
        let places: Vec<_> = runs.iter().map(|run| (run.first, run.energies.len())).collect();
        assert_eq!(places, [(-600_000, 1), (-1, 2), (599, 3)]);
        let some = cells.runs(0, 600);
        assert_eq!(some.iter().map(|run| run.first).collect::<Vec<_>>(), [0, 599]);
    }

    #[test]
    fn cell_of_unsettled_filters_fills_gaps_only() {
        let mut cells = Cells::default();
        cells.put(1, 0.5, false);
        cells.put(1, 0.6, false);
        cells.put(1, 0.7, true);
        cells.put(1, 0.8, false);
        cells.put_peak(1, 0.25);
        let run = &cells.runs(0, 10)[0];
        assert_eq!((run.energies.clone(), run.peaks.clone()), (vec![0.7], vec![0.25]));
    }

    #[test]
    fn day_is_the_limit_and_what_is_there_is_still_replaced() {
        let mut cells = Cells::default();
        for page in 0..i64::try_from(PAGES_MAX).unwrap() {
            cells.put(page * 600, 1.0, true);
        }
        assert!(!cells.is_full);
        cells.put(-1, 1.0, true);
        cells.put(0, 0.5, true);
        assert!(cells.is_full);
        assert_eq!(cells.runs(-10, 1)[0].energies, [0.5]);
    }
}
