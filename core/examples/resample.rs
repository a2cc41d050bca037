//! Speed of sample-rate conversion: `resample IN_HZ OUT_HZ fast|high|best SECONDS [CHANNELS]` prints the
//! seconds of processor time that one thread took, the best of several runs.

use std::error::Error;
use wavemill_core::resample::{Quality, Resampler};
use wavemill_core::units::SampleRate;

const RUNS: usize = 7;
const BLOCK_FRAMES: usize = 4096;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, quality, seconds, rest @ ..] = &arguments[..] else {
        return Err("usage: resample IN_HZ OUT_HZ fast|high|best SECONDS [CHANNELS]".into());
    };
    let (input, output): (u32, u32) = (input.parse()?, output.parse()?);
    let quality = match quality.as_str() {
        "fast" => Quality::Fast,
        "high" => Quality::High,
        _ => Quality::Best,
    };
    let channel_count: usize = rest.first().map_or(Ok(2), |count| count.parse())?;
    let frame_count = input as usize * seconds.parse::<usize>()?;
    let planes: Vec<Vec<f32>> =
        (1..).take(channel_count).map(|seed| noise(seed, frame_count)).collect();
    let (rates, mut best) = ((SampleRate(input), SampleRate(output)), f64::INFINITY);
    for _ in 0..RUNS {
        let start = processor_time_s()?;
        let mut resampler = Resampler::new(rates.0, rates.1, channel_count, quality)?;
        run(&mut resampler, &planes, frame_count);
        best = best.min(processor_time_s()? - start);
    }
    let duration_s = frame_count as f64 / f64::from(input);
    #[expect(clippy::print_stdout, reason = "this program prints its result")]
    {
        println!("{best:.4} s, {:.0} times real time", duration_s / best);
    }
    Ok(())
}

fn run(resampler: &mut Resampler, planes: &[Vec<f32>], frame_count: usize) {
    let mut output = vec![vec![0.0f32; 1 << 17]; planes.len()];
    let mut start = 0;
    while start < frame_count {
        let end = frame_count.min(start + BLOCK_FRAMES);
        while start < end {
            let count = resampler.room().min(end - start);
            resampler.push(planes.iter().map(|plane| &plane[start..start + count]));
            start += count;
            let ready = resampler.available();
            resampler.pull(output.iter_mut().map(|plane| &mut plane[..ready]));
        }
    }
}

/// White noise from a linear congruential generator.
fn noise(seed: u32, frame_count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 65_536.0 - 0.5
    };
    (0..frame_count).map(|_| next()).collect()
}

/// Time this thread was on a processor, as Linux counts it.
fn processor_time_s() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let on_processor_ns = text.split(' ').next().ok_or("no schedstat")?;
    Ok(on_processor_ns.parse::<f64>()? / 1e9)
}
