//! Learning in the bits that are shipped.

pub mod latent_free;
