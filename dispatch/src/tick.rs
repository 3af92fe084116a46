//! Ticks: inside one worker, which sessions advance by one denoising step next.
//!
//! The unit of work is a step, so a long session steps aside for a short one
//! simply by not being chosen. What keeps it from stepping aside for ever is
//! ageing: every step it is passed over makes it look shorter. What keeps two
//! models from alternating at every step is the measured cost of switching,
//! which the session of another model has to outweigh.

/// One open session, as the rule sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SessionState {
    /// Sessions with equal keys may share a forward pass.
    pub key: u64,
    /// Sessions of one model need no switch between them.
    pub model: u64,
    /// Expected milliseconds of work left in this session, were it alone.
    pub remaining_ms: f64,
    /// Milliseconds since it last advanced, or since it was opened.
    pub waited_ms: f64,
}

/// Numbers that shape a tick.
#[derive(Clone, Copy, Debug)]
pub struct TickPolicy {
    /// How much a millisecond of waiting outweighs a millisecond of remaining work.
    pub ageing: f64,
    /// The model of the last pass.
    pub current: Option<u64>,
    /// Measured milliseconds that the first step after a change of model takes longer.
    pub switch_ms: f64,
}

impl Default for TickPolicy {
    fn default() -> Self {
        Self { ageing: 0.25, current: None, switch_ms: 0.0 }
    }
}

/// Indices of the sessions that advance next, all of one key; empty only if there are none.
///
/// The session with the least remaining work, after ageing and the cost of
/// switching to it, leads; those that may share its pass join in the same
/// order, `batch_size(key, how many could)` at most. Ties go to the earlier
/// session, so pictures of one request come out one after another.
pub fn tick(
    sessions: &[SessionState],
    policy: &TickPolicy,
    batch_size: impl Fn(u64, usize) -> usize,
) -> Vec<usize> {
    let urgency = |session: &SessionState| {
        let stays = policy.current.is_none_or(|current| current == session.model);
        let switch_ms = if stays { 0.0 } else { policy.switch_ms };
        session.remaining_ms + switch_ms - policy.ageing * session.waited_ms
    };
    let mut order: Vec<usize> = (0..sessions.len()).collect();
    order.sort_by(|a, b| urgency(&sessions[*a]).total_cmp(&urgency(&sessions[*b])));
    let Some(leader) = order.first().copied() else { return Vec::new() };
    let key = sessions[leader].key;
    order.retain(|at| sessions[*at].key == key);
    let size = batch_size(key, order.len());
    order.truncate(size.max(1));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(key: u64, remaining_ms: f64, waited_ms: f64) -> SessionState {
        SessionState { key, model: key, remaining_ms, waited_ms }
    }

    fn singles(_: u64, _: usize) -> usize {
        1
    }

    #[test]
    fn an_image_passes_a_video() {
        let sessions = [session(1, 180_000.0, 0.0), session(2, 3_000.0, 0.0)];
        let video_runs = TickPolicy { current: Some(1), switch_ms: 300.0, ..TickPolicy::default() };
        assert_eq!(tick(&sessions, &video_runs, singles), [1]);
    }

    #[test]
    fn a_video_that_waited_long_enough_gets_its_turn() {
        let sessions = [session(1, 180_000.0, 720_000.0), session(2, 3_000.0, 0.0)];
        assert_eq!(tick(&sessions, &TickPolicy::default(), singles), [0]);
    }

    #[test]
    fn a_switch_has_to_pay() {
        let sessions = [session(1, 3_100.0, 0.0), session(2, 3_000.0, 0.0)];
        let first_runs = TickPolicy { current: Some(1), switch_ms: 300.0, ..TickPolicy::default() };
        assert_eq!(tick(&sessions, &first_runs, singles), [0]);
        assert_eq!(tick(&sessions, &TickPolicy { switch_ms: 50.0, ..first_runs }, singles), [1]);
    }

    #[test]
    fn only_compatible_sessions_share_a_pass() {
        let sessions = [session(1, 5.0, 0.0), session(2, 1.0, 0.0), session(1, 2.0, 0.0), session(2, 9.0, 0.0)];
        assert_eq!(tick(&sessions, &TickPolicy::default(), |_, available| available), [1, 3]);
    }

    #[test]
    fn pictures_of_one_request_come_one_after_another() {
        let mut sessions = vec![session(1, 10.0, 0.0); 3];
        let policy = TickPolicy { ageing: 0.0, ..TickPolicy::default() };
        let mut order = Vec::new();
        while let Some(next) = tick(&sessions, &policy, singles).first().copied() {
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
        assert!(tick(&[], &TickPolicy::default(), singles).is_empty());
    }
}
