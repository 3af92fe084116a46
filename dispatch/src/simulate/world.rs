//! Workers that take simulated time, and a head that sees of them what a real one sees.

mod moving;

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use domain::{DeviceId, JobId, WorkerId};

use self::moving::Resting;
use super::Dispatcher;
use super::report::Outcome;
use super::workload::{IncidentKind, SimJob, Workload};
use crate::demand::Demand;
use crate::estimate::Estimate;
use crate::plan::{Policy, plan};
use crate::snapshot::{HeldJob, Lane, Length, ModelState, QueuedJob, Snapshot, WorkerState};
use crate::tick::{SessionState, TickPolicy, tick, waited_after};

pub(super) fn run(workload: &Workload, jobs: &[SimJob], dispatcher: Dispatcher, policy: &Policy) -> Vec<Outcome> {
    let mut world = World::new(workload, jobs, dispatcher, policy);
    while let Some(Reverse(event)) = world.events.pop() {
        world.now = event.at_ms;
        world.handle(event.what);
    }
    world.outcomes
}

struct World<'a> {
    workload: &'a Workload,
    jobs: &'a [SimJob],
    dispatcher: Dispatcher,
    policy: Policy,
    models: Vec<Arc<str>>,
    now: f64,
    events: BinaryHeap<Reverse<Event>>,
    next_event: u64,
    /// When the planner is already due to look again.
    look_at_ms: f64,
    /// Jobs in the head's queue, oldest first.
    queue: VecDeque<usize>,
    workers: Vec<Worker>,
    turn: usize,
    demand: Demand,
    /// Long jobs that gave way to short ones, and when the last one did.
    resting: BTreeMap<usize, Resting>,
    gave_way_ms: f64,
    outcomes: Vec<Outcome>,
}

#[derive(Default)]
struct Worker {
    up: bool,
    /// Share of its speed that it has now.
    heat: f64,
    /// In the order they were handed over.
    bench: Vec<Session>,
    /// The session that is being worked on, when its step began and when it ends.
    running: Option<Running>,
    /// Class of the last step.
    current: Option<usize>,
    /// Job of the last step that ended.
    last_job: Option<usize>,
    /// Grows with every death, so that steps of an earlier life end nowhere.
    life: u32,
}

#[derive(Clone, Copy)]
struct Running {
    job: usize,
    began_ms: f64,
}

struct Session {
    job: usize,
    steps_done: u32,
    /// When it came: a pass that was under way is none that it was passed over in.
    came_ms: f64,
    waited_ms: f64,
    /// What a step takes here at the worker's usual speed: by the estimate, and then by its own steps.
    step: Estimate,
    /// Milliseconds until its next step can begin, once it is its turn: it has just come from another worker.
    transfer_ms: f64,
    /// How often it has come from another worker.
    moves: u32,
}

struct Event {
    at_ms: f64,
    number: u64,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Arrival(usize),
    StepEnd { worker: usize, life: u32 },
    Look,
    Begins(usize),
    Ends(usize),
}

impl<'a> World<'a> {
    fn new(workload: &'a Workload, jobs: &'a [SimJob], dispatcher: Dispatcher, policy: &Policy) -> Self {
        let mut policy = policy.clone();
        policy.long.switch_ms = workload.switch_s * 1_000.0;
        let mut world = Self {
            workload,
            jobs,
            dispatcher,
            policy,
            models: workload.classes.iter().map(|class| class.name.as_str().into()).collect(),
            now: 0.0,
            events: BinaryHeap::new(),
            next_event: 0,
            look_at_ms: f64::INFINITY,
            queue: VecDeque::new(),
            workers: workload.speeds.iter().map(|_| Worker { up: true, heat: 1.0, ..Worker::default() }).collect(),
            turn: 0,
            demand: Demand::default(),
            resting: BTreeMap::new(),
            gave_way_ms: f64::NEG_INFINITY,
            outcomes: jobs.iter().map(Outcome::unfinished).collect(),
        };
        for (number, incident) in workload.incidents.iter().enumerate() {
            world.at(incident.at_s * 1_000.0, What::Begins(number));
            world.at((incident.at_s + incident.for_s) * 1_000.0, What::Ends(number));
        }
        if let Some(first) = jobs.first() {
            world.at(first.arrival_ms, What::Arrival(0));
        }
        world
    }

    fn at(&mut self, at_ms: f64, what: What) {
        self.next_event += 1;
        self.events.push(Reverse(Event { at_ms, number: self.next_event, what }));
    }

    fn handle(&mut self, what: What) {
        match what {
            What::Arrival(job) => {
                if let Some(next) = self.jobs.get(job + 1) {
                    self.at(next.arrival_ms, What::Arrival(job + 1));
                }
                self.accept(job);
            }
            What::StepEnd { worker, life } if self.workers[worker].life == life => self.step_end(worker),
            What::StepEnd { .. } => {}
            // An earlier look has been arranged since.
            What::Look if self.now < self.look_at_ms => {}
            What::Look => {
                self.look_at_ms = f64::INFINITY;
                self.place_late();
            }
            What::Begins(incident) => self.begin_incident(incident),
            What::Ends(incident) => self.end_incident(incident),
        }
    }

    fn accept(&mut self, job: usize) {
        match self.dispatcher {
            Dispatcher::WithTicks | Dispatcher::WithoutTicks | Dispatcher::ShortFirst | Dispatcher::LongFirst => {
                let SimJob { class, estimate_ms, .. } = self.jobs[job];
                if self.workload.classes[class].length() == Length::Short {
                    self.demand.arrived(estimate_ms, self.now);
                }
                self.queue.push_back(job);
                self.place_late();
            }
            Dispatcher::RoundRobin => {
                let workers = self.workers.len();
                let in_turn = (1..=workers).map(|ahead| (self.turn + ahead) % workers);
                self.turn = in_turn.into_iter().find(|at| self.workers[*at].up).unwrap_or(self.turn);
                self.give(self.turn, job);
            }
            Dispatcher::LeastLoaded => {
                let least = (0..self.workers.len()).filter(|at| self.workers[*at].up);
                let least = least.min_by_key(|at| self.workers[*at].bench.len()).unwrap_or(0);
                self.give(least, job);
            }
            Dispatcher::BoundOnArrival => {
                let completion = |at: &usize| {
                    let held: f64 = self.held(*at).map(|held| held.remaining_ms).sum();
                    held + self.jobs[job].estimate_ms / self.workload.speeds[*at]
                };
                let up = (0..self.workers.len()).filter(|at| self.workers[*at].up);
                let best = up.min_by(|a, b| completion(a).total_cmp(&completion(b))).unwrap_or(0);
                self.give(best, job);
            }
        }
    }

    fn place_late(&mut self) {
        if self.queue.is_empty() || !matches!(self.dispatcher, Dispatcher::WithTicks | Dispatcher::WithoutTicks) {
            return;
        }
        let snapshot = self.snapshot();
        let plan = plan(&snapshot, &self.policy);
        let numbers: BTreeMap<JobId, usize> =
            self.queue.iter().map(|number| (JobId::from_random(*number as u128), *number)).collect();
        for (job, worker) in plan.assignments {
            let (Some(job), Ok(worker)) = (numbers.get(&job).copied(), worker.0.parse::<usize>()) else { continue };
            self.queue.retain(|waiting| *waiting != job);
            self.give(worker, job);
        }
        if let Some(wait_ms) = plan.look_again_ms {
            let at_ms = self.now + wait_ms;
            if at_ms < self.look_at_ms {
                self.look_at_ms = at_ms;
                self.at(at_ms, What::Look);
            }
        }
    }

    fn give(&mut self, worker: usize, job: usize) {
        let SimJob { class, estimate_ms, .. } = self.jobs[job];
        let step_ms = estimate_ms / f64::from(self.workload.classes[class].steps) / self.workload.speeds[worker];
        let session = Session {
            job,
            steps_done: 0,
            came_ms: self.now,
            waited_ms: 0.0,
            step: Estimate::prior(step_ms),
            transfer_ms: 0.0,
            moves: 0,
        };
        let session = match self.resting.remove(&job) {
            Some(Resting { steps_done, moves, .. }) => {
                let transfer_ms = self.policy.moves.map_or(0.0, |policy| policy.transfer_ms);
                Session { steps_done, moves, transfer_ms, ..session }
            }
            None => session,
        };
        self.workers[worker].bench.push(session);
        if self.workers[worker].running.is_none() && self.workers[worker].up {
            self.step(worker);
        }
    }

    /// Begins the next step of whichever session the rule chooses.
    fn step(&mut self, at: usize) {
        let worker = &self.workers[at];
        let chosen = if self.dispatcher == Dispatcher::WithTicks {
            let sessions: Vec<SessionState> = worker
                .bench
                .iter()
                .map(|session| {
                    let class = self.jobs[session.job].class as u64;
                    SessionState {
                        key: class,
                        model: class,
                        remaining_ms: self.remaining_ms(session),
                        waited_ms: session.waited_ms,
                    }
                })
                .collect();
            let policy = TickPolicy {
                current: worker.current.map(|class| class as u64),
                switch_ms: self.policy.long.switch_ms,
                ..TickPolicy::default()
            };
            tick(&sessions, &policy, |_, _| 1).first().copied()
        } else {
            (!worker.bench.is_empty()).then_some(0)
        };
        let Some(chosen) = chosen else { return };
        let job = worker.bench[chosen].job;
        let SimJob { class, work_ms, .. } = self.jobs[job];
        let switch_ms = match worker.current {
            Some(current) if current != class && self.dispatcher == Dispatcher::WithTicks => self.policy.long.switch_ms,
            _ => 0.0,
        };
        let step_ms = work_ms / f64::from(self.workload.classes[class].steps) / self.speed(at);
        let life = worker.life;
        // A transfer ends with the switch to the model.
        let switch_ms = switch_ms.max(std::mem::take(&mut self.workers[at].bench[chosen].transfer_ms));
        self.outcomes[job].start_ms = self.outcomes[job].start_ms.min(self.now);
        self.workers[at].running = Some(Running { job, began_ms: self.now });
        self.workers[at].current = Some(class);
        self.at(self.now + switch_ms + step_ms, What::StepEnd { worker: at, life });
    }

    fn step_end(&mut self, at: usize) {
        let now = self.now;
        let Some(running) = self.workers[at].running.take() else { return };
        let steps = self.workload.classes[self.jobs[running.job].class].steps;
        let worker = &mut self.workers[at];
        let mut finished = false;
        if let Some(session) = worker.bench.iter_mut().find(|session| session.job == running.job) {
            session.steps_done += 1;
            // The head hears of steps only: what lay between two of the same job is what the second one took.
            if worker.last_job == Some(running.job) {
                session.step.record((now - running.began_ms) * worker.heat);
            }
            finished = session.steps_done >= steps;
        }
        for session in worker.bench.iter_mut().filter(|session| session.came_ms <= running.began_ms) {
            let advanced = session.job == running.job;
            let pass_ms = now - running.began_ms;
            session.waited_ms = waited_after(session.waited_ms, pass_ms, advanced, &TickPolicy::default());
        }
        worker.last_job = Some(running.job);
        if finished {
            worker.bench.retain(|session| session.job != running.job);
            self.outcomes[running.job].finish_ms = now;
        }
        let moved = !finished && (self.move_on(at, running.job) || self.give_way(at, running.job));
        if self.workers[at].up {
            self.step(at);
        }
        if finished || moved {
            self.place_late();
        }
    }

    fn begin_incident(&mut self, number: usize) {
        let incident = &self.workload.incidents[number];
        let at = incident.worker;
        match incident.kind {
            IncidentKind::Hot { speed } => self.workers[at].heat = speed,
            IncidentKind::Down => {
                let worker = &mut self.workers[at];
                worker.up = false;
                worker.life += 1;
                worker.running = None;
                let mut lost: Vec<usize> = worker.bench.drain(..).map(|session| session.job).collect();
                if matches!(self.dispatcher, Dispatcher::WithTicks | Dispatcher::WithoutTicks) {
                    self.queue.extend(lost);
                    self.queue.make_contiguous().sort_unstable();
                    self.place_late();
                } else {
                    lost.sort_unstable();
                    for job in lost {
                        self.accept(job);
                    }
                }
            }
        }
    }

    fn end_incident(&mut self, number: usize) {
        let incident = &self.workload.incidents[number];
        let at = incident.worker;
        match incident.kind {
            IncidentKind::Hot { .. } => self.workers[at].heat = 1.0,
            IncidentKind::Down => {
                self.workers[at].up = true;
                // Where all were down, it may have been given something all the same.
                self.step(at);
            }
        }
        self.place_late();
    }

    fn speed(&self, at: usize) -> f64 {
        self.workload.speeds[at] * self.workers[at].heat
    }

    /// What the head expects to remain of a session, from the steps it was told of.
    fn remaining_ms(&self, session: &Session) -> f64 {
        let steps = self.workload.classes[self.jobs[session.job].class].steps;
        session.step.mean_ms * f64::from(steps - session.steps_done)
    }

    fn held(&self, at: usize) -> impl Iterator<Item = HeldJob> {
        let worker = &self.workers[at];
        worker.bench.iter().map(move |session| {
            let job = &self.jobs[session.job];
            let class = &self.workload.classes[job.class];
            let step_ms = session.step.mean_ms;
            let running = worker.running.filter(|running| running.job == session.job);
            let into_step_ms = running.map(|running| ((self.now - running.began_ms) * worker.heat).min(step_ms));
            HeldJob {
                owner: DeviceId::from_random(u128::from(job.owner)),
                lane: Lane::Standard,
                length: class.length(),
                batch_key: job.class as u64,
                remaining_ms: self.remaining_ms(session) - into_step_ms.unwrap_or(0.0),
                step_left_ms: into_step_ms.map_or(0.0, |into_step_ms| step_ms - into_step_ms),
            }
        })
    }

    fn snapshot(&self) -> Snapshot {
        let shorts_wait = self.shorts_wait();
        let waits = |number: &&usize| !self.rests(**number, shorts_wait);
        let queue = self.queue.iter().filter(waits).map(|number| {
            let job = &self.jobs[*number];
            QueuedJob {
                id: JobId::from_random(*number as u128),
                owner: DeviceId::from_random(u128::from(job.owner)),
                lane: Lane::Standard,
                length: self.workload.classes[job.class].length(),
                model: self.models[job.class].clone(),
                batch_key: job.class as u64,
                work: job.estimate_ms / 1_000.0,
                waited_ms: self.now - job.arrival_ms,
                avoid: Vec::new(),
            }
        });
        let workers = self.workers.iter().enumerate().map(|(at, worker)| WorkerState {
            id: WorkerId(at.to_string()),
            models: self
                .models
                .iter()
                .map(|name| ModelState {
                    name: name.clone(),
                    standard_ms: 1_000.0 / self.workload.speeds[at],
                    load_ms: 0.0,
                })
                .collect(),
            concurrency: 1,
            batch_gain: 1.0,
            steps_aside: self.dispatcher == Dispatcher::WithTicks,
            hands_over: true,
            slowdown: 1.0 / worker.heat,
            held: self.held(at).collect(),
            draining: !worker.up,
        });
        let capacity: f64 = self.workload.speeds.iter().sum();
        let short_demand = self.demand.per_ms(self.now) / capacity;
        Snapshot { queue: queue.collect(), workers: workers.collect(), short_demand, ..Snapshot::default() }
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at_ms.total_cmp(&other.at_ms).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Event {}
