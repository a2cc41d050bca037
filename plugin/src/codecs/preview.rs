//! All codecs on one clip, on a thread of their own. The window asks how far it is, and never waits.

use super::clip::Clip;
use super::trial::{self, Trial};
use super::{CODECS, Codec};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use wavemill_core::units::Dbtp;

/// What the codecs are tried on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// The latest seconds of what plays.
    Latest(Clip),
    /// A complete capture.
    Capture(PathBuf),
}

/// What is known by now.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Trials {
    /// True peak of the clip itself; `None` of silence, and before it is known.
    pub(crate) original: Option<Dbtp>,
    /// In the order of [`CODECS`]; `None` until it was tried.
    pub(crate) codecs: [Option<Trial>; CODECS.len()],
    /// Largest true peaks since they were last cleared.
    pub(crate) largest: [Option<Dbtp>; CODECS.len()],
    /// One line: why there is nothing.
    pub(crate) problem: Option<String>,
}

enum Finding {
    Original(Option<Dbtp>),
    Codec(usize, Trial),
    Problem(String),
}

/// The trials and the thread that makes them.
#[derive(Debug, Default)]
pub(crate) struct Preview {
    /// Of the latest clip that all codecs were tried on.
    complete: Trials,
    /// Of the clip that is tried now.
    coming: Trials,
    job: Option<Job>,
}

/// It ends soon when it is dropped, and is waited for: code may be unloaded then.
#[derive(Debug)]
struct Job {
    findings: Receiver<Finding>,
    cancel: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Job {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Preview {
    /// Tries all codecs; what was under way is given up.
    pub(crate) fn begin(&mut self, source: Source) {
        self.coming = Trials { largest: self.complete.largest, ..Trials::default() };
        let (to, findings) = channel();
        let cancel = Arc::new(AtomicBool::new(false));
        let of_thread = Arc::clone(&cancel);
        let thread = thread::Builder::new()
            .name("wavemill-codec".into())
            .spawn(move || work(source, &to, &of_thread));
        self.job = match thread {
            Ok(thread) => Some(Job { findings, cancel, thread: Some(thread) }),
            Err(error) => {
                self.complete.problem = Some(error.to_string());
                None
            }
        };
    }

    /// Ends what is under way.
    pub(crate) fn cancel(&mut self) {
        self.job = None;
    }

    /// Forgets the largest peaks.
    pub(crate) fn clear(&mut self) {
        (self.complete, self.coming) = Default::default();
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// What is known: of one clip only, so that peaks can be compared; while the first one is tried, as far as it is.
    pub(crate) fn trials(&mut self) -> &Trials {
        let is_over = self.job.as_ref().is_some_and(|job| {
            loop {
                match job.findings.try_recv() {
                    Ok(finding) => self.coming.take(finding),
                    Err(TryRecvError::Empty) => break false,
                    Err(TryRecvError::Disconnected) => break true,
                }
            }
        });
        if is_over {
            self.job = None;
            self.complete = std::mem::take(&mut self.coming);
        }
        let is_first = self.job.is_some() && self.complete.codecs.iter().all(Option::is_none);
        if is_first { &self.coming } else { &self.complete }
    }
}

impl Trials {
    fn take(&mut self, finding: Finding) {
        match finding {
            Finding::Original(peak) => (self.original, self.problem) = (peak, None),
            Finding::Codec(index, trial) => {
                let largest = &mut self.largest[index];
                let peak = trial.true_peak();
                *largest = match (*largest, peak) {
                    (Some(one), Some(other)) => Some(if one > other { one } else { other }),
                    (one, other) => one.or(other),
                };
                self.codecs[index] = Some(trial);
            }
            Finding::Problem(problem) => self.problem = Some(problem),
        }
    }
}

fn work(source: Source, to: &Sender<Finding>, cancel: &AtomicBool) {
    let clip = match source {
        Source::Latest(clip) => Ok(clip),
        Source::Capture(path) => Clip::of_file(&path),
    };
    let clip = match clip.map(Clip::faded) {
        Ok(clip) => clip,
        Err(problem) => {
            // Nobody may want to know any more; so below.
            let _ = to.send(Finding::Problem(problem));
            return;
        }
    };
    let _ = to.send(Finding::Original(clip.true_peak()));
    for (index, codec) in CODECS.into_iter().enumerate() {
        let Some(trial) = trial::run(codec, &clip, cancel) else { return };
        let _ = to.send(Finding::Codec(index, trial));
    }
}

impl Codec {
    /// As the window writes it.
    pub(crate) fn title(self) -> String {
        format!("{} {}", self.name, self.kbps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use wavemill_core::encode;

    /// Dense and loud: noise that is clipped and has little at its highest frequencies, as music.
    fn clip(rate_hz: u32, seconds: u32) -> Clip {
        let mut state = 5u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let sample = f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0;
            (2.0 * sample).clamp(-0.7, 0.7)
        };
        let mut plane = || {
            let clipped: Vec<f32> = (0..rate_hz * seconds + 8).map(|_| noise()).collect();
            clipped.windows(9).map(|nine| nine.iter().sum::<f32>() / 4.0).collect::<Vec<f32>>()
        };
        Clip { rate_hz, planes: vec![plane(), plane()] }
    }

    fn finished(source: Source) -> Trials {
        let mut preview = Preview::default();
        preview.begin(source);
        while preview.is_busy() {
            preview.trials();
            thread::yield_now();
        }
        preview.trials().clone()
    }

    #[test]
    fn every_codec_of_this_build_is_tried_at_any_rate() {
        for rate_hz in [44_100, 48_000, 96_000] {
            let trials = finished(Source::Latest(clip(rate_hz, 2)));
            let original = trials.original.unwrap().0;
            for (codec, trial) in CODECS.into_iter().zip(trials.codecs) {
                let trial = trial.unwrap();
                if encode::format(codec.name.to_lowercase().as_str()).is_none() {
                    assert_eq!(trial, Trial::Missing, "{codec:?}");
                    continue;
                }
                if trial == Trial::Missing {
                    continue;
                }
                let Trial::Decoded(Some(peak)) = trial else { panic!("{codec:?}: {trial:?}") };
                let change = peak.0 - original;
                assert!((-3.0..9.0).contains(&change), "{codec:?} at {rate_hz}: {change} dB");
            }
            assert_eq!(trials.problem, None);
        }
    }

    /// By `FFmpeg`'s own decoders, and its meter of sample peaks at 192 kHz: within what 4x leaves below the true one.
    #[test]
    fn decoded_peak_is_that_of_another_decoder() {
        let clip = clip(48_000, 3);
        let folder = tempfile::tempdir().unwrap();
        let trials = finished(Source::Latest(clip.clone()));
        for (index, codec) in CODECS.into_iter().enumerate() {
            let Some(Trial::Decoded(Some(peak))) = trials.codecs[index] else { continue };
            let path = folder.path().join(format!("{index}.bin"));
            let bytes = trial::tests::bytes(codec, &clip.clone().faded());
            std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), &bytes).unwrap();
            let Some(other) = peak_by_ffmpeg(&path) else { return };
            assert!((peak.0 - other).abs() < 0.3, "{codec:?}: {} and {other}", peak.0);
        }
    }

    /// In dBTP; `None` where there is no `FFmpeg`.
    fn peak_by_ffmpeg(path: &std::path::Path) -> Option<f64> {
        let output = Command::new("ffmpeg")
            .args(["-nostats", "-i"])
            .arg(path)
            .args(["-af", "ebur128=peak=true", "-f", "null", "-"])
            .output();
        let Ok(output) = output else {
            eprintln!("skipped: ffmpeg is not installed");
            return None;
        };
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = words.rsplit("True peak:").next().unwrap();
        let value = line.split_whitespace().nth(1).unwrap();
        Some(value.parse().unwrap_or_else(|_| panic!("{words}")))
    }

    #[test]
    fn capture_is_tried_and_one_that_is_gone_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("take.wav");
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 48_000,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let clip = clip(48_000, 1);
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for (left, right) in clip.planes[0].iter().zip(&clip.planes[1]) {
            writer.write_sample(*left).unwrap();
            writer.write_sample(*right).unwrap();
        }
        writer.finalize().unwrap();
        let of_file = finished(Source::Capture(path.clone()));
        assert_eq!(of_file, finished(Source::Latest(clip)), "the same samples");
        let gone = finished(Source::Capture(folder.path().join("gone.wav")));
        assert!(gone.problem.unwrap().contains("gone.wav: "));
    }

    /// A loud clip after a soft one: no peak of the one stands beside one of the other.
    #[test]
    fn peaks_of_two_clips_are_never_mixed() {
        let soft = |sample: &f32| 0.1 * sample;
        let loud = clip(48_000, 1);
        let planes = loud.planes.iter().map(|plane| plane.iter().map(soft).collect()).collect();
        let mut preview = Preview::default();
        for clip in [Clip { planes, ..loud.clone() }, loud] {
            preview.begin(Source::Latest(clip));
            while preview.is_busy() {
                let trials = preview.trials().clone();
                let peaks = trials.codecs.iter().flatten().filter_map(Trial::true_peak);
                for peak in peaks {
                    let change = peak.0 - trials.original.unwrap().0;
                    assert!(change.abs() < 6.0, "{change} dB");
                }
            }
        }
    }

    #[test]
    fn silence_has_no_peak_and_largest_peaks_stay() {
        let silence = Clip { rate_hz: 48_000, planes: vec![vec![0.0; 48_000]; 2] };
        let mut preview = Preview::default();
        for source in [clip(48_000, 1), silence] {
            preview.begin(Source::Latest(source));
            while preview.is_busy() {
                preview.trials();
            }
        }
        let trials = preview.trials().clone();
        assert_eq!(trials.original, None);
        for (trial, largest) in trials.codecs.iter().zip(trials.largest) {
            if let Some(Trial::Decoded(peak)) = trial {
                assert!(peak.is_none_or(|peak| peak.0 < -80.0), "{peak:?}");
                assert!(largest.unwrap().0 > -6.0);
            }
        }
        preview.clear();
        assert_eq!(*preview.trials(), Trials::default());
    }

    #[test]
    fn preview_that_is_given_up_ends_at_once() {
        let mut preview = Preview::default();
        preview.begin(Source::Latest(clip(48_000, 120)));
        let begin = std::time::Instant::now();
        preview.cancel();
        assert!(begin.elapsed().as_secs() < 20 && !preview.is_busy());
    }
}
