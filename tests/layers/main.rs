//! Layers of networks, their products and losses.

#[path = "../common/mod.rs"]
mod common;

mod attention;
mod basics;
mod conv;
mod digits;
mod loss;
mod products;
mod support;
