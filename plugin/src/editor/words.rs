//! What the numbers mean, and by which standard.

pub(crate) const INTEGRATED: &str = "Integrated loudness: the whole program, K-weighted, in blocks \
    of 400 ms with gates at -70 LUFS and 10 LU below the rest. ITU-R BS.1770-5, EBU R 128.";
pub(crate) const SHORT_TERM: &str =
    "Short-term loudness: the last 3 s, not gated; below it, the maximum so far. EBU Tech 3341.";
pub(crate) const MOMENTARY: &str =
    "Momentary loudness: the last 400 ms; below it, the maximum so far. EBU Tech 3341.";
pub(crate) const RANGE: &str = "Loudness range: from the 10th to the 95th percentile of short-term \
    loudness, gated at -70 LUFS and 20 LU below the rest. EBU Tech 3342.";
pub(crate) const TRUE_PEAK: &str = "True peak: the largest value, also between samples, with 4x \
    oversampling (2x from 96 kHz) by ITU-R BS.1770-5, Annex 2, and with 16x; the larger one \
    counts, as in reports.";
pub(crate) const PLR: &str =
    "PLR, peak to loudness ratio: maximum true peak by ITU-R BS.1770-5 minus integrated loudness.";
pub(crate) const PSR: &str = "PSR, peak to short-term loudness ratio: true peak of 3 s minus their \
    loudness; minimum so far above -70 LUFS. Shepherd and others, AES Convention 143, 2017.";
pub(crate) const TEMPO: &str = "Tempo of the last two minutes, in quarter notes per minute; below it, how likely it is \
    right. Heard while this window is open, from 8 s on. A dash: no steady pulse, or less than 30 % certain. If it is \
    wrong, it is mostly the half or the double.";
pub(crate) const KEY: &str = "Key of the last two minutes: C is C major, Am is A minor; right of it, its place on the \
    Camelot wheel, on which neighbors mix well. Below it, how likely it is right. Heard while this window is open, from \
    8 s on. A dash: no key, as in drums or speech, or less than 30 % certain.";
pub(crate) const CORRELATION: &str = "Correlation of left and right over 400 ms: +1 identical, 0 \
    unrelated, -1 inverted (cancels in mono). The mean product of both over the root of their \
    powers; no standard defines it. Quiet signals are drawn larger, by the dB in the corner.";
pub(crate) const MONO: &str = "Fold-down loss: how much softer the front channels are in mono, (L + R) / 2, than their \
    mean power. 0 dB: both are the same. \u{2212}3 dB: unrelated, or one is silent. More: they cancel. Of 400 ms; no \
    standard defines it.";
pub(crate) const STEREO_LANE: &str = "Correlation (filled, the smallest of each moment) and fold-down loss (line, the largest) over the session.";
pub(crate) const SPECTRUM: &str = "Power of both channels in 1/24-octave bands, from 8192 samples \
    with a Hann window; a full-scale sine reaches 0 dB. The thin line holds peaks. `lines` shows \
    the FFT itself; the dashed line was saved with `keep`.";
pub(crate) const HISTORY: &str = "Short-term loudness (filled) and momentary loudness (line) since \
    the last reset. Orange: short-term loudness above the target's limit or, if it has none, more \
    than 5 LU above the target. Marks at the top: true peaks above the limit. Right: histogram of \
    short-term loudness. The pointer reads values. Zoom and move with the wheel and arrow keys; space \
    shows everything.";
pub(crate) const SAVED: &str =
    "Values from when the project was saved, until something is measured or the meters are reset.";
pub(crate) const CHANNELS: &str = "Each channel since the last reset. Peak: largest sample. TP: true peak since the table \
    was switched on, BS.1770 or 16x, the larger one; underlined where it exceeds the target's limit. RMS: root of the mean \
    square; a full-scale sine has \u{2212}3.0 dBFS. Clips: runs of three or more samples at or beyond full scale \
    (0.99997); each run counts once.";
pub(crate) const SHOW_CHANNELS: &str = "Shows peaks, RMS and clips of each channel. Their true peaks are measured only while this is on.";
