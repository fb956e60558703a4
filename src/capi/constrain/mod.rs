//! Room `constrain`: sets as plain structs, and what can be done with any of them; the trust region.

// In the order of the header.
pub mod set;

pub mod project;

pub mod affine;
pub mod dykstra;

pub mod trust_region;

pub mod steihaug;
