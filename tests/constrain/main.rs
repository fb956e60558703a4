//! Constraint sets, their intersections, and trust regions.

#[path = "../common/mod.rs"]
mod common;

mod balls;
mod discrete;
mod dykstra;
mod references;
mod scipy;
mod sets;
mod steihaug;
mod support;
mod thresholds;
mod trust_region;
