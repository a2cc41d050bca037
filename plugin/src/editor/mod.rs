//! The editor: one glance tells loudness, peak and verdict.

mod bars;
mod field;
mod focus;
mod footer;
mod header;
mod history;
mod layout;
mod numbers;
mod output;
mod panel;
mod scale;
mod scope;
mod spectrum;
mod spectrum_view;
#[cfg(test)]
mod stage;
mod theme;
mod verdict;
mod window;
mod words;

use crate::meters::Snapshot;
use crate::plugin::Desk;
use egui::{Context, Ui};
use layout::{Regions, SIZE_MIN};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug::editor::{ResizeHint, SizeConstraints};
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::{
    EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, create_egui_editor,
};
use spectrum::Spectrum;
use std::sync::Arc;
use std::time::{Duration, Instant};
use verdict::Standing;
pub(crate) use window::Window;

/// Time between two pictures while something changes.
const FRAME_TIME: Duration = Duration::from_millis(33);

/// The same while nothing does.
const IDLE_TIME: Duration = Duration::from_millis(250);

/// How long after the last change things still move: falling levels.
const RESTLESS_TIME: Duration = Duration::from_secs(5);

/// Everything the editor remembers; lives as long as the plugin, whether a window is open or not.
pub(crate) struct Face {
    desk: Arc<Desk>,
    context: Option<GuiContext>,
    history: Snapshot,
    history_version: (u64, usize),
    history_view: history::View,
    spectrum: Spectrum,
    spectrum_view: spectrum_view::View,
    scope: scope::Scope,
    output: output::View,
    standing: Standing,
    drawn_at: Instant,
    changed_at: Instant,
    seen: u64,
    life: window::Life,
}

/// The editor of an instance.
pub(crate) fn editor(desk: &Arc<Desk>) -> Option<Window> {
    let (width, height, zoom) = {
        let choices = desk.params.choices.read();
        let (width, height) = choices.window;
        (width.max(SIZE_MIN.0), height.max(SIZE_MIN.1), choices.zoom.clamp(1.0, 3.0))
    };
    let state = EguiEditorState::from_size(size_of((width, height)), zoom);
    let hint = ResizeHint {
        can_resize: true,
        can_resize_horizontally: true,
        can_resize_vertically: true,
        size_constraints: SizeConstraints::Logical {
            min_size: Some(size_of(SIZE_MIN)),
            max_size: None,
        },
        ..ResizeHint::default()
    };
    let settings = EguiNiceSettings::new()
        .with_tile("Wavemill")
        .with_resize_hint(hint)
        .with_repaint_poll_interval(FRAME_TIME);
    let face = Face::new(Arc::clone(desk));
    let life = Arc::clone(&face.life);
    let editor = create_egui_editor(state, RepaintNotifier::new(), settings, face)?;
    Some(Window { editor, desk: Arc::clone(desk), life })
}

#[expect(clippy::cast_precision_loss, reason = "a window is smaller than 16 million points")]
fn size_of((width, height): (u32, u32)) -> LogicalSize<f32> {
    LogicalSize::new(width as f32, height as f32)
}

impl Face {
    fn new(desk: Arc<Desk>) -> Self {
        let now = Instant::now();
        Self {
            standing: Standing::new(),
            desk,
            context: None,
            history: Snapshot::default(),
            history_version: (u64::MAX, 0),
            history_view: history::View::default(),
            spectrum: Spectrum::new(),
            spectrum_view: spectrum_view::View::default(),
            scope: scope::Scope::default(),
            output: output::View::default(),
            drawn_at: now,
            changed_at: now,
            seen: 0,
            life: window::Life::default(),
        }
    }

    /// Takes what is new from the audio thread; says whether anything was.
    fn refresh(&mut self) -> bool {
        let now = Instant::now();
        let elapsed_s = (now - self.drawn_at).as_secs_f32().min(1.0);
        self.drawn_at = now;
        let shared = &self.desk.shared;
        let version = shared.history.version();
        if version != self.history_version {
            self.history_version = version;
            shared.history.read(&mut self.history);
        }
        let position = shared.tap.position();
        let is_new = position != self.seen;
        self.seen = position;
        let rate_hz = self.desk.sample_rate_hz();
        self.spectrum.update(&shared.tap, rate_hz, elapsed_s);
        self.scope.update(&shared.tap);
        self.standing.update(&self.desk);
        if is_new {
            self.changed_at = now;
        }
        now - self.changed_at < RESTLESS_TIME
    }

    /// Draws everything.
    fn draw(&mut self, ui: &mut Ui, context: &GuiContext) {
        let is_restless = self.refresh();
        let regions = Regions::of(ui.max_rect());
        ui.painter().rect_filled(ui.max_rect(), 0.0, theme::GROUND);
        header::show(ui, regions.header, &self.desk, &mut self.standing, context);
        numbers::show(ui, regions.numbers, self.desk.shared.shown(), &self.standing);
        bars::show(ui, regions.bars, &self.desk.shared.readings, &self.standing);
        self.history_view.show(ui, regions.history, &self.history, &self.standing);
        let reference = &self.desk.params.reference;
        self.spectrum_view.show(ui, regions.spectrum, &mut self.spectrum, reference);
        self.scope.show(ui, regions.scope, &self.desk.shared.readings);
        footer::show(ui, regions.footer, &self.desk, context, &mut self.output);
        self.output.show(ui, &self.desk);
        focus::ring(ui.ctx());
        ui.ctx().request_repaint_after(if is_restless { FRAME_TIME } else { IDLE_TIME });
    }
}

impl NiceEguiApp for Face {
    fn build(
        &mut self,
        context: Context,
        nice: GuiContext,
        _frame: &mut Frame,
    ) -> Result<(), HandlerError> {
        window::begin(&self.life);
        theme::apply(&context);
        self.context = Some(nice);
        self.desk.shared.tap.open(true);
        self.changed_at = Instant::now();
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        if let Some(context) = self.context.clone() {
            self.draw(ui, &context);
        }
    }

    fn resized(&mut self, size: WindowSize) {
        let logical = size.logical;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a window's size is a small positive number"
        )]
        let points = |side: f64| side.round() as u32;
        self.desk.params.choices.write().window = (points(logical.width), points(logical.height));
    }

    fn zoom_factor_changed(&mut self, zoom: f32) {
        self.desk.params.choices.write().zoom = zoom;
    }
}
