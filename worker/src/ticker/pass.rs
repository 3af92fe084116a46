//! One pass, and finding out whose fault it was when it fails.

use crate::backend::BackendError;

/// What became of a pass.
#[derive(Debug, PartialEq, Eq)]
pub struct Passed {
    /// Of each session, in their order.
    pub outcomes: Vec<Result<(), BackendError>>,
    /// The fewest sessions, above one, that had too little memory together.
    pub too_many: Option<usize>,
    /// Whether it went through at once.
    pub clean: bool,
}

/// Advances these sessions by one step, together if that works.
///
/// A pass that fails is repeated in halves, so that a session that can't
/// advance fails alone, and sessions that are too many advance in smaller groups.
pub fn run<S>(sessions: &mut [&mut S], step: &mut impl FnMut(&mut [&mut S]) -> Result<(), BackendError>) -> Passed {
    let Err(error) = step(sessions) else {
        return Passed { outcomes: vec![Ok(()); sessions.len()], too_many: None, clean: true };
    };
    if sessions.len() < 2 {
        return Passed { outcomes: vec![Err(error); sessions.len()], too_many: None, clean: false };
    }
    let here = matches!(error, BackendError::OutOfMemory(_)).then_some(sessions.len());
    tracing::warn!(%error, sessions = sessions.len(), "a shared pass failed and is repeated in halves");
    let (front, back) = sessions.split_at_mut(sessions.len() / 2);
    let (front, back) = (run(front, step), run(back, step));
    let too_many = [here, front.too_many, back.too_many].into_iter().flatten().min();
    Passed { outcomes: [front.outcomes, back.outcomes].concat(), too_many, clean: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps counters; `bad` ones can't, and more than `room` at once have too little memory.
    fn passed(count: usize, bad: &[usize], room: usize) -> (Passed, Vec<u32>, Vec<usize>) {
        let mut counters: Vec<(usize, u32)> = (0..count).map(|at| (at, 0)).collect();
        let mut sizes = Vec::new();
        let passed = run(&mut counters.iter_mut().collect::<Vec<_>>(), &mut |sessions| {
            sizes.push(sessions.len());
            if sessions.len() > room {
                return Err(BackendError::OutOfMemory("full".into()));
            }
            if sessions.iter().any(|session| bad.contains(&session.0)) {
                return Err(BackendError::Failed("broken".into()));
            }
            sessions.iter_mut().for_each(|session| session.1 += 1);
            Ok(())
        });
        (passed, counters.into_iter().map(|counter| counter.1).collect(), sizes)
    }

    #[test]
    fn a_good_pass_is_one_pass() {
        let (passed, steps, sizes) = passed(4, &[], 8);
        assert_eq!((passed.clean, passed.too_many), (true, None));
        assert_eq!((steps, sizes), (vec![1; 4], vec![4]));
    }

    #[test]
    fn the_culprit_fails_alone_and_nobody_steps_twice() {
        let (passed, steps, sizes) = passed(8, &[5], 8);
        assert_eq!(steps, [1, 1, 1, 1, 1, 0, 1, 1]);
        assert_eq!(passed.outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1);
        assert!(passed.outcomes[5].is_err() && !passed.clean);
        assert_eq!(sizes, [8, 4, 4, 2, 1, 1, 2]);
    }

    #[test]
    fn too_many_advance_in_smaller_groups() {
        let (passed, steps, sizes) = passed(8, &[], 3);
        assert_eq!(steps, [1; 8]);
        assert!(passed.outcomes.iter().all(Result::is_ok));
        assert_eq!(passed.too_many, Some(4));
        assert_eq!(sizes, [8, 4, 2, 2, 4, 2, 2]);
    }

    #[test]
    fn one_that_is_too_large_alone_says_so() {
        let (passed, _, _) = passed(1, &[], 0);
        assert_eq!(passed.outcomes, [Err(BackendError::OutOfMemory("full".into()))]);
        assert_eq!(passed.too_many, None);
    }
}
