//! From rows of costs to boundaries.

use super::program::{Costs, Row, Window, minima};

/// Room for whole rows: of costs and of what they came from.
pub(super) struct Rows<'a> {
    pub(super) costs: [&'a mut [u64]; 2],
    pub(super) origins: [&'a mut [u32]; 2],
}

/// The boundaries of the best `layers` clusters between the first edge and edge `end`, each in its window: edges, into
/// `bounds`.
///
/// The middle boundary is carried along through the rows behind it; then both halves are problems of their own.
/// That is twice the work of one pass at most if windows are wide, and needs no table.
pub(super) fn trace<C: Costs>(
    of: &C,
    edges: &[C::Edge],
    window: impl Fn(usize) -> Window,
    layers: usize,
    end: usize,
    rows: &mut Rows,
    bounds: &mut [u32],
) {
    bounds.fill(0);
    if let Some(last) = bounds.get_mut(layers) {
        *last = end as u32;
    }
    let mut step = layers.next_power_of_two();
    while step > 1 {
        let half = step / 2;
        let mut from = 0;
        while from + half < layers {
            let to = (from + step).min(layers);
            let found = halve(of, edges, &window, [from, from + half, to], rows, bounds);
            if let Some(bound) = bounds.get_mut(from + half) {
                *bound = found;
            }
            from += step;
        }
        step = half;
    }
}

/// Where the boundary after `middle` clusters is if those after `from` and `to` are known.
fn halve<C: Costs>(
    of: &C,
    edges: &[C::Edge],
    window: &impl Fn(usize) -> Window,
    [from, middle, to]: [usize; 3],
    rows: &mut Rows,
    bounds: &[u32],
) -> u32 {
    let bound = |layer: usize| bounds.get(layer).copied().unwrap_or_default() as usize;
    let (low, high) = (bound(from), bound(to));
    let clipped = |layer: usize| {
        if layer == from {
            Window { low, high: low }
        } else if layer == to {
            Window { low: high, high }
        } else {
            let window = window(layer);
            Window { low: window.low.max(low), high: window.high.min(high) }
        }
    };
    let ([before, now], [origins, arguments]) = (&mut rows.costs, &mut rows.origins);
    if let Some(first) = before.first_mut() {
        *first = 0;
    }
    for layer in from + 1..=to {
        let (was, window) = (clipped(layer - 1), clipped(layer));
        minima::<C, true>(of, edges, Row { window: was, costs: before }, window, now, arguments);
        if layer > middle + 1 {
            for argument in arguments.iter_mut().take(window.size()) {
                let origin = (*argument as usize).checked_sub(was.low).and_then(|j| origins.get(j));
                *argument = origin.copied().unwrap_or_default();
            }
        }
        core::mem::swap(before, now);
        core::mem::swap(origins, arguments);
    }
    origins.first().copied().unwrap_or_default()
}
