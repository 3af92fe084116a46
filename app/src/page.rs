//! The document and the routes.

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, Link, Meta, MetaTags, Title, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, path};

use crate::checks::Checks;
use crate::create::StudioPage;
use crate::later::{Compare, Credits, Design, History, Library, MindsEye, Photo, Picture, Rewrite};
use crate::result::ResultPage;
use crate::ui::{Footer, Header, NotFoundPage};
use crate::{keys, offline, signals};

/// Applies the chosen theme before the first paint (the rest of the choice is in `ui::header`), and keeps links and forms
/// working where the other scripts have not come or have broken.
const EARLY: &str = include_str!("early.js");

/// The HTML document around the application. `fingerprints`: whether the operator wants browsers to make one; they
/// read it from the document. `scripts` loads the rest of them (`server::late_scripts`).
pub fn shell(options: LeptosOptions, fingerprints: bool, scripts: String) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en" data-fingerprints=if fingerprints { "on" } else { "off" }>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="dark light" />
                <meta name="theme-color" content="#12100e" media="(prefers-color-scheme: dark)" />
                <meta name="theme-color" content="#faf7f2" media="(prefers-color-scheme: light)" />
                <link rel="manifest" href="/manifest.webmanifest" />
                <link rel="apple-touch-icon" href="/icon-192.png" />
                <script nonce=leptos::nonce::use_nonce() inner_html=EARLY></script>
                <HashedStylesheet options id="leptos" />
                <script type="module" nonce=leptos::nonce::use_nonce() inner_html=scripts></script>
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The application: the same on the server and in the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Checks::provide();
    // Effects run in the browser only.
    Effect::new(|_| {
        signals::watch();
        keys::watch();
        offline::keep_page();
    });
    view! {
        <Title formatter=|title: String| {
            if title.is_empty() { "Mindseye".to_owned() } else { format!("{title} · Mindseye") }
        } />
        <Meta name="description" content="A free studio for AI pictures. Type words, see pictures. No account." />
        <Link rel="icon" type_="image/svg+xml" href="/favicon.svg" />
        <Router>
            <a class="skip-link" href="#main">"Skip to the studio"</a>
            <Header />
            <main id="main" class="mx-auto w-full max-w-5xl flex-1 px-4 pb-16 sm:px-6">
                <Routes fallback=NotFoundPage>
                    <Route path=path!("/") view=StudioPage ssr=SsrMode::Async />
                    <Route path=path!("/photo") view={Lazy::<Photo>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/g/:id") view=ResultPage ssr=SsrMode::Async />
                    <Route path=path!("/p/:id") view={Lazy::<Picture>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/compare/:left/:right") view={Lazy::<Compare>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/history") view={Lazy::<History>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/library") view={Lazy::<Library>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/rewrite") view={Lazy::<Rewrite>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/design") view={Lazy::<Design>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/credits") view={Lazy::<Credits>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/minds-eye") view={Lazy::<MindsEye>::new()} ssr=SsrMode::Async />
                </Routes>
            </main>
            <Footer />
        </Router>
    }
}
