//! A window of the host with the editor in it, on a display of its own.
//!
//! A display is started where there is none: the tests that need one run again in a process that has
//! it. `WAVEMILL_PICTURES=FOLDER` keeps what the editor looked like.

use crate::host::{Running, STEREO};
use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, PluginGui, Window};
use clack_host::prelude::*;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ButtonPressEvent, ConnectionExt, CreateWindowAux,
    EventMask, ImageFormat, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, KeyPressEvent, MOTION_NOTIFY_EVENT,
    MotionNotifyEvent, WindowClass,
};
use x11rb::rust_connection::RustConnection;

/// Says that this process is the one with a display.
const INSIDE: &str = "WAVEMILL_TEST_DISPLAY";

/// A display that ends with the test.
struct Display(Child, String);

impl Display {
    /// Starts one; says that the test is skipped where that is not possible.
    #[expect(clippy::print_stderr, reason = "the gate counts this line")]
    pub(crate) fn start() -> Option<Self> {
        let mut command = Command::new("Xvfb");
        command.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            // Room for the usual window at 300 %, and some more.
            "3840x2400x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else {
            eprintln!("skipped: Xvfb is not installed");
            return None;
        };
        let mut number = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut number).unwrap();
        if number.trim().is_empty() {
            eprintln!("skipped: Xvfb does not start");
            drop(child.wait());
            return None;
        }
        Some(Self(child, format!(":{}", number.trim())))
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs the calling test again in a process with a display; `true` in that process. The test is named with
/// its module.
pub(crate) fn is_inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let Some(display) = Display::start() else { return false };
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env("DISPLAY", &display.1)
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let printed = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if printed.contains(NO_GRAPHICS) {
        skip_graphics();
        return false;
    }
    assert!(output.status.success(), "{}: {printed}", output.status);
    assert!(printed.contains("1 passed"), "{printed}");
    false
}

const NO_GRAPHICS: &str = "no OpenGL 3.2 on this display";

#[expect(clippy::print_stderr, reason = "the gate counts this line")]
pub(crate) fn skip_graphics() {
    eprintln!("skipped: {NO_GRAPHICS}");
}

/// A window of the host.
pub(crate) fn parent((width, height): (u16, u16)) -> (RustConnection, u32) {
    let (connection, screen) = x11rb::connect(None).unwrap();
    let window = connection.generate_id().unwrap();
    let root = &connection.setup().roots[screen];
    let events = CreateWindowAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
    connection
        .create_window(
            x11rb::COPY_DEPTH_FROM_PARENT,
            window,
            root.root,
            0,
            0,
            width,
            height,
            0,
            WindowClass::INPUT_OUTPUT,
            0,
            &events,
        )
        .unwrap();
    connection.map_window(window).unwrap();
    connection.flush().unwrap();
    (connection, window)
}

/// A window of the host with the editor in it.
pub(crate) struct Embedded {
    pub(crate) running: Running,
    pub(crate) connection: RustConnection,
    pub(crate) window: u32,
    pub(crate) size: (u16, u16),
    pub(crate) frame: u32,
}

impl Embedded {
    /// `None` where the machine cannot draw.
    pub(crate) fn open(running: Running, size: (u16, u16)) -> Option<Self> {
        let (connection, window) = parent(size);
        let mut embedded = Self { running, connection, window, size, frame: 0 };
        embedded.show().then_some(embedded)
    }

    pub(crate) fn gui(&mut self) -> (PluginGui, PluginMainThreadHandle<'_>) {
        let handle = self.running.instance.plugin_handle();
        (handle.get_extension::<PluginGui>().unwrap(), handle)
    }

    /// Creates the editor in the window and shows it.
    pub(crate) fn show(&mut self) -> bool {
        let is_created = self.create();
        if is_created {
            self.reveal();
        }
        is_created
    }

    pub(crate) fn reveal(&mut self) {
        let (width, height) = self.size;
        let (gui, handle) = self.gui();
        gui.set_size(&handle, GuiSize { width: width.into(), height: height.into() }).unwrap();
        gui.show(&handle).unwrap();
    }

    /// Creates the editor in the window.
    pub(crate) fn create(&mut self) -> bool {
        let (window, (width, height)) = (self.window, self.size);
        let (gui, handle) = self.gui();
        let config = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };
        assert!(gui.is_api_supported(&handle, config));
        gui.create(&handle, config).unwrap();
        let size = GuiSize { width: width.into(), height: height.into() };
        assert!(gui.can_resize(&handle));
        assert_eq!(gui.adjust_size(&handle, size), Some(size));
        // SAFETY: the window lives longer than the editor.
        let is_set = unsafe { gui.set_parent(&handle, Window::from_x11_handle(window.into())) };
        if is_set.is_err() {
            gui.destroy(&handle);
            return false;
        }
        true
    }

    pub(crate) fn hide(&mut self) {
        let (gui, handle) = self.gui();
        gui.destroy(&handle);
    }

    /// Ends everything in the order of a DAW.
    pub(crate) fn close(mut self) {
        self.hide();
        drop(self.running.stop());
    }

    /// Plays a signal for a while, at the pace of a DAW, while the editor draws.
    pub(crate) fn play(&mut self, seconds: f64, mut signal: impl FnMut(u32) -> [f32; 2]) {
        const BLOCK: u32 = 480;
        let begin = Instant::now();
        let mut played = 0.0;
        while played < seconds {
            let mut planes = [Vec::new(), Vec::new()];
            for _ in 0..BLOCK {
                let [left, right] = signal(self.frame);
                planes[0].push(left);
                planes[1].push(right);
                self.frame += 1;
            }
            self.running.process(&planes, None);
            self.running.instance.call_on_main_thread_callback();
            played += f64::from(BLOCK) / 48_000.0;
            let ahead = Duration::from_secs_f64(played).saturating_sub(begin.elapsed());
            std::thread::park_timeout(ahead);
        }
    }

    /// Plays silence until something is drawn: a busy machine takes its time.
    pub(crate) fn wait_for_a_picture(&mut self) {
        let begin = Instant::now();
        while color_count(&self.picture()) <= 20 {
            assert!(begin.elapsed() < Duration::from_mins(1), "nothing is drawn");
            self.play(0.1, |_| [0.0; 2]);
        }
    }

    /// The same as fast as it goes, to fill the history.
    pub(crate) fn hurry(&mut self, seconds: f64, mut signal: impl FnMut(u32) -> [f32; 2]) {
        let end = self.frame + frames(seconds);
        while self.frame < end {
            let mut planes = [Vec::new(), Vec::new()];
            for _ in 0..4096 {
                let [left, right] = signal(self.frame);
                planes[0].push(left);
                planes[1].push(right);
                self.frame += 1;
            }
            self.running.process(&planes, None);
        }
    }

    /// Presses and releases a key in the editor's own window.
    pub(crate) fn press(&self, keycode: u8) {
        let (connection, editor) = (&self.connection, self.editor());
        for (response_type, mask) in
            [(KEY_PRESS_EVENT, EventMask::KEY_PRESS), (KEY_RELEASE_EVENT, EventMask::KEY_RELEASE)]
        {
            let event = KeyPressEvent {
                response_type,
                detail: keycode,
                event: editor,
                same_screen: true,
                ..KeyPressEvent::default()
            };
            connection.send_event(false, editor, mask, event).unwrap();
        }
        connection.flush().unwrap();
    }

    /// Moves the pointer to a place in the editor, in pixels from its corner, and clicks there.
    pub(crate) fn click(&self, x: i16, y: i16) {
        let (connection, editor) = (&self.connection, self.editor());
        let moved = MotionNotifyEvent {
            response_type: MOTION_NOTIFY_EVENT,
            event: editor,
            event_x: x,
            event_y: y,
            ..MotionNotifyEvent::default()
        };
        connection.send_event(false, editor, EventMask::POINTER_MOTION, moved).unwrap();
        for (response_type, mask) in [
            (BUTTON_PRESS_EVENT, EventMask::BUTTON_PRESS),
            (BUTTON_RELEASE_EVENT, EventMask::BUTTON_RELEASE),
        ] {
            let event = ButtonPressEvent {
                response_type,
                detail: 1,
                event: editor,
                event_x: x,
                event_y: y,
                ..ButtonPressEvent::default()
            };
            connection.send_event(false, editor, mask, event).unwrap();
        }
        connection.flush().unwrap();
    }

    /// The editor's own window.
    pub(crate) fn editor(&self) -> u32 {
        let tree = self.connection.query_tree(self.window).unwrap().reply().unwrap();
        let [editor] = tree.children[..] else { panic!("{tree:?}") };
        editor
    }

    /// Its size.
    pub(crate) fn editor_size(&self) -> (u32, u32) {
        let geometry = self.connection.get_geometry(self.editor()).unwrap().reply().unwrap();
        (geometry.width.into(), geometry.height.into())
    }

    /// The size that the plugin asked the host for last.
    pub(crate) fn wanted(&self) -> Option<(u32, u32)> {
        let wanted = self.running.instance.access_shared_handler(|shared| *shared.wanted.lock());
        wanted.map(|size| (size.width, size.height))
    }

    /// What the window shows: rows of blue, green, red and nothing.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let (width, height) = self.size;
        let image = self.connection.get_image(
            ImageFormat::Z_PIXMAP,
            self.window,
            0,
            0,
            width,
            height,
            u32::MAX,
        );
        image.unwrap().reply().unwrap().data
    }

    /// The part of the picture above the left end of the footer.
    pub(crate) fn corner(&self) -> Vec<u8> {
        let (width, height) = (usize::from(self.size.0), usize::from(self.size.1));
        let picture = self.picture();
        let rows = picture.chunks_exact(width * 4).take(height - 50).skip(height - 150);
        rows.flat_map(|row| row[..200 * 4].to_vec()).collect()
    }

    /// The same once silence has come to rest there.
    pub(crate) fn settled(&mut self) -> Vec<u8> {
        let mut corner = Vec::new();
        for _ in 0..40 {
            self.play(0.5, |_| [0.0; 2]);
            let before = std::mem::replace(&mut corner, self.corner());
            if color_count(&corner) > 5 && before == corner {
                return corner;
            }
        }
        panic!("the picture never rests");
    }

    pub(crate) fn keep(&self, name: &str) {
        let Some(folder) = std::env::var_os("WAVEMILL_PICTURES") else { return };
        let path = PathBuf::from(folder).join(format!("{name}.png"));
        let file = std::fs::File::create(path).unwrap();
        let (width, height) = self.size;
        let mut encoder = png::Encoder::new(file, width.into(), height.into());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let pixels: Vec<u8> = self
            .picture()
            .chunks_exact(4)
            // In steps of four: the editor's dithering is not worth its bytes.
            .flat_map(|pixel| {
                [pixel[2], pixel[1], pixel[0]].map(|value| value.saturating_add(2) & !3)
            })
            .collect();
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some seconds")]
pub(crate) fn frames(seconds: f64) -> u32 {
    (seconds * 48_000.0) as u32
}

/// Colors that differ, as a measure of whether anything was drawn.
pub(crate) fn color_count(picture: &[u8]) -> usize {
    let colors: std::collections::BTreeSet<&[u8]> = picture.chunks_exact(4).collect();
    colors.len()
}

/// Pink noise whose level wanders around -23 LUFS, wider than mono.
pub(crate) fn music() -> impl FnMut(u32) -> [f32; 2] {
    noise(|seconds| 0.027 * (1.0 + 0.5 * (seconds / 9.0).sin() + 0.35 * (seconds / 1.7).sin()))
}

/// Pink noise with a level, wider than mono.
pub(crate) fn noise(level: impl Fn(f64) -> f64) -> impl FnMut(u32) -> [f32; 2] {
    let mut state = 1u64;
    let mut filters = [[0.0f64; 2]; 3];
    move |frame| {
        let seconds = f64::from(frame) / 48_000.0;
        let level = level(seconds);
        let mut sides = [0.0; 2];
        for (side, sum) in sides.iter_mut().enumerate() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let white = f64::from(u32::try_from(state >> 32).unwrap()) / 2f64.powi(31) - 1.0;
            // Three poles between decades make white noise pink. Source: P. Kellet, 1999.
            for (filter, (pole, gain)) in filters.iter_mut().zip([
                (0.99765, 0.0990460),
                (0.963, 0.2965164),
                (0.57, 1.0526913),
            ]) {
                filter[side] = pole * filter[side] + gain * white;
                *sum += filter[side];
            }
            *sum += 0.1848 * white;
        }
        let [one, other] = sides;
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let mixed = [(level * (one + 0.45 * other)) as f32, (level * (other + 0.45 * one)) as f32];
        mixed
    }
}

pub(crate) fn opened(size: (u16, u16)) -> Option<Embedded> {
    let embedded = Embedded::open(Running::new(STEREO), size);
    if embedded.is_none() {
        skip_graphics();
    }
    embedded
}

/// Where the button `Output` is, in pixels from the left and from the bottom.
pub(crate) const OUTPUT: (i16, i16) = (345, 23);
