//! The header of a packet, and what is believed of one that came from elsewhere.

use core::ops::RangeInclusive;

use crate::Error;
use crate::learn::optimizer::store::BLOCK;
use crate::learn::optimizer::trits;
use crate::quant::archive::crc32;

use super::{HEADER_BYTES, MAX_WEIGHT, packet_size};

const MAGIC: [u8; 4] = *b"HQGP";
const VERSION: u8 = 1;
/// Powers of two that may be the unit.
pub(super) const UNITS: RangeInclusive<i32> = -100..=60;
/// Scales are below 2^44 units.
const SCALE_BITS: i32 = 44;

/// What a packet says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// The step of the run.
    pub step: u64,
    /// Where its values begin among all parameters.
    pub first: u64,
    /// Its values.
    pub len: usize,
    /// The shard of the batch.
    pub shard: u32,
    /// Samples of the shard.
    pub weight: u32,
    /// Its scales are multiples of `2^unit`.
    pub unit: i32,
}

/// `2^exponent`, -126 to 127.
pub(super) fn power(exponent: i32) -> f32 {
    f32::from_bits(((exponent + 127) as u32) << 23)
}

/// The first number that is too large for a gradient with its residual.
pub(super) fn limit(unit: i32) -> f32 {
    power(unit + SCALE_BITS)
}

/// The scale of which a gradient gets trits: the nearest multiple of the unit, ties to even.
pub(super) fn rounded(scale: f32, unit: i32) -> f32 {
    const WHOLE: f32 = 8_388_608.0; // 2^23: no fraction from here on
    const MOST: f32 = 17_592_184_995_840.0; // the largest f32 below 2^44
    let units = scale * power(-unit);
    let units = if units < WHOLE { (units + WHOLE) - WHOLE } else { units };
    let units = if units < MOST { units } else { MOST };
    units * power(unit)
}

/// A scale in units, if it is one.
fn fixed(scale: f32, unit: i32) -> Option<i64> {
    let bits = scale.to_bits();
    if bits == 0 {
        return Some(0);
    }
    let exponent = (bits >> 23) as i32;
    if !(1..=254).contains(&exponent) {
        return None; // negative, subnormal, infinite or NaN
    }
    let mantissa = (bits & 0x007F_FFFF | 0x0080_0000) as i64;
    match exponent - 150 - unit {
        up @ 0..=20 => Some(mantissa << up),
        down @ -23..=-1 if mantissa & ((1 << -down) - 1) == 0 => Some(mantissa >> -down),
        _ => None,
    }
}

/// Writes the header of a packet with that body.
pub(super) fn write(info: &Info, head: &mut [u8; HEADER_BYTES], body: &[u8]) {
    let mut rest: &mut [u8] = head;
    let mut put = |bytes: &[u8]| {
        if let Some((place, later)) = core::mem::take(&mut rest).split_at_mut_checked(bytes.len()) {
            place.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            rest = later;
        }
    };
    put(&MAGIC);
    put(&[VERSION, 0]);
    put(&(info.unit as i16).to_le_bytes());
    put(&info.step.to_le_bytes());
    put(&info.first.to_le_bytes());
    put(&(info.len as u32).to_le_bytes());
    put(&info.shard.to_le_bytes());
    put(&info.weight.to_le_bytes());
    let [fields @ .., a, b, c, d] = head;
    [*a, *b, *c, *d] = crc32(crc32(0, fields), body).to_le_bytes();
}

/// Takes fields from the front.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(Error::Corrupt)?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Error> {
        self.take().map(u64::from_le_bytes)
    }
}

/// The blocks of a body: values, scale in units, codes. Ends early where the body does.
pub(super) fn blocks(
    body: &[u8],
    len: usize,
    unit: i32,
) -> impl Iterator<Item = (usize, Option<i64>, &[u8])> {
    let (mut rest, mut left) = (body, len);
    core::iter::from_fn(move || {
        let n = left.min(BLOCK);
        let (scale, later) = rest.split_first_chunk::<4>().filter(|_| n > 0)?;
        let (codes, later) = later.split_at_checked(n.div_ceil(5))?;
        (rest, left) = (later, left - n);
        Some((n, fixed(f32::from_le_bytes(*scale), unit), codes))
    })
}

/// Reads and checks a whole packet: header, checksum, every scale and every code.
///
/// # Errors
/// [`Error::Version`] for a packet of a newer version, [`Error::Corrupt`] for anything else that [`encode`](super::encode)
/// does not write.
pub fn inspect(packet: &[u8]) -> Result<Info, Error> {
    open(packet).map(|(info, _)| info)
}

/// The body of a packet, after all checks: the packed gradient of a group of `len` parameters, as the optimizer has it.
///
/// # Errors
/// As [`inspect`].
pub fn body(packet: &[u8]) -> Result<&[u8], Error> {
    open(packet).map(|(_, body)| body)
}

/// Info and body, checked.
pub(super) fn open(packet: &[u8]) -> Result<(Info, &[u8]), Error> {
    let (head, body) = packet.split_first_chunk::<HEADER_BYTES>().ok_or(Error::Corrupt)?;
    let mut fields = Fields(head);
    if fields.take::<4>()? != MAGIC {
        return Err(Error::Corrupt);
    }
    // Before the checksum, which another version may keep elsewhere.
    let [version, zero] = fields.take()?;
    match version {
        VERSION => {}
        0 => return Err(Error::Corrupt),
        _ => return Err(Error::Version),
    }
    let unit = i16::from_le_bytes(fields.take()?) as i32;
    let (step, first) = (fields.u64()?, fields.u64()?);
    let len = usize::try_from(fields.u32()?).map_err(|_| Error::Corrupt)?;
    let (shard, weight, crc) = (fields.u32()?, fields.u32()?, fields.u32()?);
    if packet_size(len) != Ok(packet.len()) || zero != 0 {
        return Err(Error::Corrupt);
    }
    let [covered @ .., _, _, _, _] = head;
    if crc32(crc32(0, covered), body) != crc {
        return Err(Error::Corrupt);
    }
    let sound = |(_, scale, codes): (usize, Option<i64>, &[u8])| {
        scale.is_some() && codes.iter().fold(0, |most, &code| if code > most { code } else { most }) < 243
    };
    let good = UNITS.contains(&unit) && (1..=MAX_WEIGHT).contains(&weight);
    if !good || !blocks(body, len, unit).all(sound) {
        return Err(Error::Corrupt);
    }
    Ok((Info { step, first, len, shard, weight, unit }, body))
}

/// The gradient of one packet.
///
/// # Errors
/// As [`inspect`]; [`Error::Shape`] if `out` is not as long. `out` is untouched then.
pub fn decode(packet: &[u8], out: &mut [f32]) -> Result<Info, Error> {
    let (info, body) = open(packet)?;
    if out.len() != info.len {
        return Err(Error::Shape);
    }
    let mut rest = out;
    for (n, scale, codes) in blocks(body, info.len, info.unit) {
        let (values, later) = core::mem::take(&mut rest).split_at_mut_checked(n).ok_or(Error::Shape)?;
        rest = later;
        trits::unpack(codes, scale.unwrap_or(0) as f32 * power(info.unit), values);
    }
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_whole_multiples_of_the_unit_or_refused() {
        for unit in [-100, -34, 0, 60] {
            assert_eq!(fixed(0.0, unit), Some(0));
            assert_eq!(fixed(power(unit), unit), Some(1));
            assert_eq!(fixed(3.0 * power(unit), unit), Some(3));
            assert_eq!(fixed(1.5 * power(unit), unit), None);
            assert_eq!(fixed(0.5 * power(unit), unit), None);
            assert_eq!(fixed(limit(unit), unit), None);
            assert_eq!(fixed(f32::from_bits(limit(unit).to_bits() - 1), unit), Some((1 << 44) - (1 << 20)));
            assert_eq!(rounded(limit(unit), unit), f32::from_bits(limit(unit).to_bits() - 1));
            for k in [0.49, 0.5, 0.51, 1.5, 2.5, 1000.3, 8_388_607.5, 1e9, 1e13] {
                let scale = rounded(k * power(unit), unit);
                let whole = fixed(scale, unit).expect("rounded to a multiple");
                assert!((whole as f64 - k as f64).abs() <= 0.5, "{k}: {whole}");
            }
        }
        for odd in [-1.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e-40] {
            assert_eq!(fixed(odd, -34), None, "{odd}");
        }
    }
}
