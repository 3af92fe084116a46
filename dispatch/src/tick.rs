//! Ticks: inside one worker, which sessions advance by one denoising step next.
//!
//! The unit of work is a step, so a long session steps aside for a short one
//! simply by not being chosen. What keeps it from stepping aside for ever is
//! ageing: every pass without it makes it look shorter, and its turns are paid
//! from what it saved up ([`waited_after`]). What keeps two models from
//! alternating at every step is the measured cost of switching, which the
//! session of another model has to outweigh.

/// One open session, as the rule sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SessionState {
    /// Sessions with equal keys may share a forward pass.
    pub key: u64,
    /// Sessions of one model need no switch between them.
    pub model: u64,
    /// Expected milliseconds of work left in this session, were it alone.
    pub remaining_ms: f64,
    /// Milliseconds it was passed over and has not been paid for yet: see [`waited_after`].
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
pub fn tick(sessions: &[SessionState], policy: &TickPolicy, batch_size: impl Fn(u64, usize) -> usize) -> Vec<usize> {
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

/// What a session has waited, after a pass of `pass_ms` that it took part in or not.
///
/// A turn costs what twice `1 / ageing` turns of others brought in, so that its
/// urgency falls by as much as the turn was long. A long session among a
/// stream of short ones therefore gets the share `ageing / (1 + ageing)` of the
/// device once it has waited long enough, and neither one step now and then
/// nor the whole device until it is through.
pub fn waited_after(waited_ms: f64, pass_ms: f64, advanced: bool, policy: &TickPolicy) -> f64 {
    if !advanced {
        return waited_ms + pass_ms;
    }
    if policy.ageing > 0.0 { (waited_ms - 2.0 * pass_ms / policy.ageing).max(0.0) } else { 0.0 }
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

    /// A video of sixty long steps beside images that keep the device `load` busy: the video's end and the
    /// longest time an image took, in milliseconds.
    fn video_among_images(load: f64) -> (f64, f64) {
        const STEP_MS: [f64; 2] = [1_000.0, 100.0];
        const STEPS: [f64; 2] = [60.0, 10.0];
        let policy = TickPolicy::default();
        let (mut now, mut next_image, mut longest) = (0.0, 0.0, 0.0_f64);
        let mut sessions = vec![session(0, STEP_MS[0] * STEPS[0], 0.0)];
        let mut opened = vec![0.0];
        loop {
            while next_image <= now {
                sessions.push(session(1, STEP_MS[1] * STEPS[1], 0.0));
                opened.push(next_image);
                next_image += STEP_MS[1] * STEPS[1] / load;
            }
            let at = tick(&sessions, &policy, singles)[0];
            let pass_ms = STEP_MS[sessions[at].key as usize];
            now += pass_ms;
            for (index, session) in sessions.iter_mut().enumerate() {
                session.waited_ms = waited_after(session.waited_ms, pass_ms, index == at, &policy);
            }
            sessions[at].remaining_ms -= pass_ms;
            if sessions[at].remaining_ms <= 0.0 {
                if sessions[at].key == 0 {
                    return (now, longest);
                }
                longest = longest.max(now - opened[at]);
                sessions.remove(at);
                opened.remove(at);
            }
        }
    }

    #[test]
    fn a_video_among_images_ends_and_images_stay_quick() {
        let (video_ms, image_ms) = video_among_images(0.7);
        // Alone it takes 60 s; 30 % of the device would be 200 s.
        assert!((60_000.0..=220_000.0).contains(&video_ms), "the video took {video_ms} ms");
        assert!(image_ms <= 5_000.0, "an image took {image_ms} ms");
    }

    #[test]
    fn a_video_ends_even_when_images_ask_for_the_whole_device() {
        let (video_ms, _) = video_among_images(1.0);
        // A fifth of the device, after it has waited long enough.
        assert!(video_ms <= 600_000.0, "the video took {video_ms} ms");
    }

    #[test]
    fn turns_are_paid_from_what_was_saved() {
        let policy = TickPolicy::default();
        assert_eq!(waited_after(0.0, 100.0, false, &policy), 100.0);
        assert_eq!(waited_after(1_000.0, 100.0, true, &policy), 200.0);
        assert_eq!(waited_after(100.0, 100.0, true, &policy), 0.0);
        assert_eq!(waited_after(100.0, 100.0, true, &TickPolicy { ageing: 0.0, ..policy }), 0.0);
    }

    #[test]
    fn nothing_to_do_is_nothing_done() {
        assert!(tick(&[], &TickPolicy::default(), singles).is_empty());
    }
}
