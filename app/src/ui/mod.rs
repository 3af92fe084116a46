//! The design system: one component per file. Colours and shapes are in `style/tailwind.css`.

mod busy;
mod copy;
mod footer;
mod header;
mod not_found;
mod notice;

pub use busy::busy;
pub use copy::CopyButton;
pub use footer::Footer;
pub use header::Header;
pub use not_found::NotFoundPage;
pub use notice::{ErrorNotice, Notice};
