//! The window without a window: frames are drawn when asked for, and what they show is text.

use super::*;
use crate::editor::stage::{Host, texts_of};
use crate::rack::{Rack, source};
use egui::{Event, Key, Modifiers, RawInput, Shape, vec2};

struct Stage {
    face: Face,
    context: Context,
    gui: GuiContext,
    shapes: Vec<Shape>,
    /// The desk lives as long as its instance.
    _rack: Rack,
}

impl Stage {
    fn new() -> Self {
        let rack = Rack::default();
        let context = Context::default();
        theme::apply(&context);
        let mut stage = Self {
            face: Face::new(Arc::clone(rack.desk())),
            context,
            gui: GuiContext::new(Arc::new(Host)),
            shapes: Vec::new(),
            _rack: rack,
        };
        stage.draw(Vec::new());
        stage.draw(Vec::new());
        stage
    }

    fn draw(&mut self, events: Vec<Event>) {
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

    fn press(&mut self, key: Key, modifiers: Modifiers) {
        for pressed in [true, false] {
            let event = Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
            self.draw(vec![event]);
        }
        self.draw(Vec::new());
    }

    /// Asks for something, and waits for the disk.
    fn ask(&mut self, request: Request) {
        self.face.request = Some(request);
        while self.face.settle_request(&self.gui) {
            std::thread::yield_now();
        }
        self.draw(Vec::new());
        self.draw(Vec::new());
    }

    fn choose(&mut self, slot: usize, name: &str) {
        self.ask(Request::Choose { slot, name: name.to_owned() });
    }

    fn shows(&self, words: &str) -> bool {
        texts_of(&self.shapes).iter().any(|text| text == words)
    }
}

#[test]
fn effect_that_is_chosen_shows_its_controls_and_goes_with_undo() {
    let mut stage = Stage::new();
    assert!(stage.shows("Add an effect") && stage.shows("Add an effect to this slot."));
    stage.choose(0, "compressor");
    for words in ["Compressor", "Wet", "Threshold", "Reduction", "Presets"] {
        assert!(stage.shows(words), "{words}: {:?}", texts_of(&stage.shapes));
    }
    stage.choose(1, "gain");
    assert!(stage.shows("Gain"));
    stage.press(Key::Z, Modifiers::COMMAND);
    stage.press(Key::Z, Modifiers::COMMAND);
    assert!(!stage.shows("Compressor") && !stage.shows("Gain"));
    stage.press(Key::Z, Modifiers::COMMAND | Modifiers::SHIFT);
    assert!(stage.shows("Compressor") && !stage.shows("Gain"));
}

#[test]
fn second_rack_is_apart_from_the_first() {
    let mut stage = Stage::new();
    stage.choose(0, "reverb");
    stage.face.change_side();
    stage.choose(0, "delay");
    stage.face.change_side();
    stage.draw(Vec::new());
    assert!(stage.shows("Reverb") && !stage.shows("Delay"));
    stage.face.change_side();
    stage.draw(Vec::new());
    assert!(stage.shows("Delay"));
}

#[test]
fn what_is_wrong_with_a_module_or_a_file_is_said() {
    let mut stage = Stage::new();
    stage.choose(0, "revreb");
    let problem = stage.face.path_problem.clone().unwrap_or_default();
    assert!(problem.contains("did you mean `reverb`"), "{problem}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rack.toml");
    stage.ask(Request::Load { path: path.clone(), spec: stage.face.desk.spec() });
    assert!(stage.face.header.is_wrong());
    stage.choose(2, "limit");
    let text = wavemill_rack::pipeline("rack", stage.face.desk.model().wanted().iter().flatten());
    stage.ask(Request::Save { path: path.clone(), text: text.clone(), is_preset: false });
    assert!(!stage.face.header.is_wrong());
    stage.ask(Request::Save { path: path.clone(), text, is_preset: false });
    assert!(stage.face.header.is_wrong(), "a file is never written over");
    stage.ask(Request::Load { path, spec: stage.face.desk.spec() });
    assert!(!stage.face.header.is_wrong());
    assert!(stage.shows("Limit") && stage.face.desk.model().slots()[0].part.is_some());
    let wrong = folder.path().join("wrong.toml");
    let text = "version = 1\n[pipeline]\nname = \"a\"\n[[step]]\nuse = \"lmit\"\n";
    stage.ask(Request::Save { path: wrong.clone(), text: text.into(), is_preset: false });
    stage.ask(Request::Load { path: wrong, spec: stage.face.desk.spec() });
    let notes = stage.face.header.notes.join("\n");
    assert!(notes.contains("line 5: ") && notes.contains("did you mean `limit`"), "{notes}");
}

#[test]
fn preset_of_the_user_returns_with_its_values_and_serves_pipelines() {
    let mut stage = Stage::new();
    stage.choose(0, "compressor");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hard.toml");
    let ratio = |stage: &Stage| {
        let part = stage.face.desk.model().slots()[0].part.clone().unwrap();
        let index = part.controls().iter().position(|control| control.key == "ratio").unwrap();
        (index, stage.face.desk.model().exact(0, index))
    };
    let (index, usual) = ratio(&stage);
    stage.face.desk.model().set(0, index, 7.5);
    let part = stage.face.desk.model().slots()[0].part.clone().unwrap();
    stage.face.save_preset(&part, path.clone());
    let request = stage.face.request.clone().unwrap();
    stage.ask(request);
    assert_eq!(stage.face.presets.problem, None);
    stage.face.desk.model().set(0, index, usual);
    stage.ask(Request::Preset { slot: 0, part: part.clone(), path: path.clone() });
    assert_eq!(ratio(&stage).1.to_bits(), 7.5f64.to_bits());
    assert_eq!(stage.face.presets.problem, None);

    // The same file is a preset of a pipeline.
    let text = "version = 1\n[pipeline]\nname = \"a\"\n[[step]]\neffect = \"compressor\"\npreset = \"hard.toml\"\n";
    let effects = source::effects().in_folder(folder.path());
    let export = "[[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n";
    let spec = stage.face.desk.spec();
    let (parts, _) = wavemill_rack::parts(&format!("{text}{export}"), &effects, &spec).unwrap();
    assert_eq!(parts[0].as_ref().unwrap().values()[index].to_bits(), 7.5f64.to_bits());

    stage.choose(1, "gate");
    let gate = stage.face.desk.model().slots()[1].part.clone().unwrap();
    stage.ask(Request::Preset { slot: 1, part: gate, path: path.clone() });
    let problem = stage.face.presets.problem.clone().unwrap();
    assert!(problem.contains("is of effect `wavemill.compressor`"), "{problem}");
    stage.face.save_preset(&part, path);
    let request = stage.face.request.clone().unwrap();
    stage.ask(request);
    assert!(stage.face.presets.problem.clone().unwrap().contains("choose another name"));
}

#[test]
fn filters_have_a_curve_and_compressors_have_none() {
    let mut stage = Stage::new();
    for (slot, name, is_filter) in [(0, "high-pass", true), (1, "compressor", false)] {
        stage.choose(slot, name);
        while stage.face.curve.is_waiting {
            std::thread::yield_now();
            stage.draw(Vec::new());
        }
        assert_eq!(stage.shows("10k Hz"), is_filter, "{name}");
    }
}

#[test]
fn every_control_has_a_place_for_the_keyboard() {
    let mut stage = Stage::new();
    stage.choose(0, "gate");
    let mut seen = std::collections::HashSet::new();
    for _ in 0..100 {
        stage.press(Key::Tab, Modifiers::NONE);
        seen.extend(stage.context.memory(egui::Memory::focused));
    }
    // File, undo, A, B, zoom, bypass; five in the slot; seven empty ones; wet and the gate's own; the match.
    assert!(seen.len() > 25, "{}", seen.len());
}
