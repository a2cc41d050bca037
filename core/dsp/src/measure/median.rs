//! Medians of seventeen neighbors, for eight places that follow one another at once.
//!
//! The windows of eight places share ten values, those of four share fourteen, those of two sixteen:
//! each is sorted in once for all, and of what is sorted only what can still become the median is
//! kept. That takes 25 minima and maxima for a median, where keeping a sorted window takes 64. There
//! are no branches, and lanes never meet, so the result does not depend on the machine's vectors.
//!
//! Source of the idea: A. Adams, "Fast median filters using separable sorting networks", 2021.

#![expect(clippy::inline_always, reason = "compiled anew for each width of vectors")]

use super::lanes::Lanes;

/// Values of a window.
pub(super) const WINDOW: usize = 17;

/// Places whose medians are found together.
pub(super) const PLACES: usize = 8;

/// Values that their windows cover.
pub(super) const SPAN: usize = PLACES + WINDOW - 1;

#[inline(always)]
fn least(a: Lanes, b: Lanes) -> Lanes {
    // Not `f32::min`: its care for NaN, which cannot come here, costs half of the speed.
    Lanes(std::array::from_fn(|lane| if a.0[lane] < b.0[lane] { a.0[lane] } else { b.0[lane] }))
}

#[inline(always)]
fn most(a: Lanes, b: Lanes) -> Lanes {
    Lanes(std::array::from_fn(|lane| if a.0[lane] > b.0[lane] { a.0[lane] } else { b.0[lane] }))
}

/// Puts two values into order.
#[inline(always)]
fn order<const N: usize>(values: &mut [Lanes; N], a: usize, b: usize) {
    (values[a], values[b]) = (least(values[a], values[b]), most(values[a], values[b]));
}

#[inline(always)]
fn sorted_2(mut x: [Lanes; 2]) -> [Lanes; 2] {
    order(&mut x, 0, 1);
    x
}

#[inline(always)]
fn sorted_4(mut x: [Lanes; 4]) -> [Lanes; 4] {
    order(&mut x, 0, 2);
    order(&mut x, 1, 3);
    order(&mut x, 0, 1);
    order(&mut x, 2, 3);
    order(&mut x, 1, 2);
    x
}

/// Sorts ten values by 29 comparisons, the fewest that are known.
///
/// Source: D. E. Knuth, The Art of Computer Programming, volume 3, 5.3.4 (A. Waksman's network has as
/// many).
#[inline(always)]
fn sorted_10(mut x: [Lanes; 10]) -> [Lanes; 10] {
    let x10 = &mut x;
    order(x10, 0, 8);
    order(x10, 1, 9);
    order(x10, 2, 7);
    order(x10, 3, 5);
    order(x10, 4, 6);
    order(x10, 0, 2);
    order(x10, 1, 4);
    order(x10, 5, 8);
    order(x10, 7, 9);
    order(x10, 0, 3);
    order(x10, 2, 4);
    order(x10, 5, 7);
    order(x10, 6, 9);
    order(x10, 0, 1);
    order(x10, 3, 6);
    order(x10, 8, 9);
    order(x10, 1, 5);
    order(x10, 2, 3);
    order(x10, 4, 8);
    order(x10, 6, 7);
    order(x10, 1, 2);
    order(x10, 3, 5);
    order(x10, 4, 6);
    order(x10, 7, 8);
    order(x10, 2, 3);
    order(x10, 4, 5);
    order(x10, 6, 7);
    order(x10, 3, 4);
    order(x10, 5, 6);
    x
}

/// Of the ten values that eight windows share and four more, the four that can be a median: with
/// three more to come, three of seventeen lie on each side of them beyond those left out.
#[inline(always)]
fn with_four(shared: &[Lanes; 10], more: [Lanes; 4]) -> [Lanes; 4] {
    let b = sorted_4(more);
    // The outermost of the ten cannot be a median with seven more to come.
    let a = &shared[1..9];
    [value(a, &b, 4), value(a, &b, 5), value(a, &b, 6), value(a, &b, 7)]
}

/// Value `k` of two sorted lists together: the least, over all ways to take `k + 1`, of the most taken.
#[inline(always)]
fn value(a: &[Lanes], b: &[Lanes; 4], k: usize) -> Lanes {
    let one = least(a[k], most(a[k - 1], b[0]));
    let two = least(most(a[k - 2], b[1]), most(a[k - 3], b[2]));
    least(least(one, two), most(a[k - 4], b[3]))
}

/// Of these four and two more, the two between which the last one decides.
#[inline(always)]
fn with_two(kept: [Lanes; 4], more: [Lanes; 2]) -> [Lanes; 2] {
    let (c, u) = (kept, sorted_2(more));
    [
        least(c[2], least(most(c[1], u[0]), most(c[0], u[1]))),
        least(c[3], least(most(c[2], u[0]), most(c[1], u[1]))),
    ]
}

/// The median of windows of which only one value is not sorted in yet.
#[inline(always)]
fn with_one(between: [Lanes; 2], last: Lanes) -> Lanes {
    most(between[0], least(between[1], last))
}

/// The medians of the eight windows in `x`: of values 0 to 16, 1 to 17 and so on.
#[inline(always)]
pub(super) fn medians(x: &[Lanes; SPAN]) -> [Lanes; PLACES] {
    // Not `array::from_fn`, which for so many is a call that knows no wide vectors.
    let shared = sorted_10([x[7], x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15], x[16]]);
    let lower = with_four(&shared, [x[3], x[4], x[5], x[6]]);
    let upper = with_four(&shared, [x[17], x[18], x[19], x[20]]);
    let first = with_two(lower, [x[1], x[2]]);
    let second = with_two(lower, [x[17], x[18]]);
    let third = with_two(upper, [x[5], x[6]]);
    let fourth = with_two(upper, [x[21], x[22]]);
    [
        with_one(first, x[0]),
        with_one(first, x[17]),
        with_one(second, x[2]),
        with_one(second, x[19]),
        with_one(third, x[4]),
        with_one(third, x[21]),
        with_one(fourth, x[6]),
        with_one(fourth, x[23]),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::lanes::LANES;
    use super::*;

    /// Every lane another sequence of small whole numbers, so that many are equal.
    fn values(seed: u32, end: u32) -> [Lanes; SPAN] {
        let mut state = seed;
        std::array::from_fn(|_| {
            Lanes(std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(u16::try_from((state >> 16) % end).unwrap())
            }))
        })
    }

    #[test]
    fn medians_are_those_of_sorted_windows() {
        for seed in 0..2000 {
            let x = values(seed, if seed % 2 == 0 { 30_000 } else { 5 });
            let found = medians(&x);
            for (place, found) in found.iter().enumerate() {
                for lane in 0..LANES {
                    let mut window: Vec<f32> =
                        x[place..place + WINDOW].iter().map(|value| value.0[lane]).collect();
                    window.sort_by(f32::total_cmp);
                    assert_eq!(found.0[lane].to_bits(), window[WINDOW / 2].to_bits());
                }
            }
        }
    }

    #[test]
    fn network_sorts_every_order_of_zeros_and_ones() {
        // Which proves that it sorts everything: Knuth, 5.3.4, theorem Z.
        for bits in 0u16..1024 {
            let bit = |index: usize| Lanes::all(f32::from(bits >> index & 1));
            let sorted = sorted_10(std::array::from_fn(bit));
            assert!(sorted.is_sorted_by(|a, b| a.0[0] <= b.0[0]), "{bits:010b}");
        }
    }
}
