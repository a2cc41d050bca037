//! What the editor looks like with the signals that matter. `WAVEMILL_PICTURES=FOLDER` keeps the pictures, of
//! which those in the plugin's manual are some; `WAVEMILL_MUSIC=FILE.wav` has the music in them, 16-bit stereo. Without
//! it music is noise that wanders.

use crate::host::{Running, STEREO, Stream, instance, load};
use crate::renders::{exports, state, wait_for};
use crate::window::{Embedded, OUTPUT, is_inside, music, noise, skip_graphics};
use std::time::{Duration, Instant};

/// Colors as the display has them: blue, green, red. Source: `editor/theme.rs`.
const GOOD: [u8; 3] = [0x95, 0xc0, 0x2a];
const BAD: [u8; 3] = [0x42, 0x91, 0xff];

/// A minute of music.
fn minute() -> Vec<[f32; 2]> {
    let Some(path) = std::env::var_os("WAVEMILL_MUSIC") else {
        let mut signal = music();
        return (0..60 * 48_000).map(&mut signal).collect();
    };
    let mut reader = hound::WavReader::open(path).unwrap();
    let samples = reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0);
    let samples: Vec<f32> = samples.take(2 * 60 * 48_000).collect();
    samples.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect()
}

/// The same again and again, with a factor, as a converter would clip it.
fn repeated(minute: &[[f32; 2]], factor: f32) -> impl Fn(u32) -> [f32; 2] {
    move |frame| {
        let index = usize::try_from(frame).unwrap() % minute.len();
        minute[index].map(|sample| (sample * factor).clamp(-1.0, 1.0))
    }
}

/// A window with a state; `None` where the machine cannot draw.
fn opened(choices: &serde_json::Value, size: (u16, u16), stream: Stream) -> Option<Embedded> {
    let mut instance = instance();
    assert!(load(&mut instance, &state(choices)));
    let editor = Embedded::open(Running::with(instance, stream), size);
    if editor.is_none() {
        skip_graphics();
    }
    editor
}

/// Pixels of a color.
fn count(editor: &Embedded, color: [u8; 3]) -> usize {
    editor.picture().chunks_exact(4).filter(|pixel| pixel[..3] == color).count()
}

/// Some minutes of a signal: what is good in its picture, and what is bad.
fn show(
    name: &str,
    (target, size): (&str, (u16, u16)),
    mut signal: impl FnMut(u32) -> [f32; 2],
) -> Option<[usize; 2]> {
    let choices = serde_json::json!({
        "target": target, "window": size, "shows_profile": name == "music",
        "shows_stereo": name == "small",
    });
    let mut editor = opened(&choices, size, STEREO)?;
    editor.hurry(200.0, &mut signal);
    editor.wait_for_a_picture();
    // Tempo and key are heard at the pace of a DAW only, and seen in pictures that are kept only.
    let is_kept = std::env::var_os("WAVEMILL_PICTURES").is_some();
    editor.play(if is_kept { 26.0 } else { 2.0 }, &mut signal);
    editor.keep(name);
    let counts = [GOOD, BAD].map(|color| count(&editor, color));
    editor.close();
    Some(counts)
}

#[test]
fn silence_noise_music_and_clipping_are_distinguished() {
    if !is_inside("pictures::silence_noise_music_and_clipping_are_distinguished") {
        return;
    }
    let minute = minute();
    let usual = ("r128", (960, 600));
    let Some(silence) = show("silence", usual, |_| [0.0; 2]) else { return };
    assert_eq!(silence, [0, 0], "silence is neither good nor bad");
    let [good, bad] = show("pink-noise", usual, noise(|_| 0.02705)).unwrap();
    assert!(good > 500 && bad < 100, "noise at its target: {good} good, {bad} bad");
    show("music", ("spotify", usual.1), repeated(&minute, 1.0)).unwrap();
    show("small", ("spotify", (600, 400)), repeated(&minute, 1.0)).unwrap();
    let peak = minute.as_flattened().iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    let [good, bad] = show("clipping", usual, repeated(&minute, 3.0 / peak)).unwrap();
    assert!(bad > 5000 && good < bad, "what clips: {good} good, {bad} bad");
}

/// Colors of bars.
const SIGNAL: [u8; 3] = [0xe9, 0xb4, 0x56];

/// Program meters are on the screen, with the channels as loud as they are.
#[test]
fn level_scales_show_the_channels() {
    if !is_inside("pictures::level_scales_show_the_channels") {
        return;
    }
    let is_kept = std::env::var_os("WAVEMILL_PICTURES").is_some();
    let (usual, small) = ((960, 600), (600, 400));
    let scales = [
        ("ppm-2a", usual),
        ("vu", small),
        ("lufs", usual),
        ("ebu-9", usual),
        ("ebu-18", small),
        ("ppm-1", usual),
        ("ppm-2b", usual),
        ("k-20", usual),
        ("k-14", usual),
        ("k-12", small),
    ];
    for (scale, size) in &scales[..if is_kept { scales.len() } else { 2 }] {
        let choices = serde_json::json!({
            "scale": scale, "shows_channels": *scale != "lufs", "window": size,
        });
        let Some(mut editor) = opened(&choices, *size, STEREO) else { return };
        editor.wait_for_a_picture();
        let silent = count(&editor, SIGNAL);
        let mut noise = noise(|seconds| 0.1 * (1.0 + 0.3 * (3.0 * seconds).sin()));
        editor.play(3.0, |frame| {
            let [left, right] = noise(frame);
            [left, 0.5 * right]
        });
        editor.keep(&format!("scale-{scale}"));
        let signal = count(&editor, SIGNAL);
        assert!(signal > silent + 2000, "{scale}: {silent} and {signal} pixels");
        editor.close();
    }
}

/// The smallest and the usual window at the zooms between and at the end.
#[test]
fn zoomed_window_shows_the_same_larger() {
    if !is_inside("pictures::zoomed_window_shows_the_same_larger") {
        return;
    }
    let minute = minute();
    let mut shares = Vec::new();
    for (name, points, zoom, size) in [
        ("zoom-200", [600, 400], 2.0, (1200, 800)),
        ("zoom-300-small", [600, 400], 3.0, (1800, 1200)),
        ("zoom-300", [960, 600], 3.0, (2880, 1800)),
    ] {
        let choices = serde_json::json!({ "window": points, "zoom": zoom });
        let Some(mut editor) = opened(&choices, size, STEREO) else { return };
        editor.hurry(200.0, repeated(&minute, 1.0));
        editor.wait_for_a_picture();
        editor.play(2.0, repeated(&minute, 1.0));
        editor.keep(name);
        assert_eq!(editor.editor_size(), (size.0.into(), size.1.into()));
        let pixel_count = usize::from(size.0) * usize::from(size.1);
        shares.push(count(&editor, GOOD) as f64 / pixel_count as f64);
        editor.close();
    }
    // What is drawn in points has the same share of a window of as many points, whatever the zoom.
    assert!(shares[0] > 0.001 && (shares[1] / shares[0] - 1.0).abs() < 0.25, "{shares:?}");
}

#[test]
fn output_panel_shows_how_a_render_goes_and_ends() {
    if !is_inside("pictures::output_panel_shows_how_a_render_goes_and_ends") {
        return;
    }
    let minute = minute();
    let folder = tempfile::tempdir().unwrap();
    let choices = serde_json::json!({ "capture_folder": folder.path(), "pipeline": "podcast" });
    let bounce = Stream { is_offline: true, ..STEREO };
    let Some(mut editor) = opened(&choices, (960, 600), bounce) else { return };
    editor.wait_for_a_picture();
    editor.click(OUTPUT.0, 600 - OUTPUT.1);
    editor.hurry(240.0, repeated(&minute, 1.0));
    editor.running.capture("off");
    editor.play(1.0, |_| [0.0; 2]);
    editor.keep("output");
    let running = editor.picture();
    wait_for(|| (exports(folder.path()).len() == 3).then_some(()));
    let begin = Instant::now();
    while editor.picture() == running {
        assert!(begin.elapsed() < Duration::from_mins(1), "the end is not shown");
        editor.play(0.1, |_| [0.0; 2]);
    }
    editor.play(1.0, |_| [0.0; 2]);
    editor.keep("output-over");
    editor.close();
}

/// Yellow of a favorite, and of the audition.
const HELD: [u8; 3] = [0x42, 0xe4, 0xf0];

/// Plays until the window shows it: a busy machine draws late.
fn play_until(editor: &mut Embedded, minute: &[[f32; 2]], is_shown: impl Fn(&Embedded) -> bool) {
    let begin = Instant::now();
    while !is_shown(editor) {
        assert!(begin.elapsed() < Duration::from_mins(1), "it is not shown");
        editor.play(0.1, repeated(minute, 1.0));
    }
}

/// Several targets beside each other, the list of all, and the audition, which is seen from afar.
#[test]
fn several_targets_are_shown_searched_and_auditioned() {
    if !is_inside("pictures::several_targets_are_shown_searched_and_auditioned") {
        return;
    }
    let minute = minute();
    for (name, size, count) in [
        ("targets", (960, 600), 6),
        ("targets-small", (600, 400), 4),
        ("targets-large", (1500, 1000), 8),
    ] {
        let compared = [
            "spotify",
            "apple-music",
            "youtube",
            "r128",
            "atsc-a85",
            "podcast",
            "tidal",
            "netflix",
        ];
        let choices = serde_json::json!({
            "target": "spotify", "compared": compared[..count], "window": size,
            "shows_stereo": size.0 > 1000,
        });
        let Some(mut editor) = opened(&choices, size, STEREO) else { return };
        editor.hurry(60.0, repeated(&minute, 1.0));
        editor.wait_for_a_picture();
        editor.play(1.0, repeated(&minute, 1.0));
        editor.keep(name);
        // The switch is beside the list; a frame of three pixels is around the window.
        let switch = if size.0 < 720 { 170 } else { 330 };
        let frame = 3 * usize::from(size.0 + size.1);
        let off = self::count(&editor, HELD);
        editor.click(switch, 22);
        play_until(&mut editor, &minute, |editor| self::count(editor, HELD) > off + frame);
        editor.play(0.5, repeated(&minute, 1.0));
        editor.keep(&format!("{name}-audition"));
        editor.click(switch, 22);
        play_until(&mut editor, &minute, |editor| self::count(editor, HELD) < off + frame);
        editor.click(switch - 100, 22);
        editor.play(1.0, repeated(&minute, 1.0));
        editor.keep(&format!("{name}-list"));
        if name == "targets" {
            let list = editor.picture();
            editor.click(133, 471);
            play_until(&mut editor, &minute, |editor| editor.picture() != list);
            editor.play(1.0, repeated(&minute, 1.0));
            editor.keep("targets-form");
        }
        editor.close();
    }
}

/// The panel of codecs opens, and shows what they do to peaks when enough was played.
#[test]
fn codecs_are_tried_while_their_panel_is_open() {
    if !is_inside("pictures::codecs_are_tried_while_their_panel_is_open") {
        return;
    }
    let is_kept = std::env::var_os("WAVEMILL_PICTURES").is_some();
    let minute = minute();
    for (name, size) in [("codecs", (960, 600)), ("codecs-small", (600, 400))] {
        let choices = serde_json::json!({ "target": "spotify", "window": size });
        let Some(mut editor) = opened(&choices, size, STEREO) else { return };
        editor.wait_for_a_picture();
        let before = editor.picture();
        editor.click(OUTPUT.0 + 62, i16::try_from(size.1).unwrap() - OUTPUT.1);
        editor.play(if is_kept { 16.0 } else { 1.0 }, repeated(&minute, 1.0));
        editor.keep(name);
        let row = 4 * usize::from(size.0);
        let corner = |picture: &[u8]| picture[row * (usize::from(size.1) - 60)..][..800].to_vec();
        play_until(&mut editor, &minute, |editor| corner(&editor.picture()) != corner(&before));
        editor.close();
    }
}

/// The spectrogram is filled from the right, and the lane below the history with it.
#[test]
fn spectrogram_shows_the_latest_seconds() {
    if !is_inside("pictures::spectrogram_shows_the_latest_seconds") {
        return;
    }
    let is_kept = std::env::var_os("WAVEMILL_PICTURES").is_some();
    let minute = minute();
    for (name, size) in
        [("time", (960, 600)), ("time-small", (600, 400)), ("time-large", (1500, 1000))]
    {
        let choices = serde_json::json!({
            "target": "spotify", "window": size, "shows_spectrogram": true, "shows_stereo": true,
        });
        let Some(mut editor) = opened(&choices, size, STEREO) else { return };
        editor.wait_for_a_picture();
        let empty = count(&editor, SIGNAL);
        editor.play(if is_kept { 22.0 } else { 3.0 }, repeated(&minute, 1.0));
        editor.keep(name);
        play_until(&mut editor, &minute, |editor| count(editor, SIGNAL) != empty);
        editor.close();
    }
}
