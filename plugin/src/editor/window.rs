//! The window as the DAW opens and closes it.
//!
//! All of it is the framework's, but for the end. `baseview` 0.4.2 gives a window a thread of its own on Linux
//! and waits for it only if the thread is slow enough: one that ends at once is still taking OpenGL and the
//! display's connection down when the DAW believes that the window is gone. Where a DAW exits or unloads
//! the plugin then, it crashes; a test of ours found that. So closing waits here until the thread is over.
//! Neither does the framework (`nice-plug-egui` 0.6.0) tell the editor that its window was closed.

use super::Face;
use crate::plugin::Desk;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::NativeSize;
use nice_plug::editor::{
    Editor, EditorHandle, HostMethods, ParentWindowHandle, ResizeHint, SpawnedEditor,
};
use nice_plug_egui::{EguiEditor, EguiEditorHandle, baseview};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::ThreadId;
use std::time::Duration;

/// How long closing a window may take: a display that does not answer must not stop a DAW for ever.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the editor leaves word of the thread that draws its window.
pub(super) type Life = Arc<Mutex<Threads>>;

/// The threads of a window.
#[derive(Debug, Default)]
pub(super) struct Threads {
    /// The one that opens and closes it.
    daw: Option<ThreadId>,
    /// Ends with the one that draws, if that is another.
    over: Option<Receiver<()>>,
}

thread_local! {
    /// Dropped when the thread has done everything else.
    static ALIVE: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

/// Leaves word of the thread that draws: the one that calls.
pub(super) fn begin(life: &Life) {
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
        let _ = over.recv_timeout(PATIENCE);
    }
}

/// What makes windows.
pub struct Window {
    pub(super) editor: EguiEditor<Face>,
    pub(super) desk: Arc<Desk>,
    pub(super) life: Life,
}

/// A window that is open.
pub struct Open {
    window: Option<baseview::Window>,
    desk: Arc<Desk>,
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
        self.desk.shared.tap.open(false);
    }
}

/// What the DAW does with an open window.
pub struct Handle(EguiEditorHandle);

type Result<T> = std::result::Result<T, baseview::Error>;

impl EditorHandle for Handle {
    type Window = Open;
    type Error = baseview::Error;

    fn run_until_closed(mut open: Open) -> Result<()> {
        open.window.take().map_or(Ok(()), EguiEditorHandle::run_until_closed)
    }

    fn set_parent(&self, parent: ParentWindowHandle, open: &Open) -> Result<()> {
        open.window().map_or(Ok(()), |window| self.0.set_parent(parent, window))
    }

    fn show(&self, open: &Open) -> Result<()> {
        open.window().map_or(Ok(()), |window| self.0.show(window))
    }

    fn hide(&self, open: &Open) -> Result<()> {
        open.window().map_or(Ok(()), |window| self.0.hide(window))
    }

    fn set_size(&self, size: NativeSize<u32>, open: &Open) -> Result<()> {
        open.window().map_or(Ok(()), |window| self.0.set_size(size, window))
    }

    fn host_main_thread_callback(&self, open: &Open) {
        if let Some(window) = open.window() {
            self.0.host_main_thread_callback(window);
        }
    }

    fn adjust_size(&self, size: NativeSize<u32>, open: &Open) -> Option<NativeSize<u32>> {
        self.0.adjust_size(size, open.window()?)
    }

    fn set_fallback_scale_factor(&self, factor: f64, open: &Open) -> Result<()> {
        open.window().map_or(Ok(()), |window| self.0.set_fallback_scale_factor(factor, window))
    }

    fn state_changed(&self) {
        self.0.state_changed();
    }

    fn param_value_changed(&self, id: &str, normalized_value: f32) {
        self.0.param_value_changed(id, normalized_value);
    }

    fn param_modulation_changed(&self, id: &str, modulation_offset: f32) {
        self.0.param_modulation_changed(id, modulation_offset);
    }
}

impl Editor for Window {
    type Handle = Handle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> std::result::Result<SpawnedEditor<Handle>, Box<dyn Error>> {
        self.life.lock().daw = Some(std::thread::current().id());
        let spawned =
            self.editor.spawn(parent, wait_for_parent, fallback_scale_factor, gui_context, host);
        let SpawnedEditor { handle, window } = spawned.inspect_err(|_| wait(&self.life))?;
        let (desk, life) = (Arc::clone(&self.desk), Arc::clone(&self.life));
        Ok(SpawnedEditor {
            handle: Handle(handle),
            window: Open { window: Some(window), desk, life },
        })
    }

    fn size(&self) -> NativeSize<u32> {
        self.editor.size()
    }

    fn resize_hint(&self) -> ResizeHint {
        self.editor.resize_hint()
    }

    unsafe fn assume_standalone_in_process(&self) {
        // SAFETY: the caller's promise is that of the framework's editor.
        unsafe { self.editor.assume_standalone_in_process() };
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
            // What takes a window down, after its DAW was told that it is closed.
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
