//! The models that requests may name: those that live workers announced, and
//! while none is connected, those the database remembers.

use std::sync::{Arc, PoisonError, RwLock};

use domain::{AppError, ModelCard};
use sqlx::PgPool;

use super::store;
use crate::db::explain;

/// Cheap to clone; all clones see the same list.
#[derive(Clone, Debug)]
pub struct Models {
    pool: PgPool,
    known: Arc<RwLock<Vec<ModelCard>>>,
}

impl Models {
    pub fn new(pool: PgPool) -> Self {
        Self { pool, known: Arc::default() }
    }

    /// Known models, the default first. Empty only before any worker was ever connected.
    pub async fn cards(&self) -> Result<Vec<ModelCard>, AppError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        if !known.is_empty() {
            return Ok(known);
        }
        let cards = store::models(&self.pool).await.map_err(explain)?;
        self.merge(&cards);
        Ok(cards)
    }

    /// Takes note of what a worker can run.
    pub async fn announce(&self, cards: &[ModelCard]) -> Result<(), AppError> {
        for card in cards {
            store::remember_model(&self.pool, card).await.map_err(explain)?;
        }
        self.merge(cards);
        Ok(())
    }

    fn merge(&self, cards: &[ModelCard]) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for card in cards {
            match known.iter_mut().find(|other| other.name == card.name) {
                Some(other) => *other = card.clone(),
                None => known.push(card.clone()),
            }
        }
    }
}
