//! Rice coding of a residual in partitions.
//!
//! Source: RFC 9639, 9.2.7.

use super::bits::{BitWriter, PUT_BITS_MAX};

/// Largest parameter of the 4-bit method; 15 there means "not coded".
const PARAMETER_MAX_4_BIT: u32 = 14;

/// Largest parameter of the 5-bit method.
const PARAMETER_MAX_5_BIT: u32 = 30;

/// Finest division considered by any level: 2^8 partitions, the limit of the streamable subset.
const PARTITION_ORDER_MAX: usize = 8;

/// How a residual is cut and coded.
#[derive(Clone, Debug)]
pub(super) struct RicePlan {
    partition_order: u32,
    parameters: Vec<u32>,
    /// An upper bound of the bits this takes, method and order included.
    pub(super) bits: u64,
}

/// Folds the sign into the lowest bit, so that small magnitudes are small numbers.
#[inline]
pub(super) fn fold(residual: i32) -> u32 {
    #[expect(clippy::cast_sign_loss, reason = "the folding is of bits")]
    let folded = (residual << 1 ^ residual >> 31) as u32;
    folded
}

/// The cheapest plan for a block of `block_length` frames whose first `predictor_order` are stored
/// apart; `folded` holds the others.
pub(super) fn plan(folded: &[u32], predictor_order: usize, order_max: u32) -> RicePlan {
    let block_length = folded.len() + predictor_order;
    let finest = finest_order(block_length, predictor_order, order_max);
    let mut sums = partition_sums(folded, predictor_order, block_length, finest);
    let mut best = None::<RicePlan>;
    for order in (0..=finest).rev() {
        let candidate = plan_of_order(&sums, block_length, predictor_order, order);
        if best.as_ref().is_none_or(|best| candidate.bits < best.bits) {
            best = Some(candidate);
        }
        sums = sums.chunks(2).map(|pair| pair.iter().sum()).collect();
    }
    best.expect("order 0 always exists")
}

/// Partitions must be equally long and longer than the predictor's order.
fn finest_order(block_length: usize, predictor_order: usize, order_max: u32) -> u32 {
    let mut order = order_max.min(block_length.trailing_zeros());
    while order > 0 && block_length >> order <= predictor_order {
        order -= 1;
    }
    order
}

fn partition_sums(
    folded: &[u32],
    predictor_order: usize,
    block_length: usize,
    order: u32,
) -> Vec<u64> {
    let length = block_length >> order;
    let mut sums = Vec::with_capacity(1 << PARTITION_ORDER_MAX);
    let (first, rest) = folded.split_at(length - predictor_order);
    sums.push(first.iter().map(|&value| u64::from(value)).sum());
    sums.extend(
        rest.chunks_exact(length)
            .map(|partition| partition.iter().map(|&value| u64::from(value)).sum::<u64>()),
    );
    sums
}

fn plan_of_order(
    sums: &[u64],
    block_length: usize,
    predictor_order: usize,
    partition_order: u32,
) -> RicePlan {
    let length = block_length >> partition_order;
    let mut bits = 0;
    let mut parameters = Vec::with_capacity(sums.len());
    for (index, &sum) in sums.iter().enumerate() {
        let count = (if index == 0 { length - predictor_order } else { length }) as u64;
        let (parameter, cost) = parameter_for(sum, count);
        parameters.push(parameter);
        bits += cost;
    }
    let parameter_bits = parameter_width(&parameters);
    bits += 2 + 4 + u64::from(parameter_bits) * parameters.len() as u64;
    RicePlan { partition_order, parameters, bits }
}

/// The best parameter for `count` numbers of this sum, and an upper bound of its cost: the sum of
/// the quotients is at most the quotient of the sum.
fn parameter_for(sum: u64, count: u64) -> (u32, u64) {
    let cost = |parameter: u32| count * u64::from(parameter + 1) + (sum >> parameter);
    if count == 0 {
        return (0, 0);
    }
    let guess = (sum / count).checked_ilog2().unwrap_or(0).min(PARAMETER_MAX_5_BIT);
    let lower = guess.saturating_sub(1);
    [lower, guess, (guess + 1).min(PARAMETER_MAX_5_BIT)]
        .into_iter()
        .map(|parameter| (parameter, cost(parameter)))
        .min_by_key(|&(_, cost)| cost)
        .expect("there are three candidates")
}

fn parameter_width(parameters: &[u32]) -> u32 {
    if parameters.iter().all(|&parameter| parameter <= PARAMETER_MAX_4_BIT) { 4 } else { 5 }
}

/// Writes the residual.
pub(super) fn write(
    writer: &mut BitWriter,
    plan: &RicePlan,
    folded: &[u32],
    predictor_order: usize,
) {
    let width = parameter_width(&plan.parameters);
    let length = (folded.len() + predictor_order) >> plan.partition_order;
    writer.put(u64::from(width - 4), 2);
    writer.put(u64::from(plan.partition_order), 4);
    let mut start = 0;
    for (index, &parameter) in plan.parameters.iter().enumerate() {
        let end = (index + 1) * length - predictor_order;
        writer.put(u64::from(parameter), width);
        for &value in &folded[start..end] {
            write_code(writer, value, parameter);
        }
        start = end;
    }
}

#[inline]
fn write_code(writer: &mut BitWriter, value: u32, parameter: u32) {
    let quotient = value >> parameter;
    let low = u64::from(value & ((1 << parameter) - 1));
    let code = 1 << parameter | low;
    if quotient + 1 + parameter <= PUT_BITS_MAX {
        writer.put(code, quotient + 1 + parameter);
    } else {
        writer.put_zeros(quotient);
        writer.put(code, 1 + parameter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_alternates_signs() {
        assert_eq!(
            [0, -1, 1, -2, i32::MAX, i32::MIN].map(fold),
            [0, 1, 2, 3, u32::MAX - 1, u32::MAX]
        );
    }

    #[test]
    fn planned_bits_bound_the_written_ones() {
        let folded: Vec<u32> =
            (0..4088u32).map(|i| i.wrapping_mul(2654435761) >> (i / 200 + 8)).collect();
        let plan = plan(&folded, 8, 6);
        let mut writer = BitWriter::default();
        write(&mut writer, &plan, &folded, 8);
        let written = writer.bytes().len() as u64 * 8;
        assert!(
            written <= plan.bits && plan.bits <= written + written / 4,
            "{written} of {}",
            plan.bits
        );
    }
}
