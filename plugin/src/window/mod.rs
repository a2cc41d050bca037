//! The window as the DAW opens and closes it.
//!
//! All of it is the framework's, but for three things. The size and zoom of a window are those of the state
//! at the moment it is opened, and of one that is loaded while it is open. `baseview` 0.4.2 never draws again
//! what was asked to be drawn before it was shown; see [`POLL_TIME`]. And closing waits until the window's
//! thread is over: on Linux `baseview` waits for it only if it is slow enough, and one that ends at once is
//! still taking OpenGL and the display's connection down when the DAW believes that the window is gone. Where
//! a DAW exits or unloads the plugin then, it crashes; a test of ours found that. Neither does the framework
//! (`nice-plug-egui` 0.6.0) notify the editor that its window was closed.

pub(crate) mod field;
pub(crate) mod focus;
mod keyboard;
pub(crate) mod new_file;
pub(crate) mod pace;
pub(crate) mod panel;
pub(crate) mod place;
pub(crate) mod replaced_file;
pub(crate) mod scale;
pub(crate) mod theme;
pub(crate) mod tip;

use egui::{Context, Ui};
use keyboard::Keyboard;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{
    Editor, EditorHandle, HostMethods, ParentWindowHandle, ResizeHint, SizeConstraints,
    SpawnedEditor,
};
use nice_plug::prelude::{Param, TrackInfo};
use nice_plug_egui::baseview::{self, HandlerError, WindowSize};
use nice_plug_egui::{
    EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp,
    RepaintNotifier, create_egui_editor,
};
use parking_lot::Mutex;
use place::{Fit, Place, SIZE_MIN, points, size_of};
use std::cell::RefCell;
use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// How long closing a window may take: a display that does not answer must not stop a DAW for ever.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// How often the framework asks whether someone wants a picture: never under X11. It would ask for the first
/// one a moment after the window was made, shown or not. `baseview` 0.4.2 then orders a `PresentCompleteNotify`
/// that it subscribes to only when the window is mapped, never gets it, and orders no other: the window
/// stays black. A DAW that took longer than a moment to show it, as a busy one does, lost the editor for good.
const POLL_TIME: Duration = if cfg!(any(target_os = "macos", target_os = "windows")) {
    Duration::from_millis(33)
} else {
    Duration::MAX
};

/// How often a window's thread looks whether the display sent an event that it has missed.
const PULSE_TIME: Duration = Duration::from_millis(250);

/// Where the editor leaves word of its window.
type Life = Arc<Mutex<Threads>>;

/// A window, its threads, and what they share.
#[derive(Default)]
struct Threads {
    /// The one that opens and closes it.
    daw: Option<ThreadId>,
    /// Ends with the one that draws, if that is another.
    over: Option<Receiver<()>>,
    /// There while it is open.
    context: Option<Context>,
    /// A state was loaded, and the window has not followed yet.
    is_loaded: bool,
    /// What the system or the DAW scales by; zoom comes on top.
    scale: Option<f64>,
    /// The zoom it is drawn with while that of the state does not fit into it.
    fit: Option<f32>,
}

impl Threads {
    fn scale(&self) -> f64 {
        self.scale.unwrap_or(1.0)
    }
}

thread_local! {
    /// Dropped when the thread has done everything else.
    static ALIVE: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

/// Leaves word of the thread that draws: the one that calls.
fn begin(life: &Life) {
    let mut threads = life.lock();
    if threads.daw.is_some_and(|daw| daw != std::thread::current().id()) {
        let (alive, over) = channel();
        ALIVE.set(Some(alive));
        threads.over = Some(over);
    }
}

/// Waits until that thread is over.
fn wait(life: &Life) {
    let over = life.lock().over.take();
    if let Some(over) = over {
        // Nothing is ever sent: this ends when the sender is dropped.
        let _ = over.recv_timeout(WAIT_MAX);
    }
}

/// Sets a parameter as one gesture; the DAW is informed.
pub(crate) fn set_param<P: Param>(param: &P, value: P::Plain, context: &GuiContext) {
    let setter = context.param_setter();
    setter.begin_set_parameter(param);
    setter.set_parameter(param, value);
    setter.end_set_parameter(param);
}

/// What is drawn in a window. It lives as long as the plugin, whether a window is open or not.
pub trait Face: Send + 'static {
    /// A window was made for it.
    fn begin(&mut self, context: &Context, nice: GuiContext);

    /// Draws everything; says in which times to draw again.
    fn ui(&mut self, ui: &mut Ui) -> [Option<Duration>; 2];
}

/// The instance that a window belongs to.
pub(crate) trait WindowOwner: Send + Sync + 'static {
    /// The size that the state asks for, in points, and the zoom.
    fn size(&self) -> ((u32, u32), f32);

    /// Whether the zoom follows the size of the window.
    fn zoom_follows(&self) -> bool {
        false
    }

    /// The window has another size, in points.
    fn resized(&self, size: (u32, u32));

    /// The user chose another zoom.
    fn zoomed(&self, zoom: f32);

    /// The window was closed.
    fn closed(&self);

    /// What the DAW calls the track.
    fn track_named(&self, name: &str);
}

/// The editor in one window. Windows come and go, the editor stays.
struct EditorView<F> {
    face: Arc<Mutex<F>>,
    owner: Arc<dyn WindowOwner>,
    life: Life,
    /// Where a loaded state wants the window.
    wish: Option<Place>,
    fit: Fit,
    keyboard: Keyboard,
}

impl<F: Face> NiceEguiApp for EditorView<F> {
    fn build(
        &mut self,
        context: Context,
        nice: GuiContext,
        frame: &mut Frame,
    ) -> Result<(), HandlerError> {
        begin(&self.life);
        let window = frame.baseview_window();
        window.create_timer(PULSE_TIME)?;
        self.face.lock().begin(&context, nice);
        let mut life = self.life.lock();
        life.scale = Some(window.scale_factor());
        life.context = Some(context);
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        let face = Arc::clone(&self.face);
        let mut face = face.lock();
        self.settle(ui.ctx());
        let pauses = face.ui(ui);
        self.keyboard.settle(ui.ctx(), frame.baseview_window());
        for pause in pauses.into_iter().flatten() {
            // Not through `egui`, which keeps an appointment to itself while it wants a picture sooner, and
            // then asks for none; nor through a waker, which knows one appointment, whoever asked last.
            frame.baseview_window().request_redraw_after(pause);
        }
    }

    fn resized(&mut self, size: WindowSize) {
        let mut life = self.life.lock();
        let zoom = life.context.as_ref().map_or(1.0, Context::zoom_factor);
        life.scale = Some(size.scale_factor / f64::from(zoom));
        drop(life);
        self.owner.resized(points(size.logical));
    }

    fn zoom_factor_changed(&mut self, zoom: f32) {
        if self.fit.has_brought(zoom) && self.owner.zoom_follows() {
            // The next window has both, as this one.
            self.life.lock().fit = None;
            self.owner.zoomed(zoom);
        } else if self.fit.has_brought(zoom) {
            let wanted = Place::of(self.owner.size()).zoom;
            self.life.lock().fit = Some(zoom).filter(|zoom| *zoom < wanted);
        } else {
            (self.life.lock().fit, self.fit) = (None, Fit::default());
            self.owner.zoomed(zoom);
        }
    }
}

impl<F> EditorView<F> {
    /// Size and zoom: as a state that was loaded says, or as there is room for.
    fn settle(&mut self, context: &Context) {
        let mut life = self.life.lock();
        if std::mem::take(&mut life.is_loaded) {
            life.fit = None;
            (self.wish, self.fit) = (Some(Place::of(self.owner.size())), Fit::default());
        }
        drop(life);
        self.wish = self.wish.filter(|place| !place.take(context));
        if self.wish.is_none()
            && let Some(size) = self.fit.follow(context, self.wanted(context), Instant::now())
        {
            self.owner.resized(points(LogicalSize::new(size.x.into(), size.y.into())));
        }
    }
}

impl<F> EditorView<F> {
    /// The zoom that is asked for.
    fn wanted(&self, context: &Context) -> f32 {
        if self.owner.zoom_follows() {
            place::following(context.content_rect().size() * context.zoom_factor())
        } else {
            Place::of(self.owner.size()).zoom
        }
    }
}

/// What makes windows.
pub struct Window<F> {
    face: Arc<Mutex<F>>,
    owner: Arc<dyn WindowOwner>,
    life: Life,
}

impl<F: Face> Window<F> {
    pub(crate) fn new(face: F, owner: Arc<dyn WindowOwner>) -> Self {
        Self { face: Arc::new(Mutex::new(face)), owner, life: Life::default() }
    }

    fn place(&self) -> Place {
        Place::of(self.owner.size())
    }

    /// The framework's editor, for one window.
    fn editor(&self) -> Option<EguiEditor<EditorView<F>>> {
        let place = self.place();
        let settings = EguiNiceSettings::new()
            .with_tile("Wavemill")
            .with_resize_hint(resize_hint())
            .with_repaint_poll_interval(POLL_TIME);
        let sight = EditorView {
            face: Arc::clone(&self.face),
            owner: Arc::clone(&self.owner),
            life: Arc::clone(&self.life),
            wish: None,
            fit: Fit::default(),
            keyboard: Keyboard::default(),
        };
        let state = EguiEditorState::from_size(place.logical(), place.zoom);
        create_egui_editor(state, RepaintNotifier::new(), settings, sight)
    }
}

fn resize_hint() -> ResizeHint {
    ResizeHint {
        can_resize: true,
        can_resize_horizontally: true,
        can_resize_vertically: true,
        size_constraints: SizeConstraints::Logical {
            min_size: Some(size_of(SIZE_MIN)),
            max_size: None,
        },
        ..ResizeHint::default()
    }
}

/// A window that is open.
pub struct Open {
    window: Option<baseview::Window>,
    owner: Arc<dyn WindowOwner>,
    life: Life,
}

impl Open {
    fn window(&self) -> Option<&baseview::Window> {
        self.window.as_ref()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.window.take());
        wait(&self.life);
        let mut life = self.life.lock();
        life.context = None;
        (life.is_loaded, life.fit) = (false, None);
        drop(life);
        self.owner.closed();
    }
}

/// What the DAW does with an open window.
pub struct Handle {
    framework: EguiEditorHandle,
    owner: Arc<dyn WindowOwner>,
    life: Life,
}

type WindowResult = Result<(), baseview::Error>;

impl EditorHandle for Handle {
    type Window = Open;
    type Error = baseview::Error;

    fn run_until_closed(mut open: Open) -> WindowResult {
        open.window.take().map_or(Ok(()), EguiEditorHandle::run_until_closed)
    }

    fn set_parent(&self, parent: ParentWindowHandle, open: &Open) -> WindowResult {
        open.window().map_or(Ok(()), |window| self.framework.set_parent(parent, window))
    }

    fn show(&self, open: &Open) -> WindowResult {
        open.window().map_or(Ok(()), |window| self.framework.show(window))
    }

    fn hide(&self, open: &Open) -> WindowResult {
        open.window().map_or(Ok(()), |window| self.framework.hide(window))
    }

    fn set_size(&self, size: NativeSize<u32>, open: &Open) -> WindowResult {
        open.window().map_or(Ok(()), |window| self.framework.set_size(size, window))
    }

    fn host_main_thread_callback(&self, open: &Open) {
        if let Some(window) = open.window() {
            self.framework.host_main_thread_callback(window);
        }
    }

    fn adjust_size(&self, size: NativeSize<u32>, open: &Open) -> Option<NativeSize<u32>> {
        let size = self.framework.adjust_size(size, open.window()?)?;
        let mut place = Place::of(self.owner.size());
        if self.owner.zoom_follows() {
            place.zoom = 1.0;
        }
        let min = place.native_min(self.life.lock().scale());
        Some(NativeSize::new(size.width.max(min.width), size.height.max(min.height)))
    }

    fn set_fallback_scale_factor(&self, factor: f64, open: &Open) -> WindowResult {
        open.window()
            .map_or(Ok(()), |window| self.framework.set_fallback_scale_factor(factor, window))
    }

    /// The next picture follows. None is asked for: see below.
    fn state_changed(&self) {
        self.life.lock().is_loaded = true;
    }

    // The framework calls these from within `process` where a DAW processes on its main thread, as some render
    // offline: `egui` would wait there for a picture that is being made, and allocate. A picture comes anyway, a
    // quarter of a second later at most.
    fn param_value_changed(&self, _id: &str, _normalized_value: f32) {}

    fn param_modulation_changed(&self, _id: &str, _modulation_offset: f32) {}
}

impl<F: Face> Editor for Window<F> {
    type Handle = Handle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Handle>, Box<dyn Error>> {
        self.life.lock().daw = Some(std::thread::current().id());
        let editor = self.editor().ok_or("no window on this system")?;
        let spawned =
            editor.spawn(parent, wait_for_parent, fallback_scale_factor, gui_context, host);
        let SpawnedEditor { handle, window } = spawned.inspect_err(|_| wait(&self.life))?;
        let (owner, life) = (Arc::clone(&self.owner), Arc::clone(&self.life));
        Ok(SpawnedEditor {
            handle: Handle {
                framework: handle,
                owner: Arc::clone(&owner),
                life: Arc::clone(&life),
            },
            window: Open { window: Some(window), owner, life },
        })
    }

    fn size(&self) -> NativeSize<u32> {
        let life = self.life.lock();
        let place = self.place();
        // What a state that was just loaded asks for comes first.
        let fit = life.fit.filter(|_| !life.is_loaded);
        Place { zoom: fit.unwrap_or(place.zoom), ..place }.native(life.scale())
    }

    fn resize_hint(&self) -> ResizeHint {
        resize_hint()
    }

    /// Both formats report it by way of the editor, open or not.
    fn track_info_updated(&self, info: TrackInfo) {
        self.owner.track_named(info.name());
    }

    unsafe fn assume_standalone_in_process(&self) {
        // SAFETY: the caller's promise is the same.
        unsafe { baseview::assume_standalone_in_process() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_waits_until_the_thread_is_over() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let (life, is_over) = (Life::default(), Arc::new(AtomicBool::new(false)));
        let (began, has_begun) = channel();
        life.lock().daw = Some(std::thread::current().id());
        let of_thread = (Arc::clone(&life), Arc::clone(&is_over));
        drop(std::thread::spawn(move || {
            begin(&of_thread.0);
            began.send(()).unwrap();
            // What takes a window down, after its DAW was notified that it is closed.
            for _ in 0..1000 {
                std::thread::yield_now();
            }
            of_thread.1.store(true, Ordering::Release);
        }));
        has_begun.recv().unwrap();
        wait(&life);
        assert!(is_over.load(Ordering::Acquire));
    }

    #[test]
    fn closing_does_not_wait_for_the_daws_own_thread() {
        let life = Life::default();
        life.lock().daw = Some(std::thread::current().id());
        begin(&life);
        assert!(life.lock().over.is_none());
    }
}
