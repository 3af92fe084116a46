//! The whole studio, as its users meet it: the real program, a real Postgres, workers that draw test cards.

mod doors;
mod kills;
mod library;
mod moves;
mod photos;
mod sources;
mod studio;
