//! Newton's method in a trust region, by conjugate gradients: the valley of Rosenbrock's function, and a logistic regression
//! of the handwritten digits whose Hessian is known only by its products with vectors.
//!
//! ```text
//! cargo run --release --example trust_region
//! ```

use hybridq::Error;
use hybridq::constrain::{SteihaugOptions, Trial, TrustRegion, Verdict, steihaug, steihaug_workspace_size};
use hybridq::linear::vector;

/// Something to minimise.
trait Problem {
    fn loss(&self, x: &[f32]) -> f32;
    fn gradient(&self, x: &[f32], g: &mut [f32]);
    fn hessian_times(&self, x: &[f32], v: &[f32], out: &mut [f32]);
}

/// The whole method; prints a line every few steps.
fn minimise(problem: &impl Problem, x: &mut [f32], radius: f32, steps: usize) -> Result<TrustRegion, Error> {
    let n = x.len();
    let (mut g, mut step, mut moved) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let mut scratch = vec![0; steihaug_workspace_size(n)?];
    let mut region = TrustRegion::new(radius)?;
    let mut loss = problem.loss(x);
    let mut products = 0;
    for iteration in 1..=steps {
        problem.gradient(x, &mut g);
        let norm = vector::norm(&g);
        let options = SteihaugOptions { tolerance: SteihaugOptions::forcing(norm), ..Default::default() };
        let mut hessian = |v: &[f32], out: &mut [f32]| {
            problem.hessian_times(x, v, out);
            Ok(())
        };
        let found = steihaug(&g, &mut hessian, region.radius, &options, &mut step, &mut scratch)?;
        products += found.iterations;
        moved.copy_from_slice(x);
        vector::axpy(1.0, &step, &mut moved)?;
        let trial_loss = problem.loss(&moved);
        let trial = Trial { loss, trial_loss, predicted: found.predicted, step_norm: found.norm };
        let outcome = region.update(&trial)?;
        if outcome.verdict == Verdict::Accepted {
            x.copy_from_slice(&moved);
            loss = trial_loss;
        }
        if iteration % (steps / 8).max(1) == 0 || iteration == steps {
            println!(
                "{iteration:>5} loss {loss:<13.6e} |g| {norm:<10.2e} radius {:<9.2e} products {products}",
                region.radius
            );
        }
    }
    Ok(region)
}

struct Rosenbrock;

impl Problem for Rosenbrock {
    fn loss(&self, x: &[f32]) -> f32 {
        x.windows(2).map(|w| 100.0 * (w[1] - w[0] * w[0]).powi(2) + (1.0 - w[0]).powi(2)).sum()
    }

    fn gradient(&self, x: &[f32], g: &mut [f32]) {
        g.fill(0.0);
        for i in 0..x.len() - 1 {
            let d = x[i + 1] - x[i] * x[i];
            g[i] += -400.0 * x[i] * d - 2.0 * (1.0 - x[i]);
            g[i + 1] += 200.0 * d;
        }
    }

    fn hessian_times(&self, x: &[f32], v: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        for i in 0..x.len() - 1 {
            out[i] += (1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 2.0) * v[i] - 400.0 * x[i] * v[i + 1];
            out[i + 1] += 200.0 * v[i + 1] - 400.0 * x[i] * v[i];
        }
    }
}

const INPUTS: usize = 65;
const CLASSES: usize = 10;

/// Softmax regression with weight decay: 650 parameters.
struct Digits {
    images: Vec<(usize, [f32; INPUTS])>,
    weight_decay: f32,
}

impl Digits {
    fn load(file: &str) -> Digits {
        let path = format!("{}/data/digits/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let line = |line: &str| {
            let mut numbers = line.split(',').map(|n| n.parse::<u8>().unwrap());
            let label = numbers.next().unwrap() as usize;
            let mut x = [1.0; INPUTS]; // the last one is the bias
            x.iter_mut().zip(numbers).for_each(|(x, n)| *x = n as f32 / 16.0);
            (label, x)
        };
        Digits { images: text.lines().map(line).collect(), weight_decay: 1e-3 }
    }

    fn scores(w: &[f32], x: &[f32]) -> [f32; CLASSES] {
        let (rows, _) = w.as_chunks::<INPUTS>();
        core::array::from_fn(|c| rows[c].iter().zip(x).map(|(w, x)| w * x).sum())
    }

    fn softmax(scores: [f32; CLASSES]) -> [f32; CLASSES] {
        let most = scores.iter().fold(f32::MIN, |a, &b| a.max(b));
        let e = scores.map(|s| (s - most).exp());
        let sum: f32 = e.iter().sum();
        e.map(|e| e / sum)
    }

    fn accuracy(&self, w: &[f32]) -> f64 {
        let right = self.images.iter().filter(|(label, x)| {
            let y = Digits::scores(w, x);
            (0..CLASSES).all(|c| y[c] <= y[*label])
        });
        100.0 * right.count() as f64 / self.images.len() as f64
    }
}

impl Problem for Digits {
    fn loss(&self, w: &[f32]) -> f32 {
        let of = |(label, x): &(usize, [f32; INPUTS])| {
            -f64::from(Digits::softmax(Digits::scores(w, x))[*label].ln())
        };
        let mean = self.images.iter().map(of).sum::<f64>() / self.images.len() as f64;
        mean as f32 + 0.5 * self.weight_decay * w.iter().map(|w| w * w).sum::<f32>()
    }

    fn gradient(&self, w: &[f32], g: &mut [f32]) {
        g.iter_mut().zip(w).for_each(|(g, w)| *g = self.weight_decay * w);
        let by = 1.0 / self.images.len() as f32;
        for (label, x) in &self.images {
            let mut error = Digits::softmax(Digits::scores(w, x));
            error[*label] -= 1.0;
            for (row, error) in g.as_chunks_mut::<INPUTS>().0.iter_mut().zip(error) {
                row.iter_mut().zip(x).for_each(|(g, x)| *g += by * error * x);
            }
        }
    }

    /// For one image `(diag(p) - p p^T) V x`, times `x^T`: no matrix of 650 x 650.
    fn hessian_times(&self, w: &[f32], v: &[f32], out: &mut [f32]) {
        out.iter_mut().zip(v).for_each(|(out, v)| *out = self.weight_decay * v);
        let by = 1.0 / self.images.len() as f32;
        for (_, x) in &self.images {
            let p = Digits::softmax(Digits::scores(w, x));
            let along = Digits::scores(v, x);
            let mean: f32 = p.iter().zip(&along).map(|(p, a)| p * a).sum();
            for (c, row) in out.as_chunks_mut::<INPUTS>().0.iter_mut().enumerate() {
                let factor = by * p[c] * (along[c] - mean);
                row.iter_mut().zip(x).for_each(|(out, x)| *out += factor * x);
            }
        }
    }
}

fn report(region: &TrustRegion) {
    let s = region.statistics;
    println!(
        "{} steps, {} accepted, on the boundary {:.0} %\n",
        s.steps,
        s.accepted,
        100.0 * s.activation_rate()
    );
}

/// From the usual start; returns where it ends.
fn rosenbrock() -> Result<[f32; 2], Error> {
    println!("Rosenbrock's function, 2 variables");
    let mut x = [-1.2, 1.0];
    report(&minimise(&Rosenbrock, &mut x, 1.0, 40)?);
    Ok(x)
}

/// Returns the loss, the norm of its gradient, and the share of the training and the other images that are right, in percent.
fn digits() -> Result<(f32, f32, [f64; 2]), Error> {
    let (training, held_out) = (Digits::load("train.csv"), Digits::load("test.csv"));
    println!("Logistic regression of {} digits, {} parameters", training.images.len(), INPUTS * CLASSES);
    let (mut w, mut g) = (vec![0.0; INPUTS * CLASSES], vec![0.0; INPUTS * CLASSES]);
    report(&minimise(&training, &mut w, 1.0, 16)?);
    training.gradient(&w, &mut g);
    let right = [training.accuracy(&w), held_out.accuracy(&w)];
    println!(
        "accuracy: {:.2} % of the training images, {:.2} % of {} others",
        right[0],
        right[1],
        held_out.images.len()
    );
    Ok((training.loss(&w), vector::norm(&g), right))
}

fn main() -> Result<(), Error> {
    rosenbrock()?;
    digits()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_is_followed_to_its_end() {
        let x = rosenbrock().unwrap();
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-3) && Rosenbrock.loss(&x) < 1e-8, "{x:?}");
    }

    #[test]
    fn the_regression_reaches_its_minimum() {
        let (loss, norm, [training, held_out]) = digits().unwrap();
        println!("loss {loss}, gradient {norm:e}");
        assert!(norm < 1e-4, "the gradient is still {norm}, at a loss of {loss}");
        assert!(training > 98.0 && held_out > 93.0, "{training} % {held_out} %");
    }
}
