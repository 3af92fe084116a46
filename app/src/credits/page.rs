use domain::credits::until;
use domain::{Credits, Plan};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::api::{Account, read_account};
use super::entries::Entries;
use super::prices::Prices;
use crate::ui::ErrorNotice;

/// `/credits`
#[component]
pub fn CreditsPage() -> impl IntoView {
    let query = use_query_map();
    let before = move || query.with(|query| query.get("before").and_then(|key| key.parse::<i64>().ok()));
    let account = Resource::new_blocking(before, read_account);
    view! {
        <Title text="Your credits" />
        <div class="pt-8 sm:pt-14">
            <h1 class="words mb-6 text-3xl sm:text-5xl">"Your credits"</h1>
            <Transition>
                {move || {
                    let paging = before().is_some();
                    account
                        .get()
                        .map(|account| match account {
                            Ok(account) => view! { <Statement account paging /> }.into_any(),
                            Err(error) => view! { <ErrorNotice error /> }.into_any(),
                        })
                }}
            </Transition>
        </div>
    }
}

#[component]
fn Statement(account: Account, paging: bool) -> impl IntoView {
    let Account { statement, models } = account;
    let wait = until(statement.at, statement.credits.resets_at);
    view! {
        <Balance credits=statement.credits.clone() wait />
        <Entries statement paging />
        <Prices models />
    }
}

/// What is left, large; and when there will be more.
#[component]
fn Balance(credits: Credits, wait: String) -> impl IntoView {
    let Credits { credits_left, lasting, daily, plan, .. } = credits;
    let lasting = (lasting > 0).then(|| format!("{lasting} of them stay until you use them. "));
    view! {
        <section class="panel" aria-label="Balance">
            <p class="flex flex-wrap items-baseline gap-x-3">
                <span class="words text-accent text-6xl tabular-nums sm:text-7xl" data-balance=credits_left>
                    {credits_left}
                </span>
                <span class="text-lg">{if credits_left == 1 { "credit left" } else { "credits left" }}</span>
            </p>
            <p class="text-muted mt-2">
                {lasting} {format!("You get {daily} every day. New ones arrive at 00:00 UTC, in {wait}.")}
            </p>
            {(plan == Plan::Ultra)
                .then(|| {
                    view! {
                        <p class="mt-3">
                            <a class="badge" href="/minds-eye">
                                "Mind’s Eye: everything is open to you"
                            </a>
                        </p>
                    }
                })}
        </section>
    }
}
