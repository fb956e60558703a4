//! How fast this library multiplies on this machine: for `hybridq plan --measure`.

use std::hint::black_box;
use std::time::Instant;

use hybridq::Error;
use hybridq::linear::{Packed, matvec_parallel};
use hybridq::quant::{
    ActBlock, Format, NonFinite, Options, quantize, quantize_activations, quantize_workspace_size,
};

/// Seconds, the median of several turns, products on the threads of the global pool.
#[derive(Clone, Copy)]
pub struct Speed {
    /// Of a matrix-vector product, for each weight.
    pub per_weight: f64,
    /// Of quantizing activations, for each value.
    pub per_activation: f64,
}

const TURNS: usize = 5;
/// Seconds of a turn at most.
const LONGEST: f64 = 0.15;
/// Bytes for a first estimate.
const PROBE: usize = 1_000_000;
/// Rows with contents of their own; more are copies, at other addresses.
const DISTINCT: usize = 4;

/// Times products with rows of `cols` weights over `megabytes` of packed rows, so that they come from memory and not
/// from a cache; over fewer if that takes more than 0.15 seconds.
pub fn measure(format: Format, cols: usize, megabytes: u32) -> Result<Speed, Error> {
    let mut state = 1u32;
    let mut values = |n: usize| -> Vec<f32> {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..n).map(|_| next() + next() + next()).collect()
    };
    let options = Options::new(format);
    let row = format.row_bytes(cols)?;
    let mut some = vec![0; format.matrix_bytes(DISTINCT, cols)?];
    let mut scratch = vec![0; quantize_workspace_size(format, &options, DISTINCT, cols)?];
    let x = values(DISTINCT.checked_mul(cols).ok_or(Error::SizeOverflow)?);
    quantize(format, &options, DISTINCT, cols, &x, &mut some, &mut scratch)?;
    let rows = ((megabytes as usize * 1_000_000) / row.max(1)).max(DISTINCT).next_multiple_of(DISTINCT);
    let packed: Vec<u8> = some.iter().copied().cycle().take(rows * row).collect();

    let input = values(cols);
    let mut acts = vec![ActBlock::ZERO; ActBlock::count(cols)];
    let repeats = (1_000_000 / cols.max(1)).max(1);
    let activations = median(|| {
        for _ in 0..repeats {
            quantize_activations(1, cols, black_box(&input), NonFinite::Error, &mut acts)?;
        }
        Ok(())
    })?;
    let weights = Packed::new(format, rows, cols, &packed)?;
    let mut y = vec![0.0; rows];
    // A kernel that would take longer is not held up by memory: fewer rows tell the same.
    let probe = rows.min((PROBE / row.max(1)).max(DISTINCT));
    let some = weights.rows_between(0, probe)?;
    matvec_parallel(&some, &acts, y.get_mut(..probe).unwrap_or_default())?;
    let start = Instant::now();
    matvec_parallel(black_box(&some), &acts, y.get_mut(..probe).unwrap_or_default())?;
    let per_row = start.elapsed().as_secs_f64() / probe as f64;
    let rows = rows.min(((LONGEST / per_row) as usize).max(probe));
    let weights = weights.rows_between(0, rows)?;
    y.truncate(rows);
    let products = median(|| {
        matvec_parallel(black_box(&weights), &acts, &mut y)?;
        black_box(&y);
        Ok(())
    })?;
    Ok(Speed {
        per_weight: products / (rows as f64 * cols as f64),
        per_activation: activations / (repeats as f64 * cols as f64),
    })
}

fn median(mut work: impl FnMut() -> Result<(), Error>) -> Result<f64, Error> {
    work()?; // pages and branch predictors
    let mut times = Vec::with_capacity(TURNS);
    for _ in 0..TURNS {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(TURNS / 2).copied().unwrap_or_default())
}
