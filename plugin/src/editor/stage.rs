//! The editor without a window, for tests: frames are drawn when asked for, and what they show is text.

use super::{Face, theme};
use crate::plugin::Desk;
use egui::{Context, Event, RawInput, Rect, Shape, pos2, vec2};
use nice_plug::context::gui::GuiContext;
use nice_plug::params::internals::ParamPtr;
use nice_plug::prelude::{GuiContextInner, PluginApi, PluginState};
use std::sync::Arc;

/// An editor on a stage.
pub(super) struct Stage {
    pub(super) desk: Arc<Desk>,
    context: Context,
    face: Face,
    gui: GuiContext,
    shapes: Vec<Shape>,
}

/// A DAW that takes every change of a parameter.
struct Host;

impl GuiContextInner for Host {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }

    unsafe fn raw_begin_set_parameter(&self, _param: ParamPtr) {}

    unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, normalized: f32) {
        // SAFETY: the parameter belongs to the desk, which lives as long as its editor.
        unsafe { param._internal_set_normalized_value(normalized) };
    }

    unsafe fn raw_end_set_parameter(&self, _param: ParamPtr) {}

    fn get_state(&self) -> PluginState {
        unreachable!("the editor saves no presets")
    }

    fn set_state(&self, _state: PluginState) {}

    fn request_restart(&self) {}
}

impl Stage {
    /// An editor of the usual size that was drawn twice, after which all things have their place.
    pub(super) fn new(desk: Desk) -> Self {
        let desk = Arc::new(desk);
        let context = Context::default();
        theme::apply(&context);
        let mut stage = Self {
            face: Face::new(Arc::clone(&desk)),
            desk,
            context,
            gui: GuiContext::new(Arc::new(Host)),
            shapes: Vec::new(),
        };
        stage.draw(Vec::new());
        stage.draw(Vec::new());
        stage
    }

    /// Draws one frame after these events.
    pub(super) fn draw(&mut self, events: Vec<Event>) {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(960.0, 600.0))),
            focused: true,
            events,
            ..RawInput::default()
        };
        let Self { face, gui, context, .. } = self;
        let output = context.run_ui(input, |ui| face.draw(ui, gui));
        self.shapes = output.shapes.iter().map(|clipped| clipped.shape.clone()).collect();
        output.drop_without_applying_deltas();
    }

    /// Everything that was drawn.
    pub(super) fn shapes(&self) -> Vec<&Shape> {
        fn flatten<'a>(shape: &'a Shape, all: &mut Vec<&'a Shape>) {
            match shape {
                Shape::Vec(shapes) => shapes.iter().for_each(|shape| flatten(shape, all)),
                shape => all.push(shape),
            }
        }
        let mut all = Vec::new();
        self.shapes.iter().for_each(|shape| flatten(shape, &mut all));
        all
    }

    /// Everything that was written.
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |shape: &Shape| match shape {
            Shape::Text(text) => Some(text.galley.text().to_owned()),
            _ => None,
        };
        self.shapes().into_iter().filter_map(text).collect()
    }

    pub(super) fn shows(&self, words: &str) -> bool {
        self.texts().iter().any(|text| text == words)
    }
}
