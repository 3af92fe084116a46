//! One room per noun. In each, `mod.rs` is the API, `store.rs` the only place
//! with SQL, and the other files are pure.
//!
//! | room | what it answers for |
//! |---|---|
//! | [`identity`] | who owns things: the secret cookie and nothing else |
//! | [`credits`] | the ledger: grant, hold, capture, release |
//! | [`limits`] | what is asked of a request before it is served, beyond having credits |
//! | [`jobs`] | a wish becomes a durable row; its owner reads, watches and cancels it |
//! | [`feed`] | public pictures, page by key |
//! | [`fleet`] | workers, leases, the dispatcher's loop |
//! | [`bus`] | what several web heads tell each other, in memory or over Redis |
//! | [`election`] | which head runs the dispatcher |
//! | [`media`] | picture files |
//! | [`library`] | prompts that people keep |
//! | [`archive`] | everything of somebody's as one file, out and in again |
//! | [`photos`] | pictures that people send in, to begin from |
//! | [`background`] | tasks that run now and then, with their status |
//! | [`gauges`] | figures that change now and then, for whoever reads metrics |
//! | [`bell`] | wakes the dispatcher, whichever head runs it |

pub mod archive;
pub mod background;
pub mod bell;
pub mod bus;
pub mod clock;
pub mod credits;
pub mod db;
pub mod election;
pub mod feed;
pub mod fleet;
pub mod gauges;
mod group;
pub mod identity;
pub mod jobs;
pub mod library;
pub mod limits;
pub mod media;
pub mod photos;
