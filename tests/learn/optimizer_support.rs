//! Problems for the optimizer: quadratics with a known minimum, and logistic regression on the handwritten digits.

use hybridq::learn::optimizer::{
    Group, Inputs, Optimizer, Options, Outputs, Report, State, memory_size, start, workspace_size,
};

/// Bytes aligned to 4.
pub struct Aligned(Vec<u32>, usize);

impl Aligned {
    pub fn new(size: usize) -> Aligned {
        Aligned(vec![0; size.div_ceil(4)], size)
    }
    pub fn bytes(&mut self) -> &mut [u8] {
        let size = self.1;
        &mut bytemuck::cast_slice_mut(&mut self.0)[..size]
    }
    pub fn of(bytes: &[u8]) -> Aligned {
        let mut new = Aligned::new(bytes.len());
        new.bytes().copy_from_slice(bytes);
        new
    }
}

/// An optimizer with memory of its own.
pub struct Run {
    pub options: Options,
    pub groups: Vec<Group>,
    pub state: State,
    pub memory: Aligned,
    scratch: Vec<u8>,
}

impl Run {
    pub fn new(options: Options, groups: &[Group]) -> Run {
        let mut memory = Aligned::new(memory_size(&options, groups).unwrap());
        let state = start(&options, groups, memory.bytes()).unwrap();
        let scratch = vec![0; workspace_size(&options, groups, None).unwrap()];
        Run { options, groups: groups.to_vec(), state, memory, scratch }
    }

    pub fn try_step(
        &mut self,
        inputs: &Inputs<'_>,
        params: &mut [f32],
        outputs: Outputs<'_>,
    ) -> Result<Report, hybridq::Error> {
        let need = workspace_size(&self.options, &self.groups, inputs.set.as_ref())?;
        self.scratch.resize(need, 0);
        let (state, memory) = (&mut self.state, self.memory.bytes());
        let mut optimizer = Optimizer { options: &self.options, groups: &self.groups, state, memory };
        optimizer.step(inputs, params, outputs, &mut self.scratch)
    }

    pub fn try_step_packed(
        &mut self,
        packed: &[u8],
        inputs: &Inputs<'_>,
        params: &mut [f32],
        outputs: Outputs<'_>,
    ) -> Result<Report, hybridq::Error> {
        let (state, memory) = (&mut self.state, self.memory.bytes());
        let mut optimizer = Optimizer { options: &self.options, groups: &self.groups, state, memory };
        optimizer.step_packed(packed, inputs, params, outputs, &mut self.scratch)
    }

    pub fn step(&mut self, gradient: &[f32], params: &mut [f32]) -> Report {
        self.try_step(&Inputs { gradient, ..Inputs::default() }, params, Outputs::default()).unwrap()
    }
}

pub fn group(rows: usize, cols: usize, learning_rate: f32) -> Group {
    Group { rows, cols, learning_rate, radius: f32::INFINITY }
}

/// `sum of h (x - best)^2 / 2` with curvatures from 0.1 to 1.
pub struct Quadratic {
    pub curvature: Vec<f32>,
    pub best: Vec<f32>,
}

impl Quadratic {
    pub fn new(n: usize) -> Quadratic {
        let noise = |i: usize| ((i * 2654435761usize) >> 7 & 1023) as f32 / 1023.0;
        Quadratic {
            curvature: (0..n).map(|i| 0.1 + 0.9 * noise(i)).collect(),
            best: (0..n).map(|i| 2.0 * noise(i + n) - 1.0).collect(),
        }
    }
    pub fn gradient(&self, x: &[f32]) -> Vec<f32> {
        self.curvature.iter().zip(&self.best).zip(x).map(|((h, b), x)| h * (x - b)).collect()
    }
    pub fn loss(&self, x: &[f32]) -> f64 {
        let term = |((h, b), x): ((&f32, &f32), &f32)| 0.5 * *h as f64 * (*x as f64 - *b as f64).powi(2);
        self.curvature.iter().zip(&self.best).zip(x).map(term).sum()
    }
}

/// The digits of `data/digits`: 64 pixels of 0..1 and a label.
pub struct Digits {
    pub pixels: Vec<[f32; 64]>,
    pub labels: Vec<usize>,
}

pub const CLASSES: usize = 10;
pub const PIXELS: usize = 64;

impl Digits {
    pub fn read(file: &str) -> Digits {
        let path = format!("{}/data/digits/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let mut digits = Digits { pixels: Vec::new(), labels: Vec::new() };
        for line in text.lines() {
            let mut numbers = line.split(',').map(|n| n.trim().parse::<f32>().unwrap());
            digits.labels.push(numbers.next().unwrap() as usize);
            let pixels: Vec<f32> = numbers.map(|n| n / 16.0).collect();
            digits.pixels.push(pixels.try_into().unwrap());
        }
        digits
    }

    /// Mean cross entropy of softmax regression with weights `w` (classes x pixels) over some rows, and its gradient.
    pub fn loss(&self, rows: impl Iterator<Item = usize>, w: &[f32], gradient: &mut [f32]) -> f64 {
        gradient.fill(0.0);
        let (mut loss, mut count) = (0.0, 0);
        for row in rows {
            let (x, label) = (&self.pixels[row], self.labels[row]);
            let mut scores = [0.0f64; CLASSES];
            for (score, w) in scores.iter_mut().zip(w.chunks(PIXELS)) {
                *score = w.iter().zip(x).map(|(w, x)| (w * x) as f64).sum();
            }
            let top = scores.iter().fold(f64::MIN, |a, &b| a.max(b));
            let sum: f64 = scores.iter().map(|s| (s - top).exp()).sum();
            loss += sum.ln() + top - scores[label];
            for (class, g) in gradient.chunks_mut(PIXELS).enumerate() {
                let p = (scores[class] - top).exp() / sum - (class == label) as u32 as f64;
                for (g, x) in g.iter_mut().zip(x) {
                    *g += p as f32 * x;
                }
            }
            count += 1;
        }
        for g in gradient {
            *g /= count as f32;
        }
        loss / count as f64
    }

    pub fn right(&self, w: &[f32]) -> f64 {
        let right = (0..self.labels.len()).filter(|&row| {
            let scores =
                w.chunks(PIXELS).map(|w| w.iter().zip(&self.pixels[row]).map(|(w, x)| w * x).sum::<f32>());
            let best = scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0;
            best == self.labels[row]
        });
        right.count() as f64 / self.labels.len() as f64
    }
}
