//! The window of the rack: the slots at the left, the controls of one of them at the right.

mod controls;
mod curve;
mod footer;
mod header;
mod history;
mod presets;
mod request;
mod slots;
#[cfg(test)]
mod tests;

use super::plugin::RackState;
use crate::lookup::Lookup;
use crate::window::pace::Pace;
use crate::window::{self, Window, WindowOwner, focus, theme};
use egui::{Context, Rect, Ui, pos2};
use nice_plug::context::gui::GuiContext;
use request::{Outcome, Request};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wavemill_rack::Peaks;

/// Everything the window remembers; lives as long as the plugin, whether a window is open or not.
pub struct Face {
    desk: Arc<RackState>,
    context: Option<GuiContext>,
    pace: Pace,
    /// The slot whose controls are shown.
    shown: usize,
    /// What stands in the field for the path of a module, and what is wrong with it.
    path: String,
    path_problem: Option<String>,
    header: header::View,
    history: history::History,
    presets: presets::View,
    curve: curve::View,
    /// Files of the user's folders, by name.
    lists: Lookup<PathBuf, Vec<String>>,
    /// What the disk is asked for.
    request: Option<Request>,
    disk: Lookup<Request, Outcome>,
    levels: Decay,
}

/// Levels that fall slowly enough to be read.
#[derive(Debug, Default)]
struct Decay {
    peaks: Peaks,
    at: Option<Instant>,
}

impl Decay {
    /// How fast a level falls, in dB a second, as peak programme meters do (IEC 60268-10, type I).
    const FALL_DB_PER_S: f32 = 11.8;

    fn update(&mut self, new: Peaks) {
        let now = Instant::now();
        let elapsed_s = self.at.map_or(0.0, |at| (now - at).as_secs_f32());
        self.at = Some(now);
        let factor = 10.0f32.powf(-Self::FALL_DB_PER_S * elapsed_s / 20.0);
        let fall = |old: f32, new: f32| new.max(old * factor);
        self.peaks.input = fall(self.peaks.input, new.input);
        for (own, new) in self.peaks.outputs.iter_mut().zip(new.outputs) {
            *own = fall(*own, new);
        }
    }

    /// Whether anything is heard.
    fn is_moving(&self) -> bool {
        self.peaks.input > 1e-5 || self.peaks.outputs.iter().any(|peak| *peak > 1e-5)
    }
}

/// The window of an instance.
pub(super) fn window(desk: &Arc<RackState>) -> Window<Face> {
    let owner: Arc<RackState> = Arc::clone(desk);
    Window::new(Face::new(Arc::clone(desk)), owner)
}

impl WindowOwner for RackState {
    fn size(&self) -> ((u32, u32), f32) {
        let view = self.params.view.read();
        (view.window, view.zoom)
    }

    fn resized(&self, size: (u32, u32)) {
        self.params.view.write().window = size;
    }

    fn zoomed(&self, zoom: f32) {
        self.params.view.write().zoom = zoom;
    }

    fn closed(&self) {
        self.levels.watch(false);
    }

    fn track_named(&self, _name: &str) {}
}

impl window::Face for Face {
    fn begin(&mut self, context: &Context, nice: GuiContext) {
        theme::apply(context);
        self.context = Some(nice);
        self.desk.levels.watch(true);
        self.pace = Pace::default();
    }

    fn ui(&mut self, ui: &mut Ui) -> [Option<Duration>; 2] {
        let Some(context) = self.context.clone() else { return [None; 2] };
        let is_waiting = self.settle_request(&context);
        self.draw(ui, &context);
        let is_waiting = is_waiting || self.curve.is_waiting;
        self.pace.pauses(Instant::now(), is_waiting || self.levels.is_moving())
    }
}

impl Face {
    fn new(desk: Arc<RackState>) -> Self {
        Self {
            desk,
            context: None,
            pace: Pace::default(),
            shown: 0,
            path: String::new(),
            path_problem: None,
            header: header::View::default(),
            history: history::History::default(),
            presets: presets::View::default(),
            curve: curve::View::default(),
            lists: Lookup::default(),
            request: None,
            disk: Lookup::default(),
            levels: Decay::default(),
        }
    }

    fn draw(&mut self, ui: &mut Ui, context: &GuiContext) {
        self.levels.update(self.desk.levels.take());
        let window = ui.max_rect();
        ui.painter().rect_filled(window, 0.0, theme::GROUND);
        let window = window.shrink(theme::GAP);
        let (top, bottom) = (window.top() + 30.0, window.bottom() - 26.0);
        let middle = window.left() + (window.width() * 0.34).clamp(240.0, 340.0);
        let is_exported = self.desk.params.is_exported;
        let rect =
            |left, top, right, bottom| Rect { min: pos2(left, top), max: pos2(right, bottom) };
        self.header(ui, rect(window.left(), window.top(), window.right(), top), context);
        let (top, lower) = (top + theme::GAP, bottom - theme::GAP);
        if !is_exported {
            self.slots(ui, rect(window.left(), top, middle, lower), context);
        }
        let left = if is_exported { window.left() } else { middle + theme::GAP };
        let right = rect(left, top, window.right(), lower);
        self.controls(ui, right, context);
        self.footer(ui, rect(window.left(), bottom, window.right(), window.bottom()), context);
        focus::ring(ui.ctx());
    }
}
