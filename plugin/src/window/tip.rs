//! What things mean, beside them: where the pointer rests, and where the keyboard is.

use egui::{Label, Order, Popup, Response, Sense, Tooltip, WidgetText};

/// Something that can be explained.
pub(crate) trait Tip {
    /// Explains it, if its sense is focusable to the keyboard, too; Escape takes the words away.
    fn tip(self, words: &str) -> Self;
}

impl Tip for Response {
    fn tip(self, words: &str) -> Self {
        if !self.has_focus() {
            return self.on_hover_text(words);
        }
        // What its own list shows is more important.
        let is_covered = self.layer_id.order == Order::Background && Popup::is_any_open(&self.ctx);
        if !is_covered && !words.is_empty() {
            Tooltip::for_widget(&self).show(|ui| {
                ui.set_max_width(ui.spacing().tooltip_width);
                ui.label(words);
            });
        }
        self
    }
}

/// Words that Tab leads to, so that they can be explained.
pub(crate) fn label(words: impl Into<WidgetText>) -> Label {
    Label::new(words).sense(Sense::focusable_noninteractive())
}

#[cfg(test)]
mod tests {
    use crate::editor::stage::Stage;
    use crate::editor::words;
    use crate::plugin::SharedState;
    use crate::window::focus::go_to;
    use egui::{Key, Modifiers};

    #[test]
    fn everything_explained_to_the_pointer_is_explained_to_the_keyboard() {
        let mut stage = Stage::new(SharedState::default());
        for (name, words) in [
            ("integrated", words::INTEGRATED),
            ("Short-term", words::SHORT_TERM),
            ("Momentary", words::MOMENTARY),
            ("Range", words::RANGE),
            ("True peak", words::TRUE_PEAK),
            ("PLR", words::PLR),
            ("PSR", words::PSR),
            ("Tempo", words::TEMPO),
            ("Key", words::KEY),
            ("history", words::HISTORY),
            ("spectrum", words::SPECTRUM),
            ("scope", words::CORRELATION),
            ("Reset", "Resets all measurements."),
            ("bounce", "Captures offline renders of the DAW."),
        ] {
            assert!(!stage.shows(words), "{name}: {words}");
            go_to(&mut stage, name);
            assert!(stage.shows(words), "{name}: {:?}", stage.texts());
        }
        stage.press(Key::Escape, Modifiers::NONE);
        assert!(!stage.shows("Captures offline renders of the DAW."));
    }

    #[test]
    fn words_about_a_list_do_not_cover_it() {
        let mut stage = Stage::new(SharedState::default());
        let name = stage.texts().into_iter().find(|text| text.contains("R 128")).unwrap();
        go_to(&mut stage, &name);
        // The target's purpose, and its document in a line of its own.
        let is_explained = |stage: &Stage| stage.texts().iter().any(|text| text.contains('\n'));
        assert!(is_explained(&stage), "{:?}", stage.texts());
        stage.press(Key::Enter, Modifiers::NONE);
        assert!(stage.shows("Spotify"));
        assert!(!is_explained(&stage), "{:?}", stage.texts());
    }
}
