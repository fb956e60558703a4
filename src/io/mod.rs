//! Host file formats: safetensors and GGUF in and out, C headers out.
