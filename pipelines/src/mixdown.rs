//! Parts of files on a timeline, mixed: what a track of regions sounds like.
//!
//! Starts and lengths are rounded to the nearest frame of the mix. Where parts overlap their samples are added, in the
//! order of their starts; nothing is limited, so that a float file holds whatever comes. A part of the mix's rate and
//! channels that nothing overlaps, at gain 1, keeps its samples bit by bit.

use std::collections::VecDeque;
use std::fmt::Display;
use std::path::PathBuf;
use wavemill_core::audio::{Block, Samples, convert};
use wavemill_core::decode::Decoder;
use wavemill_core::limits;
use wavemill_core::resample::{Quality, Resampler};
use wavemill_core::units::{Frames, SampleRate};

/// Frames that are mixed at once.
const BLOCK_FRAMES: usize = 4096;

/// Longest timeline, s: a hundred hours, as long as the longest file.
pub const TIMELINE_S_MAX: f64 = 360_000.0;

/// A part of a file at a time of the mix.
#[derive(Clone, Debug, PartialEq)]
pub struct MixPart {
    /// The file, whose first frames are played.
    pub path: PathBuf,
    /// Start, s; at least 0.
    pub start_s: f64,
    /// Length, s; `None` is all of the file. A longer one than the file is followed by silence.
    pub duration_s: Option<f64>,
    /// Gain as a factor.
    pub gain: f64,
}

/// Opens a part's file; the reason of a failure reads on after the path.
pub type OpenPart<'a> = dyn FnMut(&MixPart) -> Result<Box<dyn Decoder>, String> + 'a;

/// A mix, one block after the other.
pub struct Mixdown {
    rate: SampleRate,
    channel_count: usize,
    /// Frame of the mix that comes next.
    frame: u64,
    /// Parts that have not begun, by their start.
    waiting: VecDeque<(u64, MixPart)>,
    /// Parts that sound, by their start.
    sounding: Vec<Voice>,
    /// Frame after the last that a part asks for; later ones come of files that go on.
    end: u64,
    scratch: Block,
}

impl Mixdown {
    /// A mix of parts.
    ///
    /// # Errors
    /// When a time or a gain makes no sense; one line.
    pub fn new(
        parts: Vec<MixPart>,
        rate: SampleRate,
        channel_count: usize,
    ) -> Result<Self, String> {
        let mut waiting = Vec::with_capacity(parts.len());
        let mut end = 0;
        for part in parts {
            let duration_s = part.duration_s.unwrap_or_default();
            let is_time = |time: f64| (0.0..=TIMELINE_S_MAX).contains(&time);
            if !is_time(part.start_s) || !is_time(duration_s) || !part.gain.is_finite() {
                let MixPart { path, start_s, gain, .. } = part;
                let path = path.display();
                return Err(format!(
                    "{path}: start {start_s} s, length {duration_s} s, gain {gain}: times must be 0 to \
                    {TIMELINE_S_MAX} s and gains finite"
                ));
            }
            let start = frames(part.start_s, rate);
            end = end.max(start + frames(duration_s, rate));
            waiting.push((start, part));
        }
        waiting.sort_by_key(|(start, _)| *start);
        Ok(Self {
            rate,
            channel_count,
            frame: 0,
            waiting: waiting.into(),
            sounding: Vec::new(),
            end,
            scratch: Block::new(limits::CHANNEL_COUNT_MAX, BLOCK_FRAMES),
        })
    }

    /// Mixes the next block; `false` is the end.
    ///
    /// # Errors
    /// When a file cannot be read, or its channels do not fit; one line with its path.
    pub fn read(&mut self, block: &mut Block, open: &mut OpenPart<'_>) -> Result<bool, String> {
        block.set_channel_count(self.channel_count);
        block.set_frame_count(BLOCK_FRAMES.min(block.frame_capacity()));
        block.silence();
        let block_end = self.frame + block.frame_count() as u64;
        while let Some((start, part)) = self.waiting.pop_front_if(|(start, _)| *start < block_end) {
            let decoder =
                open(&part).map_err(|reason| format!("{} {reason}", part.path.display()))?;
            self.sounding.push(Voice::new(start, part, decoder, self.rate, self.channel_count)?);
        }
        let mut heard = 0;
        for voice in &mut self.sounding {
            let from = usize::try_from(voice.start.saturating_sub(self.frame)).unwrap_or(0);
            heard = heard.max(voice.add(block, from, &mut self.scratch)?);
        }
        self.sounding.retain(|voice| !voice.is_over);
        if self.waiting.is_empty() && self.sounding.is_empty() {
            let silent = self.end.saturating_sub(self.frame);
            let rest = usize::try_from(silent).unwrap_or(usize::MAX).max(heard);
            block.set_frame_count(rest.min(block.frame_count()));
        }
        self.frame += block.frame_count() as u64;
        Ok(!block.is_empty())
    }
}

/// A part that sounds.
struct Voice {
    /// Frame of the mix at which it begins.
    start: u64,
    path: PathBuf,
    decoder: Box<dyn Decoder>,
    resampler: Option<Resampler>,
    samples: Samples,
    /// Frames as the file has them.
    decoded: Block,
    /// Frames of `decoded` that were used.
    used: usize,
    gain: f32,
    /// Frames of the mix that are left of its length.
    left: u64,
    /// Frames of the file so far, and of the mix.
    frames_in: u64,
    frames_out: u64,
    has_ended: bool,
    is_over: bool,
}

impl Voice {
    fn new(
        start: u64,
        part: MixPart,
        decoder: Box<dyn Decoder>,
        rate: SampleRate,
        channel_count: usize,
    ) -> Result<Self, String> {
        let MixPart { path, duration_s, gain, .. } = part;
        let failed = |reason: &dyn Display| format!("{} {reason}", path.display());
        let info = decoder.info();
        let own = info.spec.channel_count();
        if own != channel_count && own != 1 && channel_count != 1 {
            return Err(failed(&format!(
                "has {own} channels, the mix {channel_count}: only mono is copied or mixed to mono"
            )));
        }
        let from = info.spec.sample_rate;
        let resampler = (from != rate)
            .then(|| Resampler::new(from, rate, own, Quality::Best))
            .transpose()
            .map_err(|error| failed(&error))?;
        let samples = Samples::empty(info.format, own);
        #[expect(clippy::cast_possible_truncation, reason = "samples are f32")]
        let gain = gain as f32;
        Ok(Self {
            start,
            decoder,
            resampler,
            samples,
            decoded: Block::new(own, BLOCK_FRAMES),
            used: 0,
            gain,
            left: duration_s.map_or(u64::MAX, |duration_s| frames(duration_s, rate)),
            frames_in: 0,
            frames_out: 0,
            has_ended: false,
            is_over: false,
            path,
        })
    }

    /// Adds what sounds from frame `from` of a block on; returns the frame after the last.
    fn add(
        &mut self,
        block: &mut Block,
        from: usize,
        scratch: &mut Block,
    ) -> Result<usize, String> {
        let mut at = from;
        while at < block.frame_count() && !self.is_over {
            let room =
                (block.frame_count() - at).min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let count = self.next(scratch, room)?;
            self.mix(block, at, scratch);
            at += count;
            self.left -= count as u64;
            self.is_over = count == 0 || self.left == 0;
        }
        Ok(at)
    }

    /// Fills a block of the file's channels at the mix's rate with up to `room` frames; none is the end.
    fn next(&mut self, out: &mut Block, room: usize) -> Result<usize, String> {
        out.set_channel_count(self.decoded.channel_count());
        if self.resampler.is_none() {
            let count = self.decode()?.min(room);
            out.set_frame_count(count);
            for channel in 0..out.channel_count() {
                let from = &self.decoded.plane(channel)[self.used..self.used + count];
                out.plane_mut(channel).copy_from_slice(from);
            }
            self.used += count;
            return Ok(count);
        }
        loop {
            let Some(resampler) = &mut self.resampler else { return Ok(0) };
            let length = resampler.output_length(Frames(self.frames_in)).0;
            let due = if self.has_ended { length - self.frames_out } else { u64::MAX };
            let available = resampler.available() as u64;
            let count = usize::try_from(available.min(due)).unwrap_or(0).min(room);
            if count > 0 || due == 0 {
                out.set_frame_count(count);
                resampler.pull(out.planes_mut());
                self.frames_out += count as u64;
                return Ok(count);
            }
            let wanted = resampler.room();
            let count = self.decode()?.min(wanted);
            let Some(resampler) = &mut self.resampler else { return Ok(0) };
            if count == 0 {
                resampler.push_silence(wanted);
            } else {
                let used = self.used;
                resampler.push(self.decoded.planes().map(|plane| &plane[used..used + count]));
                self.used += count;
                self.frames_in += count as u64;
            }
        }
    }

    /// Decodes on where nothing is left; returns the frames that are there.
    fn decode(&mut self) -> Result<usize, String> {
        if self.used == self.decoded.frame_count() && !self.has_ended {
            let read = self.decoder.read(&mut self.samples, BLOCK_FRAMES);
            let count = read.map_err(|error| format!("{} {error}", self.path.display()))?;
            convert::to_block(&self.samples, &mut self.decoded);
            self.used = 0;
            self.has_ended = count == 0;
        }
        Ok(self.decoded.frame_count() - self.used)
    }

    /// Adds a block of the file's channels to the mix.
    fn mix(&self, mix: &mut Block, at: usize, block: &Block) {
        let own = block.channel_count();
        for channel in 0..mix.channel_count() {
            let is_folded = mix.channel_count() == 1 && own > 1;
            #[expect(clippy::cast_precision_loss, reason = "a handful of channels")]
            let gain = if is_folded { self.gain / own as f32 } else { self.gain };
            let sources =
                if is_folded { 0..own } else { channel.min(own - 1)..channel.min(own - 1) + 1 };
            for source in sources {
                let into = &mut mix.plane_mut(channel)[at..at + block.frame_count()];
                for (sum, sample) in into.iter_mut().zip(block.plane(source)) {
                    *sum += sample * gain;
                }
            }
        }
    }
}

/// A time in frames, to the nearest.
fn frames(time_s: f64, rate: SampleRate) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number below 2^53"
    )]
    let frames = (time_s * f64::from(rate.0)).round() as u64;
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::path::Path;
    use std::sync::Arc;
    use wavemill_core::audio::{PcmFormat, StreamSpec};
    use wavemill_core::decode;
    use wavemill_core::encode::{self, EncodeSettings};
    use wavemill_core::tags::Tags;

    /// A float WAV file of planes.
    fn file(path: &Path, rate_hz: u32, planes: Vec<Vec<f32>>) -> PathBuf {
        let settings = EncodeSettings {
            spec: StreamSpec::new(rate_hz, planes.len()),
            format: PcmFormat::FLOAT,
            frame_count: None,
            compression_level: None,
            quality: None,
            tags: Arc::new(Tags::default()),
        };
        let sink = File::options().read(true).write(true).create_new(true).open(path).unwrap();
        let mut encoder =
            (encode::format("wav").unwrap().create)(Box::new(sink), settings).unwrap();
        encoder.write(&Samples::Float { planes }).unwrap();
        encoder.finish().unwrap();
        path.to_owned()
    }

    fn ramp(count: usize, from: f32) -> Vec<f32> {
        (0..count).map(|index| from + index as f32 * 1e-5).collect()
    }

    fn part(path: &Path, start_s: f64, duration_s: Option<f64>, gain: f64) -> MixPart {
        MixPart { path: path.to_owned(), start_s, duration_s, gain }
    }

    fn mixed(parts: Vec<MixPart>, channels: usize) -> Result<Vec<Vec<f32>>, String> {
        let mut mixdown = Mixdown::new(parts, SampleRate(8000), channels)?;
        let mut open = |part: &MixPart| -> Result<Box<dyn Decoder>, String> {
            let file = File::open(&part.path).map_err(|error| error.to_string())?;
            decode::open(Box::new(file), None).map_err(|error| error.to_string())
        };
        let mut planes = vec![Vec::new(); channels];
        let mut block = Block::new(channels, 1000);
        while mixdown.read(&mut block, &mut open)? {
            for (plane, more) in planes.iter_mut().zip(block.planes()) {
                plane.extend_from_slice(more);
            }
        }
        Ok(planes)
    }

    #[test]
    fn parts_lie_at_their_frames_and_add_up() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (ramp(9000, 0.1), ramp(5000, -0.3));
        let one = file(
            &folder.path().join("a.wav"),
            8000,
            vec![a.clone(), b[..].repeat(2)[..9000].to_vec()],
        );
        let mono = file(&folder.path().join("b.wav"), 8000, vec![b.clone()]);
        let alone = mixed(vec![part(&one, 0.0, None, 1.0)], 2).unwrap();
        assert_eq!(alone[0], a, "alone it keeps its samples");
        let planes = mixed(
            vec![
                part(&mono, 0.5, Some(0.25), 0.5),
                part(&one, 0.0, None, 1.0),
                part(&mono, 2.0, None, 1.0),
            ],
            2,
        )
        .unwrap();
        let expected: Vec<f32> = (0..21_000)
            .map(|frame: usize| {
                let mut sum = 0.0;
                sum += a.get(frame).copied().unwrap_or(0.0);
                if (4000..6000).contains(&frame) {
                    sum += b[frame - 4000] * 0.5;
                }
                sum + frame.checked_sub(16_000).map_or(0.0, |frame| b[frame])
            })
            .collect();
        assert_eq!(planes[0], expected);
        let folded = mixed(vec![part(&one, 0.0, Some(0.01), 1.0)], 1).unwrap();
        let mean = |frame: usize| a[frame] * 0.5 + b[frame] * 0.5;
        assert_eq!(folded[0], (0..80).map(mean).collect::<Vec<_>>());
    }

    #[test]
    fn part_of_another_rate_keeps_its_place_and_length() {
        let folder = tempfile::tempdir().unwrap();
        // Within a window, so that no edge rings in the low-pass.
        let tone = |rate_hz: u16| -> Vec<f32> {
            let rate = f32::from(rate_hz);
            let turn = std::f32::consts::TAU / rate;
            let at = |n: u16| {
                let window = 0.5 - 0.5 * (f32::from(n) * turn).cos();
                // Within one turn, where the sine is exact to the last digits.
                let phase =
                    f32::from(u16::try_from(u32::from(n) * 300 % u32::from(rate_hz)).unwrap());
                0.5 * window * (phase * turn).sin()
            };
            (0..rate_hz).map(at).collect()
        };
        let path = file(&folder.path().join("a.wav"), 22_050, vec![tone(22_050)]);
        let planes =
            mixed(vec![part(&path, 0.5, None, 1.0), part(&path, 3.0, Some(0.5), 1.0)], 1).unwrap();
        assert_eq!(planes[0].len(), 28_000);
        let expected = tone(8000);
        for (frame, expected) in expected.iter().enumerate() {
            let error = (planes[0][4000 + frame] - expected).abs();
            assert!(error < 1e-6, "{frame}: {error}");
        }
        assert!(planes[0][..3000].iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let three = file(&folder.path().join("c.wav"), 8000, vec![ramp(10, 0.0); 3]);
        for (parts, says) in [
            (vec![part(&three, -1.0, None, 1.0)], "times must be"),
            (vec![part(&three, 0.0, Some(f64::NAN), 1.0)], "times must be"),
            (vec![part(&three, 0.0, None, f64::INFINITY)], "gains finite"),
            (vec![part(&three, 0.0, None, 1.0)], "has 3 channels"),
            (vec![part(&folder.path().join("no.wav"), 0.0, None, 1.0)], "No such file"),
        ] {
            let reason = mixed(parts, 2).unwrap_err();
            assert!(reason.contains(says) && !reason.contains('\n'), "{reason}");
        }
    }
}
