//! The editor without a window, for tests: frames are drawn when asked for, and what they show is text.

use super::Face;
use crate::meters::{HistoryWriter, Point};
use crate::params::WINDOW;
use crate::plugin::SharedState;
use crate::window::place::size_of;
use crate::window::theme;
use egui::accesskit::TreeUpdate;
use egui::output::OutputEvent;
use egui::{
    Context, Event, Id, Key, Memory, Modifiers, Pos2, RawInput, Rect, Shape, Vec2, pos2, vec2,
};
use nice_plug::context::gui::GuiContext;
use nice_plug::params::internals::ParamPtr;
use nice_plug::prelude::{GuiContextInner, PluginApi, PluginState};
use std::collections::HashSet;
use std::sync::Arc;

/// An editor on a stage.
pub(crate) struct Stage {
    pub(crate) desk: Arc<SharedState>,
    pub(crate) context: Context,
    face: Face,
    gui: GuiContext,
    shapes: Vec<Shape>,
    focused_words: Option<String>,
    tree: Option<TreeUpdate>,
    size: Vec2,
}

/// A DAW that takes every change of a parameter.
pub(crate) struct Host;

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
    /// An editor of the usual size.
    pub(crate) fn new(desk: SharedState) -> Self {
        Self::sized(desk, WINDOW)
    }

    /// An editor that was drawn twice, after which all things have their place.
    pub(crate) fn sized(desk: SharedState, size: (u32, u32)) -> Self {
        let size = size_of(size);
        let desk = Arc::new(desk);
        let context = Context::default();
        theme::apply(&context);
        let mut stage = Self {
            face: Face::new(Arc::clone(&desk)),
            desk,
            context,
            gui: GuiContext::new(Arc::new(Host)),
            shapes: Vec::new(),
            focused_words: None,
            tree: None,
            size: vec2(size.width, size.height),
        };
        stage.draw(Vec::new());
        stage.draw(Vec::new());
        stage
    }

    /// Draws one frame after these events.
    pub(crate) fn draw(&mut self, events: Vec<Event>) {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), self.size)),
            focused: true,
            events,
            ..RawInput::default()
        };
        let Self { face, gui, context, .. } = self;
        let mut output = context.run_ui(input, |ui| {
            face.draw(ui, gui);
        });
        for event in &output.platform_output.events {
            if let OutputEvent::FocusGained(info) = event {
                self.focused_words = info.label.clone().or(info.current_text_value.clone());
            }
        }
        self.tree = output.platform_output.accesskit_update.take();
        self.shapes = output.shapes.iter().map(|clipped| clipped.shape.clone()).collect();
        output.drop_without_applying_deltas();
    }

    /// Presses and releases a key; then a frame for what it changed.
    pub(crate) fn press(&mut self, key: Key, modifiers: Modifiers) {
        for pressed in [true, false] {
            let event = Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
            self.draw(vec![event]);
        }
        self.draw(Vec::new());
    }

    /// What has the keyboard's focus.
    pub(crate) fn focus(&self) -> Option<Id> {
        self.context.memory(Memory::focused)
    }

    /// What it says of itself.
    pub(crate) fn focused_words(&self) -> Option<&str> {
        self.focused_words.as_deref()
    }

    /// Everything that the keyboard can be at: what can be clicked, dragged or typed into, and what is explained.
    pub(crate) fn controls(&self) -> HashSet<Id> {
        self.context.viewport(|view| {
            let widgets = view.prev_pass.widgets.layers().flat_map(|(_, widgets)| widgets);
            let controls = widgets.filter(|widget| widget.enabled && widget.sense.is_focusable());
            controls.map(|widget| widget.id).collect()
        })
    }

    /// The tree that a screen reader would get of the next picture.
    pub(crate) fn accessible_tree(&mut self) -> TreeUpdate {
        self.context.enable_accesskit();
        self.draw(Vec::new());
        self.draw(Vec::new());
        self.tree.take().expect("a tree of each picture")
    }

    /// What a spectrum of one line looks like: the window's thread has seen a tone.
    pub(crate) fn play_tone(&mut self) {
        let tap = &self.desk.shared.tap;
        tap.open(true);
        let tone: Vec<f32> = (0..16_384u16).map(|frame| (f32::from(frame) * 0.1).sin()).collect();
        tap.push(&tone, &tone);
        self.draw(Vec::new());
        self.draw(Vec::new());
    }

    /// Held peaks of the spectrum, in dBFS.
    pub(crate) fn held_db(&self) -> Vec<f32> {
        self.face.spectrum.held_db.clone()
    }

    /// Places of controls, and what one can see of them.
    pub(crate) fn places(&self) -> Vec<[Rect; 2]> {
        let controls = self.controls();
        let responses = controls.iter().filter_map(|&id| self.context.read_response(id));
        responses.map(|response| [response.rect, response.interact_rect]).collect()
    }

    /// So many points of a steady program.
    pub(crate) fn fill_history(&mut self, count: usize) {
        let point = Point { short_term_lufs: Some(-23.0), ..Point::default() };
        self.fill_with(&vec![point; count]);
    }

    /// These points, the first ones of a session.
    pub(crate) fn fill_with(&mut self, points: &[Point]) {
        let mut scribe = HistoryWriter::default();
        for point in points {
            scribe.push(&self.desk.shared.history, *point);
        }
        self.draw(Vec::new());
    }

    /// Everything that was drawn.
    pub(crate) fn shapes(&self) -> Vec<&Shape> {
        flattened(&self.shapes)
    }

    /// Where words were drawn.
    pub(crate) fn place_of(&self, words: &str) -> Pos2 {
        let place = |shape: &Shape| match shape {
            Shape::Text(text) if text.galley.text() == words => {
                Some(text.pos + text.galley.size() / 2.0)
            }
            _ => None,
        };
        self.shapes().into_iter().find_map(place).unwrap()
    }

    /// Everything that was written.
    pub(crate) fn texts(&self) -> Vec<String> {
        texts_of(&self.shapes)
    }

    /// Draws until something like this is written: the disk is asked meanwhile.
    pub(crate) fn wait_until(&mut self, is_it: impl Fn(&str) -> bool) {
        let begin = std::time::Instant::now();
        while !self.texts().iter().any(|text| is_it(text)) {
            assert!(begin.elapsed().as_secs() < 60, "{:?}", self.texts());
            self.draw(Vec::new());
            std::thread::yield_now();
        }
    }

    pub(crate) fn wait_for(&mut self, words: &str) {
        self.wait_until(|text| text == words);
    }

    pub(crate) fn shows(&self, words: &str) -> bool {
        self.texts().iter().any(|text| text == words)
    }
}

fn flattened(shapes: &[Shape]) -> Vec<&Shape> {
    fn flatten<'a>(shape: &'a Shape, all: &mut Vec<&'a Shape>) {
        match shape {
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| flatten(shape, all)),
            shape => all.push(shape),
        }
    }
    let mut all = Vec::new();
    for shape in shapes {
        flatten(shape, &mut all);
    }
    all
}

/// Everything that is written in these.
pub(crate) fn texts_of(shapes: &[Shape]) -> Vec<String> {
    let text = |shape: &Shape| match shape {
        Shape::Text(text) => Some(text.galley.text().to_owned()),
        _ => None,
    };
    flattened(shapes).into_iter().filter_map(text).collect()
}
