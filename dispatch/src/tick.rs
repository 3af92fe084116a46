//! Ticks: inside one worker, which sessions advance by one denoising step next.
//!
//! The unit of work is a step, so a long session steps aside for a short one
//! simply by not being chosen. What keeps it from stepping aside for ever is
//! ageing: every step it is passed over makes it look shorter.

/// One open session, as the rule sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SessionState {
    /// Sessions with equal keys may share a forward pass.
    pub key: u64,
    /// Expected milliseconds of work left in this session.
    pub remaining_ms: f64,
    /// Milliseconds since it last advanced, or since it was opened.
    pub waited_ms: f64,
}

/// Numbers that shape a tick.
#[derive(Clone, Copy, Debug)]
pub struct TickPolicy {
    /// Most sessions in one forward pass. One on a CPU, where a batch takes as long as its
    /// singles and would only make the first picture later.
    pub max_batch: usize,
    /// How much a millisecond of waiting outweighs a millisecond of remaining work.
    pub ageing: f64,
}

impl Default for TickPolicy {
    fn default() -> Self {
        Self { max_batch: 1, ageing: 0.25 }
    }
}

/// Indices of the sessions that advance next, all of one key; empty only if there are none.
///
/// The session with the least remaining work, after ageing, leads; those that
/// may share its pass join in the same order. Ties go to the earlier session,
/// so pictures of one request come out one after another.
pub fn tick(sessions: &[SessionState], policy: &TickPolicy) -> Vec<usize> {
    let urgency = |session: &SessionState| session.remaining_ms - policy.ageing * session.waited_ms;
    let mut order: Vec<usize> = (0..sessions.len()).collect();
    order.sort_by(|a, b| urgency(&sessions[*a]).total_cmp(&urgency(&sessions[*b])));
    let Some(leader) = order.first().copied() else { return Vec::new() };
    order.retain(|at| sessions[*at].key == sessions[leader].key);
    order.truncate(policy.max_batch.max(1));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(key: u64, remaining_ms: f64, waited_ms: f64) -> SessionState {
        SessionState { key, remaining_ms, waited_ms }
    }

    #[test]
    fn an_image_passes_a_video() {
        let sessions = [session(1, 180_000.0, 0.0), session(2, 3_000.0, 0.0)];
        assert_eq!(tick(&sessions, &TickPolicy::default()), [1]);
    }

    #[test]
    fn a_video_that_waited_long_enough_gets_its_turn() {
        let sessions = [session(1, 180_000.0, 720_000.0), session(2, 3_000.0, 0.0)];
        assert_eq!(tick(&sessions, &TickPolicy::default()), [0]);
    }

    #[test]
    fn only_compatible_sessions_share_a_pass() {
        let sessions = [session(1, 5.0, 0.0), session(2, 1.0, 0.0), session(1, 2.0, 0.0), session(2, 9.0, 0.0)];
        let policy = TickPolicy { max_batch: 4, ..TickPolicy::default() };
        assert_eq!(tick(&sessions, &policy), [1, 3]);
    }

    #[test]
    fn pictures_of_one_request_come_one_after_another() {
        let mut sessions = vec![session(1, 10.0, 0.0); 3];
        let mut order = Vec::new();
        while let Some(next) = tick(&sessions, &TickPolicy { ageing: 0.0, ..TickPolicy::default() }).first().copied() {
            sessions[next].remaining_ms -= 5.0;
            order.push(next);
            if sessions[next].remaining_ms <= 0.0 {
                sessions[next].remaining_ms = f64::INFINITY;
            }
            if order.len() == 6 {
                break;
            }
        }
        assert_eq!(order, [0, 0, 1, 1, 2, 2]);
    }

    #[test]
    fn nothing_to_do_is_nothing_done() {
        assert!(tick(&[], &TickPolicy::default()).is_empty());
    }
}
