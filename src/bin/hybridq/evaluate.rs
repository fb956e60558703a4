//! `hybridq evaluate`: trained networks against rows with labels.

use std::path::PathBuf;

use hybridq::io::atomic::AtomicFile;
use hybridq::io::matrix::{Kind, write_matrix};
use hybridq::io::model::Model;
use hybridq::io::printable;
use hybridq::train::Exported;

use crate::train::data::JudgeArgs;
use crate::{Stop, ui};

/// Run networks that `hybridq train` has written on rows with labels; prints accuracy, loss and bytes of each.
///
/// The matrices are multiplied packed, as a C program does it with the exported header: the same bits.
#[derive(clap::Args)]
pub struct Args {
    /// .gguf files
    #[arg(required = true, value_name = "NET.gguf")]
    networks: Vec<PathBuf>,
    #[command(flatten)]
    rows: JudgeArgs,
    /// Write the scores of the last network, row after row: .npy, .csv, .tsv, .txt, or .f32 (little-endian, nothing else)
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
    /// Replace the output if it exists
    #[arg(long)]
    overwrite: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let raw = args.scores.as_ref().is_some_and(|p| p.extension().is_some_and(|e| e == "f32"));
    let kind = args.scores.as_deref().filter(|_| !raw).map(Kind::of).transpose()?;
    if let Some(path) = &args.scores {
        drop(AtomicFile::create(path, args.overwrite)?);
    }
    let mut table = ui::table(&["network", ">accuracy", ">loss", ">matrices", ">all parameters"]);
    let (mut figures, mut scores) = (String::new(), (1, Vec::new()));
    for path in &args.networks {
        let network = Exported::load(&Model::open(path)?)?;
        let rows = args.rows.rows(&network)?;
        let [_, classes] = network.shape();
        let mut found = vec![0.0; rows.labels.len() * classes];
        network.scores(rows.rows(), &rows.x, &mut found)?;
        let judged = network.evaluate(&rows)?;
        let name = path.file_stem().map(|s| printable(&s.to_string_lossy())).unwrap_or_default();
        table.add_row([
            format!("{name} ({})", network.format().map_or("f32", |f| f.name())),
            format!("{:.2} %", 100.0 * judged.accuracy),
            format!("{:.4}", judged.loss),
            format!("{} B", network.matrix_bytes()),
            format!("{} B", network.bytes()),
        ]);
        figures += &format!("figure accuracy_{name} {:.2} %\n", 100.0 * judged.accuracy);
        scores = (classes, found);
    }
    let (classes, values) = scores;
    if let Some(path) = &args.scores {
        match kind {
            Some(kind) => write_matrix(path, kind, classes, &values, args.overwrite)?,
            None => {
                let mut file = AtomicFile::create(path, args.overwrite)?;
                values.iter().try_for_each(|v| file.put(&v.to_le_bytes()))?;
                file.commit()?;
            }
        }
    }
    ui::print_table(&table);
    ui::print(&figures);
    Ok(())
}
