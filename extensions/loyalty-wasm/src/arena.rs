//! Memory for the checkout: what one question takes is given out one after the other, and forgotten as a whole before the
//! next. Nothing is freed by itself, so all that frees falls away when it is compiled.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::memory_size;
use core::cell::Cell;
use core::ptr;

#[global_allocator]
static ARENA: Arena = Arena { next: Cell::new(0) };

struct Arena {
    /// The first address that is free.
    next: Cell<usize>,
}

// SAFETY: there is one thread.
unsafe impl Sync for Arena {}

unsafe extern "C" {
    /// Where the linker's own data end.
    static __heap_base: u8;
}

/// Forgets all that was allocated. Nobody may have any of it.
pub fn forget() {
    ARENA.next.set((&raw const __heap_base).addr());
}

// SAFETY: what is given out lies behind all that was given out before, within the memory.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = (self.next.get() + layout.align() - 1) & !(layout.align() - 1);
        let end = start + layout.size();
        if end > memory_size(0) << 16 {
            return ptr::null_mut();
        }
        self.next.set(end);
        ptr::with_exposed_provenance_mut(start)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
