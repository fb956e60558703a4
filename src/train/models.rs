//! The layers that a configuration describes.

use crate::learn::layers::{
    Activation, Activations, AnyLayer, Attention, Bias, Conv, Embedding, Image, Linear, Pool, Pooling,
    RmsNorm, Sequence, Weights, Window,
};

use super::config::{ModelConfig, ModelKind};
use super::error::{TrainError, config};

/// The epsilon of all norms.
pub(super) const EPSILON: f32 = 1e-5;

/// Layers in their order.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    pub all: Vec<AnyLayer>,
    /// For each, whether its weight matrices are seen as trits.
    pub ternary: Vec<bool>,
}

/// The layers of a network that takes `features` numbers and tells `classes` apart; weights that turn to trits are
/// `inverse_slope` away from them.
pub(super) fn layers(
    model: &ModelConfig,
    features: usize,
    classes: usize,
    inverse_slope: f32,
) -> Result<Layers, TrainError> {
    let mut to = Builder::new(model, inverse_slope);
    match model.kind {
        ModelKind::Mlp => to.perceptron(model, features, classes)?,
        ModelKind::Conv => {
            let image = to.convolutions(model, features)?;
            to.perceptron(model, image.channels * image.height * image.width, classes)?;
        }
        ModelKind::Attention => to.attention(model, features, classes)?,
    }
    Sequence::new(&to.layers.all)?;
    Ok(to.layers)
}

struct Builder {
    layers: Layers,
    /// Of the layers' own form, and of one that stays float.
    eyes: [(Weights, Activations); 2],
    /// Matrices still to come, the next one included.
    left: usize,
    first: bool,
    float: [bool; 2],
}

impl Builder {
    fn new(model: &ModelConfig, inverse_slope: f32) -> Builder {
        let left = match model.kind {
            ModelKind::Mlp => model.hidden.len() + 1,
            ModelKind::Conv => model.filters.len() + model.hidden.len() + 1,
            ModelKind::Attention => 3 * model.blocks,
        };
        Builder {
            layers: Layers { all: Vec::new(), ternary: Vec::new() },
            eyes: model.eyes(inverse_slope),
            left,
            first: true,
            float: [model.float_first, model.float_last],
        }
    }

    fn add(&mut self, layer: impl Into<AnyLayer>) {
        self.layers.all.push(layer.into());
        self.layers.ternary.push(false);
    }

    /// A layer with a matrix, which sees as it is told.
    fn add_seeing<L: Into<AnyLayer>>(
        &mut self,
        make: impl FnOnce(Weights, Activations) -> Result<L, crate::Error>,
    ) -> Result<(), TrainError> {
        let [first, last] = self.float;
        let float = (first && self.first) || (last && self.left == 1);
        let (weights, activations) = self.eyes[float as usize];
        self.layers.all.push(make(weights, activations)?.into());
        self.layers.ternary.push(weights != Weights::Float);
        self.left = self.left.saturating_sub(1);
        self.first = false;
        Ok(())
    }

    fn perceptron(&mut self, model: &ModelConfig, features: usize, classes: usize) -> Result<(), TrainError> {
        let mut inputs = features;
        for (i, &outputs) in model.hidden.iter().chain([&classes]).enumerate() {
            // The first norm makes up for the scale of what comes in and has nothing to learn that the matrix cannot.
            self.add(RmsNorm::new(inputs, i > 0, EPSILON)?);
            self.add_seeing(|w, a| Linear::new(inputs, outputs, true)?.seen(w, a))?;
            if i < model.hidden.len() {
                self.add(Activation::new(outputs, model.curve.curve())?);
            }
            inputs = outputs;
        }
        Ok(())
    }

    fn convolutions(&mut self, model: &ModelConfig, features: usize) -> Result<Image, TrainError> {
        let side = features.isqrt();
        let mut image = match model.image[..] {
            [channels, height, width] => Image { channels, height, width },
            _ => Image { channels: 1, height: side, width: side },
        };
        let pixels = image.channels.checked_mul(image.height).and_then(|n| n.checked_mul(image.width));
        if pixels != Some(features) {
            let what = format!(
                "is {} channels of {} x {}, and a row of the data has {features} features",
                image.channels, image.height, image.width
            );
            return Err(config("model.image", what, "give [channels, height, width] whose product that is"));
        }
        for (i, &filters) in model.filters.iter().enumerate() {
            let padding = (model.kernel - 1) / 2;
            let (k, s) = (model.kernel, model.stride);
            let window = Window { size: [k, k], stride: [s, s], padding: [padding, padding] };
            let fits = |key, side: usize, padding: usize, image: Image| {
                if image.height.min(image.width) + 2 * padding < side {
                    let what = format!(
                        "is {side}, more than is left of the image at convolution {}: {} x {}",
                        i + 1,
                        image.height,
                        image.width
                    );
                    return Err(config(key, what, "give a smaller one, or fewer filters"));
                }
                Ok(())
            };
            fits("model.kernel", k, padding, image)?;
            let pixels = image.channels * image.height * image.width;
            self.add(RmsNorm::new(pixels, false, EPSILON)?);
            let conv = Conv::new(image, window, filters, true)?;
            self.add_seeing(|w, a| conv.seen(w, a))?;
            image = conv.output_image();
            if model.pool > 1 {
                fits("model.pool", model.pool, 0, image)?;
                let pool = Pool::new(image, Window::tiles(model.pool), Pooling::Max)?;
                image = pool.output_image();
                self.add(pool);
            }
            // Of the largest values alone, which are the largest of the bent ones.
            let pixels = image.channels * image.height * image.width;
            self.add(Activation::new(pixels, model.curve.curve())?);
        }
        Ok(image)
    }

    fn attention(&mut self, model: &ModelConfig, features: usize, classes: usize) -> Result<(), TrainError> {
        let (context, width) = (model.context, model.width);
        if features != context {
            let what = format!("is {context}, and a row of the data has {features} characters");
            return Err(config("model.context", what, "cut the text into rows of that length"));
        }
        let hidden = model.hidden.first().copied().unwrap_or(1);
        self.add(Embedding::new(classes, width, context)?);
        // What a character is beside what it is at its position.
        self.add(Bias::new(context * width, 1)?);
        for block in 0..model.blocks {
            let outputs = if block + 1 == model.blocks { classes } else { width };
            self.add(RmsNorm::new(width, true, EPSILON)?.positions(context)?);
            let attention = Attention::new(width, model.heads, context)?.residual();
            self.add_seeing(|w, _| attention.seen(w))?;
            self.add(RmsNorm::new(width, true, EPSILON)?.positions(context)?);
            self.add_seeing(|w, a| Linear::new(width, hidden, true)?.positions(context)?.seen(w, a))?;
            self.add(Activation::new(hidden * context, model.curve.curve())?);
            self.add(RmsNorm::new(hidden, true, EPSILON)?.positions(context)?);
            self.add_seeing(|w, a| Linear::new(hidden, outputs, true)?.positions(context)?.seen(w, a))?;
        }
        Ok(())
    }
}
