//! `/minds-eye`: everything, free and for good, for whoever says that they can't picture things.

mod api;
mod page;

pub use page::MindsEyePage;
