//! Which vectors the machine has. The kernels are written as loops over arrays of fixed length and
//! compiled once for each width; all give the same bits, because no lane is ever added to another one
//! in an order that depends on the width, and products are never fused with sums.

/// Widths that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vectors {
    /// What every machine of the architecture has.
    Plain,
    /// 256 bits: AVX2.
    #[cfg(target_arch = "x86_64")]
    Wide,
}

impl Vectors {
    /// The widest useful ones of this machine.
    pub(super) fn of_machine() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self::Wide;
        }
        Self::Plain
    }
}
