//! A constraint set as a C struct.

use crate::Error;
use crate::capi::pointers::{Input, Span};
use crate::constrain::{L2Ball, Set};

/// `{x : |x - c| <= r}` in the Euclidean norm. `radius`: r; `a`: the centre c, or NULL with `a_len` 0 for the origin.
pub const HQ_SET_L2_BALL: i32 = 0;

/// A constraint set. Which fields count says the kind; set all others to 0 or NULL (`hq_set s = {0};` does).
///
/// The struct and the arrays that it points to are only read, and are not kept.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct hq_set {
    /// One of `HQ_SET_*`.
    pub kind: i32,
    /// 0.
    pub reserved: i32,
    /// A radius, a bound, a budget.
    pub radius: f32,
    /// A second number.
    pub value: f32,
    /// The first array.
    pub a: *const f32,
    /// Its length.
    pub a_len: usize,
    /// The second array.
    pub b: *const f32,
    /// Its length.
    pub b_len: usize,
    /// How many: non-zero values, rows, parts.
    pub count: usize,
    /// As a part of a product: how many values it takes. 0 otherwise.
    pub len: usize,
    /// The parts of a product.
    pub sets: *const hq_set,
}

const _: () = assert!(size_of::<hq_set>() == 16 + 7 * size_of::<usize>());

/// A set whose pointers have been checked, but not yet borrowed.
#[derive(Clone, Copy)]
pub(super) struct Checked {
    raw: hq_set,
    a: Input<f32>,
    b: Input<f32>,
}

impl Checked {
    /// # Safety
    /// `set` is NULL, misaligned, or valid.
    ///
    /// # Errors
    /// `UnknownEnum`, `NullPointer`, `Misaligned`, `SizeOverflow`; `InvalidArgument` for a reserved field that is set.
    pub(super) unsafe fn new(set: *const hq_set) -> Result<Checked, Error> {
        if set.is_null() {
            return Err(Error::NullPointer);
        }
        if !set.is_aligned() {
            return Err(Error::Misaligned);
        }
        // SAFETY: neither NULL nor misaligned; the caller vouches for the rest.
        let raw = unsafe { set.read() };
        match raw.kind {
            HQ_SET_L2_BALL => {}
            _ => return Err(Error::UnknownEnum),
        }
        if raw.reserved != 0 {
            return Err(Error::InvalidArgument);
        }
        Ok(Checked { raw, a: Input::new(raw.a, raw.a_len)?, b: Input::new(raw.b, raw.b_len)? })
    }

    /// Where its arrays lie, which no output may overlap.
    pub(super) fn spans(&self) -> [Span; 2] {
        [self.a.span(), self.b.span()]
    }

    /// # Safety
    /// The arrays are readable, and nobody writes them during `'a`.
    pub(super) unsafe fn set<'a>(&self) -> Result<Set<'a>, Error> {
        // SAFETY: the caller vouches for the memory.
        let (a, _b) = unsafe { (self.a.slice(), self.b.slice()) };
        let given = |x: &'a [f32]| (!x.is_empty()).then_some(x);
        Ok(match self.raw.kind {
            HQ_SET_L2_BALL => Set::L2Ball(L2Ball { center: given(a), radius: self.raw.radius }),
            _ => return Err(Error::UnknownEnum),
        })
    }
}
