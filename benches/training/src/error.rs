//! How much of the weights their rounding to trits loses.

use hybridq::learn::layers::Sequence;
use hybridq::train::FitName;

/// The norm of what rounding changes over the norm of the weights, over all matrices, with the scale of a row by `fit`; `None` for
/// another fit than absmean.
pub fn relative_error(net: &Sequence<'_>, parameters: &[f32], fit: FitName) -> Option<f64> {
    if fit != FitName::Absmean {
        return None;
    }
    let (mut lost, mut all) = (0.0f64, 0.0f64);
    for array in net.arrays().filter(|a| a.parameter.is_matrix()) {
        for row in parameters[array.range].chunks_exact(array.parameter.cols) {
            let scale = row.iter().map(|w| w.abs() as f64).sum::<f64>() / row.len() as f64;
            for &w in row {
                let w = w as f64;
                let seen = if scale > 0.0 { (w / scale).round().clamp(-1.0, 1.0) * scale } else { 0.0 };
                lost += (w - seen) * (w - seen);
                all += w * w;
            }
        }
    }
    Some((lost / all.max(f64::MIN_POSITIVE)).sqrt())
}
