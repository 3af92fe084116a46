//! Heads that share a bus, and things for them to say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::worker::{Hello, PROTOCOL, ToWorker};
use domain::{JobEvent, JobId, StepProgress, WorkerId};
use services::bus::{
    Broadcast, Broadcasts, Bus, BusSettings, Delivery, HeadId, Heard, Letter, LocalHub, Mailbox, RedisBus,
    RedisSettings, WorkerRecord,
};
use services::clock::{self, SystemClock};

/// Longer than anything here takes: whoever waits this long waits in vain.
const IN_VAIN: Duration = Duration::from_secs(60);

/// One studio's heads, apart from those of all other tests.
pub struct World {
    kind: Kind,
    settings: BusSettings,
}

enum Kind {
    InMemory(LocalHub),
    OverRedis { url: String, prefix: String },
}

/// The Redis that the test script provides.
pub fn redis_url() -> String {
    std::env::var("MINDSEYE_TEST_REDIS_URL").expect(
        "MINDSEYE_TEST_REDIS_URL names no Redis for the tests: run them through scripts/test.sh, or \
         scripts/test-redis.sh cargo test ...",
    )
}

/// A name that no other test has.
pub fn unique(name: &str) -> String {
    format!("{name}-{:032x}", clock::random_u128())
}

impl World {
    pub fn in_memory() -> Self {
        let settings = BusSettings::default();
        Self { kind: Kind::InMemory(LocalHub::new(Arc::new(SystemClock), settings.clone())), settings }
    }

    /// On the Redis that the test script provides.
    pub fn over_redis() -> Self {
        Self::on(redis_url())
    }

    pub fn on(url: String) -> Self {
        Self { kind: Kind::OverRedis { url, prefix: unique("test") }, settings: BusSettings::default() }
    }

    /// Another world, whose heads are forgotten sooner.
    pub fn with_mailbox_ttl(&self, mailbox_ttl: Duration) -> Self {
        let settings = BusSettings { mailbox_ttl };
        match &self.kind {
            Kind::InMemory(_) => {
                Self { kind: Kind::InMemory(LocalHub::new(Arc::new(SystemClock), settings.clone())), settings }
            }
            Kind::OverRedis { url, .. } => Self { settings, ..Self::on(url.clone()) },
        }
    }

    pub async fn join(&self, head: HeadId) -> Arc<dyn Bus> {
        match &self.kind {
            Kind::InMemory(hub) => Arc::new(hub.join(head)),
            Kind::OverRedis { url, prefix } => {
                let bus = self.settings.clone();
                let settings = RedisSettings { url: url.clone(), prefix: prefix.clone(), head, bus };
                Arc::new(RedisBus::open(settings).await.expect("the Redis of the tests answers"))
            }
        }
    }

    pub async fn heads<const N: usize>(&self) -> [Arc<dyn Bus>; N] {
        let mut heads = Vec::new();
        for _ in 0..N {
            heads.push(self.join(head()).await);
        }
        heads.try_into().expect("as many as asked for")
    }

    /// The stream of a head's letters, and where broadcasts to all go.
    pub fn stream_and_channel(&self, head: HeadId) -> (String, String) {
        match &self.kind {
            Kind::InMemory(_) => panic!("only Redis has streams"),
            Kind::OverRedis { prefix, .. } => (format!("{prefix}:mail:head:{head}"), format!("{prefix}:all")),
        }
    }
}

pub fn head() -> HeadId {
    HeadId::from_random(clock::random_u128())
}

pub fn job() -> JobId {
    JobId::from_random(clock::random_u128())
}

/// A letter with a number on it.
pub fn letter(number: u64) -> Letter {
    Letter::ToWorker { worker: WorkerId("w".into()), connection: number, message: ToWorker::HeadLeaves }
}

pub fn number(letter: &Letter) -> u64 {
    match letter {
        Letter::ToWorker { connection, .. } => *connection,
        other => panic!("not one of the numbered letters: {other:?}"),
    }
}

/// A broadcast with a number on it.
pub fn cancelled(number: i32) -> Broadcast {
    Broadcast::Cancelled { job: JobId::from_random(1), epoch: number }
}

pub fn progress(job: JobId, step: u32, preview: Option<String>) -> Broadcast {
    Broadcast::JobEvent { job, event: JobEvent::Progress(StepProgress { job, index: 0, step, steps: 9, preview }) }
}

/// A connection of a worker to a head. Every one has another number.
pub fn record(name: &str, head: HeadId) -> WorkerRecord {
    static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
    WorkerRecord {
        head,
        connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed),
        hello: Hello {
            protocol: PROTOCOL,
            id: WorkerId(name.into()),
            host: "test".into(),
            device: "test".into(),
            memory_mb: 0,
            concurrency: 1,
            batch_gain: 1.0,
            models: Vec::new(),
            available: Vec::new(),
            holding: Vec::new(),
            hands_over: false,
            goes_on: false,
            extends: false,
        },
        draining: false,
        named: false,
    }
}

/// What happens, unless the test would wait for ever.
pub async fn soon<T>(what: &str, happens: impl Future<Output = T>) -> T {
    match tokio::time::timeout(IN_VAIN, happens).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Asks again until the answer is yes.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    soon(what, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

pub async fn hear(broadcasts: &mut Broadcasts) -> Heard {
    soon("a broadcast", broadcasts.next()).await.expect("the bus lives")
}

/// The next message, which is not a gap.
pub async fn hear_message(broadcasts: &mut Broadcasts) -> (HeadId, Broadcast) {
    match hear(broadcasts).await {
        Heard::Message { from, broadcast } => (from, broadcast),
        Heard::Gap => panic!("nothing was lost"),
    }
}

pub async fn receive(mailbox: &mut dyn Mailbox) -> Delivery {
    soon("a letter", mailbox.next()).await
}

/// Takes and acknowledges the next letter; answers its number.
pub async fn take(mailbox: &mut dyn Mailbox) -> u64 {
    let delivery = receive(mailbox).await;
    mailbox.acknowledge(delivery.receipt).await.expect("acknowledged");
    number(&delivery.letter)
}
