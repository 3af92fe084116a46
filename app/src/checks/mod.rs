//! Challenges in the browser: a request that has to prove something waits while the proof is made, and then is sent
//! again by itself. Whoever called it notices nothing but the time.

mod client;
mod notice;
mod worker;

pub use client::CheckedClient;
pub use notice::CheckNotice;

use futures::channel::oneshot;
use leptos::prelude::*;

use crate::error::Check;

/// The check that is under way, for the page to show.
#[derive(Clone, Copy, Debug)]
pub struct Checks {
    state: RwSignal<State>,
    /// How far the search is: numbers tried, and the most that can be needed.
    progress: RwSignal<(u32, u32)>,
    /// Waits for somebody to press Continue.
    consent: StoredValue<Option<oneshot::Sender<()>>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    /// By itself.
    Silent(Check),
    /// A person has to start it.
    Asked(Check),
    /// A person has started it.
    Started(Check),
}

impl Checks {
    /// Puts it into the context of the application.
    pub fn provide() {
        provide_context(Self {
            state: RwSignal::default(),
            progress: RwSignal::new((0, 1)),
            consent: StoredValue::new(None),
        });
    }

    /// Answers a challenge: the value of the proof's header. `None`: it could not be answered, or nobody wanted to.
    async fn answer(self, check: Check) -> Option<String> {
        if check.visible {
            let (pressed, press) = oneshot::channel();
            self.consent.try_set_value(Some(pressed));
            self.state.set(State::Asked(check.clone()));
            press.await.ok()?;
            self.state.set(State::Started(check.clone()));
        } else {
            self.state.set(State::Silent(check.clone()));
        }
        self.progress.set((0, 1));
        worker::solve(&check.altcha, move |tried, most| {
            let _ = self.progress.try_set((tried, most));
        })
        .await
    }

    /// Somebody pressed Continue.
    fn agree(self) {
        if let Some(pressed) = self.consent.try_update_value(Option::take).flatten() {
            let _ = pressed.send(());
        }
    }

    /// Nobody will press it any more: the page was left.
    fn decline(self) {
        self.consent.try_update_value(Option::take);
        self.finish();
    }

    fn finish(self) {
        let _ = self.state.try_set(State::Idle);
    }
}
