//! Jobs as their owner sees them, their states, and the events that tell of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::ids::{JobId, OutputId};
use crate::request::ValidRequest;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl JobState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`JobState::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|state| state.as_str() == text)
    }

    /// Nothing happens to the job any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Whether a job may go from this state to `next`.
    ///
    /// Running goes back to queued when a worker is lost. A final state is final.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Queued => matches!(next, Self::Running | Self::Failed | Self::Cancelled),
            Self::Running => next != Self::Running,
            Self::Succeeded | Self::Failed | Self::Cancelled => false,
        }
    }
}

/// One finished picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputView {
    pub id: OutputId,
    /// Position in the grid, from 0.
    pub index: u32,
    pub url: String,
    pub width: u32,
    pub height: u32,
    pub seed: u64,
}

/// What went wrong, in words for the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    pub code: String,
    pub message: String,
}

impl From<&AppError> for ErrorView {
    fn from(error: &AppError) -> Self {
        Self { code: error.code().into(), message: error.to_string() }
    }
}

/// A job as its owner sees it, and as the API answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    pub id: JobId,
    pub status: JobState,
    /// Jobs ahead in the queue; 0 is next. Only while queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// Seconds until the last picture is expected; left out when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<f64>,
    /// Seconds until the earliest and the latest likely finish; left out when too little is known to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_range_seconds: Option<[f64; 2]>,
    /// Someone with priority is ahead, so the place in the queue may have gone up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overtaken: bool,
    /// Credits held or captured.
    pub price: u32,
    pub request: ValidRequest,
    pub outputs: Vec<OutputView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorView>,
    pub created_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
}

/// How far one picture is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepProgress {
    pub job: JobId,
    /// Position in the grid, from 0.
    pub index: u32,
    /// Steps done.
    pub step: u32,
    pub steps: u32,
    /// The picture forming, as a small `data:` URL, when this step drew one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
}

/// What an event stream carries. A `State` says everything; a `Progress` one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum JobEvent {
    State(Box<JobView>),
    Progress(StepProgress),
}

impl JobEvent {
    /// The event's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::State(_) => "state",
            Self::Progress(_) => "progress",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [JobState; 5] =
        [JobState::Queued, JobState::Running, JobState::Succeeded, JobState::Failed, JobState::Cancelled];

    #[test]
    fn final_states_are_final() {
        for from in ALL {
            for to in ALL {
                if from.is_final() {
                    assert!(!from.may_become(to), "{from:?} -> {to:?}");
                }
            }
        }
        assert!(JobState::Running.may_become(JobState::Queued));
        assert!(!JobState::Queued.may_become(JobState::Succeeded));
    }

    #[test]
    fn names_round_trip() {
        for state in ALL {
            assert_eq!(JobState::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_value(state).expect("json"), state.as_str());
        }
    }
}
