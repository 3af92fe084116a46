//! Pages whose code is loaded when they are opened: a first visit is not to wait for them.

use leptos::prelude::*;
use leptos_router::{LazyRoute, lazy_route};

use crate::compare::ComparePage;
use crate::credits::CreditsPage;
use crate::design::DesignPage;
use crate::history::HistoryPage;
use crate::library::LibraryPage;
use crate::minds_eye::MindsEyePage;
use crate::photo::PhotoPage;
use crate::picture::PicturePage;
use crate::rewrite::RewritePage;

#[derive(Debug)]
pub struct Picture;

#[lazy_route]
impl LazyRoute for Picture {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        view! { <PicturePage /> }.into_any()
    }
}

#[derive(Debug)]
pub struct Compare;

#[lazy_route]
impl LazyRoute for Compare {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        view! { <ComparePage /> }.into_any()
    }
}

#[derive(Debug)]
pub struct Credits;

#[lazy_route]
impl LazyRoute for Credits {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        view! { <CreditsPage /> }.into_any()
    }
}

#[derive(Debug)]
pub struct MindsEye;

#[lazy_route]
impl LazyRoute for MindsEye {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        view! { <MindsEyePage /> }.into_any()
    }
}

#[derive(Debug)]
pub struct History;

#[lazy_route]
impl LazyRoute for History {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        view! { <HistoryPage /> }.into_any()
    }
}

#[derive(Debug)]
pub struct Library;

#[lazy_route]
impl LazyRoute for Library {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        view! { <LibraryPage /> }.into_any()
    }
}

#[derive(Debug)]
pub struct Rewrite;

#[lazy_route]
impl LazyRoute for Rewrite {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        view! { <RewritePage /> }.into_any()
    }
}

#[derive(Debug)]
pub struct Design;

#[lazy_route]
impl LazyRoute for Design {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        view! { <DesignPage /> }.into_any()
    }
}

#[derive(Debug)]
pub struct Photo;

#[lazy_route]
impl LazyRoute for Photo {
    fn data() -> Self {
        Self
    }

    fn view(_page: Self) -> AnyView {
        view! { <PhotoPage /> }.into_any()
    }
}
