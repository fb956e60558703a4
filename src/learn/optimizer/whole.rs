//! The step of all groups, block by block, generic over the tier.

use crate::Error;
use crate::math::{Compensated, sqrt};
use crate::simd::floats::{FloatKernel, Floats};
use crate::workspace::Carver;

use super::block::{self, Block, GradientError, Read};
use super::options::{Base, GradientForm, Group, Options, Storage};
use super::parameters::{Loss, Packer, Room};
use super::report::GroupStep;
use super::source::Source;
use super::step::Plan;
use super::store::{self, BLOCK, Dice, Kind, POSITIONS, Rest};
use super::trits;

/// Arrays of one block: gradient, parameters, gradient in use, residual, momentum, root.
pub(super) const ARRAYS: usize = 6;

/// Arrays of a block, for what is not in f32 in memory or whose length is no multiple of 16.
pub(super) struct Rooms<'a> {
    g: &'a mut [f32],
    p: &'a mut [f32],
    u: &'a mut [f32],
    e: &'a mut [f32],
    m: &'a mut [f32],
    r: &'a mut [f32],
}

impl<'a> Rooms<'a> {
    #[inline(always)]
    fn borrow(&mut self) -> Rooms<'_> {
        Rooms {
            g: &mut *self.g,
            p: &mut *self.p,
            u: &mut *self.u,
            e: &mut *self.e,
            m: &mut *self.m,
            r: &mut *self.r,
        }
    }

    pub(super) fn take(len: usize, carver: &mut Carver<'a>) -> Result<Rooms<'a>, Error> {
        let mut next = || carver.take::<f32>(len);
        Ok(Rooms { g: next()?, p: next()?, u: next()?, e: next()?, m: next()?, r: next()? })
    }
}

/// Sums of a step.
#[derive(Default)]
pub(super) struct Done {
    pub(super) wanted_norm: f32,
    pub(super) step_norm: f32,
    pub(super) bounded: usize,
    pub(super) predicted: f32,
    pub(super) cosine: f32,
    pub(super) gradient_error: f32,
    pub(super) residual: f32,
}

pub(super) struct Whole<'a, 'm, 'o> {
    pub(super) options: &'a Options,
    pub(super) groups: &'a [Group],
    pub(super) steps: u64,
    pub(super) plan: &'a Plan,
    pub(super) gradient: Source<'a>,
    pub(super) params: &'a mut [f32],
    pub(super) parts: [&'m mut [u8]; 3],
    pub(super) rooms: Rooms<'a>,
    pub(super) room: &'a mut Room<'m>,
    pub(super) loss: &'a mut Loss,
    /// Empty slices where the output is not wanted.
    pub(super) codes: &'o mut [u8],
    pub(super) group_steps: &'o mut [GroupStep],
    pub(super) packed: &'o mut [u8],
    pub(super) visible: &'o mut [f32],
}

impl FloatKernel for Whole<'_, '_, '_> {
    type Output = Result<Done, Error>;

    #[inline(always)]
    fn run<F: Floats>(mut self, f: F) -> Result<Done, Error> {
        self.all(f)
    }
}

/// Norms of groups make the norm of all: a sum of squares, scaled so that it cannot overflow.
#[derive(Default)]
struct Norms {
    scale: f32,
    squares: f32,
}

impl Norms {
    fn add(&mut self, norm: f32) {
        if norm > self.scale {
            let shrink = self.scale / norm;
            self.squares = self.squares * shrink * shrink + 1.0;
            self.scale = norm;
        } else if norm > 0.0 {
            let share = norm / self.scale;
            self.squares += share * share;
        }
    }

    fn value(&self) -> f32 {
        self.scale * sqrt(self.squares)
    }
}

/// The slices of a group.
struct Part<'a> {
    g: Source<'a>,
    p: &'a mut [f32],
    moment: &'a mut [u8],
    second: &'a mut [u8],
    residual: &'a mut [u8],
    /// Packed trits of the gradient, if they are wanted.
    codes: &'a mut [u8],
    /// The number of its first block among those of all groups.
    first: u64,
}

/// Sums over the blocks of a group, guarded.
#[derive(Default)]
struct Totals {
    squares: Compensated,
    products: Compensated,
    used: Compensated,
    lost: Compensated,
    residual: f32,
}

/// Takes `len` values from the front of `rest`.
fn front<'a, T>(rest: &mut &'a mut [T], len: usize) -> Result<&'a mut [T], Error> {
    let (head, tail) = core::mem::take(rest).split_at_mut_checked(len).ok_or(Error::Shape)?;
    *rest = tail;
    Ok(head)
}

/// The numbers of a block: where they are, if they are f32 in whole vectors (no bytes then), else in `spare`.
#[inline(always)]
fn held<'x>(
    (storage, kind): (Storage, Kind),
    bytes: &'x mut [u8],
    spare: &'x mut [f32],
    n: usize,
) -> (&'x mut [f32], &'x mut [u8]) {
    if storage == Storage::F32 && n.is_multiple_of(16) {
        return (bytemuck::try_cast_slice_mut(bytes).unwrap_or_default(), &mut []);
    }
    let values = spare.get_mut(..n.next_multiple_of(16)).unwrap_or_default();
    let (real, padding) = values.split_at_mut_checked(n).unwrap_or_default();
    store::load(storage, kind, bytes, real);
    padding.fill(0.0);
    (values, bytes)
}

/// `x` itself if it is whole vectors, else a padded copy in `spare`.
#[inline(always)]
pub(super) fn padded<'x>(x: &'x [f32], spare: &'x mut [f32]) -> &'x [f32] {
    if x.len().is_multiple_of(16) {
        return x;
    }
    let values = spare.get_mut(..x.len().next_multiple_of(16)).unwrap_or_default();
    for (i, to) in values.iter_mut().enumerate() {
        *to = x.get(i).copied().unwrap_or(0.0);
    }
    values
}

/// Whether the gradient that is used is another one than that which came, so that there is something to keep of a block.
#[inline(always)]
fn needs_room(options: &Options) -> bool {
    options.gradient == GradientForm::Ternary || options.residual != Storage::None
}

impl Whole<'_, '_, '_> {
    #[inline(always)]
    fn all<F: Floats>(&mut self, f: F) -> Result<Done, Error> {
        let (options, plan) = (self.options, self.plan);
        let direction = &plan.direction;
        let mut gradient = self.gradient;
        let mut params = core::mem::take(&mut self.params);
        let [mut moment, mut second, mut residual] = core::mem::take(&mut self.parts);
        let mut codes = core::mem::take(&mut self.codes);
        let mut packed = core::mem::take(&mut self.packed);
        let mut visible = core::mem::take(&mut self.visible);
        let steps = core::mem::take(&mut self.group_steps);
        let bytes_of = |storage, kind, len| store::run_bytes(storage, kind, len);

        let mut done = Done::default();
        let (mut wanted, mut taken, mut along) = (Norms::default(), Norms::default(), Norms::default());
        let (mut used, mut lost) = (Compensated::default(), Compensated::default());
        let (mut products, mut predicted) = (Compensated::default(), Compensated::default());
        let mut first = 0u64;
        let mut report = steps.iter_mut();
        for group in self.groups {
            let len = group.len()?;
            let (g, later) = gradient.split(len)?;
            gradient = later;
            let code_bytes = bytes_of(Storage::Ternary, Kind::Signed, len)?;
            let mut part = Part {
                g,
                p: front(&mut params, len)?,
                moment: front(&mut moment, bytes_of(options.moment, Kind::Signed, len)?)?,
                second: front(&mut second, bytes_of(options.second_storage(), Kind::Root, len)?)?,
                residual: front(&mut residual, bytes_of(options.residual, Kind::Signed, len)?)?,
                codes: if codes.is_empty() { &mut [] } else { front(&mut codes, code_bytes)? },
                first,
            };
            first += len.div_ceil(BLOCK) as u64;
            let mut rate = group.learning_rate;
            let mut bounded = false;
            if group.radius < f32::INFINITY {
                let squares = self.look(f, &mut part);
                let root = sqrt(squares);
                bounded = rate * root > group.radius * direction.guard;
                if bounded {
                    rate = group.radius * direction.guard / root;
                }
            }
            let mut packer = Packer::new(options, plan.inverse_slope, group, &mut packed, &mut visible)?;
            let totals = self.take(f, &mut part, rate, &mut packer)?;
            let root = sqrt(totals.squares.value());
            let of_group = GroupStep {
                wanted: finite(group.learning_rate * (root / direction.guard)),
                taken: finite(rate * (root / direction.guard)),
                predicted: finite(
                    rate / direction.guard * totals.products.value() / direction.gradient_guard,
                ),
                bounded: bounded as u32,
            };
            wanted.add(of_group.wanted);
            taken.add(of_group.taken);
            along.add(rate * root);
            products.add(rate * totals.products.value());
            predicted.add(of_group.predicted);
            used.add(totals.used.value());
            lost.add(totals.lost.value());
            done.bounded += bounded as usize;
            done.residual = if totals.residual > done.residual { totals.residual } else { done.residual };
            if let Some(to) = report.next() {
                *to = of_group;
            }
        }
        done.wanted_norm = wanted.value();
        done.step_norm = taken.value();
        done.predicted = finite(predicted.value());
        let norms = plan.gradient_norm * direction.gradient_guard * along.value();
        done.cosine = if norms > 0.0 { finite(products.value() / norms).clamp(-1.0, 1.0) } else { 0.0 };
        let whole = used.value();
        done.gradient_error = if whole > 0.0 { sqrt(lost.value() / whole) } else { 0.0 };
        Ok(done)
    }

    /// The gradient that a block uses, and what becomes of the residual `e`; the scale of the trits.
    #[inline(always)]
    fn used<'x, F: Floats>(
        f: F,
        options: &Options,
        clip: f32,
        (g, n): (&[f32], usize),
        u: &'x mut [f32],
        e: &mut [f32],
    ) -> (Option<&'x [f32]>, f32, GradientError) {
        if !needs_room(options) {
            return (None, 0.0, GradientError::default());
        }
        let ternary = options.gradient == GradientForm::Ternary;
        let feedback = options.residual != Storage::None;
        let u = u.get_mut(..g.len()).unwrap_or_default();
        let used = block::clipped(f, clip, g, feedback.then_some(&*e), u);
        if !ternary {
            e.fill(0.0);
            return (Some(u), 0.0, GradientError::default());
        }
        let (scale, error) = block::to_ternary(f, options.sigma, n, &used, u, e);
        (Some(u), scale, error)
    }

    /// The squares of the direction of a group; nothing changes but the rooms.
    #[inline(always)]
    fn look<F: Floats>(&mut self, f: F, part: &mut Part<'_>) -> f32 {
        let options = self.options;
        let mut total = Compensated::default();
        let (mut moment, mut second) = (&mut *part.moment, &mut *part.second);
        let mut residual = &mut *part.residual;
        for (number, p) in part.p.chunks(BLOCK).enumerate() {
            let n = p.len();
            let rooms = self.rooms.borrow();
            let moment = store::next(&mut moment, options.moment, Kind::Signed, n);
            let second = store::next(&mut second, options.second_storage(), Kind::Root, n);
            let residual = store::next(&mut residual, options.residual, Kind::Signed, n);
            let g = part.g.block(number * BLOCK, n, rooms.g);
            let p = padded(p, rooms.p);
            // A copy, which quantization may overwrite.
            let e = rooms.e.get_mut(..g.len()).unwrap_or_default();
            if needs_room(options) {
                e.fill(0.0);
                store::load(options.residual, Kind::Signed, residual, e.get_mut(..n).unwrap_or_default());
            }
            let (u, _, _) = Self::used(f, options, self.plan.clip, (g, n), rooms.u, e);
            let (m, _) = held((options.moment, Kind::Signed), moment, rooms.m, n);
            let (r, _) = held((options.second_storage(), Kind::Root), second, rooms.r, n);
            let clip = if u.is_some() { 1.0 } else { self.plan.clip };
            total.add(block::survey(
                f,
                options.base,
                &self.plan.direction,
                clip,
                Read { u: u.unwrap_or(g), p, m, r },
            ));
        }
        total.value()
    }

    /// Takes the step of a group.
    #[inline(always)]
    fn take<F: Floats>(
        &mut self,
        f: F,
        part: &mut Part<'_>,
        rate: f32,
        packer: &mut Packer<'_>,
    ) -> Result<Totals, Error> {
        let (options, plan) = (self.options, self.plan);
        let mut totals = Totals::default();
        let (mut moment, mut second) = (&mut *part.moment, &mut *part.second);
        let (mut residual, mut codes) = (&mut *part.residual, &mut *part.codes);
        let feedback = options.residual != Storage::None;
        let len = part.p.len();
        let mut at = 0;
        let mut number = part.first;
        while at < len {
            let n = (len - at).min(BLOCK);
            let p = part.p.get_mut(at..at + n).unwrap_or_default();
            let rooms = self.rooms.borrow();
            let moment = store::next(&mut moment, options.moment, Kind::Signed, n);
            let second = store::next(&mut second, options.second_storage(), Kind::Root, n);
            let residual = store::next(&mut residual, options.residual, Kind::Signed, n);
            let dice = |part: u64| Dice {
                seed: options.seed,
                stream: self.steps.wrapping_mul(4).wrapping_add(part),
                position: number.wrapping_mul(POSITIONS),
            };

            let g = part.g.block(at, n, rooms.g);
            let of_residual = if needs_room(options) { n } else { 0 };
            let (e, e_bytes) = held((options.residual, Kind::Signed), residual, rooms.e, of_residual);
            let (u, scale, error) = Self::used(f, options, self.plan.clip, (g, n), rooms.u, e);
            if error.guard > 0.0 {
                let factor = plan.used_guard / error.guard;
                totals.used.add(error.whole * factor * factor);
                totals.lost.add(error.lost * factor * factor);
            }
            if let Some(u) = u
                && !codes.is_empty()
            {
                let own = store::next(&mut codes, Storage::Ternary, Kind::Signed, n);
                if let Some((four, bytes)) = own.split_first_chunk_mut::<4>() {
                    *four = scale.to_le_bytes();
                    trits::pack(u.get(..n).unwrap_or_default(), bytes);
                }
            }

            let (m, m_bytes) = held((options.moment, Kind::Signed), moment, rooms.m, n);
            let (r, r_bytes) = held((options.second_storage(), Kind::Root), second, rooms.r, n);
            let clip = if u.is_some() { 1.0 } else { plan.clip };
            // Of a last block that is no whole vectors, a padded copy.
            let copied = !n.is_multiple_of(16);
            let (p, spare) = (p, rooms.p.get_mut(..g.len()).unwrap_or_default());
            if copied {
                let (real, padding) = spare.split_at_mut_checked(n).unwrap_or_default();
                for (to, &v) in real.iter_mut().zip(&*p) {
                    *to = v;
                }
                padding.fill(0.0);
            }
            let own = if copied { &mut *spare } else { &mut *p };
            let block = Block { g, clip, u, p: own, m: &mut *m, r: &mut *r };
            let sums = block::commit(f, options.base, &plan.direction, rate, block);
            if copied {
                for (to, &v) in p.iter_mut().zip(&*spare) {
                    *to = v;
                }
            }
            totals.squares.add(sums.squares);
            totals.products.add(sums.products);

            let (real_m, real_r) = (m.get_mut(..n).unwrap_or_default(), r.get_mut(..n).unwrap_or_default());
            let nadam = options.base == Base::NadamW;
            if !m_bytes.is_empty() {
                // What the momentum loses would have been there, decayed, in the next step.
                let rest = if feedback && !nadam {
                    Rest::Kept { to: &mut *e, factor: options.momentum }
                } else {
                    Rest::Random(dice(0))
                };
                store::save(options.moment, Kind::Signed, real_m, m_bytes, rest);
            }
            if !r_bytes.is_empty() {
                store::save(options.second_storage(), Kind::Root, real_r, r_bytes, Rest::Random(dice(1)));
            }
            if feedback {
                // The momentum may have added to it.
                let most = if m_bytes.is_empty() || nadam { error.most } else { block::largest(f, e) };
                totals.residual = if most > totals.residual { most } else { totals.residual };
                if !e_bytes.is_empty() {
                    let real = e.get_mut(..n).unwrap_or_default();
                    store::save(options.residual, Kind::Signed, real, e_bytes, Rest::Random(dice(2)));
                }
            }

            at += n;
            number = number.wrapping_add(1);
            packer.advance(part.p, at, self.room, self.loss)?;
        }
        Ok(totals)
    }
}

/// Infinity, which products of large numbers may give, as the largest number; 0 times infinity as 0.
fn finite(x: f32) -> f32 {
    if x.is_nan() { 0.0 } else { x.clamp(-f32::MAX, f32::MAX) }
}
