//! What the numbers mean, and by which standard.

pub(super) const INTEGRATED: &str = "Integrated loudness: the whole programme, K-weighted, in blocks of 400 ms with gates \
     at -70 LUFS and 10 LU below the rest. ITU-R BS.1770-5, EBU R 128.";
pub(super) const SHORT_TERM: &str =
    "Short-term loudness: the latest 3 s, not gated; below it the largest so far. EBU Tech 3341.";
pub(super) const MOMENTARY: &str =
    "Momentary loudness: the latest 400 ms; below it the largest so far. EBU Tech 3341.";
pub(super) const RANGE: &str = "Loudness range: from the softest tenth of short-term values to the loudest twentieth, \
     gated at -70 LUFS and 20 LU below the rest. EBU Tech 3342.";
pub(super) const TRUE_PEAK: &str = "True peak: the largest value between the samples, 4 times oversampled (2 times from 96 kHz) by \
     ITU-R BS.1770-5, Annex 2, and 16 times; the larger one is judged, as in reports.";
pub(super) const PLR: &str =
    "PLR, peak to loudness ratio: largest true peak by ITU-R BS.1770-5 minus integrated loudness.";
pub(super) const PSR: &str = "PSR, peak to short-term loudness ratio: true peak of 3 s minus their loudness, \
     the smallest so far above -70 LUFS. Shepherd and others, AES Convention 143, 2017.";
pub(super) const CORRELATION: &str = "Correlation of left and right over 400 ms: +1 the same, 0 unrelated, -1 inverted \
     (nothing is left in mono). The mean product of both over the root of their powers; no standard defines it. \
     Soft programme is drawn larger, by the dB in the corner.";
pub(super) const SPECTRUM: &str = "Power of both sides in 24ths of an octave, from 8192 samples under a Hann window; a \
     full-scale sine reaches 0 dB. The thin line holds peaks. The button `lines` shows the transform itself; the dashed line is what `keep` kept.";
pub(super) const HISTORY: &str = "Short-term loudness (filled) and momentary loudness (line) since the meters began. \
     Orange: short-term loudness beyond the target's limit, or, where it has none, more than 5 LU above the target. \
     Marks at the top: true peaks beyond the limit. At the right: how often each short-term loudness occurred. \
     The wheel and arrow keys zoom and move; space shows everything.";
pub(super) const SAVED: &str =
    "As they were when the project was saved, until something is measured or the meters are reset.";
