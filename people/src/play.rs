//! A day, played: everybody's requests in the order of their times, the service's clock moving along.

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::client::{Door, Jar, Outcome};
use crate::crowd::Actor;
use crate::service::Service;

/// Requests this close to each other, in milliseconds of the simulated day, are sent at the same time.
const MEANWHILE_MS: u64 = 2_000;
/// Requests under way at once.
const AT_ONCE: usize = 24;

/// What came of every press: for each actor, in the order of its asks.
pub type Outcomes = Vec<Vec<Outcome>>;

/// Plays the actors' day.
///
/// # Errors
/// When the service does not answer as it should.
pub async fn play(service: &Service, door: &Door, actors: &[Actor]) -> Result<Outcomes, String> {
    let mut queue: Vec<(u64, usize, usize)> = Vec::new();
    for (who, actor) in actors.iter().enumerate() {
        queue.extend(actor.asks.iter().enumerate().map(|(number, ask)| (ask.at_ms, who, number)));
    }
    queue.sort_unstable();
    let mut jars: Vec<Jar> = actors.iter().map(|_| Jar::new()).collect();
    let mut outcomes: Outcomes = actors.iter().map(|actor| vec![Outcome::default(); actor.asks.len()]).collect();
    let mut rest = queue.as_slice();
    while let Some((now, ..)) = rest.first() {
        let together = rest.iter().take_while(|(at, ..)| *at < now + MEANWHILE_MS).count();
        service.set_time(*now)?;
        let (window, later) = rest.split_at(together);
        rest = later;
        // One actor's requests follow each other even within a moment.
        let mut turns: Vec<(usize, Vec<usize>)> = Vec::new();
        for (_, who, number) in window {
            match turns.iter_mut().find(|(other, _)| other == who) {
                Some((_, numbers)) => numbers.push(*number),
                None => turns.push((*who, vec![*number])),
            }
        }
        let mut turns = turns.into_iter();
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < AT_ONCE
                && let Some((who, numbers)) = turns.next()
            {
                under_way.push(turn(door, &actors[who], who, numbers, std::mem::take(&mut jars[who])));
            }
            let Some(done) = under_way.next().await else { break };
            let (who, jar, came) = done?;
            jars[who] = jar;
            for (number, outcome) in came {
                outcomes[who][number] = outcome;
            }
        }
    }
    Ok(outcomes)
}

type Turn = (usize, Jar, Vec<(usize, Outcome)>);

async fn turn(door: &Door, actor: &Actor, who: usize, numbers: Vec<usize>, mut jar: Jar) -> Result<Turn, String> {
    let mut came = Vec::with_capacity(numbers.len());
    for number in numbers {
        let outcome = door.press(&actor.asks[number], actor.pays, &mut jar).await?;
        came.push((number, outcome));
    }
    Ok((who, jar, came))
}
