//! All targets in one list, to be searched, chosen and compared.

use super::form::{self, Form};
use super::mark::{self, Sign, switch};
use super::{TargetState, View};
use crate::params::COMPARED_MAX;
use crate::plugin::SharedState;
use crate::targets::{Change, own_name};
use crate::window::theme;
use crate::window::tip::Tip;
use egui::style::StyleModifier;
use egui::{
    Align2, Button, Id, Key, Popup, PopupCloseBehavior, Response, RichText, Role, ScrollArea,
    Shape, Stroke, TextEdit, Ui, WidgetInfo, vec2,
};
use wavemill_core::delivery::Target;
use wavemill_pipelines::delivery;

/// Width of what opens the list, in points, in narrow and wide windows.
const OPENER_WIDTHS: [f32; 2] = [124.0, 190.0];

/// Width of the list, in points.
const WIDTH: f32 = 400.0;

/// What the list has above and below its rows, with the window's header, in points.
const AROUND: f32 = 190.0;

const FAVORITE: &str = "Favorites come first in this list, in all projects.";
const COMPARE: &str =
    "Shows the verdict beside those of other targets, in a strip above the meters.";
const PATH_HINT: &str = "your targets: /PATH.toml#ID";
const SEARCH: &str = "search targets";

/// A target with its name in projects.
struct Entry {
    name: String,
    target: Target,
    is_favorite: bool,
    is_own: bool,
}

impl View {
    /// The chosen target; clicked, the list of all.
    pub(in crate::editor) fn show(
        &mut self,
        ui: &mut Ui,
        desk: &SharedState,
        standing: &TargetState,
    ) {
        let tip = match (&standing.target, &standing.error) {
            (Some(target), _) => format!("{}\n{}", target.purpose, target.source.document),
            (None, Some(error)) => error.clone(),
            (None, None) => String::new(),
        };
        let chosen = desk.params.choices.read().target.clone();
        let title = standing.target.as_ref().map_or(&chosen, |target| &target.name);
        let button = opener(ui, title);
        let list = Popup::menu(&button)
            // It is more than a menu: its fields and buttons are to be seen as such, and fields are clicked, too.
            .style(StyleModifier::default())
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| {
                ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 40.0));
                self.settle(desk);
                match self.form.take() {
                    Some(form) => self.form(ui, form),
                    None => self.content(ui, desk, &chosen),
                }
            });
        self.was_open = list.is_some();
        button.tip(&tip);
        if let Some(error) = &standing.error {
            ui.label(RichText::new(error).color(theme::BAD).size(11.0));
        }
    }

    /// A target that is written.
    fn form(&mut self, ui: &mut Ui, mut form: Form) {
        match form.show(ui, self.problem.as_deref(), !self.changes.is_empty()) {
            Some(form::Action::Save(change)) => self.change(change),
            Some(form::Action::Cancel) => {
                self.problem = None;
                return;
            }
            None => {}
        }
        self.form = Some(form);
    }

    fn content(&mut self, ui: &mut Ui, desk: &SharedState, chosen: &str) {
        let search = Id::unique("search targets");
        let field = TextEdit::singleline(&mut self.search).id(search).hint_text(SEARCH);
        let field = ui.add(field.desired_width(f32::INFINITY));
        if !self.was_open {
            field.request_focus();
        }
        let entries = self.entries();
        let found: Vec<&Entry> =
            entries.iter().filter(|entry| entry.is_found_by(&self.search)).collect();
        let is_entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let mut wanted = found.first().filter(|_| is_entered).map(|entry| entry.name.clone());
        if found.is_empty() {
            ui.label(RichText::new("No target matches.").color(theme::FAINT));
        }
        let height = (ui.ctx().content_rect().height() - AROUND).clamp(80.0, 460.0);
        ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, |ui| {
            for entry in found {
                if self.row(ui, desk, entry, chosen) {
                    wanted = Some(entry.name.clone());
                }
            }
        });
        if wanted.is_some() {
            self.search.clear();
            ui.close();
        }
        let wanted = wanted.or(self.below(ui, desk, chosen));
        if let Some(wanted) = wanted {
            desk.params.choices.write().target = wanted;
        }
    }

    /// Favorites first, then the user's own, then those that come with Wavemill.
    fn entries(&self) -> Vec<Entry> {
        let entry = |name: String, target: &Target, is_own| Entry {
            is_favorite: self.user.favorites.contains(&name),
            target: target.clone(),
            name,
            is_own,
        };
        let own = self.user.targets.iter().map(|target| entry(own_name(&target.id), target, true));
        let shipped =
            delivery::shipped().iter().map(|target| entry(target.id.clone(), target, false));
        let mut entries: Vec<Entry> = own.chain(shipped).collect();
        entries.sort_by_key(|entry| !entry.is_favorite);
        entries
    }

    /// One target; says whether it was chosen.
    fn row(&mut self, ui: &mut Ui, desk: &SharedState, entry: &Entry, chosen: &str) -> bool {
        let row = ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let title = &entry.target.name;
            if desk.targets.is_some()
                && switch(
                    ui,
                    Sign::Star,
                    entry.is_favorite,
                    &format!("favorite: {title}"),
                    FAVORITE,
                )
            {
                self.change(Change::Favorite(entry.name.clone(), !entry.is_favorite));
            }
            if !compare(ui, desk, entry) {
                self.problem = Some(format!("The strip has room for {COMPARED_MAX} targets."));
            }
            let edit = if entry.is_own { 40.0 } else { 0.0 };
            let width = ui.available_width() - edit;
            let button = Button::selectable(chosen == entry.name, title.as_str());
            let button = ui.add(button.min_size(vec2(width, mark::SIDE)).right_text(""));
            let limits = limits(&entry.target);
            let is_chosen = chosen == entry.name;
            button.widget_info(|| WidgetInfo::selected(Role::Button, true, is_chosen, title));
            let place = button.rect.right_center() - vec2(6.0, 0.0);
            let font = theme::font(10.5);
            ui.painter().text(place, Align2::RIGHT_CENTER, limits, font, theme::FAINT);
            if entry.is_own && ui.small_button("edit").clicked() {
                self.form = Some(Form::of(&entry.target));
            }
            button.tip(&entry.target.purpose).clicked()
        });
        row.inner
    }

    /// What is below the list: a new target, and the field for files of targets; returns the name in it if it changed.
    fn below(&mut self, ui: &mut Ui, desk: &SharedState, chosen: &str) -> Option<String> {
        ui.separator();
        let mut wanted = None;
        ui.horizontal(|ui| {
            if let Some(store) = &desk.targets {
                let tip = format!(
                    "Makes a target of your own, in {}. It begins as a copy of the chosen one.",
                    store.targets().display()
                );
                let button = Button::new("New target").frame_when_inactive(true);
                if ui.add(button).tip(&tip).clicked() {
                    let entries = self.entries();
                    let base = entries.iter().find(|entry| entry.name == chosen);
                    self.form = Some(Form::new(base.map(|entry| &entry.target)));
                }
            }
            if path_field(ui, chosen, &mut self.path) {
                wanted = Some(self.path.trim().to_owned()).filter(|path| !path.is_empty());
            }
        });
        let problem = self.problem.as_ref().or(self.user.error.as_ref());
        if let Some(problem) = problem {
            ui.label(RichText::new(problem).color(theme::BAD).size(11.5));
        }
        wanted
    }
}

/// What opens the list: as a list of egui's, which could not grow while it is open.
fn opener(ui: &mut Ui, title: &str) -> Response {
    const ARROW: f32 = 20.0;
    let words = RichText::new(title);
    let [narrow, wide] = OPENER_WIDTHS;
    let width = (ui.ctx().content_rect().width() * 0.2).clamp(narrow, wide);
    let size = vec2(width, ui.spacing().interact_size.y);
    let button = Button::new(words).right_text(" ".repeat(6)).min_size(size).truncate();
    let button = ui.add_sized(size, button);
    let middle = button.rect.right_center() - vec2(ARROW / 2.0 + 2.0, 0.0);
    let points = vec![middle + vec2(-5.0, -3.0), middle + vec2(5.0, -3.0), middle + vec2(0.0, 4.0)];
    ui.painter().add(Shape::convex_polygon(points, theme::TEXT, Stroke::NONE));
    button.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, title));
    button
}

/// Whether a target is in the strip; says whether there was room for it.
fn compare(ui: &mut Ui, desk: &SharedState, entry: &Entry) -> bool {
    let is_compared = desk.params.choices.read().compared.contains(&entry.name);
    let name = format!("compare: {}", entry.target.name);
    if switch(ui, Sign::Tick, is_compared, &name, COMPARE) {
        let compared = &mut desk.params.choices.write().compared;
        if is_compared {
            compared.retain(|other| *other != entry.name);
        } else if compared.len() < COMPARED_MAX {
            compared.push(entry.name.clone());
        } else {
            return false;
        }
    }
    true
}

/// The field for a file with targets; says whether it was changed. The text is the user's while the field has the
/// focus.
fn path_field(ui: &mut Ui, chosen: &str, path: &mut String) -> bool {
    let id = Id::unique("own target");
    if !ui.memory(|memory| memory.has_focus(id)) {
        *path = if chosen.contains(".toml") { chosen.to_owned() } else { String::new() };
    }
    let field = TextEdit::singleline(path).id(id).hint_text(PATH_HINT);
    let field = ui.add(field.desired_width(f32::INFINITY));
    if field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
        ui.close();
    }
    field.changed()
}

impl Entry {
    /// Whether it has all these words, in any order.
    fn is_found_by(&self, search: &str) -> bool {
        let Target { id, name, purpose, .. } = &self.target;
        let text = format!("{id} {name} {purpose}").to_lowercase();
        search.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }
}

/// Loudness and peak in a few words.
fn limits(target: &Target) -> String {
    let tolerance = target.tolerance_lu.map(|lu| format!(" \u{b1}{}", lu.0)).unwrap_or_default();
    let loudness = target.integrated_lufs.map(|lufs| format!("{}{tolerance} LUFS", lufs.0));
    let peak = target.true_peak_max_dbtp.map(|peak| format!("{} dBTP", peak.0));
    let words: Vec<String> = loudness.into_iter().chain(peak).collect();
    words.join("   ").replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::focus::press_at;
    use crate::editor::stage::Stage;
    use crate::targets::Store;
    use egui::{Event, Modifiers};

    fn chosen(stage: &Stage) -> String {
        stage.desk.params.choices.read().target.clone()
    }

    /// A stage with a folder of its own, with the list open.
    fn opened() -> (tempfile::TempDir, Stage) {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = SharedState::default();
        desk.targets = Some(Store::new(folder.path().to_owned()));
        desk.shared.readings.integrated_lufs.set(Some(-18.0));
        let mut stage = Stage::new(desk);
        reopen(&mut stage);
        (folder, stage)
    }

    fn reopen(stage: &mut Stage) {
        let name = stage.texts().into_iter().find(|text| text.contains("R 128")).unwrap();
        press_at(stage, &name, Key::Enter);
    }

    fn type_in(stage: &mut Stage, words: &str) {
        for letter in words.chars() {
            stage.draw(vec![Event::Text(letter.into())]);
        }
        stage.draw(Vec::new());
    }

    /// Draws until the disk has it.
    fn wait(stage: &mut Stage, is_there: impl Fn(&Stage) -> bool) {
        let begin = std::time::Instant::now();
        while !is_there(stage) {
            assert!(begin.elapsed().as_secs() < 60, "{:?}", stage.texts());
            stage.draw(Vec::new());
            std::thread::yield_now();
        }
    }

    fn user(stage: &Stage) -> crate::targets::UserTargets {
        stage.desk.targets.as_ref().unwrap().read()
    }

    #[test]
    fn list_is_searched_as_soon_as_it_opens_and_enter_takes_the_first() {
        let (_folder, mut stage) = opened();
        type_in(&mut stage, "stream MUSIC");
        assert!(stage.shows("Spotify") && !stage.shows("ATSC A/85"), "{:?}", stage.texts());
        type_in(&mut stage, " tid");
        assert!(stage.shows("TIDAL") && !stage.shows("Spotify"));
        stage.press(Key::Enter, Modifiers::NONE);
        assert_eq!(chosen(&stage), "tidal");
        assert!(!stage.shows("Netflix"), "and closes");
        press_at(&mut stage, "TIDAL", Key::Enter);
        type_in(&mut stage, "nothing like it");
        assert!(stage.shows("No target matches."), "{:?}", stage.texts());
    }

    #[test]
    fn strip_that_is_full_says_so() {
        let (_folder, mut stage) = opened();
        let names = delivery::shipped().iter().map(|target| target.id.clone());
        stage.desk.params.choices.write().compared = names.skip(1).take(COMPARED_MAX).collect();
        press_at(&mut stage, "compare: EBU R 128, quality control", Key::Space);
        assert!(stage.shows("The strip has room for 8 targets."), "{:?}", stage.texts());
        assert_eq!(stage.desk.params.choices.read().compared.len(), COMPARED_MAX);
    }

    #[test]
    fn favorites_come_first_in_every_project() {
        let (_folder, mut stage) = opened();
        press_at(&mut stage, "favorite: TIDAL", Key::Space);
        assert!(stage.place_of("TIDAL").y < stage.place_of("Spotify").y);
        wait(&mut stage, |stage| user(stage).favorites == ["tidal"]);
        let mut desk = SharedState::default();
        desk.targets.clone_from(&stage.desk.targets);
        let mut other = Stage::new(desk);
        reopen(&mut other);
        wait(&mut other, |stage| stage.place_of("TIDAL").y < stage.place_of("Spotify").y);
        press_at(&mut stage, "favorite: TIDAL", Key::Space);
        wait(&mut stage, |stage| user(stage).favorites.is_empty());
        assert!(stage.place_of("TIDAL").y > stage.place_of("Spotify").y);
    }

    #[test]
    fn target_is_made_judged_changed_and_deleted() {
        let (_folder, mut stage) = opened();
        press_at(&mut stage, "New target", Key::Enter);
        // The name comes first.
        stage.press(Key::Tab, Modifiers::NONE);
        let name = Id::unique("target name");
        for _ in 0..10 {
            if stage.focus() != Some(name) {
                stage.press(Key::Tab, Modifiers::NONE);
            }
        }
        type_in(&mut stage, "The house");
        assert!(stage.shows("the-house"), "its id: {:?}", stage.texts());
        press_at(&mut stage, "Save", Key::Enter);
        // A copy of R 128: 5 LU above it.
        wait(&mut stage, |stage| chosen(stage) == "own/the-house");
        stage.wait_for("5.0 LU too loud");
        stage.wait_for("edit");
        assert_eq!(user(&stage).targets[0].name, "The house");
        press_at(&mut stage, "edit", Key::Enter);
        let field = Id::unique(("target", "Loudness"));
        for _ in 0..20 {
            if stage.focus() != Some(field) {
                stage.press(Key::Tab, Modifiers::NONE);
            }
        }
        for _ in 0..5 {
            stage.press(Key::Backspace, Modifiers::NONE);
        }
        type_in(&mut stage, "-18");
        press_at(&mut stage, "Save", Key::Enter);
        stage.wait_for("within the target");
        stage.wait_for("edit");
        press_at(&mut stage, "edit", Key::Enter);
        press_at(&mut stage, "Delete", Key::Enter);
        wait(&mut stage, |stage| user(stage).targets.is_empty());
        assert!(!stage.desk.targets.as_ref().unwrap().targets().exists());
        wait(&mut stage, |stage| chosen(stage) == "r128");
    }

    #[test]
    fn refused_target_says_why_and_stays_in_the_form() {
        let (_folder, mut stage) = opened();
        press_at(&mut stage, "New target", Key::Enter);
        press_at(&mut stage, "Save", Key::Enter);
        assert!(stage.shows("write a name"), "{:?}", stage.texts());
        let name = Id::unique("target name");
        for _ in 0..30 {
            if stage.focus() != Some(name) {
                stage.press(Key::Tab, Modifiers::NONE);
            }
        }
        type_in(&mut stage, "all");
        press_at(&mut stage, "Save", Key::Enter);
        stage.wait_until(|text| text.starts_with("the id `all` is reserved"));
        assert!(stage.shows("NEW TARGET"));
        press_at(&mut stage, "Cancel", Key::Enter);
        stage.wait_for("Spotify");
        assert!(!stage.shows("NEW TARGET") && user(&stage).targets.is_empty());
    }

    #[test]
    fn file_with_mistakes_is_reported_in_the_list() {
        let (folder, mut stage) = opened();
        let bad = "version = 1\n[[target]]\nid = \"a\"\n";
        crate::window::replaced_file::replace(&folder.path().join("targets.toml"), bad).unwrap();
        stage.wait_until(|text| text.contains("targets.toml:2:"));
    }
}
