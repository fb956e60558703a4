//! k-means by small random batches of data in memory: a good deal of the way to Lloyd's result for a small part of its
//! work, where rows are many.

use crate::Error;
use crate::math::Random;
use crate::workspace::{Carver, Layout, split_rows_mut};

use super::fit::{Fit, Stop};
use super::frame::{Frame, limits_add, limits_clear, limits_len};
use super::partial::{accumulate, assign_workspace_size, check_centers, partial_len};
use super::points::{Points, row};
use super::stream::{
    State, real, stream_len, stream_reassign, stream_reassign_workspace_size, stream_start, stream_update,
};
use super::sums::{self, DIGITS};

/// How the rows of a batch are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Draw {
    /// Each from all rows, whatever has been drawn before (as scikit-learn does).
    #[default]
    Replace = 0,
    /// Every row once, in random order, before any comes again. The last batch of such a pass may be shorter. Takes 4
    /// bytes a row.
    Shuffle = 1,
}

impl Draw {
    /// The way with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Draw, Error> {
        [Draw::Replace, Draw::Shuffle].into_iter().find(|&d| d as i32 == value).ok_or(Error::UnknownEnum)
    }
}

/// How to fit by batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MiniBatchOptions {
    /// Rows of a batch, at least 1; more than there are count as so many.
    pub batch: usize,
    /// Batches at most. With 0 the points are labelled and the centres stay.
    pub max_steps: usize,
    /// Stop once this many batches in a row have not lowered the smoothed inertia; 0: never.
    pub max_no_improvement: usize,
    /// Stop once no centre moves farther than this for a batch (units of the data); at least 0, and 0 means never.
    pub shift_tolerance: f32,
    /// Centres that weigh less than this part of the heaviest get a new place now and then, see
    /// [`stream_reassign`](super::stream_reassign); 0..=1, and 0 means never.
    pub reassignment_ratio: f32,
    /// How batches are drawn.
    pub draw: Draw,
    /// The same seed draws the same batches on every machine.
    pub seed: u64,
}

impl MiniBatchOptions {
    /// 1024 rows, 1000 batches at most, until 10 in a row bring nothing; centres below 1 % of the heaviest are moved.
    pub const DEFAULT: MiniBatchOptions = MiniBatchOptions {
        batch: 1024,
        max_steps: 1000,
        max_no_improvement: 10,
        shift_tolerance: 0.0,
        reassignment_ratio: 0.01,
        draw: Draw::Replace,
        seed: 0,
    };

    /// Rows of a batch, and numbers kept for its order.
    fn sizes(&self, rows: usize) -> (usize, usize) {
        (self.batch.min(rows), if self.draw == Draw::Shuffle { rows } else { 0 })
    }
}

impl Default for MiniBatchOptions {
    fn default() -> MiniBatchOptions {
        MiniBatchOptions::DEFAULT
    }
}

/// Distinguishes these draws from others with the same seed.
const STREAM: u64 = 0x6261_7463;

/// Bytes of scratch for one call of something, of which only one runs at a time.
fn inner(rows: usize, cols: usize, k: usize) -> Result<usize, Error> {
    Ok(assign_workspace_size(k, cols)?.max(stream_reassign_workspace_size(rows, cols, k)?))
}

fn layout(rows: usize, cols: usize, k: usize, options: &MiniBatchOptions) -> Result<Layout, Error> {
    let (batch, order) = options.sizes(rows);
    Layout::EMPTY
        .array::<i64>(partial_len(k, cols)?)?
        .array::<f32>(limits_len(cols)?)?
        .array::<f32>(stream_len(k, cols)?)?
        .array::<f32>(batch.checked_mul(cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(batch)?
        .array::<u32>(batch)?
        .array::<u32>(order)?
        .array::<u8>(inner(batch, cols, k)?)
}

/// Bytes of scratch that [`mini_batch`] needs: about `4 * cols * (batch + 5 * k + 16)`, and with [`Draw::Shuffle`] 4 a row.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::SizeOverflow`].
pub fn mini_batch_workspace_size(
    rows: usize,
    cols: usize,
    k: usize,
    options: &MiniBatchOptions,
) -> Result<usize, Error> {
    Ok(layout(rows, cols, k, options)?.size())
}

/// Mini-batch k-means (Sculley, "Web-scale k-means clustering", WWW 2010) from given centres (`k` x `cols`): most of the way
/// to Lloyd's result for a small part of its work, where rows are many.
///
/// The centres follow the batches as [those of a stream](super::stream_update) do, without decay. What is smoothed, and
/// when to give up, is as in scikit-learn's `MiniBatchKMeans`, but for the inertia of a batch being divided by its
/// weight, not by its rows. Inertia comes within a few percent of [`fit`](super::fit)'s where groups overlap.
///
/// `centers` holds the start and receives the outcome; `labels` receives, for every row, the nearest of the centres
/// returned, and the inertia of the result is that of these labels over all rows. Of [`Fit`], `iterations` counts batches,
/// `shift` is that of the last one, and `stop` is [`Stop::Shift`], [`Stop::Inertia`] (no improvement) or
/// [`Stop::Iterations`]. The result is the same on every machine.
///
/// # Errors
/// [`Error::InvalidArgument`] (no centres, more centres than rows, `batch` 0, a tolerance that is negative or not finite, a
/// ratio not in 0..=1, a negative weight, no weight above 0), [`Error::Shape`], [`Error::OutputTooSmall`],
/// [`Error::WorkspaceTooSmall`], [`Error::NonFinite`], [`Error::SizeOverflow`]. The outputs are untouched then.
///
/// ```
/// use hybridq::kmeans::{MiniBatchOptions, Points, mini_batch, mini_batch_workspace_size};
/// let data: Vec<f32> = (0..1000).map(|i| (i % 2 * 10) as f32 + (i % 7) as f32 * 0.1).collect();
/// let points = Points::new(1000, 1, &data)?;
/// let options = MiniBatchOptions { batch: 50, ..MiniBatchOptions::DEFAULT };
/// let mut scratch = vec![0; mini_batch_workspace_size(1000, 1, 2, &options)?];
/// let (mut centers, mut labels) = ([0.0, 1.0], [0; 1000]);
/// let found = mini_batch(&points, 2, &options, &mut centers, &mut labels, &mut scratch)?;
/// assert!((centers[0] - 0.3).abs() < 0.1 && (centers[1] - 10.3).abs() < 0.1);
/// assert_eq!(labels[..4], [0, 1, 0, 1]);
/// assert!(found.inertia < 50.0 && found.iterations < 100);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn mini_batch(
    points: &Points<'_>,
    k: usize,
    options: &MiniBatchOptions,
    centers: &mut [f32],
    labels: &mut [u32],
    scratch: &mut [u8],
) -> Result<Fit, Error> {
    let (rows, cols) = (points.rows(), points.cols());
    let needed = layout(rows, cols, k, options)?.size();
    let ratio = options.reassignment_ratio;
    let tolerant = (0.0..=f32::MAX).contains(&options.shift_tolerance) && (0.0..=1.0).contains(&ratio);
    if k > rows || options.batch == 0 || !tolerant {
        return Err(Error::InvalidArgument);
    }
    check_centers(k, cols, centers)?;
    let labels = labels.get_mut(..rows).ok_or(Error::OutputTooSmall)?;
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    let (size, order) = options.sizes(rows);
    let mut carver = Carver::new(scratch);
    let partial = carver.take::<i64>(partial_len(k, cols)?)?;
    let limits = carver.take(limits_len(cols)?)?;
    let state = carver.take(stream_len(k, cols)?)?;
    let (data, weights) = (carver.take(size * cols)?, carver.take(size)?);
    let own_labels = carver.take(size)?;
    let order = carver.take(order)?;
    let rest = carver.take::<u8>(inner(size, cols, k)?)?;

    limits_clear(limits);
    limits_add(points, limits)?;
    // Batches lie where all points do.
    let (frame, whole) = (Frame::new(size, limits)?, Frame::new(rows, limits)?);
    stream_start(k, cols, centers, None, state)?;
    let mut deck = Deck { random: Random::new(options.seed, STREAM), rows, order, next: rows };
    let (mut progress, mut waiting) = (Progress::default(), 0usize);
    let (mut steps, mut shift) = (0, 0.0);
    let stop = loop {
        if steps >= options.max_steps {
            break Stop::Iterations;
        }
        let count = deck.size(size);
        gather(points, &mut deck, count, data, weights);
        let data = data.get(..count * cols).unwrap_or_default();
        let batch = match points.weights() {
            None => Points::new(count, cols, data)?,
            Some(_) => Points::weighted(count, cols, data, weights.get(..count).unwrap_or_default())?,
        };
        partial.fill(0);
        let own = State::split(k, cols, state)?;
        accumulate(&batch, &frame, k, own.centers, own_labels, partial, rest)?;
        let found = stream_update(&frame, k, partial, 1.0, state)?;
        shift = found.shift;
        steps += 1;
        let weight = partial.get(k * cols..).unwrap_or_default().iter().take(k).sum::<i64>();
        if weight <= 0 {
            continue;
        }
        let mut moved = 0;
        if ratio > 0.0 {
            // Now and then; at once where a centre has never had any point.
            waiting = waiting.saturating_add(count);
            let idle = State::split(k, cols, state)?.weights.contains(&0.0);
            if idle || waiting >= k.saturating_mul(10) {
                waiting = 0;
                moved = stream_reassign(&batch, k, ratio, deck.random.next_u64(), state, rest)?;
            }
        }
        // The first batch tells of the start.
        if steps == 1 {
            continue;
        }
        if moved == 0 && options.shift_tolerance > 0.0 && shift <= options.shift_tolerance {
            break Stop::Shift;
        }
        let part = (2.0 * count as f32 / (rows as f32 + 1.0)).min(1.0);
        let idle = progress.see(found.inertia / real(&frame.scale(), weight as u64), part);
        if options.max_no_improvement > 0 && idle >= options.max_no_improvement {
            break Stop::Inertia;
        }
    };
    let own = State::split(k, cols, state)?;
    partial.fill(0);
    accumulate(points, &whole, k, own.centers, labels, partial, rest)?;
    centers.iter_mut().zip(own.centers.iter()).for_each(|(to, &from)| *to = from);
    let digits = partial.last_chunk::<DIGITS>();
    let inertia = digits.map_or(0.0, |digits| sums::inertia(digits, &whole.scale()));
    let empty = partial.get(k * cols..).unwrap_or_default().iter().take(k).filter(|&&w| w <= 0).count();
    Ok(Fit { inertia, iterations: steps, stop, shift, empty })
}

/// Where rows are drawn from.
struct Deck<'a> {
    random: Random,
    rows: usize,
    /// The rows, from `next` on in no order yet; or nothing, where rows are put back.
    order: &'a mut [u32],
    next: usize,
}

impl Deck<'_> {
    /// The rows of the next batch: `size`, or what is left.
    fn size(&mut self, size: usize) -> usize {
        if self.order.is_empty() {
            return size;
        }
        if self.next >= self.rows {
            self.order.iter_mut().enumerate().for_each(|(i, row)| *row = i as u32);
            self.next = 0;
        }
        size.min(self.rows - self.next)
    }

    fn draw(&mut self) -> usize {
        if self.order.is_empty() {
            return self.random.below(self.rows as u64) as usize;
        }
        // Fisher and Yates, as far as it is needed.
        let other = self.next + self.random.below((self.rows - self.next) as u64) as usize;
        let [at, to] = [self.next, other].map(|i| self.order.get(i).copied().unwrap_or_default());
        if let Some(place) = self.order.get_mut(other) {
            *place = at;
        }
        if let Some(place) = self.order.get_mut(self.next) {
            *place = to;
        }
        self.next += 1;
        to as usize
    }
}

/// Copies `count` rows.
fn gather(points: &Points<'_>, deck: &mut Deck<'_>, count: usize, data: &mut [f32], weights: &mut [f32]) {
    let all = points.weights().unwrap_or_default();
    for (to, weight) in split_rows_mut(data, points.cols()).zip(weights).take(count) {
        let i = deck.draw();
        to.iter_mut().zip(row(points.data(), points.cols(), i)).for_each(|(to, &from)| *to = from);
        *weight = all.get(i).copied().unwrap_or(1.0);
    }
}

/// The exponentially weighted mean of inertias.
struct Progress {
    smooth: Option<f32>,
    least: f32,
    idle: usize,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress { smooth: None, least: f32::INFINITY, idle: 0 }
    }
}

impl Progress {
    /// For how many batches it has not fallen.
    fn see(&mut self, inertia: f32, part: f32) -> usize {
        let smooth = match self.smooth {
            None => inertia,
            Some(smooth) => smooth * (1.0 - part) + inertia * part,
        };
        self.smooth = Some(smooth);
        if smooth < self.least {
            (self.least, self.idle) = (smooth, 0);
        } else {
            self.idle += 1;
        }
        self.idle
    }
}
