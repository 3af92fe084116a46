//! Trials with real parts: a durable Postgres, a Redis, several heads and workers as processes of their own,
//! which are killed, frozen, cut off and restarted while people use them. `scripts/chaos.sh` runs them.

mod audit;
mod chance;
mod client;
mod clock;
mod data;
mod service;
mod setting;
mod site;
mod trail;
mod until;
mod wire;

mod burst;
mod kill;
mod partition;
mod rolling;
mod takeover;
mod zombie;
