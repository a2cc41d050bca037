//! The thread that renders, one for all instances of a process, and what each of them asked it for.

use super::state::{Line, Render, Stage};
use super::work::{Request, carry_out};
use parking_lot::Mutex;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

/// Renders that an instance remembers when they are over.
const REMEMBERED_MAX: usize = 16;

/// The renders of one instance, the latest one last. Those that run end with it.
#[derive(Debug)]
pub(crate) struct Renders {
    list: Mutex<Vec<Arc<Render>>>,
    renderer: Arc<Renderer>,
}

impl Default for Renders {
    fn default() -> Self {
        Self { list: Mutex::default(), renderer: Renderer::shared() }
    }
}

impl Renders {
    /// With a thread that no other instance has.
    #[cfg(test)]
    pub(super) fn alone() -> Self {
        Self { list: Mutex::default(), renderer: Arc::default() }
    }

    /// Lets the renderer do this when it has done what was asked before. Not for the audio thread.
    pub(crate) fn request(&self, request: Request) {
        if request.is_empty() {
            return;
        }
        let render = Arc::new(Render::new(request.name(), request.parts.clone()));
        let mut list = self.list.lock();
        if list.len() >= REMEMBERED_MAX
            && let Some(oldest) = list.iter().position(|render| render.is_over())
        {
            list.remove(oldest);
        }
        list.push(Arc::clone(&render));
        drop(list);
        if let Err(error) = self.renderer.take(request, Arc::clone(&render)) {
            render.push(Line::Error(format!("cannot start a thread: {error}")));
            render.set_stage(Stage::Failed);
        }
    }

    /// The latest one.
    pub(crate) fn latest(&self) -> Option<Arc<Render>> {
        self.list.lock().last().cloned()
    }

    /// Those that wait or run.
    pub(crate) fn open_count(&self) -> usize {
        self.list.lock().iter().filter(|render| !render.is_over()).count()
    }
}

impl Drop for Renders {
    fn drop(&mut self) {
        self.list.lock().iter().for_each(|render| render.cancel());
    }
}

/// Renders one capture at a time: each uses several threads of its own.
#[derive(Debug, Default)]
struct Renderer(Mutex<Option<Running>>);

#[derive(Debug)]
struct Running {
    queue: Sender<(Request, Arc<Render>)>,
    thread: JoinHandle<()>,
}

static SHARED: Mutex<Weak<Renderer>> = Mutex::new(Weak::new());

impl Renderer {
    /// The process's renderer; its thread starts with the first request.
    fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock();
        shared.upgrade().unwrap_or_else(|| {
            let renderer = Arc::new(Self::default());
            *shared = Arc::downgrade(&renderer);
            renderer
        })
    }

    fn take(&self, request: Request, render: Arc<Render>) -> io::Result<()> {
        let mut running = self.0.lock();
        let running = match &mut *running {
            Some(running) => running,
            none => {
                let (queue, requests) = channel();
                let thread = std::thread::Builder::new()
                    .name("wavemill-render".into())
                    .spawn(move || run(&requests))?;
                none.insert(Running { queue, thread })
            }
        };
        running.queue.send((request, render)).map_err(|_| io::Error::other("it is over"))
    }
}

/// The last instance is gone, and with it every request is canceled: the thread ends within a block.
/// The code it runs may be unloaded after this.
impl Drop for Renderer {
    fn drop(&mut self) {
        if let Some(Running { queue, thread }) = self.0.get_mut().take() {
            drop(queue);
            drop(thread.join());
        }
    }
}

fn run(requests: &Receiver<(Request, Arc<Render>)>) {
    for (request, render) in requests {
        if render.canceled().load(std::sync::atomic::Ordering::Relaxed) {
            render.set_stage(Stage::Canceled);
            continue;
        }
        // A mistake of ours must not take the DAW or the next render along.
        let result = catch_unwind(AssertUnwindSafe(|| carry_out(&request, &render)));
        if result.is_err() {
            render.push(Line::Error("the render stopped because of a bug in Wavemill".into()));
            render.set_stage(Stage::Failed);
        }
    }
}
