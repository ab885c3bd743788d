//! What std does elsewhere.

use core::panic::PanicInfo;

use lol_alloc::{FreeListAllocator, LockedAllocator};

// Frees what it gave: a page stays open for long.
#[global_allocator]
static ALLOCATOR: LockedAllocator<FreeListAllocator> = LockedAllocator::new(FreeListAllocator::new());

/// Nothing here panics as far as anyone knows. If something does, JavaScript gets an exception.
#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
