//! Which tensor becomes what, and why. The rules are those of `docs/cli.md`.

use crate::io::Dtype;
use crate::io::model::{Kind, Tensor};
use crate::quant::Format;

/// What a tensor is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Packed rows.
    Packed(Format),
    /// Plain elements.
    Plain(Dtype),
    /// The bytes of the source.
    AsIs,
}

/// A target, and why it is not the format asked for (empty if it is).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What the tensor is stored as.
    pub target: Target,
    /// A few words for the table.
    pub reason: &'static str,
}

/// Chooses for one tensor. `keep` says that the user wants it exact. `None` for a tensor that can
/// neither be decoded nor carried.
#[must_use]
pub fn choose(tensor: &Tensor, format: Format, keep: bool) -> Option<Choice> {
    let as_is = |reason| Some(Choice { target: Target::AsIs, reason });
    let dtype = match &tensor.kind {
        Kind::Packed(f) if *f == format => return as_is(""),
        Kind::Packed(_) => return as_is("is packed already"),
        Kind::Plain(dtype) => *dtype,
        Kind::Other(_) => return None,
    };
    if !dtype.is_weight() {
        return as_is(if dtype == Dtype::F64 { "is 64-bit" } else { "is not float" });
    }
    if tensor.is_empty() {
        return as_is("is empty");
    }
    if keep {
        return as_is("asked by --keep");
    }
    // ggml and everything built on it wants these in F32; widening is exact.
    let exact = |reason| Some(Choice { target: Target::Plain(Dtype::F32), reason });
    if tensor.shape.iter().filter(|d| **d > 1).count() < 2 {
        return exact("vector stays exact");
    }
    if let Some(reason) = exact_by_name(&tensor.name) {
        return exact(reason);
    }
    let cols = tensor.cols();
    // A GGUF tensor type has whole blocks only. Formats without one go into a byte tensor and take any
    // length.
    let gguf_type = !matches!(format, Format::DenseTernary | Format::FiveLevel | Format::Q35P | Format::Q35B);
    if gguf_type && !cols.is_multiple_of(format.block_len()) {
        let q8 = Format::Q8_0;
        return if format != q8 && cols.is_multiple_of(q8.block_len()) {
            Some(Choice { target: Target::Packed(q8), reason: "row no multiple of 256" })
        } else {
            as_is("row no multiple of 32")
        };
    }
    Some(Choice { target: Target::Packed(format), reason: "" })
}

/// Norms and biases by name: some models give them two dimensions.
fn exact_by_name(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let mut parts = name.split(['.', '/']).rev();
    let last = parts.next().unwrap_or("");
    if last == "bias" || last.ends_with("_bias") || last.starts_with("bias_") {
        return Some("bias stays exact");
    }
    // The module is what a norm is called by: `input_layernorm.weight`, `ln_1.weight`, `attn_norm`.
    let norm = |part: &str| {
        let numbered = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        numbered.ends_with("norm") || matches!(numbered, "ln" | "ln_f" | "bn")
    };
    [Some(last), parts.next()].into_iter().flatten().any(norm).then_some("norm stays exact")
}

#[cfg(test)]
mod tests {
    use super::exact_by_name;

    #[test]
    fn names_of_norms_and_biases() {
        for name in [
            "encoder.layer.0.attention.output.LayerNorm.weight",
            "model.layers.3.input_layernorm.weight",
            "h.0.ln_1.weight",
            "transformer.ln_f.weight",
            "blk.0.attn_norm.weight",
            "features.1.bn2.weight",
            "fc.bias",
            "gru.bias_hh_l0",
            "q_proj_bias",
        ] {
            assert!(exact_by_name(name).is_some(), "{name}");
        }
        for name in
            ["normalizer_free.conv.weight", "model.layers.3.mlp.up_proj.weight", "bln.w", "embed.weight"]
        {
            assert_eq!(exact_by_name(name), None, "{name}");
        }
    }
}
