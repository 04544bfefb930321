//! The one call to the C library that the shop needs, apart from it so that the shop itself has no unsafe code.

/// Has the allocator give back to the system what is free: the memory of a rush stays with it otherwise, because it gives
/// back only what lies at an end of its heaps. It has its heaps locked meanwhile, some milliseconds for each 100 MiB.
///
/// Does nothing where the allocator is not glibc's, whose `malloc_trim(3)` this is.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // The signature is that of malloc.h. There is nothing that a caller could do wrong: the number is how many bytes
        // are kept at the end of the main heap, and any thread may call it at any time.
        unsafe extern "C" {
            safe fn malloc_trim(kept: usize) -> std::ffi::c_int;
        }
        malloc_trim(0);
    }
}
