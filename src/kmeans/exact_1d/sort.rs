//! Sorting keys of 24 bits.

/// A value as a sortable key, and its weight.
pub(super) type Pair = [u32; 2];

/// Sorts by key: a stable byte-wise radix sort of the three bytes that keys have.
pub(super) fn sort<'a>(mut from: &'a mut [Pair], mut to: &'a mut [Pair]) -> &'a [Pair] {
    for shift in [0u32, 8, 16] {
        let mut starts = [0usize; 256];
        for [key, _] in from.iter() {
            if let Some(count) = starts.get_mut((key >> shift & 255) as usize) {
                *count += 1;
            }
        }
        let mut next = 0;
        for start in &mut starts {
            next += core::mem::replace(start, next);
        }
        for pair in from.iter() {
            let [key, _] = pair;
            if let Some(start) = starts.get_mut((key >> shift & 255) as usize) {
                if let Some(slot) = to.get_mut(*start) {
                    *slot = *pair;
                }
                *start += 1;
            }
        }
        core::mem::swap(&mut from, &mut to);
    }
    from
}
