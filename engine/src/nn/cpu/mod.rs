//! The kernels of the processor: everything in f32, vector instructions chosen at run time, work
//! shared through rayon. Every output value is summed in the same order whatever the batch, so a
//! batch equals its singles to the bit.

pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod elementwise;
pub(crate) mod grid;
pub(crate) mod linear;
pub(crate) mod math;
pub(crate) mod norm;
pub(crate) mod tile;
pub(crate) mod view;

use std::cell::RefCell;
use std::sync::LazyLock;

use rayon::prelude::*;

static ARCH: LazyLock<pulp::Arch> = LazyLock::new(pulp::Arch::new);

/// Runs `op` compiled for the best vector instructions this processor has. Whatever it calls must
/// be inlined to be compiled for them too: prefer loops to closures.
pub(crate) fn dispatch<Op: pulp::WithSimd>(op: Op) -> Op::Output {
    ARCH.dispatch(op)
}

/// A piece of work that needs a buffer.
pub(crate) trait Task {
    /// Length of the buffer, which comes with whatever is in it.
    fn scratch(&self) -> usize;

    fn run<S: pulp::Simd>(self, simd: S, scratch: &mut [f32]);
}

/// Runs every task, on all threads if there is enough to do for that to be worth it.
pub(crate) fn run_all<T: Task + Send>(tasks: Vec<T>, multiplications: usize) {
    if multiplications < WORTH_SHARING {
        tasks.into_iter().for_each(run);
    } else {
        tasks.into_par_iter().for_each(run);
    }
}

/// Waking another thread costs about as much as this many multiplications.
const WORTH_SHARING: usize = 1 << 19;

/// Runs `work` on one of the threads that share the work below. From anywhere else every single
/// operation would wait for one of them to wake.
pub(crate) fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::join(work, || ()).0
}

/// Runs a task with this thread's buffer.
fn run<T: Task>(task: T) {
    struct Scratched<'a, T>(T, &'a mut [f32]);
    impl<T: Task> pulp::WithSimd for Scratched<'_, T> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, simd: S) {
            self.0.run(simd, self.1);
        }
    }
    // The buffer is borrowed out here because code within a closure may not be inlined.
    with_scratch(task.scratch(), |scratch| dispatch(Scratched(task, scratch)));
}

/// Splits work into about this many tasks, so that uneven threads still end together.
pub(crate) fn wanted_tasks() -> usize {
    4 * rayon::current_num_threads()
}

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Lends this thread's buffer of `len` floats, aligned to a cache line. Must not be nested.
fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    SCRATCH.with_borrow_mut(|buffer| {
        if buffer.len() < len + 16 {
            buffer.resize(len + 16, 0.0);
        }
        let skip = buffer.as_ptr().align_offset(64).min(16);
        work(&mut buffer[skip..skip + len])
    })
}
