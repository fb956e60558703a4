//! What the sums of squares of nested clusterings say about the number of clusters.

/// What is known of the data as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    /// The sum of the weights: how many points there are.
    pub(super) n: f32,
    /// Features.
    pub(super) d: f32,
    /// Weighted squared distances to the mean.
    pub(super) spread: f32,
}

impl Whole {
    /// Calinski and Harabasz (1974): the variance between clusters over that within, `((T - S) / (k - 1)) / (S / (n - k))`.
    /// 0 for one cluster, infinite where nothing is left within.
    pub(super) fn calinski_harabasz(&self, k: usize, inertia: f32) -> f32 {
        let k = k as f32;
        if k < 2.0 || self.n <= k {
            return 0.0;
        }
        let between = (self.spread - inertia).max(0.0) / (k - 1.0);
        between / (inertia / (self.n - k))
    }

    /// The Bayesian information criterion of Pelleg and Moore (2000, "X-means") over that of one cluster: normal clusters
    /// with the same variance in every direction. `entropy` is the sum of `n_j ln(n_j / n)` over the clusters.
    ///
    /// Given as a difference, because what all numbers of clusters share would take the bits of a float.
    pub(super) fn bic_gain(&self, k: usize, inertia: f32, entropy: f32) -> f32 {
        let k = k as f32;
        if k < 2.0 || self.n <= k {
            return 0.0;
        }
        let ratio = (inertia / (self.n - k)) / (self.spread / (self.n - 1.0));
        let likelihood = entropy - 0.5 * self.n * self.d * libm::logf(ratio) + 0.5 * self.d * (k - 1.0);
        likelihood - 0.5 * (k - 1.0) * (self.d + 1.0) * libm::logf(self.n)
    }
}

/// Principal components that are told apart.
pub(super) const AXES: usize = 8;

/// What k-means leaves of the squared distances of points that fill a box evenly, whose sides are those of the data along
/// its principal components: the reference of the gap statistic (Tibshirani, Walther and Hastie 2001), which they draw at
/// random, worked out. Halving a box leaves a quarter of the variance along the side that is halved, and every doubling of the
/// clusters halves all boxes along the side with the largest variance; in between the logarithm is interpolated.
#[derive(Clone, Copy, Debug)]
pub(super) struct EvenBox {
    axes: [f32; AXES],
    /// The variance along each of the other components, and how many they are.
    other: f32,
    others: f32,
}

impl EvenBox {
    /// `axes` are the largest components, all components add up to 1 and there are `cols`.
    pub(super) fn new(axes: [f32; AXES], cols: usize) -> EvenBox {
        let others = cols.saturating_sub(AXES) as f32;
        let rest = (1.0 - axes.iter().sum::<f32>()).max(0.0);
        EvenBox { axes, other: if others > 0.0 { rest / others } else { 0.0 }, others }
    }

    /// What is left with `k` clusters, as a part of what there is with one.
    pub(super) fn left(mut self, k: usize) -> f32 {
        let doublings = k.max(1).ilog2();
        (0..doublings).for_each(|_| self.halve());
        let left = self.sum();
        let share = libm::log2f(k.max(1) as f32) - doublings as f32;
        self.halve();
        let next = self.sum();
        if left > 0.0 { left * libm::powf(next / left, share) } else { 0.0 }
    }

    fn sum(&self) -> f32 {
        self.axes.iter().sum::<f32>() + self.other * self.others
    }

    fn halve(&mut self) {
        let mut largest: Option<&mut f32> = None;
        for axis in &mut self.axes {
            if largest.as_ref().is_none_or(|largest| *axis > **largest) {
                largest = Some(axis);
            }
        }
        match largest {
            Some(axis) if *axis >= self.other || self.others < 1.0 => *axis *= 0.25,
            // One of many: their mean stands for all.
            _ => self.other *= 1.0 - 0.75 / self.others,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_worked_out_by_hand() {
        // 0, 1, 10, 11: mean 5.5, T = 2 (5.5^2 + 4.5^2) = 101; k = 2: S = 1
        let whole = Whole { n: 4.0, d: 1.0, spread: 101.0 };
        assert_eq!(whole.calinski_harabasz(2, 1.0), 200.0);
        assert_eq!(whole.calinski_harabasz(1, 101.0), 0.0);
        assert_eq!(whole.calinski_harabasz(4, 0.0), 0.0);
        // 4 ln(1/2) - 2 ln((1/2) / (101/3)) + 1/2 - ln 4 = -2.77259 + 8.41932 + 0.5 - 1.38629
        let entropy = 4.0 * libm::logf(0.5);
        assert!((whole.bic_gain(2, 1.0, entropy) - 4.76044).abs() < 1e-4);
    }

    #[test]
    fn even_boxes() {
        let axes = |values: &[f32]| {
            let mut axes = [0.0; AXES];
            axes[..values.len()].copy_from_slice(values);
            axes
        };
        let close = |a: f32, b: f32| assert!((a / b - 1.0).abs() < 1e-5, "{a} {b}");
        // a line: 1 / k^2
        let line = EvenBox::new(axes(&[1.0]), 1);
        (1..40).for_each(|k| close(line.left(k), 1.0 / (k * k) as f32));
        // a square: halves, quarters, eighths (one side halved again)
        let square = EvenBox::new(axes(&[0.5, 0.5]), 2);
        let halves = [(1, 1.0), (2, 0.625), (4, 0.25), (8, 0.15625), (16, 0.0625)];
        halves.into_iter().for_each(|(k, left)| close(square.left(k), left));
        close(square.left(3), 0.625 * libm::powf(0.4, libm::log2f(1.5)));
        // twice as long as wide: the long side first
        close(EvenBox::new(axes(&[0.8, 0.2]), 2).left(2), 0.4);
        // twenty equal sides, eight of them told apart
        let many = EvenBox::new([0.05; AXES], 20);
        let halves = [(2, 1.0 - 0.0375), (4, 1.0 - 0.075), (256, 0.7)];
        halves.into_iter().for_each(|(k, left)| close(many.left(k), left));
        close(many.left(512), 0.1 + 0.6 * (1.0 - 0.75 / 12.0));
    }
}
