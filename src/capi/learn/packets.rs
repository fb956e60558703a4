//! Room `learn`: gradients on the wire.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::learn::optimizer::Storage;
use crate::learn::packets::{
    self, HEADER_BYTES, Info, MAX_WEIGHT, Options, Sums, Tag, packet_size, residual_size, workspace_size,
};

/// Bytes before the body of a gradient packet. The body is the packed gradient of the optimizer.
pub const HQ_GRADIENT_PACKET_HEADER_SIZE: usize = 40;
/// All weights of sums of gradients together: 2^19.
pub const HQ_GRADIENT_MAX_WEIGHT: u32 = 524_288;

const _: () = {
    assert!(HQ_GRADIENT_PACKET_HEADER_SIZE == HEADER_BYTES);
    assert!(HQ_GRADIENT_MAX_WEIGHT == MAX_WEIGHT);
    assert!(size_of::<hq_gradient_packet_options>() == 24);
    assert!(size_of::<hq_gradient_tag>() == 24);
    assert!(size_of::<hq_gradient_packet>() == 40);
    assert!(size_of::<hq_gradient_sums>() == 32);
    assert!(size_of::<hq_gradient_sums>() == size_of::<Sums>());
};

/// How gradients become packets; 24 bytes. Fill it with `hq_gradient_packet_options_init`, then change what you need.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_gradient_packet_options {
    /// Root mean squares at which magnitudes are clipped when the scale is fitted; above 0, infinity: never.
    pub sigma: f32,
    /// Scales are multiples of 2^unit, -100 to 60; the same for all packets of a run. Gradients with their residual must
    /// stay below 2^(unit + 44).
    pub unit: i32,
    /// How the residual is held: `HQ_STORAGE_F32`, `HQ_STORAGE_INT8`, `HQ_STORAGE_INT4`, or `HQ_STORAGE_NONE`: what is
    /// lost is lost for good.
    pub residual: i32,
    /// Zero.
    pub reserved: i32,
    /// Of the random rounding of residuals in few bits.
    pub seed: u64,
}

/// What a packet is of; 24 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_gradient_tag {
    /// The step of the run.
    pub step: u64,
    /// Where the values begin among all parameters: a gradient may be sent in slices.
    pub first: u64,
    /// The shard of the batch.
    pub shard: u32,
    /// Samples of the shard, 1 to `HQ_GRADIENT_MAX_WEIGHT`; 1 for all where shards are of equal size.
    pub weight: u32,
}

/// What a packet says about itself; 40 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_gradient_packet {
    /// The step of the run.
    pub step: u64,
    /// Where its values begin among all parameters.
    pub first: u64,
    /// Its values.
    pub len: u64,
    /// The shard of the batch.
    pub shard: u32,
    /// Samples of the shard.
    pub weight: u32,
    /// Its scales are multiples of 2^unit.
    pub unit: i32,
    /// Zero.
    pub reserved: u32,
}

/// What an array of `int64_t` sums of packets stands for; 32 bytes, plain: it may be sent with the array. Fill it with
/// `hq_gradient_sums_init`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_gradient_sums {
    /// Of all packets in it.
    pub step: u64,
    /// Where the values begin among all parameters.
    pub first: u64,
    /// Of all packets together: at most `HQ_GRADIENT_MAX_WEIGHT`.
    pub weight: u32,
    /// How many packets are in it.
    pub packets: u32,
    /// The sums are multiples of 2^unit, times weights.
    pub unit: i32,
    /// Zero.
    pub reserved: u32,
}

/// The options that a pointer stands for.
///
/// # Safety
/// NULL, or one readable struct.
unsafe fn options(options: *const hq_gradient_packet_options) -> Result<Options, Error> {
    let options = Input::optional(options)?;
    // SAFETY: the caller vouches for the memory.
    match unsafe { options.slice() }.first() {
        None => Ok(Options::default()),
        Some(o) if o.reserved != 0 => Err(Error::InvalidArgument),
        Some(o) => Ok(Options {
            sigma: o.sigma,
            unit: o.unit,
            residual: Storage::from_i32(o.residual)?,
            seed: o.seed,
        }),
    }
}

fn described(info: &Info) -> hq_gradient_packet {
    hq_gradient_packet {
        step: info.step,
        first: info.first,
        len: info.len as u64,
        shard: info.shard,
        weight: info.weight,
        unit: info.unit,
        reserved: 0,
    }
}

/// Fills `options` with the defaults, which NULL stands for: clip at 2.5 root mean squares, units of 2^-34 (gradients below
/// 1024), residual in `float`.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`; nothing is written then. Callable from any thread.
///
/// # Safety
/// `options` points to one writable struct.
///
/// ```c
/// hq_gradient_packet_options options;
/// assert(hq_gradient_packet_options_init(&options) == HQ_OK && options.unit == -34);
/// options.residual = HQ_STORAGE_INT8;
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_gradient_packet_options_init(
    options: *mut hq_gradient_packet_options,
) -> hq_status {
    status(|| {
        let options = Output::new(options, 1)?;
        let o = Options::default();
        let value = hq_gradient_packet_options {
            sigma: o.sigma,
            unit: o.unit,
            residual: o.residual as i32,
            reserved: 0,
            seed: o.seed,
        };
        // SAFETY: the caller vouches for the memory.
        unsafe { options.write(value) };
        Ok(())
    })
}

/// Bytes of a packet of `len` values: a header of 40 bytes, then for each 1280 values a scale of 4 bytes and five trits a
/// byte. `SIZE_MAX` on overflow, and from 2^32 values on.
///
/// ```c
/// assert(hq_gradient_packet_size(12800) == 40 + 10 * 260); // as floats: 51200
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_gradient_packet_size(len: usize) -> usize {
    size(|| packet_size(len))
}

/// Bytes of the residual of `len` values, which the sender keeps for each shard; zeros before the first step. `SIZE_MAX` on
/// overflow, for options out of range and for pointers that cannot be read.
///
/// # Safety
/// `options` is NULL or points to one struct.
///
/// ```c
/// assert(hq_gradient_packet_residual_size(NULL, 100) == 400);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_gradient_packet_residual_size(
    options: *const hq_gradient_packet_options,
    len: usize,
) -> usize {
    // SAFETY: the caller vouches for the memory.
    size(|| residual_size(&unsafe { self::options(options) }?, len))
}

/// Bytes of scratch for `hq_gradient_packet_encode`: at most 15369. `SIZE_MAX` on overflow.
///
/// ```c
/// assert(hq_gradient_packet_workspace_size(1000000) <= 15369);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_gradient_packet_workspace_size(len: usize) -> usize {
    size(|| workspace_size(len))
}

/// Makes a packet of the gradient of a shard: trits and a scale for each 1280 values. What is lost goes to the residual, and with
/// the next gradient into the next packet.
///
/// A shard is a part of a batch with a fixed number; a rank has one or several. As packets depend on the shard and not on
/// the rank, the same parameters come out on any number of ranks.
///
/// - `options`: NULL for the usual ones; the same on all ranks.
/// - `tag`: step, place, shard and weight.
/// - `gradient`: `gradient_len` values: the mean over the samples of the shard.
/// - `residual`: `residual_size` = `hq_gradient_packet_residual_size(options, gradient_len)` bytes, of this shard and these
///   parameters; read and written.
/// - `packet`: `packet_size` = `hq_gradient_packet_size(gradient_len)` bytes.
/// - `error`: the norm of what was lost over that of gradient with residual, or NULL.
/// - `scratch`: at least `hq_gradient_packet_workspace_size(gradient_len)` bytes.
///
/// The same bits on every tier and target. Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_NON_FINITE`, `HQ_ERROR_SCALE_RANGE` (a gradient with its residual reaches 2^(unit + 44)),
/// `HQ_ERROR_SHAPE` (a length), `HQ_ERROR_INVALID_ARGUMENT` (an option, the weight), `HQ_ERROR_UNKNOWN_ENUM`,
/// `HQ_ERROR_UNSUPPORTED` (a ternary residual), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_SIZE_OVERFLOW`. Residual, packet and error are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// static const float gradient[5] = {1.0f, -1.0f, 0.0f, 1.0f, 0.0f};
/// static uint8_t residual[20], packet[45], scratch[256];
/// const hq_gradient_tag tag = {0, 0, 0, 1};
/// float error, back[5];
/// assert(hq_gradient_packet_encode(NULL, &tag, gradient, 5, residual, 20, packet, 45, &error, scratch, 256) == HQ_OK);
/// assert(hq_gradient_packet_decode(packet, 45, back, 5, NULL) == HQ_OK);
/// assert(error == 0.0f && back[1] == -1.0f && back[4] == 0.0f); // three levels already: nothing is lost
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_gradient_packet_encode(
    options: *const hq_gradient_packet_options,
    tag: *const hq_gradient_tag,
    gradient: *const f32,
    gradient_len: usize,
    residual: *mut u8,
    residual_size: usize,
    packet: *mut u8,
    packet_size: usize,
    error: *mut f32,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let place = Input::optional(options)?.span();
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options) }?;
        let (tag, gradient) = (Input::new(tag, 1)?, Input::new(gradient, gradient_len)?);
        let residual = Output::new(residual, residual_size)?;
        let packet = Output::new(packet, packet_size)?;
        let error = Output::optional(error)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(
            &[residual.span(), packet.span(), error.span(), scratch.span()],
            &[place, tag.span(), gradient.span()],
        )?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (tag, gradient, residual) = unsafe { (tag.slice(), gradient.slice(), residual.slice()) };
        // SAFETY: as above.
        let (packet, error, scratch) = unsafe { (packet.slice(), error.slice(), scratch.slice()) };
        let [t] = tag else { return Err(Error::NullPointer) };
        let tag = Tag { step: t.step, first: t.first, shard: t.shard, weight: t.weight };
        let report = packets::encode(&options, &tag, gradient, residual, packet, scratch)?;
        if let [error] = error {
            *error = report.error;
        }
        Ok(())
    })
}

/// Reads and checks a whole packet: header, checksum, every scale and every code.
///
/// - `packet`: `packet_size` bytes.
/// - `info`: what it is.
///
/// Callable from any thread. Errors: `HQ_ERROR_CORRUPT` (anything that `hq_gradient_packet_encode` does not write),
/// `HQ_ERROR_VERSION` (a newer packet), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`. `info` is
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// static const uint8_t no_packet[45];
/// hq_gradient_packet info;
/// assert(hq_gradient_packet_inspect(no_packet, 45, &info) == HQ_ERROR_CORRUPT);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_gradient_packet_inspect(
    packet: *const u8,
    packet_size: usize,
    info: *mut hq_gradient_packet,
) -> hq_status {
    status(|| {
        let (packet, info) = (Input::new(packet, packet_size)?, Output::new(info, 1)?);
        disjoint(&[info.span()], &[packet.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps nothing.
        let value = described(&packets::inspect(unsafe { packet.slice() })?);
        // SAFETY: as above.
        unsafe { info.write(value) };
        Ok(())
    })
}

/// The gradient of one packet.
///
/// - `packet`: `packet_size` bytes.
/// - `out`: `out_len` values, as many as the packet has.
/// - `info`: what the packet is, or NULL.
///
/// Buffers must not overlap. Callable from any thread. Errors: as `hq_gradient_packet_inspect`, and `HQ_ERROR_SHAPE`. `out`
/// and `info` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// static const float gradient[2] = {0.5f, -0.5f};
/// static uint8_t residual[8], packet[45], scratch[256];
/// const hq_gradient_tag tag = {3, 0, 0, 1};
/// hq_gradient_packet info;
/// float back[2];
/// assert(hq_gradient_packet_encode(NULL, &tag, gradient, 2, residual, 8, packet, 45, NULL, scratch, 256) == HQ_OK);
/// assert(hq_gradient_packet_decode(packet, 45, back, 2, &info) == HQ_OK);
/// assert(back[0] == 0.5f && back[1] == -0.5f && info.step == 3 && info.len == 2);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_gradient_packet_decode(
    packet: *const u8,
    packet_size: usize,
    out: *mut f32,
    out_len: usize,
    info: *mut hq_gradient_packet,
) -> hq_status {
    status(|| {
        let (packet, out) = (Input::new(packet, packet_size)?, Output::new(out, out_len)?);
        let info = Output::optional(info)?;
        disjoint(&[out.span(), info.span()], &[packet.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (packet, out, info) = unsafe { (packet.slice(), out.slice(), info.slice()) };
        let value = described(&packets::decode(packet, out)?);
        if let [info] = info {
            *info = value;
        }
        Ok(())
    })
}

/// Sums of no packets; the array of `int64_t` beside it is to be all zeros.
///
/// - `step`, `first`, `unit`: those of the packets that are to be added; `unit` is that of the options.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`; nothing is written then. Callable from any thread.
///
/// # Safety
/// `sums` points to one writable struct.
///
/// ```c
/// hq_gradient_sums sums;
/// assert(hq_gradient_sums_init(7, 0, -34, &sums) == HQ_OK && sums.packets == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_gradient_sums_init(
    step: u64,
    first: u64,
    unit: i32,
    sums: *mut hq_gradient_sums,
) -> hq_status {
    status(|| {
        let sums = Output::new(sums, 1)?;
        let value = hq_gradient_sums { step, first, weight: 0, packets: 0, unit, reserved: 0 };
        // SAFETY: the caller vouches for the memory.
        unsafe { sums.write(value) };
        Ok(())
    })
}

/// Adds a packet to sums, in integers: the same sums in any order. Each packet is to be merged once.
///
/// - `packet`: `packet_size` bytes, from anywhere: it is checked as a whole first.
/// - `sums`, `values`: `values_len` sums, as many as the packet has values.
///
/// A scale is below 2^44 units and all weights together are at most `HQ_GRADIENT_MAX_WEIGHT`, so no sum overflows.
///
/// Buffers must not overlap. Callable from any thread. Errors: `HQ_ERROR_CORRUPT`, `HQ_ERROR_VERSION`, `HQ_ERROR_SHAPE`
/// (another length), `HQ_ERROR_INVALID_ARGUMENT` (a packet of another step, place or unit, or one too many),
/// `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. Nothing is changed then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// static const float gradients[2][2] = {{0.5f, -0.5f}, {0.25f, 0.25f}};
/// static uint8_t residuals[2][8], packet[45], scratch[256];
/// hq_gradient_tag tag = {3, 0, 0, 1};
/// hq_gradient_sums sums;
/// int64_t values[2] = {0, 0};
/// float mean[2];
/// assert(hq_gradient_sums_init(3, 0, -34, &sums) == HQ_OK);
/// for (; tag.shard < 2; tag.shard++) {
///     assert(hq_gradient_packet_encode(NULL, &tag, gradients[tag.shard], 2, residuals[tag.shard], 8, packet, 45, NULL,
///                                      scratch, 256) == HQ_OK);
///     assert(hq_gradient_packet_merge(packet, 45, &sums, values, 2) == HQ_OK);
/// }
/// assert(hq_gradient_sums_finish(&sums, values, 2, mean, 2) == HQ_OK);
/// assert(sums.packets == 2 && mean[0] == 0.375f && mean[1] == -0.125f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_gradient_packet_merge(
    packet: *const u8,
    packet_size: usize,
    sums: *mut hq_gradient_sums,
    values: *mut i64,
    values_len: usize,
) -> hq_status {
    status(|| {
        let (packet, sums) = (Input::new(packet, packet_size)?, Output::new(sums, 1)?);
        let values = Output::new(values, values_len)?;
        disjoint(&[sums.span(), values.span()], &[packet.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (packet, sums, values) = unsafe { (packet.slice(), sums.slice(), values.slice()) };
        let [sums] = bytemuck::must_cast_slice_mut(sums) else { return Err(Error::NullPointer) };
        packets::merge(packet, sums, values).map(|_| ())
    })
}

/// Adds sums to sums: those of another thread or rank, of the same step, place and unit.
///
/// - `from`, `from_values`: `from_len` sums.
/// - `sums`, `values`: as many.
///
/// Buffers must not overlap. Callable from any thread. Errors: `HQ_ERROR_SHAPE` (lengths differ),
/// `HQ_ERROR_INVALID_ARGUMENT` (sums of another kind, or weights beyond `HQ_GRADIENT_MAX_WEIGHT`), `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. Nothing is changed then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const hq_gradient_sums there = {3, 0, 2, 2, -34, 0};
/// hq_gradient_sums here = {3, 0, 1, 1, -34, 0};
/// const int64_t from[2] = {5, -7};
/// int64_t values[2] = {1, 1};
/// assert(hq_gradient_sums_join(&there, from, 2, &here, values, 2) == HQ_OK);
/// assert(here.weight == 3 && values[0] == 6 && values[1] == -6);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_gradient_sums_join(
    from: *const hq_gradient_sums,
    from_values: *const i64,
    from_len: usize,
    sums: *mut hq_gradient_sums,
    values: *mut i64,
    values_len: usize,
) -> hq_status {
    status(|| {
        let (from, from_values) = (Input::new(from, 1)?, Input::new(from_values, from_len)?);
        let (sums, values) = (Output::new(sums, 1)?, Output::new(values, values_len)?);
        disjoint(&[sums.span(), values.span()], &[from.span(), from_values.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (from, from_values) = unsafe { (from.slice(), from_values.slice()) };
        // SAFETY: as above.
        let (sums, values) = unsafe { (sums.slice(), values.slice()) };
        let [from] = bytemuck::must_cast_slice(from) else { return Err(Error::NullPointer) };
        let [sums] = bytemuck::must_cast_slice_mut(sums) else { return Err(Error::NullPointer) };
        packets::join(from, from_values, sums, values)
    })
}

/// The mean gradient of all packets in sums, weighted.
///
/// - `sums`, `values`: `values_len` sums.
/// - `mean`: `mean_len` values, as many.
///
/// Buffers must not overlap. Callable from any thread. Errors: `HQ_ERROR_SHAPE` (lengths differ),
/// `HQ_ERROR_INVALID_ARGUMENT` (sums of no packets, or such as no merge leaves), `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. `mean` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const hq_gradient_sums sums = {0, 0, 4, 2, -1, 0}; // weights of 4 in all, in halves
/// const int64_t values[2] = {8, -2};
/// float mean[2];
/// assert(hq_gradient_sums_finish(&sums, values, 2, mean, 2) == HQ_OK);
/// assert(mean[0] == 1.0f && mean[1] == -0.25f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_gradient_sums_finish(
    sums: *const hq_gradient_sums,
    values: *const i64,
    values_len: usize,
    mean: *mut f32,
    mean_len: usize,
) -> hq_status {
    status(|| {
        let (sums, values) = (Input::new(sums, 1)?, Input::new(values, values_len)?);
        let mean = Output::new(mean, mean_len)?;
        disjoint(&[mean.span()], &[sums.span(), values.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps nothing.
        let (sums, values, mean) = unsafe { (sums.slice(), values.slice(), mean.slice()) };
        let [sums] = bytemuck::must_cast_slice(sums) else { return Err(Error::NullPointer) };
        packets::finish(sums, values, mean)
    })
}
