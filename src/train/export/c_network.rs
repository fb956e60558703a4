//! Exported networks as C headers: the arrays, and a function that runs them.

use std::fmt::Write as _;
use std::path::Path;

use crate::io::atomic::AtomicFile;
use crate::io::c_header::{c_names, write_c_header};
use crate::io::model::Model;
use crate::io::{ErrorKind, IoError};
use crate::learn::layers::{AnyLayer, Layer};
use crate::train::config::CurveName;
use crate::train::error::TrainError;
use crate::train::models::EPSILON;

use super::{Exported, names};

impl Exported {
    /// Writes a C99 header, whole or not at all: the arrays as `hybridq export` writes them, and, if the network is one of norms,
    /// packed matrices with int8 activations and curves, the function `PREFIX_scores` that runs it by `libhybridq.a` with the
    /// bits of [`Exported::scores`]. Every name begins with `prefix`. Says whether there is the function.
    ///
    /// # Errors
    /// What the file system refuses; a file that exists, unless `overwrite`; values that are not finite.
    pub fn write_c_header(&self, prefix: &str, path: &Path, overwrite: bool) -> Result<bool, TrainError> {
        let gguf = self.gguf(prefix).map_err(|e| {
            let what = format!("cannot be made: {e}");
            IoError::new(ErrorKind::Unsupported, path, what, "leave the header out")
        })?;
        let model = Model::from_bytes(path, &gguf)?;
        let mut header = Vec::new();
        write_c_header(&model, prefix, &mut header, path, &mut |_| true)?;
        let (prefix, names) = c_names(&model, prefix)?;
        let function = self.function(&prefix, &|name| {
            let found = model.tensors.iter().position(|t| t.name == name);
            found.and_then(|i| names.get(i)).cloned().unwrap_or_default()
        });
        header.extend_from_slice(function.as_deref().unwrap_or_default().as_bytes());
        let mut file = AtomicFile::create(path, overwrite)?;
        file.put(&header)?;
        file.commit()?;
        Ok(function.is_some())
    }

    /// The part of the header below the arrays; `c_name` says what a tensor is called there.
    fn function(&self, prefix: &str, c_name: &dyn Fn(&str) -> String) -> Option<String> {
        if !self.model.int8_activations {
            return None;
        }
        let upper = prefix.to_ascii_uppercase();
        let widest = self.layers.iter().map(|l| l.input_len().max(l.output_len())).max()?;
        let mut body = String::new();
        let mut input = "@INPUT@";
        for ((layer, arrays), name) in self.layers.iter().zip(&self.arrays).zip(names(&self.layers)) {
            let last = std::ptr::eq(layer, self.layers.last()?);
            let len = layer.output_len();
            // Writing to a string does not fail.
            let _ = match layer {
                AnyLayer::RmsNorm(_) => {
                    let gain = arrays.first().map_or("NULL".to_owned(), |a| c_name(&a.name));
                    writeln!(
                        body,
                        "    HQ_TRY_({prefix}_norm({len}, {gain}, {input}, work->values)); /* {name} */"
                    )
                }
                AnyLayer::Linear(linear) if linear.inputs() == layer.input_len() => {
                    let weight = arrays.first().filter(|a| a.packed.is_some())?;
                    let bias = arrays.get(1).map_or("NULL".to_owned(), |a| c_name(&a.name));
                    let weight = c_name(&weight.name);
                    let macros = weight.to_ascii_uppercase();
                    let to = if last { "scores" } else { "work->values" };
                    writeln!(
                        body,
                        "    HQ_TRY_({prefix}_linear({macros}_FORMAT, {macros}_ROWS, {macros}_COLS, {weight}, \
                         sizeof {weight},\n                   {bias}, {input}, work->acts, {to})); /* {name} */"
                    )
                }
                AnyLayer::Activation(_) => {
                    let squared = (self.model.curve == CurveName::ReluSquared) as u8;
                    writeln!(body, "    {prefix}_relu({len}, {squared}, work->values); /* {name} */")
                }
                _ => return None,
            };
            if matches!(layer, AnyLayer::Activation(_)) && input == "@INPUT@" {
                return None;
            }
            input = "work->values";
        }
        if !matches!(self.layers.last()?, AnyLayer::Linear(_)) {
            return None;
        }
        let scaled = self.scale != 1.0;
        let begin = if scaled {
            // The features are scaled into the workspace, and the first layer reads them there.
            let Exported { features, scale, .. } = self;
            format!(
                "    size_t i;\n    for (i = 0; i < {features}; i++) {{\n        work->values[i] = input[i] * {scale:.8e}f;\n    }}\n"
            )
        } else {
            String::new()
        };
        Some(
            TEMPLATE
                .replace("@BEGIN@", &begin)
                .replace("@BODY@", &body)
                .replace("@INPUT@", if scaled { "work->values" } else { "input" })
                .replace("@UPPER@", &upper)
                .replace("@prefix@", prefix)
                .replace("@WIDEST@", &widest.to_string())
                .replace("@FEATURES@", &self.features.to_string())
                .replace("@CLASSES@", &self.classes.to_string())
                .replace("@EPSILON@", &format!("{EPSILON:.8e}f")),
        )
    }
}

/// Products that are added go through `hq_vec_*`, which round between the two, whatever the C compiler is allowed to fuse.
const TEMPLATE: &str = r"
#ifndef @UPPER@_HYBRIDQ_NETWORK_H
#define @UPPER@_HYBRIDQ_NETWORK_H

#include <math.h>
#include <stddef.h>

#include <hybridq.h>

#define @UPPER@_FEATURES @FEATURES@
#define @UPPER@_CLASSES @CLASSES@

/* What @prefix@_scores works in; its contents do not matter between calls. */
typedef struct @prefix@_workspace {
    float values[@WIDEST@];
    hq_act_block acts[HQ_ACT_COUNT(@WIDEST@)];
} @prefix@_workspace;

#ifndef HQ_TRY_
#define HQ_TRY_(call)                      \
    do {                                   \
        hq_status hq_try_status = (call);  \
        if (hq_try_status != HQ_OK) {      \
            return hq_try_status;          \
        }                                  \
    } while (0)
#endif

/* y = x / sqrt(mean(x^2) + epsilon), times a gain; `y` may be `x`. Magnitudes up to 2^40. */
static inline hq_status @prefix@_norm(size_t len, const float *gain, const float *x, float *y) {
    size_t i;
    float squares, mean = @EPSILON@, inverse;
    HQ_TRY_(hq_vec_dot(len, x, x, &squares));
    HQ_TRY_(hq_vec_axpy(1, 1.0f / (float)len, &squares, &mean));
    inverse = 1.0f / sqrtf(mean);
    for (i = 0; i < len; i++) {
        y[i] = x[i] * inverse;
    }
    for (i = 0; gain && i < len; i++) {
        y[i] = y[i] * gain[i];
    }
    return HQ_OK;
}

/* y = W x + b with x in int8; `y` may be `x`. */
static inline hq_status @prefix@_linear(int32_t format, size_t rows, size_t cols, const uint8_t *weight,
                                        size_t size, const float *bias, const float *x, hq_act_block *acts,
                                        float *y) {
    const size_t blocks = hq_act_count(cols);
    HQ_TRY_(hq_quantize_activations(1, cols, x, cols, HQ_NON_FINITE_ERROR, acts, blocks));
    HQ_TRY_(hq_matvec(format, rows, cols, weight, size, acts, blocks, y, rows));
    return bias ? hq_vec_axpy(rows, 1.0f, bias, y) : HQ_OK;
}

/* max(x, 0), or its square. */
static inline void @prefix@_relu(size_t len, int squared, float *x) {
    size_t i;
    for (i = 0; i < len; i++) {
        const float positive = x[i] <= 0.0f ? 0.0f : x[i];
        x[i] = squared ? positive * positive : positive;
    }
}

/* The @CLASSES@ scores of @FEATURES@ raw features: the largest is that of the class. Link with -lhybridq -lm.
 * Callable from any thread with a workspace of its own. `scores` is written on success only. */
static inline hq_status @prefix@_scores(const float *input, float *scores, @prefix@_workspace *work) {
@BEGIN@@BODY@    return HQ_OK;
}

#endif /* @UPPER@_HYBRIDQ_NETWORK_H */
";
