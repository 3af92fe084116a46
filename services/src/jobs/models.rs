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
    announced: Arc<RwLock<Vec<ModelCard>>>,
}

impl Models {
    pub fn new(pool: PgPool) -> Self {
        Self { pool, announced: Arc::default() }
    }

    /// Known models, the default first. Empty only before any worker was ever connected.
    pub async fn cards(&self) -> Result<Vec<ModelCard>, AppError> {
        let announced = self.announced();
        if !announced.is_empty() {
            return Ok(announced);
        }
        // Only until the first worker joins, and never kept: a model may be gone by then.
        store::models(&self.pool).await.map_err(explain)
    }

    /// Models that workers of this run announced. Empty before the first one joined.
    pub fn announced(&self) -> Vec<ModelCard> {
        self.announced.read().unwrap_or_else(PoisonError::into_inner).clone()
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
        let mut known = self.announced.write().unwrap_or_else(PoisonError::into_inner);
        for card in cards {
            match known.iter_mut().find(|other| other.name == card.name) {
                Some(other) => *other = card.clone(),
                None => known.push(card.clone()),
            }
        }
    }
}
