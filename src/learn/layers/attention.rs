//! Causal self-attention.

use crate::Error;
use crate::linear::matrix::{Form, Product};
use crate::math::{exp, sqrt, tree_sum};
use crate::workspace::{Carver, Layout, split_rows, split_rows_mut};

use super::checks::{sizes, times};
use super::weights::{Weights, add_clipped};
use super::{Backward, Forward, Layer, Parameter, Start, sealed};

/// Causal self-attention with several heads (Vaswani et al., arXiv:1706.03762): position `t` of a sample sees positions
/// `0..=t`.
///
/// A sample is `positions` vectors of `len` values. With `Q, K, V = X W_qkvᵀ`, for each head
/// `O = softmax(Q Kᵀ / sqrt(len / heads)) V`, then `Y = O W_outᵀ`, plus `X` with [`Attention::residual`]. No biases.
/// Parameters: `qkv` (3 len x len: all of Q, then K, then V, heads side by side), then `out` (len x len). Saved:
/// `positions * (4 len + heads * positions)` values a sample, and of ternary weights what forward saw. The square of the
/// positions is held, which is meant for short sequences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention {
    len: usize,
    heads: usize,
    positions: usize,
    residual: bool,
    weights: Weights,
}

impl Attention {
    /// A float layer.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a size is 0 or `heads` does not divide `len`, [`Error::SizeOverflow`].
    pub fn new(len: usize, heads: usize, positions: usize) -> Result<Attention, Error> {
        sizes(&[len, len.checked_add(1).ok_or(Error::SizeOverflow)?, 4])?;
        // With room for the sums of such products below.
        sizes(&[positions, len, 16])?;
        sizes(&[positions, positions, heads, 4])?;
        if !len.is_multiple_of(heads) {
            return Err(Error::InvalidArgument);
        }
        Ok(Attention { len, heads, positions, residual: false, weights: Weights::Float })
    }

    /// The same with the inputs added to the outputs.
    #[must_use]
    pub fn residual(self) -> Attention {
        Attention { residual: true, ..self }
    }

    /// The same with other eyes for both weight matrices, as [`Linear::seen`](super::Linear::seen).
    ///
    /// # Errors
    /// Likewise.
    pub fn seen(self, weights: Weights) -> Result<Attention, Error> {
        weights.check()?;
        Ok(Attention { weights, ..self })
    }

    /// Values of a vector in one head.
    fn head(&self) -> usize {
        self.len.checked_div(self.heads).unwrap_or_default()
    }

    /// Weights of `out`; those of `qkv` are three times as many.
    fn square(&self) -> usize {
        self.len * self.len
    }

    /// What a product of the layer is: `[rows, cols, inner]`.
    fn product(&self, form: Form, [rows, cols, inner]: [usize; 3], add: bool) -> Product {
        Product { form, rows, cols, inner, add }
    }

    /// Bytes of the scratch of the products.
    fn panels(&self) -> Result<usize, Error> {
        let (len, positions, head) = (self.len, self.positions, self.head());
        let mut most = 0;
        for (cols, inner) in
            [(3 * len, len), (len, 3 * len), (len, positions), (positions, head), (head, positions)]
        {
            let product = self.product(Form::AB, [1, cols, inner], false);
            most = product.workspace_size()?.max(most);
        }
        Ok(most)
    }

    /// Floats of scratch, beside panels and weights.
    fn room(&self) -> [usize; 3] {
        let (len, positions) = (self.len, self.positions);
        let clipped = if self.weights.clip().is_some() { 4 * self.square() } else { 0 };
        // Parts of a head; gradients of what is saved; gradients that are clipped.
        [positions * (5 * self.head() + positions), 4 * positions * len, clipped]
    }

    fn layout(&self) -> Result<Layout, Error> {
        let [head, gradients, clipped] = self.room();
        let layout = Layout::EMPTY.array::<f32>(head)?.array::<f32>(gradients)?.array::<f32>(clipped)?;
        let layout = layout.array::<u8>(self.panels()?)?;
        let layout = self.weights.layout(3 * self.len, self.len, layout)?;
        self.weights.layout(self.len, self.len, layout)
    }

    /// Saved values of a sample.
    fn sample(&self) -> usize {
        self.positions * (4 * self.len + self.heads * self.positions)
    }

    /// Cuts the saved values of a sample: Q, K and V; O; probabilities.
    fn parts<'s>(&self, saved: &'s [f32]) -> [&'s [f32]; 3] {
        let (qkv, rest) = saved.split_at_checked(3 * self.positions * self.len).unwrap_or_default();
        let (o, p) = rest.split_at_checked(self.positions * self.len).unwrap_or_default();
        [qkv, o, p]
    }

    /// Copies one head of Q, K, V or of what has their shape: columns `from..` of rows of `width`.
    fn gather(&self, rows: &[f32], width: usize, from: usize, to: &mut [f32]) {
        for (row, to) in split_rows(rows, width).zip(split_rows_mut(to, self.head())) {
            for (to, &v) in to.iter_mut().zip(row.get(from..).unwrap_or_default()) {
                *to = v;
            }
        }
    }

    /// The way back.
    fn scatter(&self, from: &[f32], rows: &mut [f32], width: usize, at: usize) {
        for (row, from) in split_rows_mut(rows, width).zip(split_rows(from, self.head())) {
            for (to, &v) in row.get_mut(at..).unwrap_or_default().iter_mut().zip(from) {
                *to = v;
            }
        }
    }

    /// 1 / root of the values of a head.
    fn scale(&self) -> f32 {
        1.0 / sqrt(self.head() as f32)
    }

    /// One sample forward.
    fn sample_forward(
        &self,
        [w_qkv, w_out]: [&[f32]; 2],
        x: &[f32],
        [y, saved]: [&mut [f32]; 2],
        head_room: &mut [f32],
        panels: &mut [u8],
    ) -> Result<(), Error> {
        let (t, len, head) = (self.positions, self.len, self.head());
        let (qkv, rest) = saved.split_at_mut_checked(3 * t * len).ok_or(Error::OutputTooSmall)?;
        let (o, all) = rest.split_at_mut_checked(t * len).ok_or(Error::OutputTooSmall)?;
        self.product(Form::ABt, [t, 3 * len, len], false).run(x, w_qkv, qkv, panels)?;
        let mut parts = split_rows_mut(head_room, t * head);
        let (Some(q), Some(k), Some(v), Some(out)) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::WorkspaceTooSmall);
        };
        for (h, p) in split_rows_mut(all, t * t).enumerate() {
            let at = h * head;
            self.gather(qkv, 3 * len, at, q);
            self.gather(qkv, 3 * len, at + len, k);
            self.gather(qkv, 3 * len, at + 2 * len, v);
            self.product(Form::ABt, [t, t, head], false).run(q, k, p, panels)?;
            for (i, row) in split_rows_mut(p, t).enumerate() {
                causal_softmax(row, i + 1, self.scale());
            }
            self.product(Form::AB, [t, head, t], false).run(p, v, out, panels)?;
            self.scatter(out, o, len, at);
        }
        if self.residual {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = x;
            }
        }
        self.product(Form::ABt, [t, len, len], self.residual).run(o, w_out, y, panels)
    }

    /// Gradients of Q, K and V of a sample, from those of O.
    fn heads_backward(
        &self,
        [qkv, p, of_o]: [&[f32]; 3],
        of_qkv: &mut [f32],
        head_room: &mut [f32],
        panels: &mut [u8],
    ) -> Result<(), Error> {
        let (t, len, head) = (self.positions, self.len, self.head());
        let (parts, of_p) = head_room.split_at_mut_checked(5 * t * head).ok_or(Error::WorkspaceTooSmall)?;
        let mut parts = split_rows_mut(parts, t * head);
        let (Some(q), Some(k), Some(v), Some(from), Some(to)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::WorkspaceTooSmall);
        };
        for (h, p) in split_rows(p, t * t).enumerate() {
            let at = h * head;
            self.gather(qkv, 3 * len, at, q);
            self.gather(qkv, 3 * len, at + len, k);
            self.gather(qkv, 3 * len, at + 2 * len, v);
            self.gather(of_o, len, at, from);
            self.product(Form::ABt, [t, t, head], false).run(from, v, of_p, panels)?;
            self.product(Form::AtB, [t, head, t], false).run(p, from, to, panels)?;
            self.scatter(to, of_qkv, 3 * len, at + 2 * len);
            for (p, of_p) in split_rows(p, t).zip(split_rows_mut(of_p, t)) {
                softmax_backward(p, of_p, self.scale());
            }
            self.product(Form::AB, [t, head, t], false).run(of_p, k, to, panels)?;
            self.scatter(to, of_qkv, 3 * len, at);
            self.product(Form::AtB, [t, head, t], false).run(of_p, q, to, panels)?;
            self.scatter(to, of_qkv, 3 * len, at + len);
        }
        Ok(())
    }
}

/// Scores to probabilities: of the first `seen` times `scale`, 0 behind them.
fn causal_softmax(row: &mut [f32], seen: usize, scale: f32) {
    let Some((row, hidden)) = row.split_at_mut_checked(seen) else { return };
    hidden.fill(0.0);
    let most = row.iter().fold(f32::MIN, |most, &x| if x > most { x } else { most });
    let mut lanes = [0.0f32; 16];
    for row in row.chunks_mut(16) {
        for (lane, x) in lanes.iter_mut().zip(row) {
            *x = exp((*x - most) * scale);
            *lane += *x;
        }
    }
    let sum = tree_sum(lanes);
    for x in row {
        *x /= sum;
    }
}

/// Gradients of probabilities to those of scores, in place.
fn softmax_backward(p: &[f32], gradient: &mut [f32], scale: f32) {
    let mut lanes = [0.0f32; 16];
    for (p, gradient) in p.chunks(16).zip(gradient.chunks(16)) {
        for ((lane, &p), &g) in lanes.iter_mut().zip(p).zip(gradient) {
            *lane += p * g;
        }
    }
    let mean = tree_sum(lanes);
    for (g, &p) in gradient.iter_mut().zip(p) {
        *g = p * (*g - mean) * scale;
    }
}

impl sealed::Sealed for Attention {}

impl Layer for Attention {
    fn input_len(&self) -> usize {
        self.positions * self.len
    }

    fn output_len(&self) -> usize {
        self.positions * self.len
    }

    fn parameter(&self, index: usize) -> Option<Parameter> {
        let start = Start::he(self.len);
        match index {
            0 => Some(Parameter { name: "qkv", rows: 3 * self.len, cols: self.len, start }),
            1 => Some(Parameter { name: "out", rows: self.len, cols: self.len, start }),
            _ => None,
        }
    }

    fn saved_len(&self, batch: usize) -> Result<usize, Error> {
        let qkv = self.weights.saved_len(3 * self.len, self.len)?;
        let out = self.weights.saved_len(self.len, self.len)?;
        times(batch, self.sample())?.checked_add(qkv + out).ok_or(Error::SizeOverflow)
    }

    fn workspace_size(&self, _: usize) -> Result<usize, Error> {
        Ok(self.layout()?.size())
    }

    fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
        let Forward { parameters, input, output, saved, scratch, .. } = job.checked(self)?;
        let (w_qkv, w_out) = parameters.split_at_checked(3 * self.square()).ok_or(Error::Shape)?;
        let of_qkv = self.weights.saved_len(3 * self.len, self.len)?;
        let of_out = self.weights.saved_len(self.len, self.len)?;
        let (seen_qkv, rest) = saved.split_at_mut_checked(of_qkv).ok_or(Error::OutputTooSmall)?;
        let (seen_out, saved) = rest.split_at_mut_checked(of_out).ok_or(Error::OutputTooSmall)?;
        let mut carver = Carver::new(scratch);
        let [head, _, _] = self.room();
        let head_room = carver.take::<f32>(head)?;
        let panels = carver.take::<u8>(self.panels()?)?;
        let (w_qkv, _) = self.weights.see((3 * self.len, self.len), w_qkv, seen_qkv, &mut carver)?;
        let (w_out, _) = self.weights.see((self.len, self.len), w_out, seen_out, &mut carver)?;
        let each = split_rows(input, self.input_len()).zip(split_rows_mut(output, self.output_len()));
        for ((x, y), saved) in each.zip(split_rows_mut(saved, self.sample())) {
            self.sample_forward([w_qkv, w_out], x, [y, saved], head_room, panels)?;
        }
        Ok(())
    }

    fn backward(&self, job: Backward<'_>) -> Result<(), Error> {
        let job = job.checked(self)?;
        let (t, len, square) = (self.positions, self.len, self.square());
        let (w_qkv, w_out) = job.parameters.split_at_checked(3 * square).ok_or(Error::Shape)?;
        let of_qkv = self.weights.saved_len(3 * len, len)?;
        let of_out = self.weights.saved_len(len, len)?;
        let (seen_qkv, rest) = job.saved.split_at_checked(of_qkv).ok_or(Error::Shape)?;
        let (seen_out, saved) = rest.split_at_checked(of_out).ok_or(Error::Shape)?;
        let (seen_qkv, scales_qkv) = self.weights.seen(w_qkv, seen_qkv);
        let (seen_out, scales_out) = self.weights.seen(w_out, seen_out);
        let mut carver = Carver::new(job.scratch);
        let [head, gradients, clipped] = self.room();
        let head_room = carver.take::<f32>(head)?;
        let gradients = carver.take::<f32>(gradients)?;
        let clipped = carver.take::<f32>(clipped)?;
        let panels = carver.take::<u8>(self.panels()?)?;
        let (of_o, of_qkv) = gradients.split_at_mut_checked(t * len).ok_or(Error::WorkspaceTooSmall)?;
        clipped.fill(0.0);
        let all = job.parameters_gradient;
        let clip = self.weights.clip();
        let to = if clip.is_some() { &mut *clipped } else { &mut *all };
        let (to_qkv, to_out) = to.split_at_mut_checked(3 * square).ok_or(Error::OutputTooSmall)?;
        let mut to_inputs = job.input_gradient.map(|to| split_rows_mut(to, t * len));
        let each = split_rows(job.input, t * len).zip(split_rows(job.output_gradient, t * len));
        for ((x, from), saved) in each.zip(split_rows(saved, self.sample())) {
            let [qkv, o, p] = self.parts(saved);
            self.product(Form::AtB, [len, len, t], true).run(from, o, to_out, panels)?;
            self.product(Form::AB, [t, len, len], false).run(from, seen_out, of_o, panels)?;
            self.heads_backward([qkv, p, of_o], of_qkv, head_room, panels)?;
            self.product(Form::AtB, [3 * len, len, t], true).run(of_qkv, x, to_qkv, panels)?;
            let Some(to) = to_inputs.as_mut().and_then(Iterator::next) else { continue };
            if self.residual {
                for (to, &v) in to.iter_mut().zip(from) {
                    *to = v;
                }
            }
            self.product(Form::AB, [t, len, 3 * len], self.residual).run(of_qkv, seen_qkv, to, panels)?;
        }
        if let Some(clip) = clip {
            let (to_qkv, to_out) = all.split_at_mut_checked(3 * square).ok_or(Error::OutputTooSmall)?;
            let (qkv, out) = clipped.split_at_checked(3 * square).ok_or(Error::WorkspaceTooSmall)?;
            add_clipped(clip, scales_qkv, w_qkv, qkv, to_qkv);
            add_clipped(clip, scales_out, w_out, out, to_out);
        }
        Ok(())
    }
}
