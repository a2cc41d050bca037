//! Which vectors the machine has. The kernels are written as loops over arrays of fixed length and
//! compiled twice; both give the same bits, because no lane is ever added to another one.

/// Whether the machine has vectors of 256 bits.
pub(super) fn has_wide_vectors() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    false
}
