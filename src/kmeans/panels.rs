//! Centres as the tiles read them, and the margin within which a tile does not decide.
//!
//! # Scores
//!
//! A tile works out `t = y . c' - |c'|^2 / 2` with `y = x - m` and `c' = c - m` for one common `m` (the mean of the
//! centres), so `|x - c|^2 = |y|^2 - 2 t`, and the largest `t` belongs to the nearest centre. That takes one
//! multiply-add a feature, where the canonical distance takes three operations; but it rounds differently, and
//! differently on every tier.
//!
//! # The margin
//!
//! With u = 2^-24, n features, g(i) = i u / (1 - i u), Y = |y|, C = the largest |c'|:
//!
//! - y and c' are rounded: | |x - c| - |y - c'| | <= u (Y + C) / (1 - u), so the squared distances differ by at most
//!   2.01 u (Y + C)^2.
//! - The seed -|c'|^2 / 2 and the n products are added one after the other, in whatever way the tier does it:
//!   t is within g(n + 2) C (Y + C) of its exact value.
//! - The canonical distance is within a factor 1 +- r of the exact one, r = (n/16 + 8) u.
//!
//! So if t of the best exceeds t of another centre by more than
//!
//! `M = 2 g(n + 2) C (Y + C) + (2.01 u + r (1 + 2 r)) (Y + C)^2 + n 2^-120`
//!
//! then its canonical distance is the smaller one for certain. (The last term is above anything that underflow may add.)
//! Otherwise all centres within M of the best are compared by their canonical distances. Y and C are computed, so the code
//! adds 5 %, which covers their rounding up to [`MAX_COLS`] features.
//!
//! The same terms bound the exact squared distance by `|y|^2 - 2 t +- E`,
//! `E = g(n + 2) (Y^2 + 2 C (Y + C)) + 8 u (Y + C)^2 + n 2^-120`.

use crate::math::sqrt;
use crate::simd::floats::Floats;
use crate::workspace::split_rows;

use super::groups::GROUP;
use super::points::{magnitude_bits, row};
use super::score::{UNIT, relative_error};

/// Beyond this many features the margins would no longer be small: canonical distances decide alone.
pub(super) const MAX_COLS: usize = 1 << 16;

/// Magnitudes from 2^-40 to 2^40, for which the canonical distance needs no scale.
const ORDINARY: core::ops::RangeInclusive<u32> = (127 - 40) << 23..=(127 + 40) << 23;

/// How many centres a tile takes: 6, 5 or 4 (SSE4.2: 3 or 2), whichever leaves the fewest places empty.
#[inline(always)]
pub(super) fn tile_len<F: Floats>(k: usize) -> usize {
    let sizes = [F::TILE, F::TILE.saturating_sub(1), F::TILE.saturating_sub(2)];
    let mut best = (usize::MAX, 1);
    for size in sizes.into_iter().filter(|&size| size >= 2) {
        let padded = k.next_multiple_of(size);
        if padded < best.0 {
            best = (padded, size);
        }
    }
    best.1
}

/// Floats that the panels of `k` centres take on the tier that takes most.
pub(super) fn panels_len(k: usize, cols: usize) -> Option<usize> {
    // A tile of 6 leaves at most 5 places empty.
    panels_of(k.checked_add(5)?, cols)
}

/// Floats that they take where they may be panels of groups, too.
pub(super) fn grouped_len(k: usize, cols: usize) -> Option<usize> {
    panels_of(k.checked_next_multiple_of(GROUP)?, cols)
}

fn panels_of(places: usize, cols: usize) -> Option<usize> {
    places.checked_mul(cols.checked_add(1)?)?.checked_add(cols)
}

/// What is known about centres before the first point is seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Margins {
    /// The largest norm of a centre about `m`.
    norm: f32,
    /// Factors of `C (Y + C)`, of `(Y + C)^2`, and the constant, in M.
    cross: f32,
    square: f32,
    floor: f32,
    /// Factors of `Y^2` and of `(Y + C)^2` in E; `cross` is that of `C (Y + C)`.
    own: f32,
    whole: f32,
    /// Error of the canonical distance.
    relative: f32,
}

impl Margins {
    fn new(cols: usize, norm: f32) -> Margins {
        let n = cols as f32 + 3.0;
        let relative = relative_error(cols);
        Margins {
            norm: norm * (1.0 + 4.0 * n * UNIT),
            cross: 1.05 * 2.0 * n * UNIT,
            square: 1.05 * (2.01 * UNIT + relative),
            floor: cols as f32 * f32::from_bits((127 - 120) << 23),
            own: 1.05 * n * UNIT,
            whole: 1.05 * 8.0 * UNIT,
            relative,
        }
    }

    /// M and E of 16 points with these |y|^2.
    #[inline(always)]
    pub(super) fn of<F: Floats>(&self, f: F, squares: F::V) -> (F::V, F::V) {
        let norm = f.splat(self.norm);
        let reach = f.add(f.sqrt(squares), norm);
        let (cross, whole) = (f.mul(norm, reach), f.mul(reach, reach));
        let floor = f.splat(self.floor);
        let common = f.add(f.mul(cross, f.splat(self.cross)), floor);
        let margin = f.add(common, f.mul(whole, f.splat(self.square)));
        let error = f.add(f.mul(squares, f.splat(self.own)), f.mul(whole, f.splat(self.whole)));
        (margin, f.add(error, common))
    }

    /// An upper bound of the exact squared distance, given the canonical one.
    #[inline(always)]
    pub(super) fn above(&self, distance: f32) -> f32 {
        distance * (1.0 + 2.0 * self.relative) + self.floor
    }

    /// A lower bound, likewise.
    #[inline(always)]
    pub(super) fn below(&self, distance: f32) -> f32 {
        let below = distance * (1.0 - 2.0 * self.relative) - self.floor;
        if below > 0.0 { below } else { 0.0 }
    }
}

/// `k` centres, and how to compare points with them.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    pub(super) k: usize,
    pub(super) cols: usize,
    /// As they are: `k` x `cols`.
    pub(super) centers: &'a [f32],
    /// Their largest magnitude.
    pub(super) magnitude: u32,
    pub(super) margins: Margins,
    /// Centres of a tile, [`GROUP`] for panels of groups; 0 if canonical distances decide alone.
    pub(super) tile: usize,
    /// `m`.
    pub(super) middle: &'a [f32],
    /// Tile after tile: for each feature the value of each centre of the tile.
    pub(super) tiles: &'a [f32],
    /// `-|c'|^2 / 2`, and hardly above the least float where a place is empty.
    pub(super) seeds: &'a [f32],
}

/// The seed of an empty place: below every score, and twice it is finite.
pub(super) const EMPTY: f32 = f32::MIN / 4.0;

impl<'a> Panels<'a> {
    /// `memory` has at least [`panels_len`] floats, with `grouped` [`grouped_len`]; `points` are the bits of the largest magnitude of the points.
    #[inline(always)]
    pub(super) fn new<F: Floats>(
        _: F,
        k: usize,
        cols: usize,
        centers: &'a [f32],
        points: u32,
        grouped: bool,
        memory: &'a mut [f32],
    ) -> Panels<'a> {
        let magnitude = magnitude_bits(centers);
        let mut panels = Panels {
            k,
            cols,
            centers,
            magnitude,
            margins: Margins::new(cols, 0.0),
            tile: 0,
            middle: &[],
            tiles: &[],
            seeds: &[],
        };
        let ordinary = ORDINARY.contains(&magnitude) && points <= *ORDINARY.end();
        if F::TILE == 0 || cols > MAX_COLS || !ordinary {
            return panels;
        }
        let tile = if grouped { GROUP } else { tile_len::<F>(k) };
        let padded = k.next_multiple_of(tile.max(1));
        let Some((middle, rest)) = memory.split_at_mut_checked(cols) else { return panels };
        let Some((seeds, rest)) = rest.split_at_mut_checked(padded) else { return panels };
        let Some(tiles) = rest.get_mut(..padded.wrapping_mul(cols)) else { return panels };
        mean(centers, k, middle);
        let mut largest = 0.0f32;
        let seeds_of = crate::workspace::split_rows_mut(seeds, tile);
        let tiles_of = crate::workspace::split_rows_mut(tiles, tile.wrapping_mul(cols));
        for (i, (seeds, tiles)) in seeds_of.zip(tiles_of).enumerate() {
            for (place, seed) in seeds.iter_mut().enumerate() {
                let center = row(centers, cols, i * tile + place);
                let places = crate::workspace::split_rows_mut(tiles, tile);
                if center.is_empty() {
                    *seed = EMPTY;
                    for values in places {
                        if let Some(to) = values.get_mut(place) {
                            *to = 0.0;
                        }
                    }
                    continue;
                }
                let mut square = 0.0;
                for ((values, &c), &m) in places.zip(center).zip(middle.iter()) {
                    let c = c - m;
                    square += c * c;
                    if let Some(to) = values.get_mut(place) {
                        *to = c;
                    }
                }
                largest = if square > largest { square } else { largest };
                *seed = -0.5 * square;
            }
        }
        panels.margins = Margins::new(cols, sqrt(largest));
        (panels.tile, panels.middle, panels.tiles, panels.seeds) = (tile, middle, tiles, seeds);
        panels
    }
}

/// About the mean of the centres: any point among them would do.
#[inline(always)]
fn mean(centers: &[f32], k: usize, middle: &mut [f32]) {
    middle.fill(0.0);
    let share = 1.0 / k.max(1) as f32;
    for center in split_rows(centers, middle.len()) {
        for (m, &c) in middle.iter_mut().zip(center) {
            *m += c * share;
        }
    }
}
