//! Loudness over time.

use super::Numbers;
use super::axis::multiples;
use super::font::Font;
use super::scene::{Anchor, Area, DASH, Scene, Shape, Spot, Text, Weight};
use super::theme::Ink;
use crate::loudness::HistoryPoint;
use wavemill_audio::units::Lufs;

/// Whether there is anything to draw.
pub(super) fn has_value(points: &[HistoryPoint]) -> bool {
    points.iter().any(|point| point.momentary_lufs.is_some() || point.short_term_lufs.is_some())
}

/// What the scale covers, in LU: quieter passages lie at its foot.
const SPAN_LU: f64 = 36.0;

/// Lines of the scale.
const STEP_LU: f64 = 12.0;

/// Columns a pixel: a curve of hours has more points than there are pixels.
const COLUMN_WIDTH: f64 = 1.0;

const LABEL_SIZE: f64 = 10.0;
const CURVE_WIDTH: f64 = 1.6;
/// Base line of the legend above the curve.
const LEGEND_RISE: f64 = 7.0;
/// Length of a line in the legend: two dashes and a gap.
const SAMPLE_WIDTH: f64 = 3.0 * DASH;
const LEGEND_GAP: f64 = 18.0;

pub(super) fn draw(
    scene: &mut Scene,
    area: &Area,
    points: &[HistoryPoint],
    duration_s: f64,
    numbers: &Numbers,
) {
    let loudest = points
        .iter()
        .flat_map(|point| [point.momentary_lufs, point.short_term_lufs])
        .flatten()
        .fold(f64::NEG_INFINITY, |loudest, lufs| loudest.max(lufs.0));
    let scale = Scale { top: (loudest / 6.0).ceil().clamp(-6.0, 3.0) * 6.0, area: *area };
    scale.draw(scene);
    let momentary = columns(points, area, duration_s, |point| point.momentary_lufs);
    for run in runs(&momentary) {
        let mut spots: Vec<Spot> = run.iter().map(|&(x, lufs)| scale.spot(x, lufs)).collect();
        let ends = [spots[spots.len() - 1].x, spots[0].x];
        spots.extend(ends.map(|x| Spot { x, y: area.bottom() }));
        scene.shapes.push(Shape::Polygon { spots, ink: Ink::CurveArea });
    }
    let short_term = columns(points, area, duration_s, |point| point.short_term_lufs);
    for run in runs(&short_term) {
        let spots = run.iter().map(|&(x, lufs)| scale.spot(x, lufs)).collect();
        scene.shapes.push(Shape::Line { spots, width: CURVE_WIDTH, ink: Ink::Curve });
    }
    draw_legend(scene, area, numbers.integrated_lufs.is_some());
    if let Some(integrated) = numbers.integrated_lufs {
        let start = scale.spot(area.x, integrated.0);
        let start = Spot { y: start.y.floor() + 0.5, ..start };
        let length = (area.width / DASH).floor() * DASH;
        scene.shapes.push(Shape::Dashes { start, length, ink: Ink::Text });
    }
}

/// Above the curve, from its right end: what each line is, as far as there is room.
fn draw_legend(scene: &mut Scene, area: &Area, has_integrated: bool) {
    let font = Font::new(Weight::Regular);
    let y = area.y - LEGEND_RISE;
    let middle = y - LABEL_SIZE * 0.36;
    let mut right = area.right();
    let entries =
        [("integrated", Ink::Text), ("short-term", Ink::Curve), ("momentary", Ink::CurveArea)];
    for (name, ink) in entries.into_iter().skip(usize::from(!has_integrated)) {
        let width = font.width(name, LABEL_SIZE);
        let x = right - width - 6.0 - SAMPLE_WIDTH;
        if x < area.x {
            return;
        }
        scene.text(Text {
            at: Spot { x: right, y },
            anchor: Anchor::End,
            weight: Weight::Regular,
            size: LABEL_SIZE,
            ink: Ink::Muted,
            content: name.to_owned(),
        });
        let start = Spot { x, y: middle.floor() + 0.5 };
        let end = Spot { x: x + SAMPLE_WIDTH, ..start };
        scene.shapes.push(match ink {
            Ink::Text => Shape::Dashes { start, length: SAMPLE_WIDTH, ink },
            Ink::Curve => Shape::Line { spots: vec![start, end], width: CURVE_WIDTH, ink },
            _ => {
                let area = Area { x, y: start.y - 4.0, width: SAMPLE_WIDTH, height: 8.0 };
                Shape::Rectangle { area, radius: 2.0, ink }
            }
        });
        right = x - LEGEND_GAP;
    }
}

struct Scale {
    /// LUFS at the upper edge.
    top: f64,
    area: Area,
}

impl Scale {
    fn spot(&self, x: f64, lufs: f64) -> Spot {
        let share = ((self.top - lufs) / SPAN_LU).clamp(0.0, 1.0);
        Spot { x, y: self.area.y + share * self.area.height }
    }

    fn draw(&self, scene: &mut Scene) {
        let label = |y: f64, content: String| Text {
            at: Spot { x: self.area.x - 8.0, y: y + LABEL_SIZE * 0.36 },
            anchor: Anchor::End,
            weight: Weight::Regular,
            size: LABEL_SIZE,
            ink: Ink::Muted,
            content,
        };
        scene.text(label(self.area.y + 5.0, "LUFS".to_owned()));
        for lufs in multiples(self.top - SPAN_LU, self.top, STEP_LU) {
            let y = self.spot(0.0, lufs).y.floor();
            // At the edges lines and labels would touch the frame and the unit.
            if y > self.area.y + 14.0 && y < self.area.bottom() - 8.0 {
                scene.rectangle(Area { y, height: 1.0, ..self.area }, Ink::Grid);
                scene.text(label(y + 0.5, format!("{lufs:.0}").replace('-', "\u{2212}")));
            }
        }
    }
}

/// The loudest value of each column of pixels, with the column's middle.
fn columns(
    points: &[HistoryPoint],
    area: &Area,
    duration_s: f64,
    value: impl Fn(&HistoryPoint) -> Option<Lufs>,
) -> Vec<(f64, Option<f64>)> {
    let mut columns: Vec<(f64, Option<f64>)> = Vec::new();
    let mut last_column = -1.0;
    for point in points {
        let x = area.x + (point.at_s.0 / duration_s).clamp(0.0, 1.0) * area.width;
        let column = ((x - area.x) / COLUMN_WIDTH).floor();
        let lufs = value(point).map(|lufs| lufs.0);
        match columns.last_mut() {
            Some((_, loudest)) if column <= last_column => {
                *loudest = [*loudest, lufs].into_iter().flatten().reduce(f64::max);
            }
            _ => columns.push((x, lufs)),
        }
        last_column = column;
    }
    columns
}

/// Stretches without silence; what is a single point is left out.
fn runs(columns: &[(f64, Option<f64>)]) -> Vec<Vec<(f64, f64)>> {
    columns
        .split(|(_, lufs)| lufs.is_none())
        .map(|run| run.iter().filter_map(|&(x, lufs)| Some((x, lufs?))).collect::<Vec<_>>())
        .filter(|run| run.len() > 1)
        .collect()
}
