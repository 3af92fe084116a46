//! Workers' records, and which heads are alive.

use std::time::Duration;

use domain::WorkerId;
use redis::Pipeline;

use super::keys::Keys;
use super::link::{Link, milliseconds};
use crate::bus::{BusError, HeadId, Renewal, WorkerRecord};

/// Keys: record, index. Arguments: owner, record, time to live, name, whether an owner's record is replaced.
const ENTER: &str = "
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] and ARGV[5] ~= 'always' then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'record', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SADD', KEYS[2], ARGV[4])
return 1";

/// Keys: record, index. Arguments: owner, name.
const REMOVE: &str = "
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[2])
return 1";

/// Keys: index. Arguments: what stands before a name in the name of its record. Forgets names without a record.
const LIST_WORKERS: &str = "
local records = {}
for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local record = redis.call('HGET', ARGV[1] .. name, 'record')
  if record then records[#records + 1] = record else redis.call('SREM', KEYS[1], name) end
end
return records";

/// Keys: index. Arguments: what stands before an id in the name of its mailbox. Forgets heads without one.
const LIST_HEADS: &str = "
local heads = {}
for _, head in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('EXISTS', ARGV[1] .. head) == 1 then heads[#heads + 1] = head else redis.call('SREM', KEYS[1], head) end
end
return heads";

pub(super) async fn announce(link: &Link, keys: &Keys, record: &WorkerRecord, ttl: Duration) -> Result<(), BusError> {
    let (_,): (u8,) = link.call(&enter(keys, record, ttl, "always")?).await?;
    Ok(())
}

pub(super) async fn renew(link: &Link, keys: &Keys, record: &WorkerRecord, ttl: Duration) -> Result<Renewal, BusError> {
    let (kept,): (u8,) = link.call(&enter(keys, record, ttl, "own")?).await?;
    Ok(if kept == 1 { Renewal::Kept } else { Renewal::Replaced })
}

pub(super) async fn withdraw(
    link: &Link,
    keys: &Keys,
    worker: &WorkerId,
    head: HeadId,
    connection: u64,
) -> Result<(), BusError> {
    let mut remove = script(REMOVE, &[&keys.worker(worker), &keys.workers()]);
    remove.arg(owner(head, connection)).arg(&worker.0);
    let (_,): (u8,) = link.call(&remove).await?;
    Ok(())
}

pub(super) async fn workers(link: &Link, keys: &Keys) -> Result<Vec<WorkerRecord>, BusError> {
    let mut list = script(LIST_WORKERS, &[&keys.workers()]);
    list.arg(keys.worker_records());
    let (records,): (Vec<String>,) = link.call(&list).await?;
    let read = |text: &String| match serde_json::from_str::<WorkerRecord>(text) {
        Ok(record) => Some(record),
        Err(error) => {
            tracing::warn!(%error, "a worker's record is of another version; it is left out");
            None
        }
    };
    let mut records: Vec<WorkerRecord> = records.iter().filter_map(read).collect();
    records.sort_by(|a, b| a.hello.id.cmp(&b.hello.id));
    Ok(records)
}

pub(super) async fn heads(link: &Link, keys: &Keys) -> Result<Vec<HeadId>, BusError> {
    let mut list = script(LIST_HEADS, &[&keys.heads()]);
    list.arg(keys.head_mailboxes());
    let (heads,): (Vec<String>,) = link.call(&list).await?;
    let mut heads: Vec<HeadId> = heads.iter().filter_map(|head| head.parse().ok().map(HeadId)).collect();
    heads.sort();
    Ok(heads)
}

fn enter(keys: &Keys, record: &WorkerRecord, ttl: Duration, replacing: &str) -> Result<Pipeline, BusError> {
    let text = serde_json::to_string(record).map_err(|error| BusError::Unfit(error.to_string()))?;
    let name = &record.hello.id;
    let mut enter = script(ENTER, &[&keys.worker(name), &keys.workers()]);
    enter.arg(owner(record.head, record.connection)).arg(text).arg(milliseconds(ttl)).arg(&name.0).arg(replacing);
    Ok(enter)
}

fn owner(head: HeadId, connection: u64) -> String {
    format!("{head}/{connection}")
}

fn script(text: &str, keys: &[&str]) -> Pipeline {
    let mut pipeline = redis::pipe();
    pipeline.cmd("EVAL").arg(text).arg(keys.len()).arg(keys);
    pipeline
}
