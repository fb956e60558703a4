//! Sorting keys of 24 bits.

use bytemuck::Pod;

/// What can be sorted by a key.
pub(super) trait Keyed: Pod {
    fn key(&self) -> u32;
}

impl Keyed for u32 {
    #[inline(always)]
    fn key(&self) -> u32 {
        *self
    }
}

/// A key and its weight.
pub(super) type Pair = [u32; 2];

impl Keyed for Pair {
    #[inline(always)]
    fn key(&self) -> u32 {
        let [key, _] = self;
        *key
    }
}

/// Sorts `data` into `swap`: a stable byte-wise radix sort of the three bytes that keys have.
pub(super) fn sort<T: Keyed>(data: &mut [T], swap: &mut [T]) {
    let (mut from, mut to) = (data, swap);
    for shift in [0u32, 8, 16] {
        let mut starts = [0u32; 256];
        for item in from.iter() {
            if let Some(count) = starts.get_mut((item.key() >> shift & 255) as usize) {
                *count += 1;
            }
        }
        let mut next = 0;
        for start in &mut starts {
            next += core::mem::replace(start, next);
        }
        for item in from.iter() {
            if let Some(start) = starts.get_mut((item.key() >> shift & 255) as usize) {
                if let Some(slot) = to.get_mut(*start as usize) {
                    *slot = *item;
                }
                *start = start.wrapping_add(1);
            }
        }
        core::mem::swap(&mut from, &mut to);
    }
}
