//! One clustering after the other, each from the centres of the one before.

use crate::Error;
use crate::math::Random;

use super::super::fit::fit;
use super::super::points::Points;
use super::super::seed::{Distance, Greedy, Masses, Weighing};
use super::criteria::{EvenBox, Whole};
use super::{Candidate, ChooseOptions, silhouette};

/// Rows that are tried for each new centre.
const TRIALS: usize = 10;

/// Distinguishes these draws from others with the same seed.
const STREAM: u64 = 0x6368_6f6f << 32;

pub(super) struct Nested<'a, 's> {
    pub(super) points: &'a Points<'a>,
    pub(super) options: &'a ChooseOptions,
    pub(super) even: EvenBox,
    pub(super) weighing: Weighing<'a>,
    pub(super) distance: Distance,
    pub(super) centers: &'s mut [f32],
    /// Of each row the squared distance to its centre, and that centre.
    pub(super) nearest: &'s mut [f32],
    pub(super) owner: &'s mut [u32],
    pub(super) across: &'s mut [f32],
    pub(super) sizes: &'s mut [u64],
    pub(super) sums: &'s mut [u64],
    pub(super) scratch: &'s mut [u8],
}

impl Nested<'_, '_> {
    /// Clusters into 1, 2, ... up to `max_k`, or fewer where every row lies on a centre. Returns how many numbers were
    /// tried; centres and labels are those of the last one.
    pub(super) fn run(&mut self, max_k: usize, curve: &mut [Candidate]) -> Result<usize, Error> {
        let mut whole: Option<Whole> = None;
        for (i, candidate) in curve.iter_mut().take(max_k).enumerate() {
            let k = i + 1;
            if !self.add_center(i) {
                return Ok(i);
            }
            let centers = self.centers.get_mut(..k * self.points.cols()).ok_or(Error::WorkspaceTooSmall)?;
            let found = fit(self.points, k, &self.options.fit, centers, self.owner, self.scratch)?;
            let (silhouette, entropy, n) = self.measure(k)?;
            let d = self.points.cols() as f32;
            let whole = whole.get_or_insert(Whole { n, d, spread: found.inertia });
            let even = self.even.left(k) * whole.spread;
            let concentration = if i > 0 && even > 0.0 { found.inertia / even } else { 1.0 };
            // A cluster for every point says nothing about them.
            let (silhouette, concentration) =
                if n > k as f32 { (silhouette, concentration) } else { (0.0, 1.0) };
            *candidate = Candidate {
                k: k as u32,
                inertia: found.inertia,
                calinski_harabasz: whole.calinski_harabasz(k, found.inertia),
                bic: whole.bic_gain(k, found.inertia, entropy),
                silhouette,
                concentration,
            };
            if found.inertia == 0.0 {
                return Ok(k);
            }
        }
        Ok(max_k.min(curve.len()))
    }

    /// Writes the centre number `i`; false if every row with a weight lies on a centre.
    fn add_center(&mut self, i: usize) -> bool {
        let Some((before, rest)) = self.centers.split_at_mut_checked(i * self.points.cols()) else {
            return false;
        };
        let row = if i == 0 {
            Some(0) // moves to the mean
        } else {
            let mut greedy = Greedy {
                points: *self.points,
                weighing: self.weighing,
                distance: self.distance,
                nearest: self.nearest,
                owner: self.owner,
                across: self.across,
            };
            let mut random = Random::new(self.options.seed, STREAM + i as u64);
            greedy.next(TRIALS, &mut Masses::new(self.sums), &mut random, before)
        };
        let Some(row) = row else { return false };
        rest.iter_mut().zip(self.points.row(row)).for_each(|(to, &from)| *to = from);
        true
    }

    /// The silhouette, the sum of n_j ln(n_j / n), and n; distances to the centres for the next one.
    fn measure(&mut self, k: usize) -> Result<(f32, f32, f32), Error> {
        let sizes = self.sizes.get_mut(..k).unwrap_or_default();
        sizes.fill(0);
        for (i, &label) in self.owner.iter().enumerate() {
            if let Some(size) = sizes.get_mut(label as usize) {
                *size += self.weighing.units(i);
            }
        }
        let units: u64 = sizes.iter().sum();
        let entropy = sizes.iter().filter(|&&size| size > 0).fold(0.0, |sum, &size| {
            sum + self.weighing.in_weights(size) * libm::logf(size as f32 / units as f32)
        });
        let centers = self.centers.get(..k * self.points.cols()).unwrap_or_default();
        let silhouette = silhouette::distances(
            *self.points,
            self.weighing,
            self.distance,
            (k, centers),
            self.owner,
            self.nearest,
            self.scratch,
        )?;
        Ok((silhouette / units as f32, entropy, self.weighing.in_weights(units)))
    }
}
