//! The tier in use is the one that was asked for. Alone in its file: no other test forces a tier here.

#[cfg(any(feature = "std", target_arch = "aarch64"))]
use hybridq::simd::{self, Tier};

/// `HQ_TIER` is read where there is an environment.
#[test]
#[cfg(feature = "std")]
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

/// `HQ_TEST_DOTPROD` is 1 or 0 where the run means to test one of the two builds of NEON (scripts/cross/aarch64.sh).
#[test]
#[cfg(target_arch = "aarch64")]
fn the_build_has_the_dot_products_that_were_asked_for() {
    if let Ok(asked) = std::env::var("HQ_TEST_DOTPROD") {
        assert_eq!(simd::has_dotprod(), asked == "1");
    }
}
