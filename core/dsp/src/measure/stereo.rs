//! How the two sides of a stereo signal relate.

use super::meter::{Meter, Needs, Setup};
use super::sides::{Products, Sides};
use super::spectrum::Shapes;
use serde::{Deserialize, Serialize};
use wavemill_audio::units::Decibels;
use wavemill_audio::{Block, StreamSpec};

/// Relation of left and right: of a stereo file's channels, or of the front left and front right ones
/// of more. `None` for other layouts, for silence, and where said.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StereoReport {
    /// RMS(S) / (RMS(M) + RMS(S)) with M = (L + R) / 2, S = (L - R) / 2: identical sides have 0,
    /// inverted ones 1, unrelated ones about 0.5.
    pub width: Option<f64>,
    /// Sum of L R by the root of the product of the sums of L L and R R, from -1 to 1; `None` when a
    /// side is silent.
    pub correlation: Option<f64>,
    /// RMS of the right side minus that of the left; `None` when a side is silent.
    pub balance_db: Option<Decibels>,
}

/// Compares the sides block by block. Results do not depend on how the signal was cut into blocks, nor
/// on the machine's vectors. Real-time.
#[derive(Clone, Debug)]
pub struct StereoMeter {
    sides: Option<Sides>,
    products: Products,
}

impl StereoMeter {
    /// A meter for a stream.
    pub fn new(spec: &StreamSpec) -> Self {
        Self { sides: Sides::of(&spec.layout), products: Products::default() }
    }

    /// Measures further frames.
    pub fn push(&mut self, block: &Block) {
        if let Some(sides) = self.sides {
            self.products.push(block.plane(sides.left), block.plane(sides.right));
        }
    }

    /// What was measured.
    pub fn finish(self) -> StereoReport {
        let sums = self.products.sums();
        StereoReport {
            width: sums.width(),
            correlation: sums.correlation(),
            balance_db: sums.balance(),
        }
    }
}

impl Meter for StereoMeter {
    type Report = StereoReport;

    const NEEDS: Needs = Needs::Samples;

    fn new(spec: &StreamSpec, _setup: Setup) -> Self {
        Self::new(spec)
    }

    fn push(&mut self, block: &Block) {
        self.push(block);
    }

    fn finish(self, _shapes: &Shapes) -> StereoReport {
        self.finish()
    }
}
