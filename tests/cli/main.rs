//! The command line.
#![cfg(feature = "cli")]

#[path = "../io/support.rs"]
mod io_support;

mod archive;
mod auto;
mod cluster;
mod hostile;
mod meta_train;
mod models;
mod plan;
mod threads;
mod train;
mod train_resume;
