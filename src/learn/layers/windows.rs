//! Windows that slide over images: what convolution and pooling share.

use crate::Error;
use crate::workspace::{split_rows, split_rows_mut};

use super::checks::sizes;

/// An image, channel after channel, row after row. A signal in one dimension has height 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// Planes.
    pub channels: usize,
    /// Rows of a plane.
    pub height: usize,
    /// Values of a row.
    pub width: usize,
}

impl Image {
    /// A signal: one row.
    #[must_use]
    pub const fn signal(channels: usize, width: usize) -> Image {
        Image { channels, height: 1, width }
    }

    /// Values of a plane.
    pub(super) fn plane(&self) -> usize {
        self.height * self.width
    }

    pub(super) fn len(&self) -> usize {
        self.channels * self.plane()
    }
}

/// A window, and how it moves: `[vertically, horizontally]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns.
    pub size: [usize; 2],
    /// By how much it moves on; at least 1.
    pub stride: [usize; 2],
    /// Zeros on each side of the image; fewer than the window is long.
    pub padding: [usize; 2],
}

impl Window {
    /// A square window that moves by one, with zeros around such that an odd size keeps the size of the image.
    #[must_use]
    pub const fn square(size: usize) -> Window {
        let padding = size.saturating_sub(1) / 2;
        Window { size: [size, size], stride: [1, 1], padding: [padding, padding] }
    }

    /// A window over a signal.
    #[must_use]
    pub const fn line(size: usize, stride: usize, padding: usize) -> Window {
        Window { size: [1, size], stride: [1, stride], padding: [0, padding] }
    }

    /// Side by side: without padding, as far on as it is long.
    #[must_use]
    pub const fn tiles(size: usize) -> Window {
        Window { size: [size, size], stride: [size, size], padding: [0, 0] }
    }
}

/// A window over an image, and the size of what comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) image: Image,
    pub(super) window: Window,
    /// Rows and columns of places.
    places: [usize; 2],
}

impl Grid {
    /// Refuses what does not fit: [`Error::InvalidArgument`].
    pub(super) fn new(image: Image, window: Window) -> Result<Grid, Error> {
        let Window { size, stride, padding } = window;
        sizes(&[image.channels, image.height, image.width])?;
        let mut places = [0; 2];
        let each = places.iter_mut().zip([image.height, image.width]);
        for (((to, len), (size, stride)), padding) in each.zip(size.into_iter().zip(stride)).zip(padding) {
            if stride == 0 || padding >= size {
                return Err(Error::InvalidArgument);
            }
            let padded =
                padding.checked_mul(2).and_then(|p| p.checked_add(len)).ok_or(Error::SizeOverflow)?;
            let moves = padded.checked_sub(size).ok_or(Error::InvalidArgument)?.checked_div(stride);
            *to = moves.and_then(|moves| moves.checked_add(1)).ok_or(Error::SizeOverflow)?;
        }
        let [height, width] = places;
        let [rows, cols] = size;
        sizes(&[image.channels, rows, cols, height, width])?;
        Ok(Grid { image, window, places })
    }

    /// How many windows there are.
    pub(super) fn places(&self) -> usize {
        let [height, width] = self.places;
        height * width
    }

    /// What comes out, with so many channels.
    pub(super) fn output(&self, channels: usize) -> Image {
        let [height, width] = self.places;
        Image { channels, height, width }
    }

    /// Values in a window, all channels.
    pub(super) fn inner(&self) -> usize {
        let [rows, cols] = self.window.size;
        self.image.channels * rows * cols
    }

    /// The row of the image for each row of places, for one row of the window; `None` in the padding.
    fn rows(&self, offset: usize) -> impl Iterator<Item = Option<usize>> {
        let Grid { image, window, places: [height, _] } = *self;
        let ([stride, _], [padding, _]) = (window.stride, window.padding);
        (0..height).map(move |y| (y * stride + offset).checked_sub(padding).filter(|&y| y < image.height))
    }

    /// The columns of places that are within the image, for one column of the window.
    fn within(&self, offset: usize) -> Within {
        let Grid { image, window, places: [_, width] } = *self;
        let ([_, stride], [_, padding]) = (window.stride, window.padding);
        let ceil = |n: usize| (n + stride.saturating_sub(1)).checked_div(stride).unwrap_or_default();
        let before = ceil(padding.saturating_sub(offset)).min(width);
        let first = (before * stride + offset).saturating_sub(padding);
        let count = ceil(image.width.saturating_sub(first)).min(width.saturating_sub(before));
        Within { before, first, count, stride: stride.max(1) }
    }

    /// The values of all windows: for each value of a window (channel, row, column) a row of what it is at every place.
    pub(super) fn unfold(&self, image: &[f32], windows: &mut [f32]) {
        let [rows, cols] = self.window.size;
        let [_, width] = self.places;
        let mut windows = split_rows_mut(windows, self.places());
        for plane in split_rows(image, self.image.plane()) {
            for dy in 0..rows {
                for dx in 0..cols {
                    let Some(to) = windows.next() else { return };
                    let within = self.within(dx);
                    for (y, to) in self.rows(dy).zip(split_rows_mut(to, width)) {
                        match y {
                            Some(y) => within.gather(row(plane, y, self.image.width), to),
                            None => to.fill(0.0),
                        }
                    }
                }
            }
        }
    }

    /// Adds every value of all windows to the value of the image that it came from.
    pub(super) fn fold(&self, windows: &[f32], image: &mut [f32]) {
        let [rows, cols] = self.window.size;
        let [_, width] = self.places;
        let mut windows = split_rows(windows, self.places());
        for plane in split_rows_mut(image, self.image.plane()) {
            for dy in 0..rows {
                for dx in 0..cols {
                    let Some(from) = windows.next() else { return };
                    let within = self.within(dx);
                    for (y, from) in self.rows(dy).zip(split_rows(from, width)) {
                        let range = |y: usize| y * self.image.width..(y + 1) * self.image.width;
                        if let Some(to) = y.and_then(|y| plane.get_mut(range(y))) {
                            within.scatter(from, to);
                        }
                    }
                }
            }
        }
    }

    /// Calls `visit(place, index in the plane)` for every value of every window of a plane, place by place. Without padding.
    pub(super) fn visit(&self, mut visit: impl FnMut(usize, usize)) {
        let ([rows, cols], [height, width]) = (self.window.size, self.places);
        let [down, right] = self.window.stride;
        for y in 0..height {
            for x in 0..width {
                for dy in 0..rows {
                    for dx in 0..cols {
                        visit(y * width + x, (y * down + dy) * self.image.width + x * right + dx);
                    }
                }
            }
        }
    }
}

/// A row of a plane.
fn row(plane: &[f32], y: usize, width: usize) -> &[f32] {
    plane.get(y * width..(y + 1) * width).unwrap_or_default()
}

/// Places of a row that lie within the image: `before` of them do not, then come `count` that are `stride` values apart from the
/// value `first` on.
#[derive(Clone, Copy)]
struct Within {
    before: usize,
    first: usize,
    count: usize,
    stride: usize,
}

impl Within {
    /// A row of the image to a row of places, with zeros outside.
    #[inline]
    fn gather(self, from: &[f32], to: &mut [f32]) {
        let (before, rest) = to.split_at_mut_checked(self.before).unwrap_or_default();
        let (to, behind) = rest.split_at_mut_checked(self.count).unwrap_or_default();
        before.fill(0.0);
        behind.fill(0.0);
        let from = from.get(self.first..).unwrap_or_default();
        if self.stride == 1 {
            for (to, &x) in to.iter_mut().zip(from) {
                *to = x;
            }
        } else {
            for (to, x) in to.iter_mut().zip(from.chunks(self.stride.max(1))) {
                *to = x.first().copied().unwrap_or_default();
            }
        }
    }

    /// Adds a row of places to a row of the image.
    #[inline]
    fn scatter(self, from: &[f32], to: &mut [f32]) {
        let from = from.get(self.before..).unwrap_or_default();
        let from = from.get(..self.count).unwrap_or_default();
        let to = to.get_mut(self.first..).unwrap_or_default();
        if self.stride == 1 {
            for (to, &v) in to.iter_mut().zip(from) {
                *to += v;
            }
        } else {
            for (to, &v) in to.chunks_mut(self.stride.max(1)).zip(from) {
                if let Some(to) = to.first_mut() {
                    *to += v;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows of all small shapes, those that lie in the padding whole among them, against their definition.
    #[test]
    fn windows_are_what_they_are_defined_as() {
        let mut grids = 0;
        for code in 0..4 * 6 * 3 * 6 {
            let (width, size, stride, padding) =
                (1 + code % 4, 1 + code / 4 % 6, 1 + code / 24 % 3, code / 72);
            let image = Image { channels: 2, height: 3, width };
            let window = Window { size: [2, size], stride: [1, stride], padding: [1, padding] };
            let Ok(grid) = Grid::new(image, window) else { continue };
            grids += 1;
            let x: Vec<f32> = (1..=image.len()).map(|i| i as f32).collect();
            let (mut windows, mut back) = (vec![f32::NAN; grid.inner() * grid.places()], vec![0.0; x.len()]);
            grid.unfold(&x, &mut windows);
            grid.fold(&windows, &mut back);
            let (mut expected, mut sums) = (Vec::new(), vec![0.0; x.len()]);
            let [down, right] = grid.places;
            for row in 0..grid.inner() {
                let (channel, dy, dx) = (row / (2 * size), row / size % 2, row % size);
                for place in 0..down * right {
                    let (y, x_at) = (
                        (place / right + dy).wrapping_sub(1),
                        (place % right * stride + dx).wrapping_sub(padding),
                    );
                    let inside = y < 3 && x_at < width;
                    let at = if inside { (channel * 3 + y) * width + x_at } else { 0 };
                    let value = if inside { x[at] } else { 0.0 };
                    expected.push(value);
                    sums[at] += value;
                }
            }
            assert_eq!(windows, expected, "{grid:?}");
            assert_eq!(back, sums, "{grid:?}");
        }
        assert!(grids > 100);
    }
}
