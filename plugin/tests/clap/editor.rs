//! The editor in a window of the host, on a display of its own.
//!
//! A display is started where there is none: the tests that need one run again in a process that has
//! it. `WAVEMILL_PICTURES=FOLDER` keeps what the editor looked like.

use crate::host::{Host, Running, STEREO, load};
use crate::renders::state;
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
    fn start() -> Option<Self> {
        let mut command = Command::new("Xvfb");
        command.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1600x1200x24",
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

/// Runs the calling test again in a process with a display; `true` in that process.
fn is_inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let Some(display) = Display::start() else { return false };
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("editor::{test}"), "--nocapture", "--test-threads", "1"])
        .env("DISPLAY", &display.1)
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if told.contains(NO_GRAPHICS) {
        skip_graphics();
        return false;
    }
    assert!(output.status.success(), "{}: {told}", output.status);
    assert!(told.contains("1 passed"), "{told}");
    false
}

const NO_GRAPHICS: &str = "no OpenGL 3.2 on this display";

#[expect(clippy::print_stderr, reason = "the gate counts this line")]
fn skip_graphics() {
    eprintln!("skipped: {NO_GRAPHICS}");
}

/// A window of the host.
fn parent((width, height): (u16, u16)) -> (RustConnection, u32) {
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
struct Embedded {
    running: Running,
    connection: RustConnection,
    window: u32,
    size: (u16, u16),
    frame: u32,
}

impl Embedded {
    /// `None` where the machine cannot draw.
    fn open(running: Running, size: (u16, u16)) -> Option<Self> {
        let (connection, window) = parent(size);
        let mut embedded = Self { running, connection, window, size, frame: 0 };
        embedded.show().then_some(embedded)
    }

    fn gui(&mut self) -> (PluginGui, PluginMainThreadHandle<'_>) {
        let handle = self.running.instance.plugin_handle();
        (handle.get_extension::<PluginGui>().unwrap(), handle)
    }

    /// Creates the editor in the window and shows it.
    fn show(&mut self) -> bool {
        let is_created = self.create();
        if is_created {
            self.reveal();
        }
        is_created
    }

    fn reveal(&mut self) {
        let (width, height) = self.size;
        let (gui, handle) = self.gui();
        gui.set_size(&handle, GuiSize { width: width.into(), height: height.into() }).unwrap();
        gui.show(&handle).unwrap();
    }

    /// Creates the editor in the window.
    fn create(&mut self) -> bool {
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

    fn hide(&mut self) {
        let (gui, handle) = self.gui();
        gui.destroy(&handle);
    }

    /// Ends everything in the order of a DAW.
    fn close(mut self) {
        self.hide();
        drop(self.running.stop());
    }

    /// Plays a signal for a while, at the pace of a DAW, while the editor draws.
    fn play(&mut self, seconds: f64, mut signal: impl FnMut(u32) -> [f32; 2]) {
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
    fn wait_for_a_picture(&mut self) {
        let begin = Instant::now();
        while color_count(&self.picture()) <= 20 {
            assert!(begin.elapsed() < Duration::from_mins(1), "nothing is drawn");
            self.play(0.1, |_| [0.0; 2]);
        }
    }

    /// The same as fast as it goes, to fill the history.
    fn hurry(&mut self, seconds: f64, mut signal: impl FnMut(u32) -> [f32; 2]) {
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
    fn press(&self, keycode: u8) {
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
    fn click(&self, x: i16, y: i16) {
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
    fn editor(&self) -> u32 {
        let tree = self.connection.query_tree(self.window).unwrap().reply().unwrap();
        let [editor] = tree.children[..] else { panic!("{tree:?}") };
        editor
    }

    /// Its size.
    fn editor_size(&self) -> (u32, u32) {
        let geometry = self.connection.get_geometry(self.editor()).unwrap().reply().unwrap();
        (geometry.width.into(), geometry.height.into())
    }

    /// The size that the plugin asked the host for last.
    fn wanted(&self) -> Option<(u32, u32)> {
        let wanted =
            self.running.instance.access_shared_handler(|shared| *shared.wanted.lock().unwrap());
        wanted.map(|size| (size.width, size.height))
    }

    /// What the window shows: rows of blue, green, red and nothing.
    fn picture(&self) -> Vec<u8> {
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
    fn corner(&self) -> Vec<u8> {
        let (width, height) = (usize::from(self.size.0), usize::from(self.size.1));
        let picture = self.picture();
        let rows = picture.chunks_exact(width * 4).take(height - 50).skip(height - 150);
        rows.flat_map(|row| row[..200 * 4].to_vec()).collect()
    }

    /// The same once silence has come to rest there.
    fn settled(&mut self) -> Vec<u8> {
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

    fn keep(&self, name: &str) {
        let Some(folder) = std::env::var_os("WAVEMILL_PICTURES") else { return };
        let path = PathBuf::from(folder).join(format!("{name}.png"));
        let file = std::fs::File::create(path).unwrap();
        let (width, height) = self.size;
        let mut encoder = png::Encoder::new(file, width.into(), height.into());
        encoder.set_color(png::ColorType::Rgb);
        let pixels: Vec<u8> = self
            .picture()
            .chunks_exact(4)
            .flat_map(|pixel| [pixel[2], pixel[1], pixel[0]])
            .collect();
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some seconds")]
fn frames(seconds: f64) -> u32 {
    (seconds * 48_000.0) as u32
}

/// Colors that differ, as a measure of whether anything was drawn.
fn color_count(picture: &[u8]) -> usize {
    let colors: std::collections::BTreeSet<&[u8]> = picture.chunks_exact(4).collect();
    colors.len()
}

/// Pink noise whose level wanders around -23 LUFS, wider than mono.
fn music() -> impl FnMut(u32) -> [f32; 2] {
    let mut state = 1u64;
    let mut filters = [[0.0f64; 2]; 3];
    move |frame| {
        let seconds = f64::from(frame) / 48_000.0;
        let level = 0.027 * (1.0 + 0.5 * (seconds / 9.0).sin() + 0.35 * (seconds / 1.7).sin());
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

fn opened(size: (u16, u16)) -> Option<Embedded> {
    let embedded = Embedded::open(Running::new(STEREO), size);
    if embedded.is_none() {
        skip_graphics();
    }
    embedded
}

#[test]
fn editor_draws_and_follows_the_signal() {
    if !is_inside("editor_draws_and_follows_the_signal") {
        return;
    }
    let Some(mut editor) = opened((960, 600)) else { return };
    editor.wait_for_a_picture();
    editor.play(1.0, |_| [0.0; 2]);
    let silent = editor.picture();
    editor.keep("silence");
    editor.hurry(200.0, music());
    editor.play(3.0, music());
    editor.keep("music");
    let music = editor.picture();
    assert!(color_count(&music) > color_count(&silent));
    editor.hurry(20.0, |frame| {
        let sample = (f64::from(frame) * 0.13).sin() * 1.2;
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let sample = (sample as f32).clamp(-1.0, 1.0);
        [sample, sample]
    });
    editor.play(2.0, |frame| {
        let sample = if frame / 60 % 2 == 0 { 1.0 } else { -1.0 };
        [sample, -sample]
    });
    editor.keep("clipping");
    editor.close();
}

#[test]
fn editor_draws_in_windows_of_any_size() {
    if !is_inside("editor_draws_in_windows_of_any_size") {
        return;
    }
    for size in [(600, 400), (1500, 1000)] {
        let Some(mut editor) = opened(size) else { return };
        editor.hurry(60.0, music());
        editor.wait_for_a_picture();
        editor.play(2.0, music());
        editor.keep(&format!("music-{}x{}", size.0, size.1));
        assert!(color_count(&editor.picture()) > 50);
        editor.close();
    }
}

/// A DAW may make the editor long before it shows it, and be busy in between.
#[test]
fn editor_shown_late_draws() {
    if !is_inside("editor_shown_late_draws") {
        return;
    }
    let (connection, window) = parent((800, 500));
    let mut editor =
        Embedded { running: Running::new(STEREO), connection, window, size: (800, 500), frame: 0 };
    if !editor.create() {
        skip_graphics();
        return;
    }
    editor.play(0.5, music());
    editor.reveal();
    editor.wait_for_a_picture();
    editor.close();
}

/// What the host is told about the size of the window, open or not.
fn size(instance: &mut PluginInstance<Host>) -> (u32, u32) {
    let handle = instance.plugin_handle();
    let size = handle.get_extension::<PluginGui>().unwrap().get_size(&handle).unwrap();
    (size.width, size.height)
}

#[test]
fn window_has_the_size_and_zoom_of_the_state_that_was_loaded_last() {
    let mut instance = crate::host::instance();
    assert_eq!(size(&mut instance), (960, 600));
    for (window, zoom, expected) in
        [([800, 500], 1.5, (1200, 750)), ([700, 450], 1.0, (700, 450)), ([1, 1], 0.0, (600, 400))]
    {
        let choices = serde_json::json!({ "window": window, "zoom": zoom });
        assert!(load(&mut instance, &state(&choices)));
        assert_eq!(size(&mut instance), expected);
    }
}

#[test]
fn open_window_follows_a_state_that_is_loaded() {
    if !is_inside("open_window_follows_a_state_that_is_loaded") {
        return;
    }
    let Some(mut editor) = opened((800, 500)) else { return };
    editor.wait_for_a_picture();
    assert_eq!(size(&mut editor.running.instance), (800, 500));
    // One with another zoom, one with another size only, and one with both.
    for (window, zoom, expected) in [
        ([800, 500], 1.5, (1200, 750)),
        ([700, 450], 1.5, (1050, 675)),
        ([900, 600], 1.0, (900, 600)),
    ] {
        let choices = serde_json::json!({ "window": window, "zoom": zoom });
        assert!(load(&mut editor.running.instance, &state(&choices)));
        assert_eq!(size(&mut editor.running.instance), expected);
        let begin = Instant::now();
        while editor.wanted() != Some(expected) || editor.editor_size() != expected {
            assert!(
                begin.elapsed() < Duration::from_mins(1),
                "{expected:?}: the host was asked for {:?}, the window has {:?}",
                editor.wanted(),
                editor.editor_size()
            );
            editor.play(0.1, |_| [0.0; 2]);
        }
        assert_eq!(size(&mut editor.running.instance), expected, "and stays");
    }
    editor.hide();
    let choices = serde_json::json!({ "window": [720, 480], "zoom": 1.0 });
    assert!(load(&mut editor.running.instance, &state(&choices)));
    assert!(editor.create());
    assert_eq!(editor.editor_size(), (720, 480), "another window of the same editor");
    editor.close();
}

#[test]
fn window_of_a_host_is_never_too_small_for_the_zoom() {
    if !is_inside("window_of_a_host_is_never_too_small_for_the_zoom") {
        return;
    }
    let Some(mut editor) = opened((800, 500)) else { return };
    let choices = serde_json::json!({ "window": [800, 500], "zoom": 2.0 });
    assert!(load(&mut editor.running.instance, &state(&choices)));
    let (gui, handle) = editor.gui();
    let small = GuiSize { width: 700, height: 500 };
    let adjusted = gui.adjust_size(&handle, small).unwrap();
    assert_eq!((adjusted.width, adjusted.height), (1200, 800));
    editor.close();
}

#[test]
fn editor_opens_and_closes_twenty_times_while_audio_runs() {
    if !is_inside("editor_opens_and_closes_twenty_times_while_audio_runs") {
        return;
    }
    let Some(mut editor) = opened((800, 500)) else { return };
    let mut signal = music();
    for _ in 0..20 {
        editor.play(0.1, &mut signal);
        editor.hide();
        editor.play(0.02, &mut signal);
        assert!(editor.show());
    }
    editor.wait_for_a_picture();
    editor.close();
}

/// Tab on a keyboard of 105 keys. Source: `xkeyboard-config`, `keycodes/evdev`.
const TAB: u8 = 23;

#[test]
fn editor_shows_where_the_keyboard_is() {
    if !is_inside("editor_shows_where_the_keyboard_is") {
        return;
    }
    let Some(mut editor) = opened((960, 600)) else { return };
    editor.wait_for_a_picture();
    // Nothing but the ring around the focus is as bright.
    let bright = |editor: &Embedded| {
        editor.picture().chunks_exact(4).filter(|pixel| pixel[..3] == [255; 3]).count()
    };
    let before = bright(&editor);
    editor.press(TAB);
    let begin = Instant::now();
    while bright(&editor) < before + 100 {
        assert!(begin.elapsed() < Duration::from_mins(1), "no ring");
        editor.play(0.1, |_| [0.0; 2]);
    }
    editor.keep("keyboard");
    editor.close();
}

#[test]
fn editor_shows_what_becomes_of_captures() {
    if !is_inside("editor_shows_what_becomes_of_captures") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (size, pipeline) in [((960, 600), "streaming"), ((600, 400), "voice")] {
        let choices = serde_json::json!({
            "capture_folder": folder.path(), "pipeline": pipeline, "window": size
        });
        let instance = crate::renders::bounce(&choices);
        let Some(mut editor) = Embedded::open(Running::with(instance, STEREO), size) else {
            skip_graphics();
            return;
        };
        let closed = editor.settled();
        editor.click(OUTPUT.0, i16::try_from(size.1).unwrap() - OUTPUT.1);
        let begin = Instant::now();
        while share_of_changes(&closed, &editor.corner()) < 0.3 {
            assert!(begin.elapsed() < Duration::from_mins(1), "the panel does not open");
            editor.play(0.1, |_| [0.0; 2]);
        }
        editor.play(0.5, |_| [0.0; 2]);
        editor.keep(&format!("output-{}x{}", size.0, size.1));
        editor.close();
    }
}

/// The share of pixels that differ.
fn share_of_changes(before: &[u8], after: &[u8]) -> f64 {
    let pairs = before.chunks_exact(4).zip(after.chunks_exact(4));
    let changed = pairs.clone().filter(|(before, after)| before != after).count();
    changed as f64 / pairs.count() as f64
}

/// Where the button is, in pixels from the left and from the bottom.
const OUTPUT: (i16, i16) = (345, 23);
