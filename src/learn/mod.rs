//! Learning with few bits: the quantization-aware constrained optimizer.

pub mod optimizer;
