//! Undo and redo, and two racks to compare.

use super::Face;
use crate::rack::model::Snapshot;
use crate::window::tip::Tip;
use egui::{Button, Key, KeyboardShortcut, Modifiers, Ui};

/// Steps that are kept.
const STEPS_MAX: usize = 100;

const UNDO: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Z);
const REDO: KeyboardShortcut =
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);

/// Racks before and after the one at hand, and the other one of A and B.
#[derive(Default)]
pub(super) struct History {
    before: Vec<Snapshot>,
    after: Vec<Snapshot>,
    /// The side that is not heard; a copy of the other until something was changed there.
    other: Option<Snapshot>,
    is_b: bool,
}

impl Face {
    /// Keeps the rack as it is, before a change.
    pub(super) fn remember(&mut self) {
        let History { before, after, .. } = &mut self.history;
        if before.len() == STEPS_MAX {
            before.remove(0);
        }
        before.push(self.desk.model().snapshot());
        after.clear();
    }

    /// Buttons and keys.
    pub(super) fn history(&mut self, ui: &mut Ui) {
        let (can_undo, can_redo) =
            (!self.history.before.is_empty(), !self.history.after.is_empty());
        let undo = ui.add_enabled(can_undo, Button::new("Undo")).tip("Ctrl+Z, on a Mac Cmd+Z.");
        let redo = ui.add_enabled(can_redo, Button::new("Redo")).tip("The same with Shift.");
        // The longer shortcut first: the shorter one would take it.
        let keys =
            ui.input_mut(|input| (input.consume_shortcut(&REDO), input.consume_shortcut(&UNDO)));
        if (undo.clicked() || keys.1) && can_undo {
            self.step(true);
        } else if (redo.clicked() || keys.0) && can_redo {
            self.step(false);
        }
        for (text, is_b) in [("A", false), ("B", true)] {
            let button = Button::selectable(self.history.is_b == is_b, text);
            let tip = "Two racks to compare; the second one begins as a copy of the first.";
            if ui.add(button).tip(tip).clicked() && self.history.is_b != is_b {
                self.change_side();
            }
        }
    }

    fn step(&mut self, is_back: bool) {
        let now = self.desk.model().snapshot();
        let History { before, after, .. } = &mut self.history;
        let (from, to) = if is_back { (before, after) } else { (after, before) };
        let Some(wanted) = from.pop() else { return };
        to.push(now);
        self.desk.model().restore(&wanted);
        self.desk.changed();
    }

    pub(super) fn change_side(&mut self) {
        let now = self.desk.model().snapshot();
        self.history.is_b = !self.history.is_b;
        if let Some(other) = self.history.other.replace(now) {
            self.desk.model().restore(&other);
            self.desk.changed();
        }
    }
}
