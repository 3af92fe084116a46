//! The bus: one suite against the bus in memory and the bus over Redis, and what only Redis can do, such as die.
//!
//! Needs a Redis of its own: `scripts/test-redis.sh cargo test --release -p services --test bus`.

mod bursts;
mod conformance;
mod outage;
mod server;
mod world;

/// Runs each test of the suite against both buses.
macro_rules! conformance {
    ($($test:ident),* $(,)?) => {
        mod in_memory {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    crate::conformance::$test(&crate::world::World::in_memory()).await;
                }
            )*
        }

        mod over_redis {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    crate::conformance::$test(&crate::world::World::over_redis()).await;
                }
            )*
        }
    };
}

conformance!(
    broadcasts_reach_every_other_head_once,
    job_events_reach_heads_that_watch,
    what_others_watch_is_known,
    a_slow_subscriber_hears_of_the_gap,
    letters_arrive_in_order_and_only_at_their_address,
    unacknowledged_letters_come_again_to_the_next_reader,
    letters_to_the_dispatcher_outlive_the_dispatcher,
    a_head_is_alive_while_its_mailbox_is_read,
    waiting_for_a_letter_may_be_given_up,
    ten_thousand_letters_from_many_heads,
    large_messages_arrive,
    records_end_with_their_time_unless_renewed,
    a_newer_connection_replaces_a_record,
);
