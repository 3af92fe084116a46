//! The election against a real Postgres.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use services::election::{Election, Office, Timing};
use sqlx::PgPool;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Longer than anything here takes: whoever waits this long waits in vain.
const IN_VAIN: Duration = Duration::from_secs(60);

/// What the heads do with their office, as everybody sees it.
#[derive(Clone, Default)]
struct Stage {
    seen: Arc<watch::Sender<Seen>>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    /// Heads whose work runs now.
    leading: Vec<usize>,
    /// The heads of all terms so far.
    terms: Vec<usize>,
    /// Most heads that ever led at the same time.
    most: usize,
}

impl Stage {
    /// The work of an office: to be seen doing it.
    async fn lead(&self, head: usize) {
        let _turn = Turn::begin(self, head);
        std::future::pending::<()>().await;
    }

    /// Waits until things look so.
    async fn until(&self, what: &str, is_so: impl FnMut(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.subscribe();
        match tokio::time::timeout(IN_VAIN, seen.wait_for(is_so)).await {
            Ok(seen) => seen.expect("the stage stands").clone(),
            Err(_) => panic!("waited in vain for {what}"),
        }
    }

    /// Waits for the given term to begin and everything to be quiet; answers who leads.
    async fn leader_of_term(&self, term: usize) -> usize {
        let seen = self.until("a leader", |seen| seen.terms.len() >= term && seen.leading.len() == 1).await;
        seen.leading[0]
    }
}

struct Turn<'a> {
    stage: &'a Stage,
    head: usize,
}

impl<'a> Turn<'a> {
    fn begin(stage: &'a Stage, head: usize) -> Self {
        stage.seen.send_modify(|seen| {
            seen.leading.push(head);
            seen.terms.push(head);
            seen.most = seen.most.max(seen.leading.len());
        });
        Self { stage, head }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.stage.seen.send_modify(|seen| seen.leading.retain(|head| *head != self.head));
    }
}

struct Candidate {
    leads: watch::Receiver<bool>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Candidate {
    fn new(pool: &PgPool, stage: &Stage, head: usize) -> Self {
        let election = election(pool);
        let leads = election.leads();
        let (stop, stopped) = oneshot::channel::<()>();
        let stage = stage.clone();
        let task = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or(()) };
            election.campaign(|| stage.lead(head), stopped).await;
        });
        Self { leads, stop, task }
    }

    async fn resign(self) {
        self.stop.send(()).expect("it stands for election");
        self.task.await.expect("it ends");
    }
}

fn three(pool: &PgPool, stage: &Stage) -> Vec<Option<Candidate>> {
    (0..3).map(|head| Some(Candidate::new(pool, stage, head))).collect()
}

fn election(pool: &PgPool) -> Election {
    let timing = Timing {
        attempt: Duration::from_millis(30),
        beat: Duration::from_millis(50),
        patience: Duration::from_secs(20),
        silence: Duration::from_secs(30),
    };
    Election::new((*pool.connect_options()).clone(), Office::Dispatcher, timing)
}

/// Waits until as many sessions of elections are at this database.
async fn sessions(pool: &PgPool, wanted: i64) {
    let look = async {
        loop {
            let there: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'mindseye election'",
            )
            .fetch_one(pool)
            .await
            .expect("a count");
            if there == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(IN_VAIN, look).await.expect("the sessions");
}

/// Ends the session that holds the lock, as a crash of its backend would.
async fn end_session_of_leader(pool: &PgPool) {
    let ended: Vec<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(pid) FROM pg_locks
         WHERE locktype = 'advisory' AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .fetch_all(pool)
    .await
    .expect("terminated");
    assert_eq!(ended, [true], "one session holds the lock");
}

#[sqlx::test(migrations = "../migrations")]
async fn one_of_three_leads(pool: PgPool) {
    let stage = Stage::default();
    let candidates = three(&pool, &stage);
    let leader = stage.leader_of_term(1).await;
    sessions(&pool, 3).await;
    let leads: Vec<bool> = candidates.iter().flatten().map(|candidate| *candidate.leads.borrow()).collect();
    assert_eq!(leads.iter().filter(|leads| **leads).count(), 1);
    assert!(leads[leader]);
    assert_eq!(stage.seen.borrow().most, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn another_takes_over_when_the_leader_dies(pool: PgPool) {
    let stage = Stage::default();
    let mut candidates = three(&pool, &stage);
    let first = stage.leader_of_term(1).await;
    let dead = candidates[first].take().expect("a candidate");
    dead.task.abort();
    let second = stage.leader_of_term(2).await;
    assert_ne!(first, second);
    assert!(!*dead.leads.borrow(), "the dead do not lead");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_leader_whose_session_ends_stops_at_once(pool: PgPool) {
    let stage = Stage::default();
    let candidates = three(&pool, &stage);
    for term in 1..=5 {
        stage.leader_of_term(term).await;
        end_session_of_leader(&pool).await;
    }
    let leader = stage.leader_of_term(6).await;
    let seen = stage.seen.borrow().clone();
    assert_eq!(seen.terms.len(), 6, "each ended session ended one term");
    assert_eq!(seen.leading, [leader]);
    // The guards agree with the work.
    for (head, candidate) in candidates.iter().flatten().enumerate() {
        assert_eq!(*candidate.leads.borrow(), head == leader);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_resignation_hands_over_without_overlap(pool: PgPool) {
    let stage = Stage::default();
    let mut candidates = three(&pool, &stage);
    let mut leaders = Vec::new();
    for term in 1..=3 {
        let leader = stage.leader_of_term(term).await;
        leaders.push(leader);
        candidates[leader].take().expect("it has not led before").resign().await;
    }
    leaders.sort_unstable();
    assert_eq!(leaders, [0, 1, 2], "each in its turn");
    let seen = stage.seen.borrow().clone();
    assert_eq!((seen.leading.len(), seen.most), (0, 1));
    sessions(&pool, 0).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn work_that_ends_gives_the_office_back(pool: PgPool) {
    let stage = Stage::default();
    let short = election(&pool);
    let leads = short.leads();
    let campaign = tokio::spawn({
        let stage = stage.clone();
        async move { short.campaign(|| async { drop(Turn::begin(&stage, 7)) }, std::future::pending()).await }
    });
    stage.until("a second term", |seen| seen.terms.len() >= 2).await;
    campaign.abort();
    let candidate = Candidate::new(&pool, &stage, 1);
    stage.until("the next leader", |seen| seen.leading == [1]).await;
    assert!(!*leads.borrow());
    candidate.resign().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_frozen_leader_loses_its_office_and_notices_when_it_thaws(pool: PgPool) {
    let stage = Stage::default();
    let (thaw, thawed) = std::sync::mpsc::channel::<()>();
    let (stop, stopped) = oneshot::channel::<()>();
    let timing = Timing {
        attempt: Duration::from_millis(30),
        beat: Duration::from_millis(50),
        patience: Duration::from_secs(20),
        silence: Duration::from_millis(500),
    };
    let election = Election::new((*pool.connect_options()).clone(), Office::Dispatcher, timing);
    // A thread of its own stands for the process that is stopped: nothing on it runs while its work blocks.
    let frozen = std::thread::spawn({
        let stage = stage.clone();
        let thawed = Mutex::new(thawed);
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let work = || async {
                let _turn = Turn::begin(&stage, 0);
                // Only once: after that, the other end is gone.
                let _ = thawed.lock().expect("the channel").recv();
                std::future::pending::<()>().await;
            };
            runtime.block_on(election.campaign(work, async { stopped.await.unwrap_or(()) }));
        }
    });
    stage.until("the first leader", |seen| seen.leading == [0]).await;
    let standby = Candidate::new(&pool, &stage, 1);
    let seen = stage.until("the standby", |seen| seen.terms == [0, 1]).await;
    assert_eq!(seen.leading, [0, 1], "it knows nothing of it yet");

    thaw.send(()).expect("it is still frozen");
    stage.until("the thawed one to stop", |seen| seen.leading == [1]).await;
    stop.send(()).expect("it stands for election");
    let ended = tokio::task::spawn_blocking(move || frozen.join());
    ended.await.expect("joined").expect("it ends well");
    assert_eq!(stage.seen.borrow().leading, [1], "the one that took over keeps the office");
    standby.resign().await;
}
