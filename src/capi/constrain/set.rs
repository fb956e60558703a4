//! A constraint set as a C struct.

use crate::Error;
use crate::capi::pointers::{Input, Span, disjoint};
use crate::constrain::{
    Affine, BoxSet, CappedSimplex, Codebook, ExactTernary, Halfspace, Hyperplane, L1Ball, L2Ball, Limit,
    LinfBall, NonNegative, Part, Product, RowMaxNorm, SecondOrderCone, Set, Simplex, Sphere, TopK,
};

/// `{x : |x - c| <= radius}` in the Euclidean norm. `a`: the centre c, or NULL for the origin. Violation: the distance.
pub const HQ_SET_L2_BALL: i32 = 0;
/// `{x : low <= x <= high}`. `a`: the lower bounds, `b`: the upper ones; each of `len` values, of one for all coordinates,
/// or NULL for none. Infinite bounds are none. Violation: the largest distance of a value from its bounds.
pub const HQ_SET_BOX: i32 = 1;
/// `{x : x >= 0}`. Violation: the largest magnitude of a negative value.
pub const HQ_SET_NON_NEGATIVE: i32 = 2;
/// `{x : |x[i] - c[i]| <= radius}`. `a`: the centre c, or NULL for the origin. Violation: as of a box.
pub const HQ_SET_LINF_BALL: i32 = 3;
/// `{x : a . x <= value}`. `a`: `len` values, not all 0. Violation: the distance. `HQ_ERROR_NON_FINITE` also where the
/// distance is beyond the range of `float`.
pub const HQ_SET_HALFSPACE: i32 = 4;
/// `{x : a . x = value}`. Otherwise as `HQ_SET_HALFSPACE`.
pub const HQ_SET_HYPERPLANE: i32 = 5;
/// `{x : A x = b}`. `a`: the factor that `hq_affine_prepare` made; `count`: the rows of A. Violation: the distance.
pub const HQ_SET_AFFINE: i32 = 6;
/// `{(t, z) : |z| <= t}`; `t` is the first value. Violation: `|z| - t`.
pub const HQ_SET_SECOND_ORDER_CONE: i32 = 7;
/// `{x : |x - c| = radius}`. `a`: the centre c, or NULL for the origin, from which the first value is moved. Violation: the
/// distance.
pub const HQ_SET_SPHERE: i32 = 8;
/// Matrices whose rows have a Euclidean norm of at most `radius`. `count`: values of a row, at least 1; `len` is a multiple.
/// Violation: that of the worst row.
pub const HQ_SET_ROW_MAX_NORM: i32 = 9;
/// Sets side by side: `sets` points to `count` of them, at most `HQ_SET_PARTS_MAX`; each takes its `len` values, together all
/// of them. A part may not be a product (`HQ_ERROR_UNSUPPORTED`). Violation: the largest of its parts.
pub const HQ_SET_PRODUCT: i32 = 10;

/// The most parts of a product.
pub const HQ_SET_PARTS_MAX: usize = 16;

/// `{x >= 0 : sum x = radius}`. Violation: the larger of `|sum x - radius|` and the most negative value.
pub const HQ_SET_SIMPLEX: i32 = 32;
/// `{0 <= x <= value : sum x = radius}`; `radius` is at most `value` times `len`. Violation: as of the simplex, or the most
/// that a value is above `value`.
pub const HQ_SET_CAPPED_SIMPLEX: i32 = 33;
/// `{x : sum |x - c| <= radius}`. `a`: the centre c, or NULL for the origin. Violation: `sum |x - c| - radius`.
pub const HQ_SET_L1_BALL: i32 = 34;
/// At most `count` values are not zero; of equal magnitudes the first stay. Not convex. Violation: how many are too many.
pub const HQ_SET_TOP_K: i32 = 35;
/// Every value is one of `a`, in any order; of equally near ones the lowest. Not convex, no derivative. Violation: the
/// largest distance from the nearest one.
pub const HQ_SET_CODEBOOK: i32 = 36;
/// Every value is -s, 0 or s, for one s: the least squared error over all s. Not convex. Violation: the largest distance
/// from -s, 0 and s, with s the largest magnitude.
pub const HQ_SET_EXACT_TERNARY: i32 = 37;

/// A constraint set. Which fields count says the kind; set all others to 0 or NULL (`hq_set s = {0};` does).
///
/// The struct and the arrays that it points to are only read, and are not kept. Radii are finite and at least 0. 72 bytes
/// where pointers have 8, 44 where they have 4.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct hq_set {
    /// One of `HQ_SET_*`.
    pub kind: i32,
    /// 0.
    pub reserved: i32,
    /// A radius, or a sum.
    pub radius: f32,
    /// The right-hand side of a halfspace or hyperplane; a cap.
    pub value: f32,
    /// The first array.
    pub a: *const f32,
    /// Its length; 0 for NULL.
    pub a_len: usize,
    /// The second array.
    pub b: *const f32,
    /// Its length; 0 for NULL.
    pub b_len: usize,
    /// How many rows, columns, parts or values.
    pub count: usize,
    /// As a part of a product: how many values it takes.
    pub len: usize,
    /// The parts of a product.
    pub sets: *const hq_set,
}

const _: () = assert!(size_of::<hq_set>() == 16 + 7 * size_of::<usize>());

/// A set whose pointers have been checked, but not yet borrowed.
#[derive(Clone, Copy)]
pub(in crate::capi) struct Checked {
    raw: hq_set,
    a: Input<f32>,
    b: Input<f32>,
}

/// Room for the parts of a product.
pub(in crate::capi) type Parts<'a> = [Part<'a>; HQ_SET_PARTS_MAX];

/// What that room holds beforehand.
pub(in crate::capi) const NO_PARTS: Parts<'static> =
    [Part { set: Set::NonNegative(NonNegative), len: 0 }; HQ_SET_PARTS_MAX];

impl Checked {
    /// # Safety
    /// `set` is NULL, misaligned, or valid, and so are the parts of a product.
    ///
    /// # Errors
    /// `UnknownEnum`, `NullPointer`, `Misaligned`, `SizeOverflow`; `InvalidArgument` for a reserved field that is set or too
    /// many parts; `Unsupported` for products in products.
    pub(in crate::capi) unsafe fn new(set: *const hq_set) -> Result<Checked, Error> {
        // SAFETY: as the caller's.
        let checked = unsafe { Checked::one(set) }?;
        if checked.raw.kind == HQ_SET_PRODUCT {
            if checked.raw.count > HQ_SET_PARTS_MAX {
                return Err(Error::InvalidArgument);
            }
            for i in 0..checked.raw.count {
                // SAFETY: as the caller's.
                if unsafe { checked.part(i) }?.raw.kind == HQ_SET_PRODUCT {
                    return Err(Error::Unsupported);
                }
            }
        }
        Ok(checked)
    }

    /// # Safety
    /// As [`Checked::new`].
    unsafe fn one(set: *const hq_set) -> Result<Checked, Error> {
        if set.is_null() {
            return Err(Error::NullPointer);
        }
        if !set.is_aligned() {
            return Err(Error::Misaligned);
        }
        // SAFETY: neither NULL nor misaligned; the caller vouches for the rest.
        let raw = unsafe { set.read() };
        if !matches!(raw.kind, HQ_SET_L2_BALL..=HQ_SET_PRODUCT | HQ_SET_SIMPLEX..=HQ_SET_EXACT_TERNARY) {
            return Err(Error::UnknownEnum);
        }
        if raw.reserved != 0 {
            return Err(Error::InvalidArgument);
        }
        Ok(Checked { raw, a: Input::new(raw.a, raw.a_len)?, b: Input::new(raw.b, raw.b_len)? })
    }

    /// # Safety
    /// As [`Checked::new`]; `i` is below the count of a product.
    unsafe fn part(&self, i: usize) -> Result<Checked, Error> {
        if self.raw.sets.is_null() {
            return Err(Error::NullPointer);
        }
        // SAFETY: the caller vouches for `count` sets.
        unsafe { Checked::one(self.raw.sets.wrapping_add(i)) }
    }

    /// Refuses outputs that overlap each other, an input, or an array of the set.
    ///
    /// # Safety
    /// As [`Checked::new`].
    pub(in crate::capi) unsafe fn apart(&self, outputs: &[Span], inputs: &[Span]) -> Result<(), Error> {
        disjoint(outputs, inputs)?;
        for output in outputs {
            disjoint(&[*output], &[self.a.span(), self.b.span()])?;
            if self.raw.kind == HQ_SET_PRODUCT {
                for i in 0..self.raw.count {
                    // SAFETY: as the caller's.
                    let part = unsafe { self.part(i) }?;
                    disjoint(&[*output], &[part.a.span(), part.b.span()])?;
                }
            }
        }
        Ok(())
    }

    /// The set; the parts of a product go to `room`.
    ///
    /// # Safety
    /// The arrays are readable, and nobody writes them during `'a`.
    pub(in crate::capi) unsafe fn set<'a>(&self, room: &'a mut Parts<'a>) -> Result<Set<'a>, Error> {
        if self.raw.kind != HQ_SET_PRODUCT {
            // SAFETY: as the caller's.
            return unsafe { self.plain() };
        }
        let room = room.get_mut(..self.raw.count).ok_or(Error::InvalidArgument)?;
        for (i, to) in room.iter_mut().enumerate() {
            // SAFETY: as the caller's.
            let part = unsafe { self.part(i) }?;
            // SAFETY: as the caller's.
            *to = Part { set: unsafe { part.plain() }?, len: part.raw.len };
        }
        Ok(Set::Product(Product { parts: room }))
    }

    /// Any set but a product.
    ///
    /// # Safety
    /// The arrays are readable, and nobody writes them during `'a`.
    unsafe fn plain<'a>(&self) -> Result<Set<'a>, Error> {
        // SAFETY: the caller vouches for the memory.
        let (a, b) = unsafe { (self.a.slice(), self.b.slice()) };
        let hq_set { kind, radius, value, count, .. } = self.raw;
        let center = (!a.is_empty()).then_some(a);
        Ok(match kind {
            HQ_SET_L2_BALL => Set::L2Ball(L2Ball { center, radius }),
            HQ_SET_BOX => {
                let (lower, upper) = (limit(a, f32::NEG_INFINITY), limit(b, f32::INFINITY));
                Set::Box(BoxSet { lower, upper })
            }
            HQ_SET_NON_NEGATIVE => Set::NonNegative(NonNegative),
            HQ_SET_LINF_BALL => Set::LinfBall(LinfBall { center, radius }),
            HQ_SET_HALFSPACE => Set::Halfspace(Halfspace { normal: a, bound: value }),
            HQ_SET_HYPERPLANE => Set::Hyperplane(Hyperplane { normal: a, bound: value }),
            HQ_SET_AFFINE => Set::Affine(Affine { rows: count, factor: a }),
            HQ_SET_SECOND_ORDER_CONE => Set::SecondOrderCone(SecondOrderCone),
            HQ_SET_SPHERE => Set::Sphere(Sphere { center, radius }),
            HQ_SET_ROW_MAX_NORM => Set::RowMaxNorm(RowMaxNorm { cols: count, radius }),
            HQ_SET_PRODUCT => return Err(Error::Unsupported),
            HQ_SET_SIMPLEX => Set::Simplex(Simplex { total: radius }),
            HQ_SET_CAPPED_SIMPLEX => Set::CappedSimplex(CappedSimplex { cap: value, total: radius }),
            HQ_SET_L1_BALL => Set::L1Ball(L1Ball { center, radius }),
            HQ_SET_TOP_K => Set::TopK(TopK { count }),
            HQ_SET_CODEBOOK => Set::Codebook(Codebook { values: a }),
            HQ_SET_EXACT_TERNARY => Set::ExactTernary(ExactTernary),
            _ => return Err(Error::UnknownEnum),
        })
    }
}

/// Runs `work` with the set of C, once it is certain that no output overlaps another buffer or an array of the set.
///
/// # Safety
/// `set` is NULL, misaligned, or valid, with its arrays and parts; nobody writes them meanwhile but through `outputs`.
pub(super) unsafe fn with_set<R>(
    set: *const hq_set,
    outputs: &[Span],
    inputs: &[Span],
    work: impl FnOnce(&Set<'_>) -> Result<R, Error>,
) -> Result<R, Error> {
    let mut room = NO_PARTS;
    // SAFETY: as the caller's.
    let set = unsafe { Checked::new(set) }?;
    // SAFETY: as the caller's.
    unsafe { set.apart(outputs, inputs) }?;
    // SAFETY: as the caller's.
    work(&unsafe { set.set(&mut room) }?)
}

/// A bound for each coordinate, for all, or none.
fn limit(values: &[f32], none: f32) -> Limit<'_> {
    match values {
        [] => Limit::One(none),
        [one] => Limit::One(*one),
        each => Limit::Each(each),
    }
}
