//! The loudness of pieces that belong together.

use super::gating;
use super::report::LoudnessReport;
use serde::{Deserialize, Serialize};
use wavemill_audio::units::{Dbtp, Decibels, Lufs};

/// What a piece contributes to the loudness of a group. 8 bytes for every 100 ms that are not silent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Integrated loudness of the piece alone; `None` when it is silent or too short.
    pub integrated_lufs: Option<Lufs>,
    /// The larger of both measures of its true peak; `None` when it is silent.
    pub true_peak_dbtp: Option<Dbtp>,
    /// Energies of its gating blocks above the absolute gate, ascending.
    blocks: Vec<f64>,
}

impl Piece {
    pub(super) fn new(report: &LoudnessReport, hops: &[f64]) -> Self {
        let mut blocks = gating::blocks_above_absolute_gate(hops);
        blocks.sort_unstable_by(f64::total_cmp);
        Self {
            integrated_lufs: report.integrated_lufs,
            true_peak_dbtp: report.larger_true_peak(),
            blocks,
        }
    }

    /// The same without what only a group needs.
    #[must_use]
    pub fn alone(&self) -> Self {
        Self { blocks: Vec::new(), ..self.clone() }
    }
}

/// Loudness of pieces that belong together: an album, the parts of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupLoudness {
    /// Pieces that were measured.
    pub piece_count: usize,
    /// Gated over all gating blocks of all pieces, so that a long piece weighs more than a short one and
    /// the relative gate is that of the whole; no block reaches from one piece into the next. `None`
    /// when no piece has a block above -70 LUFS.
    ///
    /// Source: ITU-R BS.1770-5, Annex 1, on the blocks of all pieces, as `ReplayGain` 2.0 specifies the
    /// gain of an album.
    pub integrated_lufs: Option<Lufs>,
    /// The largest true peak of all pieces; `None` when all are silent.
    pub true_peak_dbtp: Option<Dbtp>,
}

impl GroupLoudness {
    /// Loudness of these pieces, the same in whatever order they come.
    pub fn of<'p>(pieces: impl IntoIterator<Item = &'p Piece>) -> Self {
        let mut group = Self::default();
        let mut blocks = Vec::new();
        for piece in pieces {
            group.piece_count += 1;
            blocks.extend_from_slice(&piece.blocks);
            let peak = piece.true_peak_dbtp.filter(|peak| group.true_peak_dbtp < Some(*peak));
            group.true_peak_dbtp = peak.or(group.true_peak_dbtp);
        }
        // A sum of floats depends on its order.
        blocks.sort_unstable_by(f64::total_cmp);
        group.integrated_lufs = gating::integrated_of_blocks(&blocks);
        group
    }

    /// The same pieces with a gain.
    #[must_use]
    pub(crate) fn amplified(self, gain: Decibels) -> Self {
        Self {
            integrated_lufs: self.integrated_lufs.map(|loudness| loudness + gain),
            true_peak_dbtp: self.true_peak_dbtp.map(|peak| peak + gain),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(hops: &[f64], peak: f64) -> Piece {
        let report = LoudnessReport {
            integrated_lufs: gating::integrated(hops),
            true_peak_dbtp: Some(Dbtp(peak)),
            ..LoudnessReport::default()
        };
        Piece::new(&report, hops)
    }

    #[test]
    fn group_of_one_has_the_loudness_of_its_piece() {
        let one = piece(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.001], -3.0);
        let group = GroupLoudness::of([&one]);
        let (group_lufs, lufs) = (group.integrated_lufs.unwrap(), one.integrated_lufs.unwrap());
        assert!((group_lufs - lufs).0.abs() < 1e-12);
        assert_eq!((group.piece_count, group.true_peak_dbtp), (1, Some(Dbtp(-3.0))));
    }

    #[test]
    fn blocks_of_all_pieces_count_and_not_the_mean_of_their_loudness() {
        // 10 blocks of energy 1 and 30 of 0.5: the mean energy is 0.625, whose loudness is
        // -0.691 + 10 log10(0.625) = -2.7322 LUFS; the mean of both loudnesses is -2.196.
        let loud = piece(&[1.0; 13], -1.0);
        let soft = piece(&[0.5; 33], -2.0);
        let group = GroupLoudness::of([&loud, &soft]);
        assert!((group.integrated_lufs.unwrap().0 + 2.7322).abs() < 1e-4, "{group:?}");
        assert_eq!(group.true_peak_dbtp, Some(Dbtp(-1.0)));
    }

    #[test]
    fn relative_gate_is_that_of_the_whole() {
        // 13 dB below the loud one, a piece of its own loudness does not count.
        let loud = piece(&[1.0; 103], -1.0);
        let soft = piece(&[0.05; 53], -14.0);
        let group = GroupLoudness::of([&loud, &soft]);
        assert!((group.integrated_lufs.unwrap().0 + 0.691).abs() < 1e-9, "{group:?}");
    }

    #[test]
    fn order_of_pieces_does_not_matter_to_the_last_bit() {
        let hops = |seed: f64| (1..60).map(|n| (f64::from(n) * seed).sin().abs()).collect();
        let pieces: Vec<Piece> = [0.7, 1.3, 2.9]
            .map(|seed| piece(&Vec::<f64>::from_iter::<Vec<f64>>(hops(seed)), -seed))
            .to_vec();
        let forward = GroupLoudness::of(&pieces);
        assert_eq!(forward, GroupLoudness::of(pieces.iter().rev()));
        assert_eq!(forward.true_peak_dbtp, Some(Dbtp(-0.7)));
    }

    #[test]
    fn group_of_silence_has_no_loudness() {
        let silent = Piece::new(&LoudnessReport::default(), &[0.0; 50]);
        assert_eq!(
            GroupLoudness::of([&silent, &silent]),
            GroupLoudness { piece_count: 2, ..GroupLoudness::default() }
        );
    }
}
