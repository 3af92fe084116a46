//! What the decision adds to a submission: requests at a fixed pace, whatever the answers take, from many visitors.

use std::sync::Arc;
use std::time::Duration;

use domain::{Behaviour, behaviour::Input};
use services::clock::stopwatch;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::chance::Chance;
use crate::client::{Door, Jar};
use crate::crowd::{Ask, Pays};
use crate::service::Service;

/// Visitors; each comes again after all others did.
const VISITORS: u32 = 2_500;

/// What is measured, in milliseconds.
#[derive(Clone, Debug)]
pub struct Latency {
    pub sent: usize,
    pub accepted: usize,
    pub seconds: f64,
    /// 50th, 95th and 99th percentile of the whole decision, by the service's own measure.
    pub decision: [f64; 3],
    /// The same from when a request should have been sent to the end of its answer.
    pub whole: [f64; 3],
    /// `/proc/loadavg` before and after.
    pub load: (String, String),
}

/// Sends `rate` requests a second for so long.
///
/// # Errors
/// When the service does not answer as it should.
pub async fn measure(service: &Service, rate: u32, lasting: Duration, seed: u64) -> Result<Latency, String> {
    let door = Door::new(&service.base, 64)?;
    let mut chance = Chance::new(seed);
    let visitors: Vec<Arc<(Ask, Mutex<Jar>)>> =
        (0..VISITORS).map(|number| Arc::new((visitor(number, &mut chance), Mutex::default()))).collect();
    let before = load();
    let sent = (f64::from(rate) * lasting.as_secs_f64()) as usize;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let began = stopwatch();
    let mut under_way = JoinSet::new();
    for number in 0..sent {
        ticks.tick().await;
        let due = Duration::from_secs_f64(number as f64 / f64::from(rate));
        let (visitor, door) = (visitors[number % visitors.len()].clone(), door.clone());
        under_way.spawn(async move {
            let (ask, jar) = &*visitor;
            let outcome = door.press(ask, Pays::Never, &mut *jar.lock().await).await;
            (outcome, began.elapsed().saturating_sub(due))
        });
    }
    let (mut accepted, mut whole) = (0, Vec::with_capacity(sent));
    while let Some(done) = under_way.join_next().await {
        let (outcome, took) = done.map_err(|error| error.to_string())?;
        accepted += usize::from(outcome?.served);
        whole.push(took.as_secs_f64() * 1_000.0);
    }
    let seconds = began.elapsed().as_secs_f64();
    let metrics = service.metrics().await?;
    let buckets = buckets(&metrics, "mindseye_limits_decision_seconds");
    let quantile = |share: f64| {
        quantile(&buckets, share).map(|seconds| seconds * 1_000.0).ok_or("/metrics says nothing about decisions")
    };
    whole.sort_by(f64::total_cmp);
    let at = |share: f64| whole.get((share * (whole.len().max(1) - 1) as f64) as usize).copied().unwrap_or(0.0);
    Ok(Latency {
        sent,
        accepted,
        seconds,
        decision: [quantile(0.5)?, quantile(0.95)?, quantile(0.99)?],
        whole: [at(0.5), at(0.95), at(0.99)],
        load: (before, load()),
    })
}

/// Somebody at a place of their own.
fn visitor(number: u32, chance: &mut Chance) -> Ask {
    let [_, _, high, low] = number.to_be_bytes();
    Ask {
        at_ms: 0,
        address: std::net::Ipv4Addr::new(20, high, low, 7).into(),
        fingerprint: Some(chance.bytes()),
        behaviour: Some(Behaviour {
            input: Input::Mouse,
            samples: 120,
            entropy: 240,
            first_ms: 9_000,
            ..Behaviour::default()
        }),
        agent: "Mozilla/5.0",
        prompt: format!("a boat, {}", chance.below(100_000)),
        count: 1,
        cookie: 0,
    }
}

/// Upper ends of a histogram's buckets, and how many values are at or below each.
fn buckets(metrics: &str, name: &str) -> Vec<(f64, f64)> {
    let start = format!("{name}_bucket{{le=\"");
    let bucket = |line: &str| {
        let (end, count) = line.strip_prefix(&start)?.split_once("\"} ")?;
        let end = if end == "+Inf" { f64::INFINITY } else { end.parse().ok()? };
        Some((end, count.trim().parse().ok()?))
    };
    metrics.lines().filter_map(bucket).collect()
}

/// The value that so large a share is below, drawn evenly within its bucket, as Prometheus does.
fn quantile(buckets: &[(f64, f64)], share: f64) -> Option<f64> {
    let wanted = share * buckets.last()?.1;
    let (mut low, mut below) = (0.0, 0.0);
    for (end, count) in buckets {
        if *count >= wanted && *count > 0.0 {
            let within = (wanted - below) / (count - below).max(1.0);
            return Some(if end.is_finite() { low + (end - low) * within } else { low });
        }
        (low, below) = (*end, *count);
    }
    None
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_read_from_buckets() {
        let metrics = "x_bucket{le=\"0.001\"} 50\nx_bucket{le=\"0.003\"} 90\nx_bucket{le=\"+Inf\"} 100\nx_count 100\n";
        let buckets = buckets(metrics, "x");
        assert_eq!(buckets.len(), 3);
        assert_eq!(quantile(&buckets, 0.5), Some(0.001));
        assert_eq!(quantile(&buckets, 0.7), Some(0.002));
        assert_eq!(quantile(&buckets, 0.99), Some(0.003), "no more than the last end is known");
        assert_eq!(quantile(&[], 0.5), None);
    }
}
