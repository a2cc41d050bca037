use super::*;
use std::sync::Arc;
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::processor::Tail;
use wavemill_core::processors;
use wavemill_pipelines::Effects;

const RATE_HZ: u32 = 48_000;

fn stereo() -> StreamSpec {
    StreamSpec::new(RATE_HZ, 2)
}

/// Noise that differs between channels, at -12 dBFS.
fn noise(frames: usize) -> Vec<Vec<f32>> {
    let mut state = 1u32;
    let mut sample = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f32::from(u16::try_from(state >> 16).unwrap_or(0)) / 65_536.0 - 0.5) * 0.5
    };
    (0..2).map(|_| (0..frames).map(|_| sample()).collect()).collect()
}

/// A part by the name of a step or a bundled effect.
fn part(effects: &Effects, name: &str) -> Part {
    match processors::step(name) {
        Some(step) => Part::step(step),
        None => Part::effect(name, effects.load(name).unwrap(), None).unwrap(),
    }
}

fn slots(effects: &Effects, names: &[&str]) -> Slots<Option<Part>> {
    std::array::from_fn(|slot| names.get(slot).map(|name| part(effects, name)))
}

/// A rack with its other side, fed and tended.
struct Player {
    rack: Rack,
    supervisor: Supervisor,
    wanted: Slots<Option<Part>>,
    incidents: Vec<Incident>,
}

impl Player {
    fn new(wanted: Slots<Option<Part>>) -> Self {
        let (rack, supervisor, incidents) = rack(&stereo(), &wanted, &[1.0; 8], Arc::default());
        Self { rack, supervisor, wanted, incidents }
    }

    /// Plays in blocks of the sizes, again and again.
    fn play(&mut self, signal: &mut [Vec<f32>], sizes: &[usize]) {
        let frames = signal[0].len();
        let (mut start, mut sizes) = (0, sizes.iter().cycle());
        while start < frames {
            let count = (*sizes.next().unwrap()).min(frames - start);
            let mut planes: Vec<&mut [f32]> =
                signal.iter_mut().map(|plane| &mut plane[start..start + count]).collect();
            let _ = self.rack.process(&mut planes, false);
            start += count;
        }
    }

    fn tend(&mut self) {
        self.incidents.extend(self.supervisor.tend(&self.wanted));
    }
}

/// What a run makes of the signal: each part over the whole of it, by a sandbox for files. As in a run, a stage gets
/// silence after the end, and its latency is cut off at the start.
fn run(names: &[&str], signal: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let _flush = wavemill_core::denormals::FlushDenormals::on();
    let effects = Effects::new(None);
    let mut planes = signal.to_vec();
    for name in names {
        let mut stage = part(&effects, name).build(&stereo(), 4096).unwrap();
        let latency = stage.latency();
        for plane in &mut planes {
            plane.extend(vec![0.0; latency]);
        }
        let mut block = Block::from_planes(&planes);
        let mut allowance =
            wavemill_runtime::Allowance::offline(block.frame_count(), stereo().sample_rate);
        stage.process(&mut block, &mut allowance).unwrap_or_else(|_| panic!("{name} broke"));
        planes = block.planes().map(|plane| plane[latency..].to_vec()).collect();
    }
    planes
}

/// The whole file that a run makes: each part's tail is in it, but for those that keep the length.
fn whole_run(names: &[&str], signal: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let effects = Effects::new(None);
    names.iter().fold(signal.to_vec(), |mut planes, name| {
        let part = part(&effects, name);
        let tail = match part.build(&stereo(), 4096).unwrap().tail() {
            Tail::Frames(frames) if !part.keeps_length() => frames.as_usize(),
            _ => 0,
        };
        for plane in &mut planes {
            plane.extend(vec![0.0; tail]);
        }
        run(&[name], &planes)
    })
}

#[test]
fn ended_rack_gives_the_samples_of_a_run_to_the_last_frame() {
    let effects = Effects::live(None);
    let signal = noise(5_000);
    for names in [
        &["high-pass", "limit"][..],
        &["reverb", "high-pass", "compressor", "limit"],
        &["noise-reduction", "reverb", "limit", "parametric-eq"],
        &["limit"],
    ] {
        let expected = whole_run(names, &signal);
        let mut player = Player::new(slots(&effects, names));
        let mut played = signal.clone();
        player.play(&mut played, SIZES);
        let left = player.rack.end().as_usize();
        let mut rest = vec![vec![0.0; left]; 2];
        player.play(&mut rest, SIZES);
        let late = player.rack.latency().as_usize();
        for ((plane, rest), expected) in played.iter_mut().zip(rest).zip(&expected) {
            plane.extend(rest);
            plane.drain(..late);
            assert_eq!(plane.len(), expected.len(), "{names:?}");
        }
        assert_same_bits(&played, &expected, &names.join(", "));
    }
}

/// What was played from the latency on, and as much of what a run makes.
fn assert_is_run(played: &[Vec<f32>], latency: usize, names: &[&str], signal: &[Vec<f32>]) {
    let late: Vec<Vec<f32>> = played.iter().map(|plane| plane[latency..].to_vec()).collect();
    let expected = run(names, signal);
    let expected: Vec<Vec<f32>> =
        expected.iter().map(|plane| plane[..plane.len() - latency].to_vec()).collect();
    assert_same_bits(&late, &expected, &names.join(", "));
}

fn assert_same_bits(one: &[Vec<f32>], other: &[Vec<f32>], what: &str) {
    for (channel, (one, other)) in one.iter().zip(other).enumerate() {
        let differs =
            one.iter().zip(other).position(|(one, other)| one.to_bits() != other.to_bits());
        assert_eq!(differs, None, "{what}, channel {channel}: first differing frame");
    }
}

const SIZES: &[usize] = &[1, 64, 7, 512, 4096, 333, 32, 2, 1024];

#[test]
fn every_bundled_effect_and_step_gives_the_samples_of_a_run() {
    let effects = Effects::live(None);
    let signal = noise(30_000);
    let steps = steps().into_iter().map(|step| step.name);
    let bundled = wavemill_runtime::bundled::MODULES.iter().map(|module| module.name);
    for name in bundled.chain(steps) {
        let mut played = signal.clone();
        let mut player = Player::new(slots(&effects, &[name]));
        player.play(&mut played, SIZES);
        assert_eq!(player.incidents, [], "{name}");
        assert_is_run(&played, player.rack.latency().as_usize(), &[name], &signal);
    }
}

/// The manual lists them.
#[test]
fn steps_that_can_be_played_are_those_of_the_manual() {
    let manual = include_str!("../../README.md");
    let names: Vec<String> = steps().iter().map(|step| format!("`{}`", step.name)).collect();
    let (last, others) = names.split_last().expect("there are some");
    let sentence = format!("steps {} and {last}", others.join(", "));
    let manual: Vec<&str> = manual.split_whitespace().collect();
    assert!(manual.join(" ").contains(&sentence), "{sentence}");
}

#[test]
fn chain_of_eight_gives_the_samples_of_a_run() {
    let names = [
        "limit",
        "parametric-eq",
        "noise-reduction",
        "saturator",
        "delay",
        "stereo-width",
        "reverb",
        "limit",
    ];
    let signal = noise(30_000);
    let mut played = signal.clone();
    let mut player = Player::new(slots(&Effects::live(None), &names));
    player.play(&mut played, SIZES);
    let latency = player.rack.latency().as_usize();
    assert_is_run(&played, latency, &names, &signal);
    player.rack.reset();
    let mut again = signal.clone();
    player.play(&mut again, SIZES);
    assert_same_bits(&again, &played, "after a reset");
}

#[test]
fn bypassed_slot_is_late_as_the_stage_is_and_else_untouched() {
    let signal = noise(10_000);
    let mut played = signal.clone();
    let mut player = Player::new(slots(&Effects::live(None), &["limit", "reverb"]));
    let mixes = [Mix { is_bypassed: true, ..Mix::default() }; 8];
    player.rack.set_shares(&Mix::shares(&mixes, false));
    player.rack.reset();
    player.play(&mut played, SIZES);
    let latency = player.rack.latency().as_usize();
    assert!(latency > 0);
    for (played, signal) in played.iter().zip(&signal) {
        assert!(played[..latency].iter().all(|sample| sample.to_bits() == 0));
        assert_eq!(played[latency..], signal[..signal.len() - latency]);
    }
}

#[test]
fn shares_follow_bypass_and_solo() {
    let mut mixes = [Mix::default(); 8];
    mixes[1].wet = 0.25;
    mixes[2].is_bypassed = true;
    assert_eq!(Mix::shares(&mixes, false)[..4], [1.0, 0.25, 0.0, 1.0]);
    mixes[1].is_soloed = true;
    assert_eq!(Mix::shares(&mixes, false)[..4], [0.0, 0.25, 0.0, 0.0]);
    assert!(Mix::shares(&mixes, true).iter().all(|share| share.to_bits() == 0));
}

#[test]
fn changed_chain_is_that_of_a_run_once_it_stands() {
    let effects = Effects::live(None);
    let mut player = Player::new(slots(&effects, &["gain"]));
    player.wanted = slots(&effects, &["invert", "gain"]);
    player.tend();
    let mut signal = noise(20_000);
    let source = signal.clone();
    player.play(&mut signal, &[480]);
    player.tend();
    player.play(&mut noise(480), &[480]);
    player.tend();
    assert!(player.supervisor.is_settled());
    let expected = run(&["invert", "gain"], &source);
    let tails: Vec<Vec<f32>> = signal.iter().map(|plane| plane[1_000..].to_vec()).collect();
    let expected: Vec<Vec<f32>> = expected.iter().map(|plane| plane[1_000..].to_vec()).collect();
    assert_same_bits(&tails, &expected, "after the fade");
}

#[test]
fn rack_is_saved_as_a_pipeline_and_loaded_again() {
    let effects = Effects::live(None);
    let mut wanted = slots(&effects, &["high-pass", "compressor", "limit"]);
    wanted[1].as_mut().unwrap().set(0, -31.234_567_890_123);
    let text = pipeline("a \"name\"", wanted.iter().flatten());
    let (loaded, notes) = parts(&text, &effects, &stereo()).unwrap();
    assert_eq!(notes, [] as [String; 0], "{text}");
    for (wanted, loaded) in wanted.iter().zip(&loaded) {
        let values = |part: &Option<Part>| {
            part.as_ref().map(|part| (part.name().to_owned(), part.values().to_vec()))
        };
        assert_eq!(values(wanted), values(loaded), "{text}");
    }
}

#[test]
fn steps_that_cannot_be_played_are_left_out_with_the_reason() {
    let text = "version = 1\n[pipeline]\nname = \"x\"\n[[step]]\nuse = \"loudness\"\nwith = { target_lufs = -16.0 }\n\
        [[step]]\nuse = \"resample\"\nwith = { sample_rate_hz = 44100 }\n[[step]]\nuse = \"swap\"\n\
        [[export]]\nformat = \"wav\"\npath = \"{stem}.wav\"\n";
    let (loaded, notes) = parts(text, &Effects::live(None), &stereo()).unwrap();
    assert_eq!(loaded[0].as_ref().map(Part::name), Some("swap"));
    assert!(loaded[1].is_none());
    assert_eq!(
        notes,
        [
            "left out: loudness: needs the whole file, and a rack plays a stream",
            "left out: resample: changes the rate or the number of channels, which a rack keeps",
        ]
    );
}
