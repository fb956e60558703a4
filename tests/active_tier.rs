//! The tier in use is the one that was asked for. Alone in its file: no other test forces a tier here.

use hybridq::simd::{self, Tier};

#[test]
fn the_tier_in_use_is_the_one_asked_for() {
    if let Err(message) = simd::init_from_env() {
        panic!("{message}");
    }
    let asked = std::env::var("HQ_TIER").ok().filter(|name| !name.is_empty());
    let expected = asked.map_or(simd::detect(), |name| Tier::from_name(&name).unwrap());
    assert_eq!(simd::active(), expected);
}

#[test]
#[cfg(target_arch = "aarch64")]
fn aarch64_has_neon_and_takes_it_unasked() {
    assert!(Tier::Neon.is_available());
    assert_eq!(simd::detect(), Tier::Neon);
}
