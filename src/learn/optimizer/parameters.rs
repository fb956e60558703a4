//! Parameters after a step: packed, and as the model is to see them.

use crate::Error;
use crate::math::{Compensated, sqrt, tree_sum};
use crate::quant::{
    Granularity, NonFinite, Options as Quantizer, dequantize, quantize, quantize_workspace_size,
};
use crate::workspace::{Carver, Layout};

use super::options::{Group, Options};

/// Values that are quantized at a time: eight blocks of 256.
const STRETCH: usize = 2048;
const RUN: usize = 256;

fn quantizer(options: &Options) -> Quantizer {
    Quantizer { fit: options.fit, granularity: Granularity::Block, non_finite: NonFinite::Saturate }
}

/// The scratch of a [`Packer`].
pub(super) fn layout(options: &Options, layout: Layout) -> Result<Layout, Error> {
    let fit = quantize_workspace_size(options.format, &quantizer(options), 1, STRETCH)?;
    layout.array::<f32>(STRETCH)?.array::<u8>(options.format.row_bytes(STRETCH)?)?.array::<u8>(fit)
}

/// The buffers of a [`Packer`].
pub(super) struct Room<'a> {
    hard: &'a mut [f32],
    packed: &'a mut [u8],
    fit: &'a mut [u8],
}

impl<'a> Room<'a> {
    pub(super) fn take(options: &Options, carver: &mut Carver<'a>) -> Result<Room<'a>, Error> {
        let fit = quantize_workspace_size(options.format, &quantizer(options), 1, STRETCH)?;
        Ok(Room {
            hard: carver.take(STRETCH)?,
            packed: carver.take(options.format.row_bytes(STRETCH)?)?,
            fit: carver.take(fit)?,
        })
    }
}

/// Sums of squares of the parameters and of what packing changes, each value times `guard`.
pub(super) struct Loss {
    guard: f32,
    whole: Compensated,
    lost: Compensated,
}

impl Loss {
    pub(super) fn new(guard: f32) -> Loss {
        Loss { guard, whole: Compensated::default(), lost: Compensated::default() }
    }

    fn add(&mut self, p: &[f32], hard: &[f32]) {
        let (mut whole, mut lost) = ([0.0f32; 16], [0.0f32; 16]);
        for (p, hard) in p.chunks(16).zip(hard.chunks(16)) {
            for (((whole, lost), &p), &hard) in whole.iter_mut().zip(&mut lost).zip(p).zip(hard) {
                let (v, error) = (p * self.guard, (p - hard) * self.guard);
                *whole += v * v;
                *lost += error * error;
            }
        }
        self.whole.add(tree_sum(whole));
        self.lost.add(tree_sum(lost));
    }

    /// The root of the one over the other.
    pub(super) fn relative(&self) -> f32 {
        if self.whole.value() > 0.0 { sqrt(self.lost.value() / self.whole.value()) } else { 0.0 }
    }
}

/// Quantizes a group as far as it is done, row by row, in pieces that are still in the first cache level.
pub(super) struct Packer<'a> {
    pub(super) options: &'a Options,
    /// 1: the model sees the parameters as they are; 0: packed.
    pub(super) inverse_slope: f32,
    pub(super) cols: usize,
    /// Where the next piece begins: in the group, and in its row.
    from: usize,
    column: usize,
    /// The bytes and values not yet written; empty if they are not asked for.
    packed: &'a mut [u8],
    visible: &'a mut [f32],
}

impl<'a> Packer<'a> {
    /// Takes the group's part from the front of both outputs.
    pub(super) fn new(
        options: &'a Options,
        inverse_slope: f32,
        group: &Group,
        packed: &mut &'a mut [u8],
        visible: &mut &'a mut [f32],
    ) -> Result<Packer<'a>, Error> {
        let bytes = options.format.matrix_bytes(group.rows, group.cols)?;
        Ok(Packer {
            options,
            inverse_slope,
            cols: group.cols,
            from: 0,
            column: 0,
            packed: front(packed, bytes),
            visible: front(visible, group.len()?),
        })
    }

    /// Goes on as far as `done` values of the group are final.
    pub(super) fn advance(
        &mut self,
        p: &[f32],
        done: usize,
        room: &mut Room<'_>,
        loss: &mut Loss,
    ) -> Result<(), Error> {
        if self.packed.is_empty() && self.visible.is_empty() {
            return Ok(());
        }
        while self.from < done {
            let (here, left) = (done - self.from, self.cols.saturating_sub(self.column));
            let take = left.min(STRETCH);
            if take == 0 || here < take {
                break;
            }
            let Some(p) = p.get(self.from..self.from + take) else { break };
            self.piece(p, room, loss)?;
            self.from += take;
            self.column = if take == left { 0 } else { self.column + take };
        }
        Ok(())
    }

    fn piece(&mut self, p: &[f32], room: &mut Room<'_>, loss: &mut Loss) -> Result<(), Error> {
        let format = self.options.format;
        let bytes = format.row_bytes(p.len())?;
        let own = front(&mut self.packed, bytes);
        let packed = if own.is_empty() { room.packed.get_mut(..bytes).unwrap_or_default() } else { own };
        quantize(format, &quantizer(self.options), 1, p.len(), p, packed, room.fit)?;
        let hard = room.hard.get_mut(..p.len()).unwrap_or_default();
        dequantize(format, 1, p.len(), packed, hard)?;
        loss.add(p, hard);
        let visible = front(&mut self.visible, p.len());
        for ((visible, hard), p) in visible.chunks_mut(RUN).zip(hard.chunks(RUN)).zip(p.chunks(RUN)) {
            soften(self.inverse_slope, p, hard, visible);
        }
        Ok(())
    }
}

/// The first `len` values, if there are as many; else none.
fn front<'a, T>(rest: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    match core::mem::take(rest).split_at_mut_checked(len) {
        Some((head, tail)) => {
            *rest = tail;
            head
        }
        None => &mut [],
    }
}

/// The proximal map of a piecewise-affine regulariser whose slope grows over training (PARQ, Jin et al.,
/// arXiv:2503.15748): between two levels the line through their middle with slope `1 / inverse`, cut off at the levels;
/// beyond the last level slope `inverse`. `inverse` 1 is the identity, 0 gives the levels themselves.
fn soften(inverse: f32, p: &[f32], hard: &[f32], visible: &mut [f32]) {
    if inverse <= 0.0 {
        for (to, &v) in visible.iter_mut().zip(hard) {
            *to = v;
        }
        return;
    }
    let level = hard.iter().fold(0.0, |a: f32, v| if v.abs() > a { v.abs() } else { a });
    bend(inverse, level, p, visible);
}

/// The same for levels 0 and plus or minus `level`; `inverse` above 0.
pub(in crate::learn) fn bend(inverse: f32, level: f32, p: &[f32], visible: &mut [f32]) {
    let (middle, slope) = (0.5 * level, 1.0 / inverse);
    for (to, &v) in visible.iter_mut().zip(p) {
        let m = v.abs();
        let between = middle + (m - middle) * slope;
        let between = if between < 0.0 { 0.0 } else { between };
        let between = if between > level { level } else { between };
        let beyond = level + (m - level) * inverse;
        let m = if m > level { beyond } else { between };
        *to = if inverse >= 1.0 {
            v
        } else if v < 0.0 {
            -m
        } else {
            m
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_goes_from_the_identity_to_the_levels_and_never_falls() {
        let p: Vec<f32> = (-300..=300).map(|i| i as f32 / 100.0).collect();
        let hard: Vec<f32> =
            p.iter().map(|v| if v.abs() > 0.6 { 1.2f32.copysign(*v) } else { 0.0 }).collect();
        let mut last = vec![0.0; p.len()];
        for inverse in [1.0, 0.7, 0.3, 0.01, 0.0] {
            let mut out = vec![0.0; p.len()];
            soften(inverse, &p, &hard, &mut out);
            if inverse == 1.0 {
                assert_eq!(out, p);
            }
            assert!(out.windows(2).all(|w| w[1] >= w[0]), "{inverse}");
            // nearer to the levels than before
            let far = |x: &[f32]| -> f32 {
                x.iter().map(|v| v.abs().min((v.abs() - 1.2).abs())).fold(0.0, |a, b| a + b)
            };
            assert!(inverse == 1.0 || far(&out) < far(&last), "{inverse}");
            last = out;
        }
        assert_eq!(last, hard);
    }
}
