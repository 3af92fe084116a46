//! The models that requests may name: those that the workers of all heads have, and while none is connected, those
//! the database remembers.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{AppError, ModelCard, WorkerId};
use sqlx::PgPool;

use super::store;
use crate::db::explain;

/// A model may still be asked for this long after its last worker left, which may be back in a moment.
const KEPT: TimeDelta = TimeDelta::minutes(1);
/// Most cards that are remembered of those with the shared key, and of each worker with a key of its own.
const MOST_SHARED: i64 = 256;
const MOST_OF_ONE: i64 = 64;
/// Refusals that are remembered, so that each is told once.
const MOST_TOLD: usize = 1_000;

/// Who vouches for a model's card.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Whoever has the key that the studio's own workers share.
    Shared,
    /// The worker with this name and a key of its own.
    Worker(WorkerId),
}

/// Cheap to clone; all clones see the same list.
#[derive(Clone, Debug)]
pub struct Models {
    pool: PgPool,
    current: Arc<RwLock<Vec<ModelCard>>>,
    /// When some worker was last seen to have a model.
    seen: Arc<Mutex<HashMap<String, DateTime<Utc>>>>,
    /// Cards that were refused, and told.
    refused: Arc<Mutex<HashSet<(Source, String)>>>,
}

impl Source {
    fn as_text(&self) -> String {
        match self {
            Self::Shared => "shared".into(),
            Self::Worker(worker) => format!("worker {worker}"),
        }
    }
}

impl Models {
    pub fn new(pool: PgPool) -> Self {
        Self { pool, current: Arc::default(), seen: Arc::default(), refused: Arc::default() }
    }

    /// Known models, the default first. Empty only before any worker was ever connected.
    pub async fn cards(&self) -> Result<Vec<ModelCard>, AppError> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        if !current.is_empty() {
            return Ok(current);
        }
        // Only until the first worker joins, and never kept: a model may be gone by then.
        store::models(&self.pool).await.map_err(explain)
    }

    /// Writes down what a worker can run. A card that differs from the one that is known is taken only from where that
    /// came from: nobody else rewrites sizes and prices for everyone.
    pub async fn announce<'a>(
        &self,
        source: &Source,
        cards: impl IntoIterator<Item = &'a ModelCard>,
    ) -> Result<(), AppError> {
        let most = if *source == Source::Shared { MOST_SHARED } else { MOST_OF_ONE };
        for card in cards {
            if !store::remember_model(&self.pool, card, &source.as_text(), most).await.map_err(explain)? {
                self.tell_once(source, card);
            }
        }
        Ok(())
    }

    /// Brings the list up to date: `names` are the models that workers have now, the default first.
    pub(crate) async fn refresh(&self, names: Vec<String>, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let names = self.with_late(names, now);
        let mut cards = if names.is_empty() { Vec::new() } else { store::models_seen(&self.pool, &names).await? };
        cards.sort_by_key(|card| names.iter().position(|name| *name == card.name));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = cards;
        Ok(())
    }

    /// Adds those that were there a moment ago.
    fn with_late(&self, mut names: Vec<String>, now: DateTime<Utc>) -> Vec<String> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, at| now - *at < KEPT);
        seen.extend(names.iter().map(|name| (name.clone(), now)));
        let mut late: Vec<String> = seen.keys().filter(|name| !names.contains(name)).cloned().collect();
        late.sort();
        names.append(&mut late);
        names
    }

    fn tell_once(&self, source: &Source, card: &ModelCard) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < MOST_TOLD && refused.insert((source.clone(), card.name.clone())) {
            tracing::warn!(model = card.name, ?source, "a card that somebody else vouches for differently is ignored");
        }
    }
}
