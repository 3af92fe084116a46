//! What one call allocates at its peak, counted by the allocator. It is alone in its file: whatever else
//! ran beside it would be counted too.

mod corpus;

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// 256 MB, not counting the upload itself.
const MOST_BYTES: usize = 256_000_000;

#[test]
fn no_call_takes_more_memory_than_allowed() {
    for member in corpus::large::MEMBERS {
        let bytes = (member.make)();
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let result = intake::take_in(&bytes);
        let peak = ALLOCATOR.peak_usage() - before;
        let told = result.as_ref().map(|photo| photo.pixels.dimensions());
        assert!(peak <= MOST_BYTES, "{} took {} MB", member.name, peak / 1_000_000);
        assert_eq!(result.is_ok(), member.taken, "{}: {told:?}", member.name);
        assert!(member.taken || peak < 100_000_000, "{} took {} MB to refuse", member.name, peak / 1_000_000);
    }
}
