//! `mindseye serve`: puts the rooms together, runs them, and takes them down in order.

use std::future::IntoFuture;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use app::server::Handles;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::WorkerId;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::MetricKindMask;
use services::archive::Archive;
use services::background::{self, Task};
use services::bell::Bell;
use services::bus::{Bus, BusSettings, HeadId, LocalBus, RedisBus, RedisSettings};
use services::clock::{self, Clock as _, FileClock, SharedClock, SystemClock};
use services::credits::CreditsService;
use services::db;
use services::election::{Election, Office, Timing};
use services::feed::Feed;
use services::fleet::{Fleet, FleetParts, WorkerKeys};
use services::identity::Identity;
use services::jobs::{Admission, EventHub, Jobs, JobsParts, Models, Outlook};
use services::library::Library;
use services::limits::{Bursts, Counting, Limits};
use services::media::MediaStore;
use services::photos::Photos;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::api::admin::AdminKey;
use crate::api::photos::Arrivals;
use crate::config::Config;
use crate::gateway::Keys;
use crate::postgres::PrivatePostgres;
use crate::state::{AppState, Fingerprints, TrustedProxies};
use crate::workers::{self, LocalWorkers, Stage};
use crate::{keep, pages, router};

/// Connections to the database.
const POOL: u32 = 16;
/// A gauge that was not set for this long goes with the next reading.
const GAUGES_LAST: Duration = Duration::from_secs(1);

/// Upper ends of the buckets for times, in seconds.
const BUCKETS: [f64; 23] = [
    0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.001_5, 0.002, 0.002_5, 0.003, 0.004, 0.005, 0.007_5, 0.01, 0.015,
    0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0,
];

/// Runs until asked to stop. Errors are sentences for the operator.
pub async fn run(config: Config) -> Result<(), String> {
    // Listening comes first: an address in use should be known before a database is started.
    let listener = TcpListener::bind(config.addr)
        .await
        .map_err(|error| format!("{} can't be listened on: {error}. Is another studio running?", config.addr))?;
    let addr = listener.local_addr().map_err(|error| error.to_string())?;
    let (postgres, url) = database(&config).await?;
    let served = serve(&config, &url, listener, addr, postgres.clone()).await;
    if let Some(postgres) = postgres {
        postgres.stop().await;
    }
    served
}

/// The database for a command beside the server, up to date. A private Postgres that it started is answered, to be
/// stopped; one that was running belongs to the server.
pub async fn open_database(config: &Config) -> Result<(Option<PrivatePostgres>, sqlx::PgPool), String> {
    let (postgres, url) = database(config).await?;
    let pool = connect_and_migrate(&url).await?;
    Ok((postgres.filter(|postgres| !postgres.was_running()), pool))
}

/// `mindseye migrate`: brings the schema up to date and leaves.
pub async fn migrate(config: &Config) -> Result<(), String> {
    let (postgres, pool) = open_database(config).await?;
    pool.close().await;
    if let Some(postgres) = postgres {
        postgres.stop().await;
    }
    Ok(())
}

/// `mindseye rotate-keys`: challenges are signed with a new secret, within a minute at every head.
pub async fn rotate_keys(config: &Config) -> Result<(), String> {
    let (postgres, pool) = open_database(config).await?;
    let rotated = Limits::rotate_keys(&pool, SystemClock.now()).await.map_err(|error| error.to_string());
    pool.close().await;
    if let Some(postgres) = postgres {
        postgres.stop().await;
    }
    rotated
}

async fn database(config: &Config) -> Result<(Option<PrivatePostgres>, String), String> {
    match &config.database_url {
        Some(url) => Ok((None, url.clone())),
        None => {
            let postgres = PrivatePostgres::start(&config.data).await?;
            let url = postgres.url();
            Ok((Some(postgres), url))
        }
    }
}

async fn connect_and_migrate(url: &str) -> Result<sqlx::PgPool, String> {
    let pool = db::connect(url, POOL)
        .await
        .map_err(|error| format!("the database can't be reached: {error}. DATABASE_URL says where it is"))?;
    db::migrate(&pool).await.map_err(|error| format!("the database's schema can't be brought up to date: {error}"))?;
    Ok(pool)
}

async fn serve(
    config: &Config,
    database_url: &str,
    listener: TcpListener,
    addr: SocketAddr,
    postgres: Option<PrivatePostgres>,
) -> Result<(), String> {
    let pool = connect_and_migrate(database_url).await?;
    let media = config.data.join("media");
    let media =
        MediaStore::open(media.clone()).await.map_err(|error| format!("{} can't be made: {error}", media.display()))?;
    let key = config.worker_key.clone().unwrap_or_else(|| URL_SAFE_NO_PAD.encode(clock::random_bytes::<24>()));
    let (stop, stopping) = watch::channel(false);
    let (progress, stage) = watch::channel(Stage::Serving);

    let clock: SharedClock = match &config.simulated_time {
        None => Arc::new(SystemClock),
        Some(path) => {
            tracing::warn!("the time is what {} says: this is a simulation", path.display());
            Arc::new(FileClock(path.clone()))
        }
    };
    let credits = CreditsService::new(pool.clone(), clock.clone(), config.daily);
    let bursts = open_bursts(config, database_url).await?;
    // Without Redis this head is alone.
    let counting = if config.redis_url.is_none() { Counting::ALONE } else { Counting::Together };
    let limits = Limits::new(pool.clone(), clock.clone(), config.policy.clone(), bursts, counting);
    let (models, outlook, bell) = (Models::new(pool.clone()), Outlook::default(), Bell::default());
    let bus = open_bus(config, database_url, clock.clone()).await?;
    let (cancelled, cancellations) = mpsc::unbounded_channel();
    let jobs = Jobs::new(JobsParts {
        pool: pool.clone(),
        clock: clock.clone(),
        credits: credits.clone(),
        media: media.clone(),
        models: models.clone(),
        events: EventHub::default(),
        outlook: outlook.clone(),
        bus: bus.clone(),
        bell: bell.clone(),
        max_queued: config.max_queued,
        cancelled,
    });
    let identity = Identity::new(pool.clone(), clock.clone());
    let fleet = Fleet::new(FleetParts {
        pool: pool.clone(),
        clock: clock.clone(),
        jobs: jobs.clone(),
        media: media.clone(),
        models: models.clone(),
        outlook: outlook.clone(),
        bus,
        bell,
    });
    let photos = Photos::new(pool.clone(), clock.clone(), media.clone(), identity.clone(), limits.clone());
    let admission = Admission::new(jobs.clone(), identity.clone(), credits.clone(), limits.clone());
    let library = Library::new(pool.clone(), clock.clone(), identity.clone(), limits.clone(), jobs.clone());
    let archive =
        Archive::new(pool.clone(), clock.clone(), media.clone(), identity.clone(), limits.clone(), library.clone());
    let handles = Handles {
        jobs: jobs.clone(),
        admission: admission.clone(),
        identity: identity.clone(),
        credits: credits.clone(),
        models: models.clone(),
        library: library.clone(),
    };
    let metrics = recorder().map_err(|error| format!("metrics can't be kept: {error}"))?;
    let state = AppState {
        jobs,
        admission,
        limits: limits.clone(),
        admin_key: AdminKey::new(config.admin_key.as_deref()),
        identity,
        credits: credits.clone(),
        models,
        feed: Feed::new(pool.clone()),
        photos: photos.clone(),
        arrivals: Arrivals::default(),
        library,
        archive,
        fleet: fleet.clone(),
        outlook,
        pool: pool.clone(),
        keys: Keys::new(&key, WorkerKeys::new(pool.clone())),
        stopping: stopping.clone(),
        proxies: TrustedProxies(Arc::new(config.trusted_proxies.clone())),
        metrics: metrics.clone(),
        leptos: pages::options(config),
        fingerprints: Fingerprints(config.fingerprints),
        handles,
    };

    let mut background = JoinSet::new();
    background.spawn({
        let (fleet, cancellations) = (fleet.clone(), Arc::new(tokio::sync::Mutex::new(cancellations)));
        let serve_bus = move || {
            let (fleet, cancellations) = (fleet.clone(), cancellations.clone());
            async move { fleet.serve_bus(&mut *cancellations.lock().await).await }
        };
        keep::going("bus", serve_bus, || false)
    });
    background.spawn(background::run(tasks(limits.clone(), credits, photos, metrics), clock));
    let (retire, retired) = watch::channel(false);
    let campaign = tokio::spawn({
        let (fleet, retired_yet) = (fleet.clone(), retired.clone());
        let options = database_url.parse().map_err(|error| format!("DATABASE_URL is not an address: {error}"))?;
        let election = Arc::new(Election::new(options, Office::Dispatcher, Timing::default()));
        let campaign = move || {
            let (fleet, election, mut retired) = (fleet.clone(), election.clone(), retired.clone());
            async move {
                let until = async {
                    let _ = retired.wait_for(|retired| *retired).await;
                };
                election.campaign(|| fleet.dispatch(), until).await;
            }
        };
        keep::going("dispatcher", campaign, move || *retired_yet.borrow())
    });
    if let Some(postgres) = postgres {
        background.spawn(async move { postgres.keep_running().await });
    }
    let local = LocalWorkers {
        program: workers::program(),
        head: format!("ws://{}", reachable(addr)),
        key,
        models: config.models.clone(),
        name: workers::head_name(&config.data, addr)?,
    };
    let own: Vec<WorkerId> = (0..config.workers.len()).map(|number| local.id(number)).collect();
    let mut children = JoinSet::new();
    for (number, device) in config.workers.iter().enumerate() {
        children.spawn(local.clone().supervise(number, device.clone(), stage.clone()));
    }

    tracing::info!("Mindseye is at http://{}", reachable(addr));
    let app = router::build(state).into_make_service_with_connect_info::<SocketAddr>();
    let mut until_stop = stopping.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        // An error means that the sender is gone, which is the end as well.
        let _ = until_stop.wait_for(|stop| *stop).await;
    });
    let server = tokio::spawn(server.into_future());

    asked_to_stop().await?;
    tracing::info!("stopping: pictures in the making are finished first");
    // Workers finish while the server still takes their pictures; then streams end, then the server.
    let _ = progress.send(Stage::Finishing);
    fleet.drain().await;
    if tokio::time::timeout(workers::GRACE, fleet.idle()).await.is_err() {
        // Those elsewhere resume at another head, or at this one when it is back.
        fleet.take_back(&own).await;
    }
    let _ = progress.send(Stage::Over);
    let _ = stop.send(true);
    let _ = tokio::time::timeout(Duration::from_secs(5), async { while children.join_next().await.is_some() {} }).await;
    children.abort_all();
    if tokio::time::timeout(Duration::from_secs(5), server).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    // Another head takes over at once.
    let _ = retire.send(true);
    let _ = tokio::time::timeout(Duration::from_secs(5), campaign).await;
    background.abort_all();
    while background.join_next().await.is_some() {}
    limits.write_down().await;
    pool.close().await;
    Ok(())
}

/// Keeps metrics. Times are counted in buckets, which add up over heads and from which any quantile can be read.
fn recorder() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS)?
        // Gauges are set anew for every reader: what was not belongs to a worker that is gone.
        .idle_timeout(MetricKindMask::GAUGE, Some(GAUGES_LAST))
        .install_recorder()
}

/// Everything that is looked after now and then.
fn tasks(limits: Limits, credits: CreditsService, photos: Photos, metrics: PrometheusHandle) -> Vec<Task> {
    let (expiring, settling) = (credits.clone(), limits.clone());
    vec![
        // What was measured is kept one by one until it is summed up, here or when somebody looks at it.
        Task::new("metrics", Duration::from_secs(5), move || {
            let metrics = metrics.clone();
            async move {
                metrics.run_upkeep();
                Ok(())
            }
        }),
        Task::new("limits", Duration::from_secs(60), move || {
            let limits = limits.clone();
            async move { limits.look_after().await }
        }),
        Task::new("settle_limits", Duration::from_secs(2), move || {
            let limits = settling.clone();
            async move { limits.settle().await }
        }),
        Task::new("expire_credits", Duration::from_secs(300), move || {
            let credits = expiring.clone();
            async move {
                while credits.expire().await? > 0 {}
                Ok(())
            }
        }),
        Task::new("expire_photos", Duration::from_secs(300), move || {
            let photos = photos.clone();
            async move { photos.sweep().await }
        }),
        Task::new("audit_ledger", Duration::from_secs(600), move || {
            let credits = credits.clone();
            async move { credits.audit().await.map(drop) }
        }),
    ]
}

/// With `REDIS_URL`, bursts are counted by all heads together.
async fn open_bursts(config: &Config, database_url: &str) -> Result<Bursts, String> {
    match &config.redis_url {
        None => Ok(Bursts::new(config.rate)),
        Some(url) => Bursts::shared(config.rate, url, &redis_prefix(database_url)?)
            .await
            .map_err(|error| format!("REDIS_URL can't be used: {error}")),
    }
}

/// Studios that share one Redis are told apart by their databases.
fn redis_prefix(database_url: &str) -> Result<String, String> {
    let options: sqlx::postgres::PgConnectOptions =
        database_url.parse().map_err(|error| format!("DATABASE_URL is not an address: {error}"))?;
    Ok(format!("mindseye:{}", options.get_database().unwrap_or("postgres")))
}

/// With `REDIS_URL`, the bus of all heads on this database; otherwise this head is alone.
async fn open_bus(config: &Config, database_url: &str, clock: SharedClock) -> Result<Arc<dyn Bus>, String> {
    let head = HeadId::from_random(clock::random_u128());
    let Some(url) = &config.redis_url else { return Ok(Arc::new(LocalBus::alone(head, clock))) };
    let prefix = redis_prefix(database_url)?;
    let settings = RedisSettings { url: url.clone(), prefix, head, bus: BusSettings::default() };
    let bus = RedisBus::open(settings).await.map_err(|error| format!("REDIS_URL can't be used: {error}"))?;
    Ok(Arc::new(bus))
}

async fn asked_to_stop() -> Result<(), String> {
    let watch = |kind| signal(kind).map_err(|error| format!("signals can't be watched: {error}"));
    let (mut interrupt, mut terminate) = (watch(SignalKind::interrupt())?, watch(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// The address as a local worker or person reaches it: "all interfaces" includes loopback.
fn reachable(addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() { SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), addr.port()) } else { addr }
}
