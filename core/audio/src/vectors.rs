//! Which vectors the machine has. Kernels are written as loops over arrays of fixed length and compiled
//! once for each width; all give the same bits, because no lane is ever added to another one in an
//! order that depends on the width, and products are not fused with sums where bits must be equal.

/// Widths that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vectors {
    /// What every machine of the architecture has.
    Plain,
    /// 16 of 256 bits: AVX2.
    #[cfg(target_arch = "x86_64")]
    Wide,
    /// 32 of up to 512 bits: AVX-512 F and VL. Twice as many registers hold a whole kernel, which makes
    /// it a sixth faster even where each operation is done in two halves.
    #[cfg(target_arch = "x86_64")]
    Widest,
}

impl Vectors {
    /// The widest ones of this machine.
    pub fn of_machine() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            let is_widest = std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512vl");
            return if is_widest { Self::Widest } else { Self::Wide };
        }
        Self::Plain
    }

    /// Whether they have 256 bits or more.
    pub fn are_wide(self) -> bool {
        self != Self::Plain
    }

    /// Whether the machine has wide vectors and multiplies and adds in one operation, which rounds once.
    pub fn have_fused_products(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self.are_wide() && std::arch::is_x86_feature_detected!("fma");
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    /// All that this machine has, the plain ones first.
    pub fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let all = [Self::Plain, Self::Wide, Self::Widest];
        #[cfg(not(target_arch = "x86_64"))]
        let all = [Self::Plain];
        let best = Self::of_machine();
        all.into_iter().filter(|vectors| *vectors <= best).collect()
    }
}
