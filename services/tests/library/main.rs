//! Kept prompts, and archives out and in, against a real Postgres.

mod archives;
mod desk;
mod hostile;
mod prompts;
