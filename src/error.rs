//! The one error type of the core, and the one source of the C status numbers.

use core::fmt;

/// Everything that a core function can refuse.
///
/// The discriminants are the `hq_status` values of the C ABI; they are append-only. Zero is
/// `HQ_OK` and therefore no variant. Whatever function returns an error has left its outputs
/// untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum Error {
    /// A pointer from C is NULL although its length is not zero.
    NullPointer = -1,
    /// The length of an input does not fit the shape given with it.
    Shape = -2,
    /// An output buffer is shorter than the shape requires; the size queries say how much it must hold.
    OutputTooSmall = -3,
    /// The scratch buffer is shorter than the `*_workspace_size` sibling says.
    WorkspaceTooSmall = -4,
    /// The size of a buffer for this shape does not fit `usize`.
    SizeOverflow = -5,
    /// An input holds a NaN or an infinity. Clean it, or choose `NonFinite::Saturate`.
    NonFinite = -6,
    /// A parameter is outside its documented range.
    InvalidArgument = -7,
    /// A number from C is not a value of the enum it stands for.
    UnknownEnum = -8,
    /// The format does not have this fit, granularity or operation; its page says what it has.
    Unsupported = -9,
    /// A pointer from C is not aligned for its element type.
    Misaligned = -10,
    /// An output overlaps an input of a function that is not `_inplace`.
    Overlap = -11,
    /// A fitted scale exceeds the largest that the format can store (`f16`: 65504). Rescale the input,
    /// or choose `NonFinite::Saturate` where there is that choice.
    ScaleRange = -12,
    /// The tier asked for does not exist on this machine.
    TierUnavailable = -13,
    /// A self-test vector gave another result than the golden one: do not trust this build on this machine.
    SelfTest = -14,
    /// Data are damaged, cut short, or not what they should be: a checksum, a length or a field is wrong.
    Corrupt = -15,
    /// Data were written by a newer version of this library.
    Version = -16,
    /// No choice of formats fits the budget.
    Budget = -17,
    /// A cluster has no points, and the policy is to refuse that.
    EmptyCluster = -18,
    /// No answer meets all bounds at once: the least values add up to too much, the largest to too little, or a least
    /// one is above its largest.
    Infeasible = -19,
    /// The rows of a system of equations depend on each other, to the precision of `f32`.
    RankDeficient = -20,
}

impl Error {
    /// Every variant, in the order of the status numbers.
    pub const ALL: [Error; 20] = [
        Error::NullPointer,
        Error::Shape,
        Error::OutputTooSmall,
        Error::WorkspaceTooSmall,
        Error::SizeOverflow,
        Error::NonFinite,
        Error::InvalidArgument,
        Error::UnknownEnum,
        Error::Unsupported,
        Error::Misaligned,
        Error::Overlap,
        Error::ScaleRange,
        Error::TierUnavailable,
        Error::SelfTest,
        Error::Corrupt,
        Error::Version,
        Error::Budget,
        Error::EmptyCluster,
        Error::Infeasible,
        Error::RankDeficient,
    ];

    /// The `hq_status` number of this error: always negative.
    #[must_use]
    pub const fn status(self) -> i32 {
        self as i32
    }

    /// What is wrong and how to mend it, one line. The same text that `hq_status_string` gives.
    #[must_use]
    pub const fn message(self) -> &'static str {
        // A NUL-terminated literal serves Rust and C from one place; Rust drops the last byte.
        match self.message_with_nul().split_at_checked(self.message_with_nul().len() - 1) {
            Some((text, _)) => text,
            None => "",
        }
    }

    /// [`Error::message`] with a terminating NUL, for C.
    #[must_use]
    pub const fn message_with_nul(self) -> &'static str {
        match self {
            Error::NullPointer => "pointer is NULL but its length is not zero\0",
            Error::Shape => {
                "input length does not fit the shape: pass exactly the number of elements the shape names\0"
            }
            Error::OutputTooSmall => "output buffer too small: ask the size query for this shape\0",
            Error::WorkspaceTooSmall => {
                "scratch buffer too small: ask the *_workspace_size function for these arguments\0"
            }
            Error::SizeOverflow => "the size of this shape overflows size_t: split the matrix\0",
            Error::NonFinite => "input holds NaN or infinity: clean it, or choose the saturate policy\0",
            Error::InvalidArgument => "a parameter is outside its documented range\0",
            Error::UnknownEnum => "a number is not a value of the enum it stands for\0",
            Error::Unsupported => "this format does not support this fit, granularity or operation\0",
            Error::Misaligned => "pointer is not aligned for its element type\0",
            Error::Overlap => "output overlaps an input: use separate buffers or the _inplace function\0",
            Error::ScaleRange => {
                "a scale exceeds the largest f16 (65504): rescale the input, or choose the saturate policy\0"
            }
            Error::TierUnavailable => "this machine does not have the requested SIMD tier\0",
            Error::Corrupt => {
                "data are damaged or cut short (checksum, length or a field is wrong): fetch them again\0"
            }
            Error::Version => "data were written by a newer version of this library: update it\0",
            Error::Budget => {
                "no choice of formats fits the budget: ask the *_smallest function for the least one\0"
            }
            Error::EmptyCluster => {
                "a cluster has no points: choose other centers, fewer of them, or a policy that mends it\0"
            }
            Error::Infeasible => {
                "no answer meets all bounds at once: lower the least values, or raise the largest\0"
            }
            Error::RankDeficient => {
                "rows of the system depend on each other: remove those that follow from others\0"
            }
            Error::SelfTest => "self test failed: this build gives wrong results on this machine\0",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl core::error::Error for Error {}
