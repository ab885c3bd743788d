//! What std does elsewhere.

use core::panic::PanicInfo;

// Frees what it gave: a page stays open for long.
#[cfg(not(feature = "checkout"))]
#[global_allocator]
static ALLOCATOR: lol_alloc::LockedAllocator<lol_alloc::FreeListAllocator> =
    lol_alloc::LockedAllocator::new(lol_alloc::FreeListAllocator::new());

/// Nothing here panics as far as anyone knows. If something does, JavaScript gets an exception.
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
