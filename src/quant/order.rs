//! Order statistics of magnitudes: a radix sort of their bits, and percentiles.

/// Sorts by the bits of non-negative floats, largest first: a byte-wise radix sort, whose time does not
/// depend on the data and which cannot panic. Returns whichever buffer holds the result.
#[cfg_attr(target_arch = "x86_64", inline(always))]
pub(super) fn sort_descending<'a, K: Copy + Ord>(
    mut keys: &'a mut [K],
    mut swap: &'a mut [K],
    bits: impl Fn(K) -> u32,
) -> &'a [K] {
    if keys.len() <= 32 {
        insert_descending(keys);
        return keys;
    }
    for shift in [0u32, 8, 16, 24] {
        let mut offsets = [0usize; 256];
        for &key in keys.iter() {
            offsets[((bits(key) >> shift) & 255) as usize] += 1;
        }
        if offsets.contains(&keys.len()) {
            continue;
        }
        let mut start = 0;
        for offset in offsets.iter_mut().rev() {
            start += core::mem::replace(offset, start);
        }
        for &key in keys.iter() {
            let offset = &mut offsets[((bits(key) >> shift) & 255) as usize];
            if let Some(slot) = swap.get_mut(*offset) {
                *slot = key;
            }
            *offset += 1;
        }
        core::mem::swap(&mut keys, &mut swap);
    }
    keys
}

/// Insertion sort, largest first, for the few values where 256 counters would cost more.
fn insert_descending<K: Ord>(keys: &mut [K]) {
    for end in 1..keys.len() {
        let Some(head) = keys.get_mut(..=end) else { return };
        let mut slots = head.iter_mut().rev();
        let Some(mut hole) = slots.next() else { return };
        for slot in slots {
            if *slot >= *hole {
                break;
            }
            core::mem::swap(slot, hole);
            hole = slot;
        }
    }
}

/// Linear interpolation between order statistics, as NumPy's default; `sorted` is descending.
#[cfg_attr(target_arch = "x86_64", inline(always))]
pub(super) fn percentile(sorted: &[u32], p: f32) -> f32 {
    let last = sorted.len().saturating_sub(1);
    // Rank from the top. f32 holds ranks exactly up to 2^24 values; beyond, the rank rounds.
    let rank = (last as f32) * ((100.0 - p) / 100.0);
    let lower = (rank as usize).min(last);
    let share = rank - lower as f32;
    let at = |i: usize| sorted.get(i).map_or(0.0, |&bits| f32::from_bits(bits));
    let (a, b) = (at(lower), at((lower + 1).min(last)));
    a + (b - a) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_is_descending() {
        let mut state = 1u32;
        for n in [0usize, 1, 2, 3, 31, 32, 33, 255, 256, 1000] {
            let mut keys: Vec<u32> = (0..n)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state >> (state >> 28)
                })
                .collect();
            let mut expected = keys.clone();
            expected.sort_unstable_by(|a, b| b.cmp(a));
            let mut swap = vec![0; n];
            assert_eq!(sort_descending(&mut keys, &mut swap, |key| key), expected);
        }
    }

    #[test]
    fn percentile_interpolates_as_numpy() {
        let sorted: Vec<u32> = [4.0f32, 3.0, 2.0, 1.0].map(f32::to_bits).to_vec();
        assert_eq!(percentile(&sorted, 0.0), 1.0);
        assert_eq!(percentile(&sorted, 50.0), 2.5);
        assert_eq!(percentile(&sorted, 90.0), 3.7);
    }
}
