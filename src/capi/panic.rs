//! The panic handler of the C archive, which has no standard library. Nothing reaches it: `scripts/lib.sh`
//! refuses an archive in which a panic path is left.

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
