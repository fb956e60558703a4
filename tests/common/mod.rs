//! What several test files share.
#![allow(dead_code)] // each test binary uses its own part

use std::sync::{Mutex, PoisonError};

use hybridq::simd::{self, Tier};

/// The tiers that this machine has, the scalar one first.
pub fn tiers() -> impl Iterator<Item = Tier> {
    Tier::ALL.into_iter().filter(|t| t.is_available())
}

/// Runs `f` on every tier of this machine, then leaves the choice to detection again. The forced tier is one for the
/// process: callers take turns, so these do not nest.
pub fn on_every_tier(mut f: impl FnMut(Tier)) {
    static FORCED: Mutex<()> = Mutex::new(());
    let _turn = FORCED.lock().unwrap_or_else(PoisonError::into_inner);
    for tier in tiers() {
        simd::force(Some(tier)).unwrap();
        assert_eq!(simd::active(), tier);
        f(tier);
    }
    simd::force(None).unwrap();
}

/// What `f` gives, the same on every tier of this machine.
pub fn same_on_every_tier<T: PartialEq>(what: &str, mut f: impl FnMut() -> T) -> T {
    let mut expected = None;
    on_every_tier(|tier| {
        let found = f();
        match &expected {
            None => expected = Some(found),
            // The values may be long: the caller's message says which they are.
            Some(expected) => assert!(*expected == found, "{what}: other bits on {}", tier.name()),
        }
    });
    expected.unwrap()
}

/// SplitMix64: small, published, seeded.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Standard normal values by Box-Muller.
pub fn gaussian(len: usize, seed: u64) -> Vec<f32> {
    let mut rng = Rng(seed);
    (0..len)
        .map(|_| {
            let (u, v) = (1.0 - rng.uniform(), rng.uniform());
            ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
        })
        .collect()
}

/// sqrt(sum (x - y)^2 / sum x^2).
pub fn rmse(x: &[f32], y: &[f32]) -> f64 {
    let error: f64 = x.iter().zip(y).map(|(a, b)| (*a as f64 - *b as f64).powi(2)).sum();
    (error / x.iter().map(|a| (*a as f64).powi(2)).sum::<f64>()).sqrt()
}
