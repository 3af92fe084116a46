//! What the doors need, as narrow handles.

use app::server::Handles;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use metrics_exporter_prometheus::PrometheusHandle;
use services::archive::Archive;
use services::credits::CreditsService;
use services::feed::Feed;
use services::fleet::Fleet;
use services::identity::Identity;
use services::jobs::{Admission, Jobs, Models, Outlook};
use services::library::Library;
use services::limits::Limits;
use services::photos::Photos;
use sqlx::PgPool;
use tokio::sync::watch;

use crate::api::admin::AdminKey;
use crate::api::photos::Arrivals;
use crate::config::Network;
use crate::gateway::Keys;

/// Everything the router is built with. Each door takes only the parts it names.
#[derive(Clone, Debug, FromRef)]
pub struct AppState {
    pub jobs: Jobs,
    pub admission: Admission,
    pub limits: Limits,
    pub admin_key: AdminKey,
    pub identity: Identity,
    pub credits: CreditsService,
    pub models: Models,
    pub feed: Feed,
    pub photos: Photos,
    pub arrivals: Arrivals,
    pub library: Library,
    pub archive: Archive,
    pub fleet: Fleet,
    pub outlook: Outlook,
    pub pool: PgPool,
    pub keys: Keys,
    pub stopping: watch::Receiver<bool>,
    pub proxies: TrustedProxies,

    pub metrics: PrometheusHandle,
    pub leptos: LeptosOptions,
    pub fingerprints: Fingerprints,
    pub handles: Handles,
}

/// Networks whose forwarding headers are believed.
#[derive(Clone, Debug)]
pub struct TrustedProxies(pub std::sync::Arc<Vec<Network>>);

/// Whether the operator wants browsers to send a fingerprint.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprints(pub bool);
