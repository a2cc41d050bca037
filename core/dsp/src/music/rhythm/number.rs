//! From numbers of one kind to another, where `as` would need a reason each time.

/// The nearest integer, for an index; 0 below it.
pub(crate) fn index(value: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let index = value.round().clamp(0.0, 1e12) as usize;
    index
}

/// The nearest integer.
pub(crate) fn integer(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    let integer = value.round().clamp(-1e12, 1e12) as i64;
    integer
}

/// In single precision, for features and samples.
pub(crate) fn single(value: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "features are f32")]
    let single = value as f32;
    single
}

/// The middle value; of an even number the upper of both. `None` of nothing.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
