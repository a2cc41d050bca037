//! One channel of one frame: the cheapest of constant, verbatim, fixed and linear prediction.
//!
//! Source: RFC 9639, 9.2.

use super::Effort;
use super::bits::BitWriter;
use super::lpc::{self, ORDER_MAX, PADDING, Predictor};
use super::rice::{self, RicePlan};

/// Highest order of the fixed predictors.
const FIXED_ORDER_MAX: usize = 4;

/// Most bits of samples whose fourth differences fit 32 bits.
const NARROW_BITS_MAX: u32 = 25;

/// What a residual must stay below. Source: RFC 9639, 9.2.7.3: it fits 32 bits with a sign; half of that is the
/// limit of linear prediction too.
const RESIDUAL_MAX: u64 = 1 << 30;

/// Bits of a subframe's own header: a zero, six bits of type, the flag of wasted bits.
const HEADER_BITS: u64 = 8;

/// How one channel will be written, and what it needs for that.
#[derive(Debug)]
pub(super) struct Subframe {
    kind: Kind,
    /// Without their wasted bits.
    samples: Vec<i32>,
    sample_bits: u32,
    /// Low bits that are zero in every sample, as in 16 bits stored as 24.
    wasted_bits: u32,
    /// An upper bound of its size.
    pub(super) bits: u64,
}

#[derive(Debug)]
enum Kind {
    Constant,
    Verbatim,
    Fixed { order: usize, folded: Vec<u32>, rice: RicePlan },
    Linear { predictor: Predictor, folded: Vec<u32>, rice: RicePlan },
}

/// Buffers reused from subframe to subframe.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    padded: Vec<f64>,
    windowed: Vec<f64>,
    residual: Vec<i32>,
}

impl Subframe {
    /// Chooses the cheapest way to write `samples` of `sample_bits` bits each.
    pub(super) fn choose(
        mut samples: Vec<i32>,
        mut sample_bits: u32,
        effort: &Effort,
        windows: &[Vec<f64>],
        scratch: &mut Scratch,
    ) -> Self {
        if samples.iter().all(|&sample| sample == samples[0]) {
            let bits = HEADER_BITS + u64::from(sample_bits);
            return Self { kind: Kind::Constant, samples, sample_bits, wasted_bits: 0, bits };
        }
        let wasted_bits = samples.iter().fold(0, |bits, sample| bits | sample).trailing_zeros();
        if wasted_bits > 0 {
            for sample in &mut samples {
                *sample >>= wasted_bits;
            }
            sample_bits -= wasted_bits;
        }
        let verbatim = HEADER_BITS + samples.len() as u64 * u64::from(sample_bits);
        let mut best = (Kind::Verbatim, verbatim);
        keep_cheaper(&mut best, fixed(&samples, sample_bits, effort, scratch));
        if effort.lpc_order_max > 0 && samples.len() > 2 * ORDER_MAX {
            scratch.padded.clear();
            scratch.padded.resize(PADDING, 0.0);
            scratch.padded.extend(samples.iter().map(|&sample| f64::from(sample)));
            for window in windows {
                keep_cheaper(&mut best, linear(&samples, window, sample_bits, effort, scratch));
            }
        }
        let bits = best.1 + u64::from(wasted_bits);
        Self { kind: best.0, samples, sample_bits, wasted_bits, bits }
    }

    /// Writes the subframe.
    pub(super) fn write(&self, writer: &mut BitWriter) {
        let warm_up = |writer: &mut BitWriter, order: usize| {
            for &sample in &self.samples[..order] {
                writer.put_signed(sample, self.sample_bits);
            }
        };
        writer.reserve_bits(self.bits);
        match &self.kind {
            Kind::Constant => {
                self.write_header(writer, 0);
                writer.put_signed(self.samples[0], self.sample_bits);
            }
            Kind::Verbatim => {
                self.write_header(writer, 1);
                warm_up(writer, self.samples.len());
            }
            Kind::Fixed { order, folded, rice } => {
                self.write_header(writer, 0b001000 | *order as u64);
                warm_up(writer, *order);
                rice::write(writer, rice, folded, *order);
            }
            Kind::Linear { predictor, folded, rice } => {
                let order = predictor.coefficients.len();
                self.write_header(writer, 0b100000 | (order as u64 - 1));
                warm_up(writer, order);
                let width = Predictor::coefficient_bits();
                writer.put(u64::from(width - 1), 4);
                writer.put(u64::from(predictor.shift), 5);
                for &coefficient in &predictor.coefficients {
                    writer.put_signed(coefficient, width);
                }
                rice::write(writer, rice, folded, order);
            }
        }
    }
}

impl Subframe {
    /// A zero, the type, and how many bits are wasted: a flag, then that count less one in unary.
    fn write_header(&self, writer: &mut BitWriter, kind: u64) {
        writer.put(kind << 1 | u64::from(self.wasted_bits > 0), 8);
        if self.wasted_bits > 0 {
            writer.put_zeros(self.wasted_bits - 1);
            writer.put(1, 1);
        }
    }
}

fn keep_cheaper(best: &mut (Kind, u64), candidate: Option<(Kind, u64)>) {
    if let Some(candidate) = candidate
        && candidate.1 < best.1
    {
        *best = candidate;
    }
}

/// The fixed predictor with the smallest residual.
fn fixed(
    samples: &[i32],
    sample_bits: u32,
    effort: &Effort,
    scratch: &mut Scratch,
) -> Option<(Kind, u64)> {
    let order = if is_wide(sample_bits) {
        wide_residual(samples, &mut scratch.residual)?
    } else {
        let order = fixed_order(samples);
        fixed_residual(samples, order, &mut scratch.residual);
        order
    };
    let folded: Vec<u32> = scratch.residual.iter().map(|&value| rice::fold(value)).collect();
    let rice = rice::plan(&folded, order, effort.partition_order_max);
    let bits = HEADER_BITS + order as u64 * u64::from(sample_bits) + rice.bits;
    Some((Kind::Fixed { order, folded, rice }, bits))
}

/// The order whose differences have the smallest sum of magnitudes.
fn fixed_order(samples: &[i32]) -> usize {
    if samples.len() <= FIXED_ORDER_MAX {
        return 0;
    }
    let mut sums = [0u64; FIXED_ORDER_MAX + 1];
    for part in samples.windows(FIXED_ORDER_MAX + 1) {
        let [a, b, c, d, e] = [part[4], part[3], part[2], part[1], part[0]];
        // 25-bit samples: fourth differences have 29 bits.
        let differences =
            [a, a - b, a - 2 * b + c, a - 3 * b + 3 * c - d, a - 4 * b + 6 * c - 4 * d + e];
        for (sum, difference) in sums.iter_mut().zip(differences) {
            *sum += u64::from(difference.unsigned_abs());
        }
    }
    (0..=FIXED_ORDER_MAX).min_by_key(|&order| sums[order]).unwrap_or(0)
}

/// Whether differences of samples need more than 32 bits.
const fn is_wide(sample_bits: u32) -> bool {
    super::IS_WIDE && sample_bits > NARROW_BITS_MAX
}

/// Whether no prediction is beyond what a sample can be: there readers disagree.
fn is_predicted_in_32_bits(samples: &[i32], residual: &[i32]) -> bool {
    samples.iter().zip(residual).all(|(sample, rest)| sample.checked_sub(*rest).is_some())
}

/// The fixed prediction that leaves least of samples of many bits, and what it leaves; `None` where that is too
/// much for any.
fn wide_residual(samples: &[i32], out: &mut Vec<i32>) -> Option<usize> {
    let order_max = FIXED_ORDER_MAX.min(samples.len().saturating_sub(1));
    let mut differences: Vec<i64> = samples.iter().map(|&sample| i64::from(sample)).collect();
    let mut best = None::<(usize, u64)>;
    for order in 0..=order_max {
        if order > 0 {
            differences = differences.windows(2).map(|pair| pair[1] - pair[0]).collect();
        }
        let sizes = || differences.iter().map(|difference| difference.unsigned_abs());
        let (sum, largest) = (sizes().sum(), sizes().max().unwrap_or(0));
        if largest < RESIDUAL_MAX && best.is_none_or(|(_, least)| sum < least) {
            best = Some((order, sum));
            out.clear();
            out.extend(
                differences.iter().map(|&it| i32::try_from(it).expect("is below the limit")),
            );
        }
    }
    let (order, _) = best?;
    is_predicted_in_32_bits(&samples[order..], out).then_some(order)
}

fn fixed_residual(samples: &[i32], order: usize, out: &mut Vec<i32>) {
    out.clear();
    let s = samples;
    match order {
        0 => out.extend_from_slice(s),
        1 => out.extend(s.windows(2).map(|w| w[1] - w[0])),
        2 => out.extend(s.windows(3).map(|w| w[2] - 2 * w[1] + w[0])),
        3 => out.extend(s.windows(4).map(|w| w[3] - 3 * w[2] + 3 * w[1] - w[0])),
        _ => out.extend(s.windows(5).map(|w| w[4] - 4 * w[3] + 6 * w[2] - 4 * w[1] + w[0])),
    }
}

/// The linear predictor of the order that promises the fewest bits.
fn linear(
    samples: &[i32],
    window: &[f64],
    sample_bits: u32,
    effort: &Effort,
    scratch: &mut Scratch,
) -> Option<(Kind, u64)> {
    scratch.windowed.clear();
    scratch.windowed.resize(PADDING, 0.0);
    scratch.windowed.extend(
        scratch.padded[PADDING..].iter().zip(window).map(|(sample, weight)| sample * weight),
    );
    let autocorrelation = lpc::autocorrelation(&scratch.windowed, effort.lpc_order_max);
    let orders = lpc::levinson_durbin(&autocorrelation, effort.lpc_order_max);
    let order = promising_order(&orders, samples.len(), sample_bits)?;
    let predictor = lpc::quantize(&orders[order - 1].0)?;
    lpc::residual(&scratch.padded, &predictor, &mut scratch.residual)?;
    if is_wide(sample_bits) && !is_predicted_in_32_bits(&samples[order..], &scratch.residual) {
        return None;
    }
    let folded: Vec<u32> = scratch.residual.iter().map(|&value| rice::fold(value)).collect();
    let rice = rice::plan(&folded, order, effort.partition_order_max);
    let bits =
        HEADER_BITS + order as u64 * u64::from(sample_bits) + predictor.header_bits() + rice.bits;
    Some((Kind::Linear { predictor, folded, rice }, bits))
}

/// Each halving of the squared error saves half a bit a sample; each order costs a coefficient and a
/// warm-up sample.
fn promising_order(orders: &[(Vec<f64>, f64)], length: usize, sample_bits: u32) -> Option<usize> {
    let cost = |order: usize| {
        let error = orders[order - 1].1.max(1.0);
        let header = f64::from(sample_bits + Predictor::coefficient_bits());
        0.5 * error.log2() * (length - order) as f64 + order as f64 * header
    };
    (1..=orders.len()).min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
}
