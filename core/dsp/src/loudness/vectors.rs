//! Which vectors the machine has. The kernels are written as loops over arrays of fixed length and
//! compiled once for each width; all give the same bits, because no lane is ever added to another one
//! in an order that depends on the width, and products are never fused with sums.

/// Widths that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vectors {
    /// What every machine of the architecture has.
    Plain,
    /// 256 bits: AVX2.
    #[cfg(target_arch = "x86_64")]
    Wide,
    /// 512 bits: AVX-512 F. Its twice as many registers hold a whole kernel, which makes it a sixth
    /// faster even where each operation is done in two halves.
    #[cfg(target_arch = "x86_64")]
    Widest,
}

impl Vectors {
    /// The widest ones of this machine.
    pub(crate) fn of_machine() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            let is_widest = std::arch::is_x86_feature_detected!("avx512f");
            return if is_widest { Self::Widest } else { Self::Wide };
        }
        Self::Plain
    }

    /// All that this machine has besides the plain ones; says so where there are none.
    #[cfg(test)]
    pub(crate) fn others() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        match Self::of_machine() {
            Self::Plain => {}
            Self::Wide => return vec![Self::Wide],
            Self::Widest => return vec![Self::Wide, Self::Widest],
        }
        println!("skipped: this machine has vectors of one width");
        Vec::new()
    }
}
