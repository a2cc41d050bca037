//! The editor as a user of the DAW meets it.

use crate::host::{Host, Running, STEREO, load, save};
use crate::renders::state;
use crate::window::{
    Embedded, OUTPUT, color_count, is_inside, music, opened, parent, skip_graphics,
};
use clack_extensions::gui::{GuiSize, PluginGui};
use clack_host::prelude::*;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use x11rb::protocol::xproto::ConnectionExt;

#[test]
fn editor_draws_in_windows_of_any_size() {
    if !is_inside("editor::editor_draws_in_windows_of_any_size") {
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
    if !is_inside("editor::editor_shown_late_draws") {
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

/// What is reported to the host about the size of the window, open or not.
fn size(instance: &mut PluginInstance<Host>) -> (u32, u32) {
    let handle = instance.plugin_handle();
    let size = handle.get_extension::<PluginGui>().unwrap().get_size(&handle).unwrap();
    (size.width, size.height)
}

/// A host that has no windows.
struct Windowless;

struct Ignoring;

impl SharedHandler<'_> for Ignoring {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {}
}

impl HostHandlers for Windowless {
    type Shared<'a> = Ignoring;
    type MainThread<'a> = ();
    type AudioProcessor<'a> = ();
}

#[test]
fn host_without_windows_is_offered_none() {
    // SAFETY: the entry is that of a CLAP plugin, and lives as long as the process.
    let entry =
        unsafe { PluginEntry::load_from_raw(&wavemill_plugin::clap_entry, c"wavemill.clap") };
    let entry = entry.unwrap();
    let factory = entry.get_plugin_factory().unwrap();
    let id = factory.plugin_descriptors().next().unwrap().id().unwrap().to_owned();
    let mut instance =
        PluginInstance::<Windowless>::new(|()| Ignoring, |_| (), &entry, &id, &crate::host::info())
            .unwrap();
    assert!(instance.plugin_handle().get_extension::<PluginGui>().is_none());
    assert!(crate::host::instance().plugin_handle().get_extension::<PluginGui>().is_some());
}

#[test]
fn window_has_the_size_and_zoom_of_the_state_that_was_loaded_last() {
    let mut instance = crate::host::instance();
    assert_eq!(size(&mut instance), (960, 600));
    for (window, zoom, expected) in [
        ([800, 500], 1.5, (1200, 750)),
        ([700, 450], 1.0, (700, 450)),
        ([1, 1], 0.0, (600, 400)),
        ([u32::MAX, 9000], 3.0, (24_576, 24_576)),
    ] {
        let choices = serde_json::json!({ "window": window, "zoom": zoom });
        assert!(load(&mut instance, &state(&choices)));
        assert_eq!(size(&mut instance), expected);
    }
}

#[test]
fn open_window_follows_a_state_that_is_loaded() {
    if !is_inside("editor::open_window_follows_a_state_that_is_loaded") {
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
fn zoom_fits_where_the_host_gives_no_larger_window() {
    if !is_inside("editor::zoom_fits_where_the_host_gives_no_larger_window") {
        return;
    }
    let Some(mut editor) = opened((960, 600)) else { return };
    editor.hurry(60.0, music());
    editor.wait_for_a_picture();
    editor.running.instance.access_shared_handler(|host| host.refuses.store(true, Relaxed));
    let choices = serde_json::json!({ "window": [960, 600], "zoom": 2.0 });
    assert!(load(&mut editor.running.instance, &state(&choices)));
    let begin = Instant::now();
    // All of the window, with the zoom that it has room for.
    while editor.wanted() != Some((1920, 1200)) || size(&mut editor.running.instance) != (960, 600)
    {
        assert!(
            begin.elapsed() < Duration::from_mins(1),
            "asked for {:?}, has {:?}",
            editor.wanted(),
            size(&mut editor.running.instance)
        );
        editor.play(0.1, music());
    }
    editor.play(1.0, music());
    assert_eq!(
        (editor.editor_size(), size(&mut editor.running.instance)),
        ((960, 600), (960, 600))
    );
    editor.keep("refused");
    editor.close();
}

/// Zoom and size that a project would have now.
fn saved_place(editor: &mut crate::window::Embedded) -> (f64, serde_json::Value) {
    let state = save(&mut editor.running.instance);
    let state: serde_json::Value = serde_json::from_slice(&state[8..]).unwrap();
    let choices = state["fields"]["choices"].as_str().unwrap();
    let choices: serde_json::Value = serde_json::from_str(choices).unwrap();
    (choices["zoom"].as_f64().unwrap(), choices["window"].clone())
}

#[test]
fn zoom_follows_the_window_where_it_is_asked_to() {
    if !is_inside("editor::zoom_follows_the_window_where_it_is_asked_to") {
        return;
    }
    let Some(mut editor) = opened((1920, 1200)) else { return };
    let choices = serde_json::json!({ "window": [1920, 1200], "zoom": 1.0, "zoom_follows": true });
    assert!(load(&mut editor.running.instance, &state(&choices)));
    let begin = Instant::now();
    while saved_place(&mut editor) != (2.0, serde_json::json!([960, 600])) {
        let place = saved_place(&mut editor);
        assert!(begin.elapsed() < Duration::from_mins(1), "{place:?}");
        editor.play(0.1, music());
    }
    editor.play(1.0, music());
    assert_eq!(editor.editor_size(), (1920, 1200), "the window stays as it is");
    assert_eq!(saved_place(&mut editor), (2.0, serde_json::json!([960, 600])), "and that holds");
    let (gui, handle) = editor.gui();
    let small = GuiSize { width: 700, height: 500 };
    assert_eq!(gui.adjust_size(&handle, small), Some(small), "and it may become small again");
    editor.keep("zoom-auto");
    editor.close();
}

#[test]
fn window_of_a_host_is_never_too_small_for_the_zoom() {
    if !is_inside("editor::window_of_a_host_is_never_too_small_for_the_zoom") {
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
    if !is_inside("editor::editor_opens_and_closes_twenty_times_while_audio_runs") {
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

/// What the DAW reports while a picture is made must not keep the next one from being made.
#[test]
fn editor_draws_on_whenever_the_project_is_loaded() {
    if !is_inside("editor::editor_draws_on_whenever_the_project_is_loaded") {
        return;
    }
    let Some(mut editor) = opened((600, 400)) else { return };
    editor.wait_for_a_picture();
    let choices = serde_json::json!({ "window": [600, 400], "zoom": 1.0 });
    let (state, mut music) = (state(&choices), music());
    for round in 0..60 {
        assert!(load(&mut editor.running.instance, &state));
        // The next one is loaded at any time of a picture.
        editor.play(0.15 + 0.007 * f64::from(round % 10), &mut music);
        let (before, begin) = (editor.picture(), Instant::now());
        while editor.picture() == before {
            assert!(begin.elapsed() < Duration::from_mins(1), "it stands still in round {round}");
            editor.play(0.02, &mut music);
        }
    }
    editor.close();
}

/// The framework notifies the editor of a parameter from within `process` where a DAW processes on its main thread, as
/// here: many changes between two pictures must neither allocate nor wait, in whatever the editor does with them.
#[test]
fn parameters_that_change_often_cost_the_audio_thread_nothing_while_the_window_is_open() {
    if !is_inside(
        "editor::parameters_that_change_often_cost_the_audio_thread_nothing_while_the_window_is_open",
    ) {
        return;
    }
    let Some(mut editor) = opened((600, 400)) else { return };
    editor.wait_for_a_picture();
    for round in 0..50 {
        for frame in 0..32u32 {
            editor.running.set_at(frame * 10, "Reset on start", f64::from(frame % 2));
        }
        // Every block is watched.
        editor.play(0.005 * f64::from(round % 8), music());
    }
    editor.close();
}

/// Tab on a keyboard of 105 keys. Source: `xkeyboard-config`, `keycodes/evdev`.
const TAB: u8 = 23;

#[test]
fn editor_shows_where_the_keyboard_is() {
    if !is_inside("editor::editor_shows_where_the_keyboard_is") {
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

/// Escape on such a keyboard.
const ESCAPE: u8 = 9;

/// Waits until the display says that keys go there.
fn wait_for_focus(editor: &mut Embedded, wanted: u32) {
    let begin = Instant::now();
    loop {
        let focus = editor.connection.get_input_focus().unwrap().reply().unwrap().focus;
        if focus == wanted {
            return;
        }
        assert!(begin.elapsed() < Duration::from_mins(1), "{focus} instead of {wanted}");
        editor.play(0.1, |_| [0.0; 2]);
    }
}

/// Space is the transport's.
#[test]
fn keyboard_goes_back_to_the_host_after_a_click_and_after_escape() {
    if !is_inside("editor::keyboard_goes_back_to_the_host_after_a_click_and_after_escape") {
        return;
    }
    let Some(mut editor) = opened((960, 600)) else { return };
    editor.wait_for_a_picture();
    let (host, own) = (editor.window, editor.editor());
    // Beside all controls: for Tab.
    editor.click(3, 3);
    wait_for_focus(&mut editor, own);
    editor.press(TAB);
    editor.press(ESCAPE);
    wait_for_focus(&mut editor, host);
    editor.click(3, 3);
    wait_for_focus(&mut editor, own);
    editor.click(OUTPUT.0, 600 - OUTPUT.1);
    wait_for_focus(&mut editor, host);
    editor.close();
}

#[test]
fn editor_shows_what_becomes_of_captures() {
    if !is_inside("editor::editor_shows_what_becomes_of_captures") {
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
