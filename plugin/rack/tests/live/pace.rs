//! One thread plays at the pace of a sound card while another changes slots, as in a DAW.

use crate::changes::{CLEAN, ClickMeter};
use crate::{RATE_HZ, allocations, duration, part};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wavemill_core::audio::StreamSpec;
use wavemill_pipelines::Effects;
use wavemill_rack::{Mix, Part, Rack, SLOT_COUNT, Slots, rack};

const BLOCK_FRAMES: usize = 64;

/// Time between two changes: a thousand a minute.
const CHANGE_TIME: Duration = Duration::from_millis(60);

/// What a rack of this size may come to hold while it is changed: a tenth of what one instance of each part has.
const GROWTH_MAX_BYTES: u64 = 16 << 20;

/// What the playing thread saw.
struct Observations {
    blocks: usize,
    /// Blocks for which the thread worked longer than they last.
    late_blocks: usize,
    longest: Duration,
    allocator_calls: u64,
    clicks: ClickMeter,
}

/// Plays a tone of 220 Hz until the end is near.
fn play(mut rack: Rack, mixes: &Mutex<Slots<Mix>>, is_over: &AtomicBool) -> Observations {
    let mut seen = Observations {
        blocks: 0,
        late_blocks: 0,
        longest: Duration::ZERO,
        allocator_calls: 0,
        clicks: ClickMeter::new(),
    };
    rack.reset();
    let mut planes = [[0.0f32; BLOCK_FRAMES]; 2];
    let mut next = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        tone(&mut planes, seen.blocks * BLOCK_FRAMES);
        if let Some(mixes) = mixes.try_lock() {
            rack.set_shares(&Mix::shares(&mixes, false));
        }
        let begin = worked();
        let goes_on = allocations::at_most_a_trap(|| {
            rack.process(&mut planes.each_mut().map(<[f32; BLOCK_FRAMES]>::as_mut_slice), false)
        });
        let time = worked().saturating_sub(begin);
        goes_on.unwrap();
        seen.allocator_calls += allocations::latest();
        seen.late_blocks += usize::from(time > duration(BLOCK_FRAMES));
        seen.longest = seen.longest.max(time);
        seen.clicks.push(&planes[0]);
        seen.blocks += 1;
        // The start of the tone rings in the filter.
        if duration(seen.blocks * BLOCK_FRAMES) < Duration::from_secs(1) {
            seen.clicks.forget();
        }
        next += duration(BLOCK_FRAMES);
        std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
    }
    seen
}

fn tone(planes: &mut [[f32; BLOCK_FRAMES]; 2], from: usize) {
    for frame in 0..BLOCK_FRAMES {
        // 220 periods a second are 11 in 2400 frames.
        let phase = ((from + frame) % 2400 * 11 % 2400) as f64 / 2400.0;
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let sample = (phase * std::f64::consts::TAU).sin() as f32 * 0.5;
        for plane in planes.iter_mut() {
            plane[frame] = sample;
        }
    }
}

/// What this thread worked: beside other work it may be off the processor at any time.
fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap()
}

/// Bytes that this process holds in memory.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// One change by chance.
fn change(
    random: &mut fastrand::Rng,
    parts: &[Part],
    wanted: &mut Slots<Option<Part>>,
    mixes: &Mutex<Slots<Mix>>,
) {
    let slot = random.usize(..SLOT_COUNT);
    match random.u8(..6) {
        0 => wanted[slot] = None,
        1 => wanted[slot] = Some(parts[random.usize(..parts.len())].clone()),
        2 => wanted.swap(slot, random.usize(..SLOT_COUNT)),
        3 => mixes.lock()[slot].is_bypassed ^= true,
        4 => mixes.lock()[slot].is_soloed = random.u8(..8) == 0,
        _ => mixes.lock()[slot].wet = random.f32(),
    }
}

/// `WAVEMILL_RACK_SECONDS` says for how long; the gate tries some.
#[test]
fn changes_at_the_pace_of_a_sound_card_neither_click_nor_delay_nor_leak() {
    let seconds = std::env::var("WAVEMILL_RACK_SECONDS").map_or(4, |text| text.parse().unwrap());
    let effects = Effects::live(None);
    let parts: Vec<Part> = CLEAN.iter().map(|name| part(&effects, name)).collect();
    let mut wanted: Slots<Option<Part>> = std::array::from_fn(|slot| parts.get(slot).cloned());
    let spec = StreamSpec::new(RATE_HZ, 2);
    let (rack, mut supervisor, mut incidents) = rack(&spec, &wanted, &[1.0; 8], Arc::default());
    let (mixes, is_over) = (Mutex::new([Mix::default(); SLOT_COUNT]), AtomicBool::new(false));
    let mut random = fastrand::Rng::with_seed(11);
    let mut resident = Vec::new();
    let seen = std::thread::scope(|scope| {
        let player = scope.spawn(|| play(rack, &mixes, &is_over));
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(seconds) && !player.is_finished() {
            change(&mut random, &parts, &mut wanted, &mixes);
            incidents.extend(supervisor.tend(&wanted));
            resident.push(resident_bytes());
            std::thread::park_timeout(CHANGE_TIME);
        }
        is_over.store(true, Ordering::Relaxed);
        player.join().unwrap()
    });
    let growth = resident[resident.len() - 1].saturating_sub(resident[resident.len() / 4]);
    println!(
        "{} changes, {} blocks, {} late, longest {:?}, clicks {:.1} dBFS, memory +{growth} bytes",
        resident.len(),
        seen.blocks,
        seen.late_blocks,
        seen.longest,
        seen.clicks.level_db()
    );
    assert_eq!(incidents, []);
    assert_eq!(seen.allocator_calls, 0);
    // In a virtual machine the thread's own time has what the host took away.
    assert!(seen.late_blocks * 1000 <= seen.blocks, "longest {:?}", seen.longest);
    assert!(seen.clicks.level_db() < -80.0, "{} dBFS", seen.clicks.level_db());
    assert!(growth <= GROWTH_MAX_BYTES, "{growth} bytes");
}
