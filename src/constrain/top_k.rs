//! Top-k: at most so many values are not zero.

use crate::Error;
use crate::simd::floats::Values;
use crate::workspace::{Carver, Layout};

use super::place::{Limit, Map, Place, Sealed};
use super::sums;
use super::{Project, Projected};

/// At most `count` values are not zero. Not convex.
///
/// The projection keeps the `count` values of largest magnitude, bit for bit, and makes the others 0; **of equal magnitudes
/// those with the lowest index** stay. The magnitude from which on values stay is selected in three passes over the bits of
/// magnitudes, without sorting, so the time does not depend on the data.
///
/// **Violation**: how many values too many are not zero. **Derivative**: `v` where a value stays, else 0; it exists unless
/// the last magnitude that stays and the first that does not are equal.
///
/// Scratch: 8 KB, whatever the length. [`Error::SizeOverflow`] for 2^32 values or more.
///
/// ```
/// use hybridq::constrain::{Project, TopK};
/// let set = TopK { count: 2 };
/// let (mut x, mut scratch) = ([1.0, -3.0, 2.0, -2.0], [0; 8200]);
/// assert!(set.workspace_size(4)? <= scratch.len());
/// set.project_inplace(&mut x, &mut scratch)?;
/// assert_eq!(x, [0.0, -3.0, 2.0, 0.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopK {
    /// How many values may be other than zero.
    pub count: usize,
}

/// Bits of a magnitude that a pass looks at: the upper 11, then 10 and 10.
const BINS: usize = 1 << 11;

/// What stays: magnitudes from `from` on, but of those equal to it only the first `equal`.
#[derive(Clone, Copy)]
struct Cut {
    from: f32,
    equal: usize,
    /// Whether more than `equal` values have that magnitude.
    tie: bool,
}

fn magnitude(x: f32) -> u32 {
    x.to_bits() & 0x7FFF_FFFF
}

/// Which bin holds the `rank`-th largest (from 1), how many values come before that bin, and how many are in it.
fn bin_of(counts: &[u32], rank: usize) -> (usize, usize, usize) {
    let mut before = 0;
    for (bin, &count) in counts.iter().enumerate().rev() {
        if before + count as usize >= rank {
            return (bin, before, count as usize);
        }
        before += count as usize;
    }
    (0, before, 0)
}

impl TopK {
    fn layout(self) -> Result<Layout, Error> {
        Layout::EMPTY.array::<u32>(BINS)
    }

    /// The `count`-th largest magnitude of finite values, of which there are more than `count`, itself at least 1.
    fn cut(self, x: &[f32], scratch: &mut [u8]) -> Result<Cut, Error> {
        let counts = Carver::new(scratch).take::<u32>(BINS)?;
        let (mut found, mut rank, mut inside) = (0u32, self.count, 0);
        for (shift, above) in [(20u32, 31u32), (10, 20), (0, 10)] {
            counts.fill(0);
            let bins = (1u32 << (above - shift)) - 1;
            for bits in x.iter().map(|&v| magnitude(v)) {
                if bits >> above == found >> above
                    && let Some(count) = counts.get_mut((bits >> shift & bins) as usize)
                {
                    *count += 1;
                }
            }
            let (bin, before, count) = bin_of(counts, rank);
            found |= (bin as u32) << shift;
            (rank, inside) = (rank - before.min(rank), count);
        }
        Ok(Cut { from: f32::from_bits(found), equal: rank, tie: inside > rank })
    }

    /// Writes `value` where `x` stays, else 0.
    fn pick(cut: Cut, mut place: Place<'_>, value: Option<&[f32]>) -> Projected {
        if !cut.tie {
            return match value {
                Some(v) => place.map(Keep { from: cut.from, second: true }, Limit::Each(v), Limit::ZERO),
                None => place.map(Keep { from: cut.from, second: false }, Limit::ZERO, Limit::ZERO),
            };
        }
        let mut equal = cut.equal;
        let mut stays = |x: f32| {
            let same = x.abs() == cut.from && equal > 0;
            equal -= same as usize;
            same || x.abs() > cut.from
        };
        match (&mut place, value) {
            (Place::Apart { x, out }, Some(v)) => {
                for ((out, &x), &v) in out.iter_mut().zip(*x).zip(v) {
                    *out = if stays(x) { v } else { 0.0 };
                }
            }
            (Place::Apart { x, out }, None) => {
                for (out, &x) in out.iter_mut().zip(*x) {
                    *out = if stays(x) { x } else { 0.0 };
                }
            }
            (Place::Inside(x), _) => {
                for x in x.iter_mut() {
                    *x = if stays(*x) { *x } else { 0.0 };
                }
            }
        }
        Projected { active: true }
    }

    /// A cut that nothing passes.
    const NOTHING: Cut = Cut { from: f32::INFINITY, equal: 0, tie: false };
}

/// `x`, or `p`, where the magnitude of `x` is at least `from`.
#[derive(Clone, Copy)]
struct Keep {
    from: f32,
    second: bool,
}

impl Map for Keep {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> F::V {
        let zero = f.splat(0.0);
        let m = f.max(x, f.sub(zero, x));
        f.select(f.greater(f.splat(self.from), m), zero, if self.second { p } else { x })
    }
}

/// How many values are not zero.
///
/// # Errors
/// [`Error::NonFinite`], [`Error::SizeOverflow`].
fn support(x: &[f32]) -> Result<usize, Error> {
    if u32::try_from(x.len()).is_err() {
        return Err(Error::SizeOverflow);
    }
    sums::finite(x)?;
    Ok(x.iter().filter(|v| **v != 0.0).count())
}

impl Sealed for TopK {
    fn apply(&self, place: Place<'_>, scratch: &mut [u8]) -> Result<Projected, Error> {
        let x = place.x();
        if support(x)? <= self.count {
            return Ok(place.keep());
        }
        let cut = if self.count == 0 { Self::NOTHING } else { self.cut(x, scratch)? };
        Ok(Self::pick(cut, place, None))
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], scratch: &mut [u8]) -> Result<(), Error> {
        support(x)?;
        sums::finite(v)?;
        if self.count >= x.len() {
            Place::Apart { x: v, out }.keep();
            return Ok(());
        }
        let cut = if self.count == 0 { Self::NOTHING } else { self.cut(x, scratch)? };
        Self::pick(cut, Place::Apart { x, out }, Some(v));
        Ok(())
    }
}

impl Project for TopK {
    fn workspace_size(&self, _: usize) -> Result<usize, Error> {
        Ok(self.layout()?.size())
    }

    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        Ok(support(x)?.saturating_sub(self.count) as f32)
    }
}
