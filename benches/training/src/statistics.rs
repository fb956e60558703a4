//! Interquartile means with bootstrap intervals: Agarwal et al., "Deep reinforcement learning at the edge of the statistical
//! precipice", arXiv:2108.13264.

use hybridq::math::Random;

/// Draws of a bootstrap.
const DRAWS: usize = 2000;

/// exp of the mean logarithm; infinity if any value is.
pub fn geometric_mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0f64);
    for v in values {
        sum += v.max(f64::MIN_POSITIVE).ln();
        count += 1.0;
    }
    (sum / count.max(1.0)).exp()
}

/// The mean of the middle half. A quarter that is no whole number of values takes part of one.
pub fn interquartile_mean(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let (from, to) = (n / 4.0, 3.0 * n / 4.0);
    let (mut sum, mut weight) = (0.0, 0.0);
    for (i, v) in sorted.iter().enumerate() {
        let part = (to.min(i as f64 + 1.0) - from.max(i as f64)).max(0.0);
        if part > 0.0 {
            sum += part * v;
            weight += part;
        }
    }
    sum / weight
}

/// The mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// A statistic with the 2.5 % and 97.5 % points of its bootstrap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// Draws values with replacement, the same ones every time.
pub fn interval(values: &[f64], statistic: impl Fn(&[f64]) -> f64) -> Interval {
    let mut random = Random::new(1, 0x626f_6f74);
    let mut drawn: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let sample: Vec<f64> =
                values.iter().map(|_| values[random.below(values.len() as u64) as usize]).collect();
            statistic(&sample)
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    let at = |p: f64| drawn[((DRAWS - 1) as f64 * p).round() as usize];
    Interval { value: statistic(values), low: at(0.025), high: at(0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_half() {
        assert_eq!(interquartile_mean(&[1.0, 2.0, 3.0, 100.0]), 2.5);
        assert_eq!(interquartile_mean(&[5.0]), 5.0);
        // Of ten values: half of the third and of the eighth, the five between.
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert!((interquartile_mean(&ten) - 5.5).abs() < 1e-12);
        assert!((geometric_mean([1.0, 4.0].into_iter()) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn intervals_hold_what_they_are_of() {
        let values: Vec<f64> = (0..100).map(|i| (i % 10) as f64).collect();
        let found = interval(&values, mean);
        assert_eq!(found.value, 4.5);
        // The standard error is 0.287.
        assert!(
            (found.low - (4.5 - 0.56)).abs() < 0.15 && (found.high - (4.5 + 0.56)).abs() < 0.15,
            "{found:?}"
        );
        assert_eq!(interval(&values, mean), found);
    }
}
