//! Which of ascending centres is the nearest.

use crate::Error;

/// Most centres that labels of one byte can name.
pub const MAX_LABELS: usize = 256;

/// The midpoints between neighbouring centres; what is left over is beyond all values.
fn midpoints(centers: &[f32]) -> [f32; MAX_LABELS] {
    let mut middles = [f32::INFINITY; MAX_LABELS];
    for (middle, pair) in middles.iter_mut().zip(centers.windows(2)) {
        if let [a, b] = pair {
            *middle = 0.5 * a + 0.5 * b;
        }
    }
    middles
}

/// The label of each value: the index of the nearest centre, the lower one at the midpoint (as f32 rounds it).
///
/// `centers` are ascending, 1 to 256 of them; of equal ones the first is meant. `labels` holds at least as many as
/// `x`, of which just those are written.
///
/// # Errors
/// [`Error::InvalidArgument`] (no centres, more than [`MAX_LABELS`], not ascending), [`Error::OutputTooSmall`],
/// [`Error::NonFinite`]. `labels` is untouched then.
///
/// ```
/// let mut labels = [0; 4];
/// hybridq::kmeans::label_1d(&[0.4, 3.0, -9.0, 1.6], &[0.0, 1.0, 2.0], &mut labels)?;
/// assert_eq!(labels, [0, 2, 0, 2]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn label_1d(x: &[f32], centers: &[f32], labels: &mut [u8]) -> Result<(), Error> {
    if centers.is_empty() || centers.len() > MAX_LABELS {
        return Err(Error::InvalidArgument);
    }
    let labels = labels.get_mut(..x.len()).ok_or(Error::OutputTooSmall)?;
    if !x.iter().fold(true, |all, v| all & v.is_finite()) || centers.iter().any(|c| !c.is_finite()) {
        return Err(Error::NonFinite);
    }
    if centers.windows(2).any(|pair| matches!(pair, [a, b] if a > b)) {
        return Err(Error::InvalidArgument);
    }
    let middles = midpoints(centers);
    if let Some(few) = middles.first_chunk::<16>().filter(|_| centers.len() <= 17) {
        count(x, few, labels);
    } else {
        search(x, &middles, labels);
    }
    // Equal centres have their midpoint on themselves: values above it got the last of them.
    if centers.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        let mut first = [0u8; MAX_LABELS];
        for (i, slot) in first.iter_mut().enumerate().take(centers.len()) {
            let center = centers.get(i).copied().unwrap_or_default();
            *slot = centers.iter().take_while(|&&c| c < center).count() as u8;
        }
        for label in labels {
            *label = first.get(*label as usize).copied().unwrap_or_default();
        }
    }
    Ok(())
}

/// How many midpoints each value is above: no branches, so that the compiler can take several values at once.
fn count(x: &[f32], middles: &[f32; 16], labels: &mut [u8]) {
    let (blocks, rest) = x.as_chunks::<16>();
    let (label_blocks, label_rest) = labels.as_chunks_mut::<16>();
    for (block, labels) in blocks.iter().zip(label_blocks) {
        let mut counts = [0i32; 16];
        for &middle in middles {
            for (count, &v) in counts.iter_mut().zip(block) {
                *count += (v > middle) as i32;
            }
        }
        for (label, &count) in labels.iter_mut().zip(&counts) {
            *label = count as u8;
        }
    }
    for (label, &v) in label_rest.iter_mut().zip(rest) {
        *label = middles.iter().fold(0, |count, &middle| count + (v > middle) as u8);
    }
}

/// The same by halving: eight steps for 255 midpoints.
fn search(x: &[f32], middles: &[f32; MAX_LABELS], labels: &mut [u8]) {
    for (label, &v) in labels.iter_mut().zip(x) {
        let mut below = 0usize;
        for step in [128usize, 64, 32, 16, 8, 4, 2, 1] {
            let middle = middles.get(below + step - 1).copied().unwrap_or(f32::INFINITY);
            below += step * (v > middle) as usize;
        }
        *label = below as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_nearest_centre_for_every_number_of_centres() {
        let x: Vec<f32> = (0..1003).map(|i| (i * 7919 % 1003) as f32 * 0.37 - 150.0).collect();
        for k in (1..=256).step_by(5).chain([2, 16, 17, 18, 255]) {
            let centers: Vec<f32> = (0..k).map(|i| i as f32 * 1.5 - k as f32).collect();
            let mut labels = vec![9; x.len() + 1];
            label_1d(&x, &centers, &mut labels).unwrap();
            assert_eq!(labels.pop(), Some(9));
            for (&v, &label) in x.iter().zip(&labels) {
                let distance = |c: f32| (v as f64 - c as f64).abs();
                let least = centers.iter().map(|&c| distance(c)).fold(f64::MAX, f64::min);
                assert!(distance(centers[label as usize]) <= least + 1e-5, "{k} {v} {label}");
            }
        }
    }

    #[test]
    fn ties_go_down_and_of_equal_centres_to_the_first() {
        let mut labels = [0; 5];
        label_1d(&[0.5, 0.50001, 1.0, 2.0, -1.0], &[0.0, 1.0, 1.0, 1.0], &mut labels).unwrap();
        assert_eq!(labels, [0, 1, 1, 1, 0]);
    }

    #[test]
    fn misuse_is_refused() {
        let mut labels = [7; 2];
        assert_eq!(label_1d(&[1.0], &[], &mut labels), Err(Error::InvalidArgument));
        assert_eq!(label_1d(&[1.0], &[0.0; 257], &mut labels), Err(Error::InvalidArgument));
        assert_eq!(label_1d(&[1.0], &[1.0, 0.0], &mut labels), Err(Error::InvalidArgument));
        assert_eq!(label_1d(&[1.0; 3], &[1.0], &mut labels), Err(Error::OutputTooSmall));
        assert_eq!(label_1d(&[f32::NAN], &[1.0], &mut labels), Err(Error::NonFinite));
        assert_eq!(label_1d(&[1.0], &[f32::INFINITY], &mut labels), Err(Error::NonFinite));
        assert_eq!(labels, [7; 2]);
    }
}
