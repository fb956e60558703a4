//! What the subcommands share: the progress bar, tables, sizes, interrupts.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::{CellAlignment, Table, presets};
use hybridq::io::convert::Report;
use hybridq::io::printable;
use indicatif::{ProgressBar, ProgressStyle};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A bar on standard error; hidden where that is no terminal. While there is one, Ctrl-C and SIGTERM end
/// the work between two slices, so that the temporary file goes too.
pub struct Bar(ProgressBar);

impl Bar {
    /// Counts bytes.
    pub fn new(total: u64) -> Self {
        Bar::styled(total, "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
    }

    /// Counts iterations, of which there may be fewer than `total`.
    pub fn iterations(total: u64) -> Self {
        Bar::styled(total, "{bar:40} {pos}/{len} iterations at most, {elapsed}")
    }

    /// Counts steps of training.
    pub fn steps(total: u64) -> Self {
        Bar::styled(total, "{bar:40} {pos}/{len} steps {per_sec} {eta}")
    }

    fn styled(total: u64, template: &str) -> Self {
        // Without a handler an interrupt still leaves no partial output, only the temporary file.
        let _ = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed));
        let bar = ProgressBar::new(total);
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Bar(bar)
    }

    /// Moves on; false once the user wants to stop.
    pub fn advance(&self, by: u64) -> bool {
        self.0.inc(by);
        !INTERRUPTED.load(Ordering::Relaxed)
    }

    /// A line of standard output above the bar.
    pub fn line(&self, text: &str) {
        self.0.suspend(|| print(&format!("{text}\n")));
    }

    /// Moves on to where this many are done.
    pub fn reach(&self, position: u64) {
        self.0.set_position(position);
    }

    /// Writes to standard output, above the bar.
    pub fn print(&self, text: &str) {
        self.0.suspend(|| print(text));
    }

    /// The callback of a conversion.
    pub fn step(&self) -> impl FnMut(u64) -> bool {
        |bytes| {
            self.0.inc(bytes);
            !INTERRUPTED.load(Ordering::Relaxed)
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Something that turns while a long step runs; hidden where standard error is no terminal.
pub fn spinner(message: &'static str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(message);
    spinner.enable_steady_tick(std::time::Duration::from_millis(120));
    spinner
}

/// Writes to standard output. A reader that has seen enough (`| head`) is no error.
pub fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// An empty table with these headings; those that begin with `>` head a column of numbers.
pub fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headings.iter().map(|h| h.trim_start_matches('>')));
    for (heading, column) in headings.iter().zip(table.column_iter_mut()) {
        column.set_padding((0, 2));
        if heading.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Prints a table without the spaces at the ends of its lines.
pub fn print_table(table: &Table) {
    let text: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    print(&text);
}

/// `46.9 MB`: decimal units, as disks and file managers count.
pub fn size(bytes: f64) -> String {
    let mut value = bytes;
    for unit in ["B", "kB", "MB", "GB", "TB", "PB"] {
        if value < 999.95 || unit == "PB" {
            return if unit == "B" { format!("{value:.0} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    String::new()
}

/// The table of what became of each tensor, its total, and the notes.
pub fn print_report(report: &Report, file_bytes: u64) {
    let mut table =
        table(&["tensor", "shape", "from", "to", ">bits/weight", ">rel. RMSE", ">size", "why not as asked"]);
    let rmse = |value: Option<f64>| value.map_or("exact".to_owned(), |e| format!("{e:.4}"));
    for t in &report.tensors {
        table.add_row([
            printable(&t.name),
            t.shape.clone(),
            t.from.clone(),
            t.to.clone(),
            format!("{:.4}", t.bits()),
            rmse(t.relative_rmse()),
            size(t.bytes_out as f64),
            t.reason.to_owned(),
        ]);
    }
    let (bytes_in, bytes_out) = report.bytes();
    table.add_row([
        "total".to_owned(),
        format!("{} values", report.values()),
        size(bytes_in as f64),
        String::new(),
        format!("{:.4}", 8.0 * bytes_out as f64 / report.values().max(1) as f64),
        rmse(report.relative_rmse()),
        size(bytes_out as f64),
        format!(
            "{:.2}x smaller, file {}",
            bytes_in as f64 / bytes_out.max(1) as f64,
            size(file_bytes as f64)
        ),
    ]);
    print_table(&table);
    for note in &report.notes {
        print(&format!("note: {note}\n"));
    }
}

/// The size of a file just written, for the table.
pub fn file_size(path: &std::path::Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}
