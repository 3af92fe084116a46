use leptos::prelude::*;
use leptos::server_fn::ServerFn;

/// `aria-busy` of a form, while what it said is on its way: `early.js` does not let a busy form be sent again, whatever
/// presses it.
pub fn busy<S>(action: ServerAction<S>) -> impl Fn() -> Option<&'static str> + Copy + Send + Sync + 'static
where
    S: ServerFn + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
    S::Error: Send + Sync + 'static,
{
    move || action.pending().get().then_some("true")
}
