//! `hybridq archive` and `hybridq unarchive`: ternary models in the least bytes, and back.

use std::path::PathBuf;

use hybridq::io::archive::{Archive, archive_model};
use hybridq::io::atomic::AtomicFile;
use hybridq::io::model::Model;
use hybridq::io::printable;

use crate::quantize::check_output;
use crate::{Stop, ui};

/// Store a packed GGUF file in fewer bytes, under checksums; 'unarchive' gives the same file back.
///
/// Ternary tensors (tq1_0, tq2_0, dense_ternary) are entropy-coded, to about 1.55 bits a weight; everything
/// else is kept as it is.
#[derive(clap::Args)]
pub struct ArchiveArgs {
    /// A .gguf file
    input: PathBuf,
    /// The .hqa file to write
    #[arg(short, long, value_name = "OUT.hqa")]
    output: PathBuf,
    /// Replace the output if it exists
    #[arg(long)]
    overwrite: bool,
    /// Print no table
    #[arg(short, long)]
    quiet: bool,
}

/// Restore the GGUF file from an archive, byte for byte, every checksum compared.
#[derive(clap::Args)]
pub struct UnarchiveArgs {
    /// A .hqa file
    input: PathBuf,
    /// The .gguf file to write
    #[arg(short, long, value_name = "OUT.gguf")]
    output: PathBuf,
    /// Replace the output if it exists
    #[arg(long)]
    overwrite: bool,
}

pub fn archive(args: &ArchiveArgs) -> Result<(), Stop> {
    let model = Model::open(&args.input)?;
    check_output(&model, &args.output)?;
    let bar = ui::Bar::new(model.tensors.iter().map(|t| t.bytes() as u64).sum());
    let mut output = AtomicFile::create(&args.output, args.overwrite)?;
    let report = archive_model(&model, &mut output, &args.output, &mut bar.step())?;
    output.commit()?;
    drop(bar);
    if !args.quiet {
        ui::print_report(&report, ui::file_size(&args.output));
    }
    Ok(())
}

pub fn unarchive(args: &UnarchiveArgs) -> Result<(), Stop> {
    let archive = Archive::open(&args.input)?;
    if archive.is_read_from(&args.output) {
        let file = printable(&args.output.to_string_lossy());
        return Err(Stop::Line(format!("{file}: is both input and output; choose another output")));
    }
    let bar = ui::Bar::new(archive.bytes());
    let mut output = AtomicFile::create(&args.output, args.overwrite)?;
    archive.restore(&mut output, &args.output, &mut bar.step())?;
    output.commit()?;
    drop(bar);
    ui::print(&format!(
        "{} tensors: {} to {}, all checksums right\n",
        archive.model.tensors.len(),
        ui::size(archive.bytes() as f64),
        ui::size(archive.restored_bytes() as f64)
    ));
    Ok(())
}
