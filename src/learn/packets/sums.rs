//! Packets in integers: sums, sums of sums, and their mean.

use crate::learn::optimizer::store::BLOCK;
use crate::workspace::split_rows_mut;
use crate::{Error, simd};

use super::MAX_WEIGHT;
use super::wire::{Info, UNITS, blocks, open, power};

/// What an array of i64 sums stands for. Plain: the array and this may be sent, added up elsewhere and joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Sums {
    /// Of all packets in it.
    pub step: u64,
    /// Where the values begin among all parameters.
    pub first: u64,
    /// Of all packets together: at most [`MAX_WEIGHT`].
    pub weight: u32,
    /// How many packets are in it.
    pub packets: u32,
    /// The sums are multiples of `2^unit`, times weights.
    pub unit: i32,
    /// Zero.
    pub reserved: u32,
}

impl Sums {
    /// Of no packets: the array is all zeros. `unit` is that of [`Options`](super::Options).
    #[must_use]
    pub fn new(step: u64, first: u64, unit: i32) -> Sums {
        Sums { step, first, weight: 0, packets: 0, unit, reserved: 0 }
    }

    /// With further packets of the same kind in it.
    fn with(self, step: u64, first: u64, unit: i32, weight: u32, packets: u32) -> Result<Sums, Error> {
        let weight = self.weight.checked_add(weight).filter(|&w| w <= MAX_WEIGHT);
        let packets = self.packets.checked_add(packets);
        match (weight, packets) {
            (Some(weight), Some(packets))
                if [step, first] == [self.step, self.first] && unit == self.unit && self.reserved == 0 =>
            {
                Ok(Sums { weight, packets, ..self })
            }
            _ => Err(Error::InvalidArgument),
        }
    }
}

/// Adds a packet to sums. Integers: the same sums in any order.
///
/// Each packet is to be merged once; nobody remembers which ones were.
///
/// # Errors
/// [`Error::Corrupt`], [`Error::Version`]: as [`inspect`](super::inspect). [`Error::Shape`] if `values` is not as long as the
/// packet says. [`Error::InvalidArgument`] if the packet is of another step, slice or unit, or if the weights would go
/// beyond [`MAX_WEIGHT`]. Nothing is changed then.
pub fn merge(packet: &[u8], sums: &mut Sums, values: &mut [i64]) -> Result<Info, Error> {
    let (info, body) = open(packet)?;
    if values.len() != info.len {
        return Err(Error::Shape);
    }
    *sums = sums.with(info.step, info.first, info.unit, info.weight, 1)?;
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        move || {
            let mut rest = values;
            for (n, scale, codes) in blocks(body, info.len, info.unit) {
                let Some((values, later)) = core::mem::take(&mut rest).split_at_mut_checked(n) else {
                    return;
                };
                rest = later;
                // Below 2^44 times at most 2^19.
                add(codes, scale.unwrap_or(0) * info.weight as i64, values);
            }
        },
    );
    Ok(info)
}

/// Adds `scale` times the trits of a block.
#[inline(always)]
fn add(codes: &[u8], scale: i64, values: &mut [i64]) {
    // Digit by digit, what is above it is left for the next: at most BLOCK / 5 bytes.
    let mut left = [0u8; BLOCK / 5];
    left.iter_mut().zip(codes).for_each(|(to, &from)| *to = from);
    let planes = codes.len();
    let whole = values.len() / planes.max(1) * planes;
    let (head, tail) = values.split_at_mut_checked(whole).unwrap_or_default();
    for plane in split_rows_mut(head, planes).chain(core::iter::once(tail)) {
        for (sum, left) in plane.iter_mut().zip(&mut left) {
            let above = ((*left as u16 * 171) >> 9) as u8;
            let digit = *left - 3 * above;
            *left = above;
            let (up, down) = (((digit == 2) as i64).wrapping_neg(), ((digit == 0) as i64).wrapping_neg());
            *sum = sum.wrapping_add((scale & up) - (scale & down));
        }
    }
}

/// Adds sums to sums: those of another thread or rank, of the same step, slice and unit.
///
/// # Errors
/// [`Error::Shape`] for arrays of different length; [`Error::InvalidArgument`] for sums of another kind, or if the weights
/// would go beyond [`MAX_WEIGHT`]. Nothing is changed then.
pub fn join(from: &Sums, from_values: &[i64], sums: &mut Sums, values: &mut [i64]) -> Result<(), Error> {
    if from_values.len() != values.len() {
        return Err(Error::Shape);
    }
    if from.reserved != 0 {
        return Err(Error::InvalidArgument);
    }
    *sums = sums.with(from.step, from.first, from.unit, from.weight, from.packets)?;
    for (sum, from) in values.iter_mut().zip(from_values) {
        *sum = sum.wrapping_add(*from);
    }
    Ok(())
}

/// The mean gradient of all packets in the sums, weighted: the exact sum, rounded to f32, over the weights.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ; [`Error::InvalidArgument`] if no packet is in the sums, or they are none that
/// [`merge`] leaves. `mean` is untouched then.
pub fn finish(sums: &Sums, values: &[i64], mean: &mut [f32]) -> Result<(), Error> {
    if values.len() != mean.len() {
        return Err(Error::Shape);
    }
    if !(1..=MAX_WEIGHT).contains(&sums.weight) || !UNITS.contains(&sums.unit) {
        return Err(Error::InvalidArgument);
    }
    let (weight, unit) = (sums.weight as f32, power(sums.unit));
    for (to, &sum) in mean.iter_mut().zip(values) {
        *to = sum as f32 / weight * unit;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_third_of_every_byte_is_exact() {
        assert!((0..243u16).all(|b| (b * 171) >> 9 == b / 3));
    }
}
