//! Small signs that are switched on and off.

use crate::window::theme;
use crate::window::tip::Tip as _;
use egui::{Painter, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, vec2};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A favorite.
    Star,
    /// One of several that are shown.
    Tick,
}

/// Side of a sign's place, in points.
pub(super) const SIDE: f32 = 18.0;

/// A sign; says whether it was switched. `name` is what a screen reader says, and `tip` what it means.
pub(super) fn switch(ui: &mut Ui, sign: Sign, is_on: bool, name: &str, tip: &str) -> bool {
    let (place, response) = ui.allocate_exact_size(vec2(SIDE, SIDE), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, is_on, name));
    let color = if is_on { theme::HELD } else { theme::FAINT };
    let color = if response.hovered() { theme::TEXT } else { color };
    match sign {
        Sign::Star => star(ui.painter(), place, is_on, color),
        Sign::Tick => tick(ui.painter(), place, is_on, color),
    }
    response.tip(tip).clicked()
}

/// Five points; filled while on.
fn star(painter: &Painter, place: Rect, is_on: bool, color: egui::Color32) {
    let point = |index: u16| -> Pos2 {
        let reach = if index.is_multiple_of(2) { 7.0 } else { 3.0 };
        let angle = std::f32::consts::PI * f32::from(index) / 5.0;
        place.center() + vec2(angle.sin(), -angle.cos()) * reach
    };
    let points: Vec<Pos2> = (0..10).map(point).collect();
    if is_on {
        // It is not convex: a triangle for each point, and what is between.
        for index in (0..10).step_by(2) {
            let triangle = vec![points[(index + 9) % 10], points[index], points[index + 1]];
            painter.add(Shape::convex_polygon(triangle, color, Stroke::NONE));
        }
        let inner = points.iter().skip(1).step_by(2).copied().collect();
        painter.add(Shape::convex_polygon(inner, color, Stroke::NONE));
    }
    painter.add(Shape::closed_line(points, Stroke::new(1.0, color)));
}

/// A box with a tick in it while on.
fn tick(painter: &Painter, place: Rect, is_on: bool, color: egui::Color32) {
    let own = Rect::from_center_size(place.center(), vec2(12.0, 12.0));
    painter.rect_stroke(own, 2.0, Stroke::new(1.0, color), egui::StrokeKind::Inside);
    if is_on {
        let middle = own.center();
        let points =
            vec![middle + vec2(-3.5, 0.0), middle + vec2(-1.0, 2.5), middle + vec2(3.5, -3.0)];
        painter.line(points, Stroke::new(1.8, color));
    }
}
