//! Jobs, workers and heads against a real Postgres, with the test standing in for the workers.

mod heads;
mod moves;
mod queue;
mod recovery;
mod sick;
mod sources;
mod studio;
mod trail;
mod way_of_a_job;
mod workers;
