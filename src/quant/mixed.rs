//! Mixed precision: one format for each of several tensors (or row groups), so that all together stay within a budget
//! of bytes and the sum of their errors is least.
//!
//! This is the multiple-choice knapsack problem. It is solved by Lagrangian relaxation: a price per byte, the same for
//! all tensors, at which each takes the format with the least error + price * bytes. The price is the least one that
//! keeps the budget; for it the relaxation also gives a lower bound of the error that any choice within the budget
//! can have (Everett 1963; Kellerer, Pferschy and Pisinger, Knapsack Problems, 2004, chapter 11). What the relaxation
//! leaves open, a search settles: over sets of formats whose reduced costs add up to less than the gap. It proves the
//! result to be the best unless it is cut short; [`Mixed::bound`] says how much better any other choice could be.
//!
//! Row groups. Nothing here knows what a tensor is: groups of rows may be given as well, each with its own format. On
//! the 40 matrices of all-MiniLM-L6-v2, with the relative error of each matrix and the formats of version 0.1, groups
//! of 64 rows lower the RMSE by this much against one format a matrix:
//!
//! | bits | one format a matrix | groups of 64 rows | groups of 16 rows |
//! |---|---|---|---|
//! | 2.0 | 0.3810 | 0.3714 (2.5 % less) | 0.3695 (3.0 %) |
//! | 2.5 | 0.2912 | 0.2903 (0.3 %) | 0.2888 (0.8 %) |
//! | 4.0 | 0.2462 | 0.2406 (2.3 %) | 0.2386 (3.1 %) |
//! | 6.0 | 0.1928 | 0.1683 (13 %) | 0.1661 (14 %) |
//!
//! (At 6 bits the one embedding table, half of the model, fits no better format as a whole.) The command line chooses
//! by matrix all the same: a matrix in several formats is no GGUF tensor, and no single product multiplies it.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::math::Compensated;
use crate::workspace::{Carver, Layout, split_rows};

/// Steps that the search may take: some tens of milliseconds on a desktop.
const SEARCH_STEPS: u32 = 1 << 22;

/// What [`mixed_select`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixed {
    /// Bytes of the chosen formats; at most the budget.
    pub bytes: u64,
    /// The sum of their errors.
    pub error: f32,
    /// No choice within the budget has a smaller error than this. Equal to `error` where the choice is proved to be
    /// the best (to the rounding of f32, a few units in the seventh digit).
    pub bound: f32,
}

/// The candidates of all tensors: `count` entries for each, in the same order.
#[derive(Clone, Copy)]
struct Table<'a> {
    count: usize,
    bytes: &'a [u64],
    errors: &'a [f32],
}

/// One candidate.
#[derive(Clone, Copy)]
struct Candidate {
    index: usize,
    bytes: u64,
    error: f32,
}

impl<'a> Table<'a> {
    fn new(tensors: usize, count: usize, bytes: &'a [u64], errors: &'a [f32]) -> Result<Table<'a>, Error> {
        let cells = tensors.checked_mul(count).ok_or(Error::SizeOverflow)?;
        if bytes.len() != cells || errors.len() != cells {
            return Err(Error::Shape);
        }
        let none = count == 0 && tensors > 0;
        if none
            || count > 1 << 16
            || tensors as u64 > u32::MAX as u64
            || errors.iter().any(|e| e.is_nan() || *e < 0.0)
        {
            return Err(Error::InvalidArgument);
        }
        // Sums of bytes cannot overflow then, in pieces or as a whole.
        let mut total = bytes.iter().zip(errors).filter(|(_, e)| e.is_finite());
        total.try_fold(0u64, |a, (b, _)| a.checked_add(*b)).ok_or(Error::SizeOverflow)?;
        Ok(Table { count, bytes, errors })
    }

    /// The candidates of each tensor in turn; those with an infinite error do not exist.
    fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = Candidate> + Clone + 'a> + 'a {
        split_rows(self.bytes, self.count).zip(split_rows(self.errors, self.count)).map(row)
    }

    /// Bytes of the smallest candidates; `None` if a tensor has none at all.
    fn smallest(&self) -> Option<u64> {
        let mut total = 0u64;
        for row in self.rows() {
            total = total.saturating_add(row.map(|c| c.bytes).min()?);
        }
        Some(total)
    }

    /// Bytes and error of the choices at a price.
    fn at_price(&self, price: f32) -> (u64, f32) {
        let (mut bytes, mut error) = (0u64, Compensated::default());
        for chosen in self.rows().filter_map(|row| cheapest(row, price)) {
            bytes = bytes.saturating_add(chosen.bytes);
            error.add(chosen.error);
        }
        (bytes, error.value())
    }
}

fn row<'a>((bytes, errors): (&'a [u64], &'a [f32])) -> impl Iterator<Item = Candidate> + Clone + 'a {
    let all = bytes.iter().zip(errors).enumerate();
    let all = all.map(|(index, (&bytes, &error))| Candidate { index, bytes, error });
    all.filter(|c| c.error.is_finite())
}

/// The candidate with the least error + price * bytes; of equal ones the one with fewer bytes, then the first.
fn cheapest(row: impl Iterator<Item = Candidate>, price: f32) -> Option<Candidate> {
    row.fold(None, |best: Option<(f32, Candidate)>, c| {
        let cost = c.error + price * c.bytes as f32;
        match best {
            Some((least, b)) if cost > least || (cost == least && c.bytes >= b.bytes) => best,
            _ => Some((cost, c)),
        }
    })
    .map(|(_, c)| c)
}

/// Bytes of scratch that [`mixed_select`] needs: 24 for each candidate and 16 for each tensor.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn mixed_workspace_size(tensors: usize, count: usize) -> Result<usize, Error> {
    let cells = tensors.checked_mul(count).ok_or(Error::SizeOverflow)?;
    Ok(Layout::EMPTY.array::<Deviation>(cells)?.array::<Level>(tensors)?.size())
}

/// The smallest budget for which [`mixed_select`] has an answer: the sum of the smallest candidates.
///
/// # Errors
/// As [`mixed_select`], but for the budget and the buffers.
pub fn mixed_smallest(tensors: usize, count: usize, bytes: &[u64], errors: &[f32]) -> Result<u64, Error> {
    Table::new(tensors, count, bytes, errors)?.smallest().ok_or(Error::InvalidArgument)
}

/// Chooses one of `count` candidates for each of `tensors` tensors: within `budget` bytes, with the least sum of
/// errors.
///
/// `bytes` and `errors` hold `tensors * count` entries, those of the first tensor first: what the tensor takes in that
/// format, and its squared error there, weighted as the caller sees fit; infinite where the tensor cannot have the
/// format. `choices` gets the index of the candidate of each tensor. `scratch` holds at least
/// [`mixed_workspace_size`] bytes, at any alignment. A larger budget never gives a larger error, as long as both
/// results are proved (`error == bound`).
///
/// Errors are summed in f32, compensated: candidates that differ by less than 1e-7 of the total count as equal. The
/// time is about 32 * `tensors` * `count` steps, and a search of four million steps at most.
///
/// # Errors
/// [`Error::Budget`] if even the smallest candidates exceed the budget ([`mixed_smallest`] says by how much),
/// [`Error::Shape`], [`Error::InvalidArgument`] (an error that is negative or NaN, a tensor without a candidate, more
/// than 65536 candidates), [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`].
/// `choices` is untouched then.
///
/// ```
/// use hybridq::quant::{mixed_select, mixed_workspace_size};
/// // Two tensors, each in 10, 20 or 40 bytes.
/// let bytes = [10, 20, 40, 10, 20, 40];
/// let errors = [9.0, 4.0, 0.0, 100.0, 30.0, 1.0];
/// let (mut choices, mut scratch) = ([0; 2], [0; 200]);
/// assert!(mixed_workspace_size(2, 3)? <= scratch.len());
/// let found = mixed_select(2, 3, &bytes, &errors, 50, &mut choices, &mut scratch)?;
/// assert_eq!((choices, found.bytes, found.error), ([0, 2], 50, 10.0));
/// assert_eq!(found.bound, found.error); // proved
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn mixed_select(
    tensors: usize,
    count: usize,
    bytes: &[u64],
    errors: &[f32],
    budget: u64,
    choices: &mut [u16],
    scratch: &mut [u8],
) -> Result<Mixed, Error> {
    let table = Table::new(tensors, count, bytes, errors)?;
    let choices = choices.get_mut(..tensors).ok_or(Error::OutputTooSmall)?;
    let mut carver = Carver::new(scratch);
    let mut search = Search { deviations: carver.take(bytes.len())?, levels: carver.take(tensors)? };
    if table.smallest().ok_or(Error::InvalidArgument)? > budget {
        return Err(Error::Budget);
    }
    let price = price(&table, budget);
    let (taken, error) = table.at_price(price);
    for (choice, row) in choices.iter_mut().zip(table.rows()) {
        *choice = cheapest(row, price).map_or(0, |c| c.index as u16);
    }
    // error + price * (bytes - budget) is the least that any choice has, and those within the budget have more error.
    let slack = budget.saturating_sub(taken);
    let bound = error - price * slack as f32;
    let mut found = Mixed { bytes: taken, error, bound: bound.max(0.0) };
    fill(&table, budget, choices, &mut found);
    if search.run(&table, budget, price, bound, choices, &mut found) {
        found.bound = found.error;
    }
    found.bound = found.bound.min(found.error);
    Ok(found)
}

/// The least price per byte at which the budget is kept. Positive floats are ordered as their bits, so 31 halvings
/// find it exactly.
fn price(table: &Table<'_>, budget: u64) -> f32 {
    let (mut low, mut high) = (0u32, f32::MAX.to_bits());
    while low < high {
        let middle = low + (high - low) / 2;
        if table.at_price(f32::from_bits(middle)).0 <= budget {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    f32::from_bits(high)
}

/// Spends what the price has left over: tensors move to a better format while one fits, in the order of the tensors.
fn fill(table: &Table<'_>, budget: u64, choices: &mut [u16], found: &mut Mixed) {
    let mut total = Compensated::default();
    for (choice, row) in choices.iter_mut().zip(table.rows()) {
        let Some(now) = row.clone().find(|c| c.index == *choice as usize) else { continue };
        let room = budget.saturating_sub(found.bytes).saturating_add(now.bytes);
        let best = row.filter(|c| c.bytes <= room && c.error < now.error).fold(now, |a, b| {
            if b.error < a.error || (b.error == a.error && b.bytes < a.bytes) { b } else { a }
        });
        *choice = best.index as u16;
        found.bytes = found.bytes.saturating_sub(now.bytes).saturating_add(best.bytes);
        total.add(best.error);
    }
    found.error = total.value();
}

/// A choice that differs from the relaxation's.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
struct Deviation {
    /// Bytes more, or fewer.
    bytes: i64,
    /// Reduced cost: what it loses against the relaxation, whatever becomes of the bytes.
    excess: f32,
    tensor: u32,
    index: u32,
    reserved: u32,
}

/// The set of deviations at hand, one a level.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
struct Level {
    /// Bytes of the choice up to this level.
    bytes: i64,
    /// Its excess.
    excess: f32,
    /// Which deviation this level takes.
    at: u32,
}

/// Depth-first search over sets of deviations, those that lose least first.
struct Search<'a> {
    deviations: &'a mut [Deviation],
    levels: &'a mut [Level],
}

impl Search<'_> {
    /// Improves `found`, given the bound that the relaxation has found; true if the search came to its end, so that nothing better exists.
    fn run(
        &mut self,
        table: &Table<'_>,
        budget: u64,
        price: f32,
        bound: f32,
        choices: &mut [u16],
        found: &mut Mixed,
    ) -> bool {
        let open = self.list(table, price, found.error - bound);
        let Some(deviations) = self.deviations.get_mut(..open) else { return false };
        sort(deviations);
        let base = table.at_price(price).0 as i64;
        let (mut depth, mut next) = (0usize, 0usize);
        for _ in 0..SEARCH_STEPS {
            let below = match depth.checked_sub(1) {
                Some(d) => get(self.levels, d),
                None => Level { bytes: base, excess: 0.0, at: 0 },
            };
            // Sorted: what does not fit here does not fit later either.
            let taken = deviations.get(next).filter(|d| below.excess + d.excess < found.error - bound);
            let Some(deviation) = taken else {
                let Some(back) = depth.checked_sub(1) else { return true };
                depth = back;
                next = get(self.levels, depth).at as usize + 1;
                continue;
            };
            let levels = self.levels.get(..depth).unwrap_or_default();
            let clash = levels.iter().any(|l| get(deviations, l.at as usize).tensor == deviation.tensor);
            next += 1;
            if clash || depth >= self.levels.len() {
                continue;
            }
            let level = Level {
                bytes: below.bytes.saturating_add(deviation.bytes),
                excess: below.excess + deviation.excess,
                at: (next - 1) as u32,
            };
            set(self.levels, depth, level);
            depth += 1;
            // Error = bound + excess + price * what is left of the budget: looked at in full only if it is less.
            let left = budget.checked_sub(level.bytes as u64);
            if left.is_some_and(|left| bound + level.excess + price * (left as f32) < found.error) {
                let levels = self.levels.get(..depth).unwrap_or_default();
                keep(table, price, deviations, levels, choices, found);
            }
        }
        false
    }

    /// Lists the deviations that lose less than `gap`; gives their number.
    fn list(&mut self, table: &Table<'_>, price: f32, gap: f32) -> usize {
        let mut places = self.deviations.iter_mut();
        let mut open = 0;
        for (tensor, row) in table.rows().enumerate() {
            let Some(least) = cheapest(row.clone(), price) else { continue };
            let cost = |c: &Candidate| c.error + price * c.bytes as f32;
            for c in row.filter(|c| c.index != least.index) {
                let excess = (cost(&c) - cost(&least)).max(0.0);
                if excess < gap
                    && let Some(place) = places.next()
                {
                    let bytes = (c.bytes as i64).wrapping_sub(least.bytes as i64);
                    let (tensor, index) = (tensor as u32, c.index as u32);
                    *place = Deviation { bytes, excess, tensor, index, reserved: 0 };
                    open += 1;
                }
            }
        }
        open
    }
}

/// Takes the choice with these deviations over if it is better.
fn keep(
    table: &Table<'_>,
    price: f32,
    deviations: &[Deviation],
    levels: &[Level],
    choices: &mut [u16],
    found: &mut Mixed,
) {
    let chosen = |(tensor, row): (usize, _)| {
        let mut own = levels.iter().map(|l| get(deviations, l.at as usize));
        match own.find(|d| d.tensor as usize == tensor) {
            Some(d) => Iterator::find(&mut { row }, |c: &Candidate| c.index == d.index as usize),
            None => cheapest(row, price),
        }
    };
    let (mut bytes, mut error) = (0u64, Compensated::default());
    for c in table.rows().enumerate().filter_map(chosen) {
        bytes = bytes.saturating_add(c.bytes);
        error.add(c.error);
    }
    if error.value() < found.error {
        (found.bytes, found.error) = (bytes, error.value());
        for (choice, c) in choices.iter_mut().zip(table.rows().enumerate().map(chosen)) {
            *choice = c.map_or(*choice, |c| c.index as u16);
        }
    }
}

/// Heap sort by what is lost: `slice::sort` has panic paths.
fn sort(deviations: &mut [Deviation]) {
    let before = |a: &Deviation, b: &Deviation| (a.excess, a.tensor, a.index) < (b.excess, b.tensor, b.index);
    let sift = |d: &mut [Deviation], mut root: usize, end: usize| loop {
        let child = 2 * root + 1;
        if child >= end {
            break;
        }
        let right = child + 1;
        let larger = right < end && before(&get(d, child), &get(d, right));
        let child = if larger { right } else { child };
        let (top, under) = (get(d, root), get(d, child));
        if !before(&top, &under) {
            break;
        }
        set(d, root, under);
        set(d, child, top);
        root = child;
    };
    let len = deviations.len();
    for root in (0..len / 2).rev() {
        sift(deviations, root, len);
    }
    for end in (1..len).rev() {
        let (first, last) = (get(deviations, 0), get(deviations, end));
        set(deviations, 0, last);
        set(deviations, end, first);
        sift(deviations, 0, end);
    }
}

fn get<T: Copy + Default>(values: &[T], at: usize) -> T {
    values.get(at).copied().unwrap_or_default()
}

fn set<T>(values: &mut [T], at: usize, value: T) {
    if let Some(place) = values.get_mut(at) {
        *place = value;
    }
}
