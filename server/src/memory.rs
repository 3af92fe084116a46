//! What the C library does with memory that was freed.

/// Gives large blocks back to the system as soon as they are freed. Left alone, glibc learns from the first photo that
/// was opened to keep them: after a hundred photos a studio held 200 MB that nothing was in (`make uploads`).
///
/// To be called before other threads start.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a number is set in the C library, which nothing safe does")]
pub fn give_back_what_is_large() {
    /// Bytes from which on a block is large: a page's answer is smaller, a photo's pixels are larger.
    const LARGE: libc::c_int = 256 * 1024;
    // SAFETY: it sets a number of the allocator's, and no other thread runs yet.
    let set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
    if set != 1 {
        tracing::warn!("the allocator keeps large blocks: opened photos will make this process larger");
    }
}

/// Other C libraries give them back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back_what_is_large() {}
