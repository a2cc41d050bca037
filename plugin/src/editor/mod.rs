//! The editor: one glance shows loudness, peak and verdict.

mod audition;
mod bars;
mod channels;
mod codecs;
mod cursor;
mod export;
mod footer;
mod header;
mod history;
mod layout;
mod level_scale;
mod markers;
mod numbers;
mod output;
mod overlay;
mod overs;
mod report;
mod scope;
mod spectrogram;
mod spectrum;
mod spectrum_view;
#[cfg(test)]
pub(crate) mod stage;
mod stereo_lane;
mod targets;
mod timeline;
mod verdict;
pub(crate) mod words;

use crate::meters::{LevelKind, Snapshot};
use crate::plugin::SharedState;
use crate::window::{self, WindowOwner, field, focus, pace::Pace, panel, theme, tip};
use egui::{Context, Ui};
use layout::Regions;
use nice_plug::context::gui::GuiContext;
use spectrum::Spectrum;
use std::sync::Arc;
use std::time::{Duration, Instant};
pub(crate) use verdict::TargetState;

/// How long after the last change things still move: falling levels.
const RESTLESS_TIME: Duration = Duration::from_secs(5);

/// Everything the editor remembers; lives as long as the plugin, whether a window is open or not.
pub struct Face {
    desk: Arc<SharedState>,
    context: Option<GuiContext>,
    history: Snapshot,
    history_version: (u64, usize),
    history_view: history::View,
    spectrum: Spectrum,
    spectrum_view: spectrum_view::View,
    scope: scope::Scope,
    output: output::View,
    codecs: codecs::View,
    export: export::View,
    standing: TargetState,
    targets: targets::View,
    strip: targets::Strip,
    drawn_at: Instant,
    changed_at: Instant,
    seen: u64,
    pace: Pace,
}

/// What opens the editor.
pub(crate) type Window = window::Window<Face>;

/// Passages beyond the target's limits.
pub(crate) fn violations(history: &Snapshot, standing: &TargetState) -> usize {
    overs::of(history, standing).len()
}

/// The editor of an instance.
pub(crate) fn editor(desk: &Arc<SharedState>) -> Window {
    let owner: Arc<SharedState> = Arc::clone(desk);
    Window::new(Face::new(Arc::clone(desk)), owner)
}

impl WindowOwner for SharedState {
    fn size(&self) -> ((u32, u32), f32) {
        let choices = self.params.choices.read();
        (choices.window, choices.zoom)
    }

    fn zoom_follows(&self) -> bool {
        self.params.choices.read().zoom_follows
    }

    fn resized(&self, size: (u32, u32)) {
        self.params.choices.write().window = size;
    }

    fn zoomed(&self, zoom: f32) {
        self.params.choices.write().zoom = zoom;
    }

    fn closed(&self) {
        // Nobody would see that it is on.
        self.audition.switch(false);
        self.shared.tap.open(false);
        self.clip.lock().want(false);
        self.shared.levels.want(LevelKind::Off);
        self.wake();
    }

    fn track_named(&self, name: &str) {
        name.clone_into(&mut self.track.lock());
    }
}

impl Face {
    fn new(desk: Arc<SharedState>) -> Self {
        let now = Instant::now();
        Self {
            standing: TargetState::new(),
            targets: targets::View::default(),
            strip: targets::Strip::default(),
            desk,
            context: None,
            history: Snapshot::default(),
            history_version: (u64::MAX, 0),
            history_view: history::View::default(),
            spectrum: Spectrum::new(),
            spectrum_view: spectrum_view::View::default(),
            scope: scope::Scope::default(),
            output: output::View::default(),
            codecs: codecs::View::default(),
            export: export::View::default(),
            drawn_at: now,
            changed_at: now,
            seen: 0,
            pace: Pace::default(),
        }
    }

    /// Takes what is new from the audio thread; says whether anything was.
    fn refresh(&mut self) -> bool {
        let now = Instant::now();
        let elapsed_s = (now - self.drawn_at).as_secs_f32().min(1.0);
        self.drawn_at = now;
        let shared = &self.desk.shared;
        let version = shared.history_version();
        if version != self.history_version {
            self.history_version = version;
            shared.read_history(&mut self.history);
        }
        let position = shared.tap.position();
        let is_new = position != self.seen;
        self.seen = position;
        let rate_hz = self.desk.sample_rate_hz();
        self.spectrum.update(&shared.tap, rate_hz);
        self.scope.update(&shared.tap, elapsed_s);
        self.standing.update(&self.desk);
        self.strip.update(&self.desk);
        self.desk.audition.want(self.standing.playback_gain());
        let choices = self.desk.params.choices.read();
        shared.levels.want(bars::kind(choices.scale));
        shared.channels.want_true_peaks(choices.shows_channels);
        drop(choices);
        if is_new {
            self.changed_at = now;
        }
        now - self.changed_at < RESTLESS_TIME
    }

    /// Draws everything; says whether it is about to change.
    fn draw(&mut self, ui: &mut Ui, context: &GuiContext) -> bool {
        let is_restless = self.refresh();
        let window = ui.max_rect();
        let regions = Regions::of(window, self.strip.height(window.width() - 2.0 * theme::GAP));
        ui.painter().rect_filled(ui.max_rect(), 0.0, theme::GROUND);
        let music = self.desk.shared.music();
        let session = export::Session {
            readings: self.desk.shared.shown().0,
            music: music.as_deref(),
            history: &self.history,
            standing: &self.standing,
            part_s: self.history_view.part_s(&self.history),
        };
        let views = (&mut self.targets, &mut self.export);
        header::show(ui, regions.header, &self.desk, views, &session, context);
        if self.targets.take_change() {
            self.standing.forget();
            self.strip.forget();
        }
        self.strip.show(ui, regions.strip, &self.desk);
        numbers::show(ui, regions.numbers, &self.desk, music.as_deref(), &self.standing);
        bars::show(ui, regions.bars, &self.desk, &self.standing);
        let counts = self.desk.shared.distribution.counts();
        let judged = (&self.standing, &*self.desk.params.choices);
        self.history_view.show(ui, regions.history, &self.history, &counts, judged);
        timeline::show(ui, regions.history, &self.desk);
        self.spectrum_view.show(
            ui,
            regions.spectrum,
            &mut self.spectrum,
            (&self.desk.params, music.as_deref()),
        );
        self.scope.show(ui, regions.scope, &self.desk.shared.readings);
        let panels = (&mut self.output, &mut self.codecs);
        footer::show(ui, regions.footer, &self.desk, panels);
        self.output.show(ui, &self.desk);
        self.codecs.show(ui, &self.desk, self.standing.peak_max_dbtp());
        audition::frame(ui, &self.desk);
        focus::ring(ui.ctx());
        is_restless
    }
}

impl window::Face for Face {
    fn begin(&mut self, context: &Context, nice: GuiContext) {
        theme::apply(context);
        self.spectrum_view.begin();
        self.context = Some(nice);
        self.desk.shared.tap.open(true);
        self.desk.wake();
        self.changed_at = Instant::now();
        self.pace = Pace::default();
    }

    fn ui(&mut self, ui: &mut Ui) -> [Option<Duration>; 2] {
        let Some(context) = self.context.clone() else { return [None; 2] };
        let reduces_motion = self.desk.params.choices.read().reduces_motion;
        theme::animate(ui.ctx(), !reduces_motion);
        let is_restless = self.draw(ui, &context);
        self.pace.pauses(Instant::now(), is_restless && !reduces_motion)
    }
}
