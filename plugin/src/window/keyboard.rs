//! Whose the keyboard is. A window that is clicked takes it, and with it the DAW's shortcuts, as space for the transport:
//! who is done with a control wants them back. A click beside the controls keeps the keyboard, for Tab.

use egui::{Context, Key, Memory, Popup};
use nice_plug_egui::baseview::WindowContext;

/// Follows what the user does.
#[derive(Debug, Default)]
pub(crate) struct Keyboard {
    /// A control was clicked, or Escape was pressed: nothing more is wanted of the keyboard.
    is_done: bool,
}

impl Keyboard {
    /// Gives the keyboard back to the DAW when it is of no use here.
    pub(crate) fn settle(&mut self, context: &Context, window: &WindowContext) {
        if self.is_over(context) && window.has_focus() {
            self.is_done = false;
            // A display that refuses it keeps the keyboard where it is.
            let _ = give_back();
        }
    }

    fn is_over(&mut self, context: &Context) -> bool {
        let (is_pressed, is_escape) =
            context.input(|input| (input.pointer.any_pressed(), input.key_pressed(Key::Escape)));
        let is_clicked = context.viewport(|view| {
            let widgets = &view.interact_widgets;
            widgets.clicked.is_some() || widgets.drag_stopped.is_some()
        });
        self.is_done = (self.is_done && !is_pressed) || is_escape || is_clicked;
        // A field that is written into, a list that is open.
        let is_used = context.memory(Memory::focused).is_some() || Popup::is_any_open(context);
        self.is_done && !is_used
    }
}

/// The keyboard goes to the DAW's window that this one is in: the one that its window manager knows, or the outermost.
#[cfg(target_os = "linux")]
fn give_back() -> Result<(), Box<dyn std::error::Error>> {
    use x11rb::connection::Connection;
    use x11rb::protocol::xproto::{AtomEnum, ConnectionExt, InputFocus};
    let (connection, _) = x11rb::connect(None)?;
    let managed = connection.intern_atom(false, b"WM_STATE")?.reply()?.atom;
    let own = connection.get_input_focus()?.reply()?.focus;
    let mut window = own;
    loop {
        let tree = connection.query_tree(window)?.reply()?;
        if tree.parent == tree.root || tree.parent == x11rb::NONE {
            break;
        }
        window = tree.parent;
        let state =
            connection.get_property(false, window, managed, AtomEnum::ANY, 0, 0)?.reply()?;
        if state.type_ != x11rb::NONE {
            break;
        }
    }
    if window != own {
        connection.set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME)?.check()?;
    }
    connection.flush()?;
    Ok(())
}

/// Elsewhere keys that the window does not use go on to the DAW's by themselves.
#[cfg(not(target_os = "linux"))]
fn give_back() -> Result<(), Box<dyn std::error::Error>> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::stage::Stage;
    use crate::plugin::SharedState;
    use egui::{Event, Modifiers, PointerButton, Pos2, pos2};

    fn press(pos: Pos2, pressed: bool) -> Vec<Event> {
        let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
        vec![Event::PointerMoved(pos), Event::PointerButton { pos, button, pressed, modifiers }]
    }

    /// Clicks; says whether the keyboard is the DAW's then.
    fn is_over_after(stage: &mut Stage, keyboard: &mut Keyboard, pos: Pos2) -> bool {
        for pressed in [true, false] {
            stage.draw(press(pos, pressed));
            keyboard.is_over(&stage.context);
        }
        stage.draw(Vec::new());
        keyboard.is_over(&stage.context)
    }

    #[test]
    fn keyboard_is_the_daws_after_a_click_on_a_control_and_after_escape() {
        let mut stage = Stage::new(SharedState::default());
        let mut keyboard = Keyboard::default();
        let bounce = stage.place_of("bounce");
        assert!(is_over_after(&mut stage, &mut keyboard, bounce));
        assert!(!is_over_after(&mut stage, &mut keyboard, pos2(1.0, 1.0)), "it is kept for Tab");
        stage.press(Key::Tab, Modifiers::NONE);
        assert!(!keyboard.is_over(&stage.context));
        let event = |pressed| {
            let (key, modifiers) = (Key::Escape, Modifiers::NONE);
            vec![Event::Key { key, physical_key: None, pressed, repeat: false, modifiers }]
        };
        stage.draw(event(true));
        assert!(keyboard.is_over(&stage.context));
    }

    #[test]
    fn keyboard_stays_while_a_list_is_open() {
        let mut stage = Stage::new(SharedState::default());
        let mut keyboard = Keyboard::default();
        let settings = stage.place_of("Settings");
        assert!(!is_over_after(&mut stage, &mut keyboard, settings));
    }
}
