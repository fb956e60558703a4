//! Pooling: one number for each window of a channel.

use crate::Error;
use crate::workspace::{split_rows, split_rows_mut};

use super::checks::times;
use super::windows::{Grid, Image, Window};
use super::{Backward, Forward, Layer, Parameter, sealed};

/// What becomes of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Pooling {
    /// Its largest value; of equal ones the first gets the gradient. NaN counts as larger than all.
    Max = 0,
    /// Its mean.
    Mean = 1,
}

impl Pooling {
    /// The kind with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Pooling, Error> {
        [Pooling::Max, Pooling::Mean].into_iter().find(|&p| p as i32 == value).ok_or(Error::UnknownEnum)
    }
}

/// Pools each channel of an image by itself. No parameters, nothing saved, no scratch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    grid: Grid,
    pooling: Pooling,
}

impl Pool {
    /// A window without padding over an image; columns and rows that no window reaches are left out.
    ///
    /// # Errors
    /// As [`Conv::new`](super::Conv::new); [`Error::Unsupported`] for padding.
    pub fn new(image: Image, window: Window, pooling: Pooling) -> Result<Pool, Error> {
        let grid = Grid::new(image, window)?;
        if window.padding != [0, 0] {
            return Err(Error::Unsupported);
        }
        Ok(Pool { grid, pooling })
    }

    /// What comes out.
    #[must_use]
    pub fn output_image(&self) -> Image {
        self.grid.output(self.grid.image.channels)
    }

    /// 1 / values of a window.
    fn share(&self) -> f32 {
        let [rows, cols] = self.grid.window.size;
        1.0 / (rows * cols) as f32
    }
}

impl sealed::Sealed for Pool {}

impl Layer for Pool {
    fn input_len(&self) -> usize {
        self.grid.image.len()
    }

    fn output_len(&self) -> usize {
        self.grid.image.channels * self.grid.places()
    }

    fn parameter(&self, _: usize) -> Option<Parameter> {
        None
    }

    fn saved_len(&self, batch: usize) -> Result<usize, Error> {
        times(batch, self.input_len())?;
        Ok(0)
    }

    fn workspace_size(&self, _: usize) -> Result<usize, Error> {
        Ok(0)
    }

    fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
        let Forward { input, output, .. } = job.checked(self)?;
        let share = self.share();
        let planes = split_rows(input, self.grid.image.plane());
        for (x, y) in planes.zip(split_rows_mut(output, self.grid.places())) {
            match self.pooling {
                Pooling::Max => {
                    y.fill(f32::NEG_INFINITY);
                    self.grid.visit(|place, at| {
                        if let (Some(y), Some(&x)) = (y.get_mut(place), x.get(at))
                            && (x > *y || x.is_nan())
                        {
                            *y = x;
                        }
                    });
                }
                Pooling::Mean => {
                    y.fill(0.0);
                    self.grid.visit(|place, at| {
                        if let (Some(y), Some(&x)) = (y.get_mut(place), x.get(at)) {
                            *y += share * x;
                        }
                    });
                }
            }
        }
        Ok(())
    }

    fn backward(&self, job: Backward<'_>) -> Result<(), Error> {
        let Backward { input, output, output_gradient, input_gradient, .. } = job.checked(self)?;
        let Some(to) = input_gradient else { return Ok(()) };
        let (plane, places, share) = (self.grid.image.plane(), self.grid.places(), self.share());
        let inputs = split_rows(input, plane).zip(split_rows_mut(to, plane));
        let outputs = split_rows(output, places).zip(split_rows(output_gradient, places));
        for ((x, to), (y, from)) in inputs.zip(outputs) {
            to.fill(0.0);
            // Windows come one after the other: the next place is one whose largest value is still to be found.
            let mut next = 0;
            self.grid.visit(|place, at| {
                let (Some(to), Some(&from)) = (to.get_mut(at), from.get(place)) else { return };
                match self.pooling {
                    Pooling::Mean => *to += share * from,
                    Pooling::Max => {
                        let found = x.get(at).zip(y.get(place)).is_some_and(|(&x, &y)| x == y || y.is_nan());
                        if place >= next && found {
                            *to += from;
                            next = place + 1;
                        }
                    }
                }
            });
        }
        Ok(())
    }
}
