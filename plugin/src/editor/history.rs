//! Loudness over the session.

use super::cursor;
use super::overs::{self, Over};
use super::verdict::TargetState;
use super::{panel, stereo_lane, theme, words};
use crate::meters::{BINS, LOWEST_LUFS, Point, Snapshot};
use crate::params::Choices;
use crate::window::scale::{Axis, clock, time_step_s};
use crate::window::tip::Tip as _;
use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{
    Align, Align2, Button, Color32, EventFilter, Key, Layout, Painter, Pos2, Rect, Response,
    RichText, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};
use parking_lot::RwLock;

/// Lowest and highest loudness shown.
const LOW_LUFS: f32 = -48.0;
const HIGH_LUFS: f32 = 0.0;

/// The shortest span that can be shown, in seconds.
const SPAN_MIN_S: f64 = 10.0;

/// Columns further apart than this are a gap in the session, unless its points are.
const GAP_MIN: f32 = 8.0;

/// The span in which an over is shown where all of the session was, in seconds.
const OVER_SPAN_S: f64 = 60.0;

/// Width of the distribution, in points.
const DISTRIBUTION_WIDTH: f32 = 54.0;

/// Which part of the session is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct View {
    /// Latest seconds; `None` means all of it.
    span_s: Option<f64>,
    /// How far before the end the view ends, in seconds.
    back_s: f64,
    /// The over that was asked for last.
    over: Option<Over>,
}

impl View {
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        history: &Snapshot,
        counts: &[u32; BINS],
        (standing, choices): (&TargetState, &RwLock<Choices>),
    ) {
        let room = panel::ground(ui, rect, "LOUDNESS");
        let total_s = history.points.len() as f64 * history.point_s;
        let plot = Rect {
            min: pos2(room.left() + 22.0, room.top()),
            max: pos2(room.right() - DISTRIBUTION_WIDTH - 4.0, room.bottom() - 13.0),
        };
        let response = ui.interact(plot, ui.scope_id().with("history"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, "history"));
        self.zoom(ui, plot, &response, total_s);
        let (from_s, to_s) = self.range(total_s);
        let shows_stereo = choices.read().shows_stereo;
        let (upper, lane) =
            if shows_stereo { stereo_lane::split(plot) } else { (plot, Rect::NOTHING) };
        let (whole, plot) = (plot, upper);
        let axis = Axis::upward(plot, LOW_LUFS, HIGH_LUFS);
        let painter = ui.painter_at(room.expand(2.0));
        grid(&painter, plot, axis, standing);
        times(&painter, whole, from_s + history.start_s, to_s + history.start_s);
        let columns = columns(history, plot, from_s, to_s);
        #[expect(clippy::cast_possible_truncation, reason = "a place on a screen")]
        let point_width = (history.point_s / (to_s - from_s)) as f32 * plot.width();
        let gap = GAP_MIN.max(2.5 * point_width);
        curve(&painter, (plot, axis), &columns, gap, standing);
        if shows_stereo {
            let points: Vec<_> = columns.iter().map(|column| (column.x, column.point)).collect();
            stereo_lane::draw(&painter, lane, &points, gap);
            stereo_lane::legend(&painter, lane);
        }
        marks(&painter, plot, &columns, standing);
        distribution(&painter, room, plot, axis, counts);
        #[expect(clippy::cast_possible_truncation, reason = "a place on a screen")]
        let place =
            |at_s: f64| plot.left() + ((at_s - from_s) / (to_s - from_s)) as f32 * plot.width();
        let pointer = response.hover_pos().map(|pointer| pointer.x);
        let over = self.over.map(|over| place(over.at_s)).filter(|x| plot.x_range().contains(*x));
        if let Some(x) = pointer.or(over) {
            let at_s = from_s + f64::from((x - plot.left()) / plot.width()) * (to_s - from_s);
            let at_s = at_s + history.start_s;
            let point = nearest(&columns, x);
            cursor::draw(&painter, (plot, axis), x, at_s, (point, shows_stereo));
        }
        self.buttons(ui, rect, total_s, (&overs::of(history, standing), choices));
        panel::explained_by_title(ui, rect, response, words::HISTORY);
    }

    /// First and last second shown, in the song or since the last reset; `None` where everything is.
    pub(super) fn part_s(&self, history: &Snapshot) -> Option<(f64, f64)> {
        self.span_s?;
        let (from_s, to_s) = self.range(history.points.len() as f64 * history.point_s);
        Some((history.start_s + from_s, history.start_s + to_s))
    }

    /// First and last second shown.
    fn range(&self, total_s: f64) -> (f64, f64) {
        let span_s = self.span_s.unwrap_or(total_s).max(SPAN_MIN_S);
        let to_s = (total_s - self.back_s).max(span_s.min(total_s)).max(span_s);
        (to_s - span_s, to_s)
    }

    /// The wheel zooms around the pointer, a drag moves, a double click shows everything. With the focus,
    /// arrows up and down zoom around the middle, left and right move, space and enter show everything.
    fn zoom(&mut self, ui: &Ui, plot: Rect, response: &Response, total_s: f64) {
        let (from_s, to_s) = self.range(total_s);
        let span_s = to_s - from_s;
        let keys = Keys::of(ui, response);
        if response.double_clicked() || keys.is_all {
            *self = Self::default();
            return;
        }
        let dragged = f64::from(response.drag_delta().x / plot.width());
        let move_s = (dragged + keys.back) * span_s;
        let wheel =
            if response.hovered() { ui.input(|input| input.smooth_scroll_delta().y) } else { 0.0 };
        if wheel.abs() > 0.1 || keys.zoom != 0.0 {
            let pointer = ui.input(|input| input.pointer.hover_pos());
            let around = pointer.filter(|_| keys.zoom == 0.0).map_or(0.5, |place| {
                f64::from((place.x - plot.left()) / plot.width()).clamp(0.0, 1.0)
            });
            let span = (span_s * (-f64::from(wheel) / 200.0 - keys.zoom).exp())
                .clamp(SPAN_MIN_S, total_s.max(SPAN_MIN_S));
            let at_s = from_s + around * span_s;
            let end_s = at_s + (1.0 - around) * span;
            self.span_s = (span < total_s).then_some(span);
            self.back_s = (total_s - end_s).clamp(0.0, (total_s - span).max(0.0));
        } else if move_s.abs() > 0.0 && self.span_s.is_some() {
            self.back_s = (self.back_s + move_s).clamp(0.0, (total_s - span_s).max(0.0));
        }
    }

    /// Shows the next over, the first one behind the last, in the middle.
    fn show_next(&mut self, overs: &[Over], total_s: f64) {
        let is_next = |over: &&Over| self.over.is_none_or(|latest| over.at_s > latest.at_s);
        let Some(over) = overs.iter().find(is_next).or(overs.first()) else { return };
        self.over = Some(*over);
        let span_s = self.span_s.unwrap_or(OVER_SPAN_S).min(total_s.max(SPAN_MIN_S));
        self.span_s = (span_s < total_s).then_some(span_s);
        self.back_s = (total_s - over.at_s - span_s / 2.0).clamp(0.0, (total_s - span_s).max(0.0));
    }

    /// Overs, and spans that one wants often; they can be reached by the keyboard.
    fn buttons(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        total_s: f64,
        (overs, choices): (&[Over], &RwLock<Choices>),
    ) {
        let row = Rect {
            min: pos2(rect.left() + 70.0, rect.top() + 1.0),
            max: pos2(rect.right() - 6.0, rect.top() + 19.0),
        };
        panel::inside(ui, row, |ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                for (name, span_s) in
                    [("all", None), ("10 min", Some(600.0)), ("1 min", Some(60.0))]
                {
                    let is_chosen = self.span_s.is_some() == span_s.is_some()
                        && self.span_s.zip(span_s).is_none_or(|(a, b)| (a - b).abs() < 0.5);
                    let words = RichText::new(name).size(10.5);
                    if ui.selectable_label(is_chosen, words).clicked() {
                        self.span_s = span_s.filter(|span: &f64| *span < total_s);
                        self.back_s = 0.0;
                    }
                }
                let shows_stereo = choices.read().shows_stereo;
                let button = ui.selectable_label(shows_stereo, RichText::new("stereo").size(10.5));
                if button.tip(words::STEREO_LANE).clicked() {
                    choices.write().shows_stereo = !shows_stereo;
                }
                if !overs.is_empty() {
                    let words = format!("{} {}", overs.len(), plural(overs.len(), "over"));
                    let button = Button::new(RichText::new(words).size(10.5).color(theme::BAD));
                    let tip = "Shows the next passage beyond the target's limits.";
                    if ui.add(button.frame_when_inactive(false)).tip(tip).clicked() {
                        self.show_next(overs, total_s);
                    }
                }
            });
        });
    }
}

/// What the keyboard asks for.
#[derive(Clone, Copy, Debug, Default)]
struct Keys {
    /// Parts of the shown span to go back by.
    back: f64,
    /// The logarithm of how much nearer to look.
    zoom: f64,
    is_all: bool,
}

impl Keys {
    /// Nothing without the focus. With it, the arrows do not move it on.
    fn of(ui: &Ui, response: &Response) -> Self {
        /// Part of the span that one press moves by, and the logarithm of what it zooms by.
        const STEP: f64 = 0.2;
        if !response.has_focus() {
            return Self::default();
        }
        let arrows = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        ui.input(|input| {
            let steps = |more, less| {
                let presses = |key| f64::from(u8::from(input.key_pressed(key)));
                STEP * (presses(more) - presses(less))
            };
            Self {
                back: steps(Key::ArrowLeft, Key::ArrowRight),
                zoom: steps(Key::ArrowUp, Key::ArrowDown),
                is_all: input.key_pressed(Key::Space) || input.key_pressed(Key::Enter),
            }
        })
    }
}

/// What one column of the plot shows.
#[derive(Clone, Copy, Debug, Default)]
struct Column {
    x: f32,
    point: Point,
}

/// A column for each two points of the plot's width: the largest of the points it covers.
fn columns(history: &Snapshot, plot: Rect, from_s: f64, to_s: f64) -> Vec<Column> {
    if history.points.is_empty() {
        return Vec::new();
    }
    let count = (plot.width() / 2.0).max(1.0);
    let column_s = (to_s - from_s) / f64::from(count);
    let mut columns: Vec<Column> = Vec::new();
    let mut covered: Option<(u64, Point)> = None;
    let x_of = |column: u64| {
        #[expect(clippy::cast_precision_loss, reason = "a place on a screen")]
        let x = (plot.left() + (column as f32 + 0.5) * 2.0).min(plot.right());
        x
    };
    for (index, point) in history.points.iter().enumerate() {
        let at_s = index as f64 * history.point_s;
        if at_s < from_s || at_s > to_s {
            continue;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is not negative"
        )]
        let column = ((at_s - from_s) / column_s) as u64;
        covered = match covered {
            Some((same, largest)) if same == column => Some((same, largest.merged(*point))),
            other => {
                columns.extend(other.map(|(column, point)| Column { x: x_of(column), point }));
                Some((column, *point))
            }
        };
    }
    columns.extend(covered.map(|(column, point)| Column { x: x_of(column), point }));
    columns
}

fn grid(painter: &Painter, plot: Rect, axis: Axis, standing: &TargetState) {
    painter.rect_filled(plot, 2.0, theme::GROUND);
    if let Some((low, high)) = standing.band_lufs() {
        let band = Rect {
            min: pos2(plot.left(), axis.place(high)),
            max: pos2(plot.right(), axis.place(low)),
        };
        painter.rect_filled(band, 0.0, theme::veil(theme::TARGET, 0.22));
    }
    for value in [0.0, -10.0, -20.0, -30.0, -40.0] {
        let y = axis.place(value);
        painter.hline(plot.x_range(), y, theme::hairline(theme::GRID));
        let words = format!("{value:.0}").replace('-', "\u{2212}");
        let place = pos2(plot.left() - 4.0, y.max(plot.top() + 5.0));
        panel::text(painter, place, Align2::RIGHT_CENTER, &words, 9.5, theme::FAINT);
    }
    if let Some(aim) = standing.aim_lufs() {
        painter.hline(plot.x_range(), axis.place(aim), (1.5, theme::TARGET));
    }
}

fn times(painter: &Painter, plot: Rect, from_s: f64, to_s: f64) {
    let step_s = time_step_s(to_s - from_s, plot.width() / 70.0);
    let mut at_s = (from_s / step_s).ceil() * step_s;
    while at_s <= to_s {
        #[expect(clippy::cast_possible_truncation, reason = "a place on a screen")]
        let share = ((at_s - from_s) / (to_s - from_s)) as f32;
        let x = plot.left() + share * plot.width();
        painter.vline(x, plot.y_range(), theme::hairline(theme::GRID));
        let place = pos2(x.clamp(plot.left() + 10.0, plot.right() - 12.0), plot.bottom() + 2.0);
        panel::text(painter, place, Align2::CENTER_TOP, &clock(at_s), 9.5, theme::FAINT);
        at_s += step_s;
    }
}

/// Short-term loudness as an area, momentary loudness as a line. Columns further apart than `gap` are not
/// connected.
fn curve(
    painter: &Painter,
    (plot, axis): (Rect, Axis),
    columns: &[Column],
    gap: f32,
    standing: &TargetState,
) {
    let mut area = Mesh::default();
    let mut line = Vec::new();
    let mut thin = Vec::new();
    let limit = standing.loud_lufs();
    for column in columns {
        thin.extend(column.point.momentary_lufs.map(|lufs| pos2(column.x, axis.place(lufs))));
        let Some(lufs) = column.point.short_term_lufs else { continue };
        let place = pos2(column.x, axis.place(lufs));
        let is_over = limit.is_some_and(|limit| lufs > limit);
        line.push((place, if is_over { theme::BAD } else { theme::SIGNAL }));
    }
    let connected = || {
        let pairs = line.windows(2).map(|pair| (pair[0].0, pair[1].0, pair[1].1));
        pairs.filter(|(from, to, _)| to.x - from.x < gap)
    };
    connected().for_each(|(from, to, color)| strip(&mut area, from, to, plot.bottom(), color));
    painter.add(Shape::mesh(area));
    painter.add(Shape::line(thin, Stroke::new(1.0, theme::veil(theme::TEXT, 0.32))));
    for (from, to, color) in connected() {
        painter.line_segment([from, to], Stroke::new(1.8, color));
    }
}

/// The area below a piece of the curve, fading downward.
fn strip(mesh: &mut Mesh, from: Pos2, to: Pos2, bottom: f32, color: Color32) {
    #[expect(clippy::cast_possible_truncation, reason = "some thousand vertices")]
    let first = mesh.vertices.len() as u32;
    let vertex = |x: f32, y: f32, share: f32| Vertex {
        pos: pos2(x, y),
        uv: WHITE_UV,
        color: theme::veil(color, share),
    };
    mesh.vertices.extend([
        vertex(from.x, from.y, 0.42),
        vertex(to.x, to.y, 0.42),
        vertex(from.x, bottom, 0.06),
        vertex(to.x, bottom, 0.06),
    ]);
    mesh.add_triangle(first, first + 1, first + 2);
    mesh.add_triangle(first + 1, first + 2, first + 3);
}

/// The column below a place of the plot.
fn nearest(columns: &[Column], x: f32) -> Option<Point> {
    let distance = |column: &&Column| (column.x - x).abs();
    let nearest = columns.iter().min_by(|one, other| distance(one).total_cmp(&distance(other)));
    nearest.filter(|column| distance(column) <= GAP_MIN).map(|column| column.point)
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

/// Marks where the true peak was beyond the limit.
fn marks(painter: &Painter, plot: Rect, columns: &[Column], standing: &TargetState) {
    let Some(limit) = standing.peak_max_dbtp() else { return };
    for column in columns {
        if column.point.true_peak_dbtp.is_some_and(|peak| peak > limit) {
            let top = pos2(column.x, plot.top() + 1.0);
            let points = vec![top + vec2(-3.5, 0.0), top + vec2(3.5, 0.0), top + vec2(0.0, 6.0)];
            painter.add(Shape::convex_polygon(points, theme::BAD, Stroke::NONE));
        }
    }
}

/// How often each short-term loudness occurred, beside the curve on the same scale; what lies below the scale
/// is given in words.
fn distribution(painter: &Painter, room: Rect, plot: Rect, axis: Axis, counts: &[u32; BINS]) {
    let most = counts.iter().copied().max().unwrap_or(0);
    let left = plot.right() + 6.0;
    if most == 0 {
        return;
    }
    let mut below = 0;
    for (lufs, &count) in (LOWEST_LUFS..).map(f32::from).zip(counts) {
        if lufs < LOW_LUFS {
            below += count;
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "a picture")]
        let share = count as f32 / most as f32;
        // What is louder than the scale has its place at the top.
        let low = lufs.min(HIGH_LUFS - 1.0);
        let bar = Rect {
            min: pos2(left, axis.place(low + 1.0) + 0.5),
            max: pos2(left + share * (room.right() - left), axis.place(low)),
        };
        if count > 0 {
            painter.rect_filled(bar, 0.0, theme::veil(theme::SIGNAL, 0.6));
        }
    }
    let all: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let percent = 100 * u64::from(below) / all;
    if percent > 0 {
        let words = format!("{percent} % below");
        let place = pos2(left, plot.bottom());
        panel::text(painter, place, Align2::LEFT_BOTTOM, &words, 9.5, theme::FAINT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::stage::Stage;
    use crate::plugin::SharedState;
    use crate::window::focus::press_at;
    use egui::Event;

    const PLOT: Rect = Rect { min: pos2(0.0, 0.0), max: pos2(200.0, 100.0) };

    fn history(count: usize) -> Snapshot {
        let point = |index: usize| Point {
            short_term_lufs: Some(if index == count / 2 { -5.0 } else { -30.0 }),
            ..Point::default()
        };
        Snapshot { points: (0..count).map(point).collect(), point_s: 0.1, start_s: 0.0 }
    }

    #[test]
    fn columns_lose_no_maximum() {
        for count in [50, 100, 5_000, 16_000] {
            let history = history(count);
            let columns = columns(&history, PLOT, 0.0, count as f64 * 0.1);
            assert!(columns.len() <= 101, "{}", columns.len());
            let loud = columns.iter().filter(|c| c.point.short_term_lufs == Some(-5.0)).count();
            assert_eq!(loud, 1, "{count}");
            assert!(columns.iter().all(|column| PLOT.x_range().contains(column.x)));
        }
    }

    #[test]
    fn view_follows_the_end_and_shows_at_least_ten_seconds() {
        assert_eq!(View::default().range(2.0), (0.0, 10.0));
        assert_eq!(View::default().range(100.0), (0.0, 100.0));
        let minute = View { span_s: Some(60.0), ..View::default() };
        assert_eq!(minute.range(100.0), (40.0, 100.0));
        let earlier = View { span_s: Some(60.0), back_s: 30.0, ..View::default() };
        assert_eq!(earlier.range(100.0), (10.0, 70.0));
    }

    /// The bars of the distribution, from the top down.
    fn bars(stage: &Stage) -> Vec<Rect> {
        let color = theme::veil(theme::SIGNAL, 0.6);
        let is_bar = |shape: &&Shape| matches!(shape, Shape::Rect(rect) if rect.fill == color);
        let bar = |shape: &Shape| match shape {
            Shape::Rect(rect) => rect.rect,
            _ => unreachable!("filtered"),
        };
        let mut bars: Vec<_> = stage.shapes().into_iter().filter(is_bar).map(bar).collect();
        bars.sort_by(|one, other| one.top().total_cmp(&other.top()));
        bars
    }

    #[test]
    fn distribution_shows_how_often_each_loudness_occurred() {
        let mut stage = Stage::new(SharedState::default());
        assert_eq!(bars(&stage), []);
        let distribution = &stage.desk.shared.distribution;
        for (lufs, count) in [(-22.5, 40), (-23.5, 20), (-60.0, 20), (-75.0, 7)] {
            (0..count).for_each(|_| distribution.add(lufs));
        }
        stage.draw(Vec::new());
        let bars = bars(&stage);
        let [loud, soft] = bars[..] else { panic!("{bars:?}") };
        assert!((loud.width() / soft.width() - 2.0).abs() < 0.01 && loud.bottom() <= soft.top());
        assert!(stage.shows("25 % below"), "{:?}", stage.texts());
    }

    #[test]
    fn curve_of_a_young_session_has_no_gaps_however_wide_the_window() {
        for size in [(600, 400), (1500, 1000), (3000, 1000)] {
            let mut stage = Stage::sized(SharedState::default(), size);
            stage.fill_history(60);
            let is_piece = |shape: &&Shape| match shape {
                Shape::LineSegment { stroke, .. } => *stroke == Stroke::new(1.8, theme::SIGNAL),
                _ => false,
            };
            let pieces = stage.shapes().into_iter().filter(is_piece).count();
            assert_eq!(pieces, 59, "{size:?}");
        }
    }

    /// Ten minutes with two peaks beyond the limit.
    fn with_overs() -> Stage {
        let mut stage = Stage::new(SharedState::default());
        let steady = Point { short_term_lufs: Some(-23.0), ..Point::default() };
        let mut points = vec![steady; 6_000];
        for second in [120, 480] {
            points[second * 10].true_peak_dbtp = Some(0.5);
        }
        stage.fill_with(&points);
        stage
    }

    #[test]
    fn values_stand_at_the_pointer() {
        let mut stage = with_overs();
        let middle = stage.place_of("4:00");
        stage.draw(vec![Event::PointerMoved(middle - vec2(0.0, 60.0))]);
        stage.draw(Vec::new());
        let values = "M \u{2013}   S \u{2212}23.0   TP \u{2013}";
        assert!(stage.texts().iter().any(|text| text.starts_with("4:0") && text.ends_with(values)));
    }

    #[test]
    fn overs_are_shown_one_after_the_other() {
        let mut stage = with_overs();
        assert!(stage.shows("2 overs"), "{:?}", stage.texts());
        for time in ["2:00", "8:00", "2:00"] {
            press_at(&mut stage, "2 overs", Key::Enter);
            let shown = |text: &String| text.starts_with(time) && text.ends_with("TP 0.5");
            assert!(stage.texts().iter().any(shown), "{time}: {:?}", stage.texts());
        }
    }
}
