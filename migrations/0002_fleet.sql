-- What the dispatcher learns, and who may work for it.

-- Grows with every entry into the queue, so that the dispatcher reads only what is new.
CREATE SEQUENCE jobs_queued_seq;
ALTER TABLE jobs
    ADD COLUMN queued_seq bigint NOT NULL DEFAULT nextval('jobs_queued_seq'),
    ADD COLUMN capability text NOT NULL DEFAULT 'image',
    ADD COLUMN lane       text NOT NULL DEFAULT 'standard' CHECK (lane IN ('standard', 'priority')),
    -- Workers that must not have it again: it was too large for them, or they died under it.
    ADD COLUMN avoid      text[] NOT NULL DEFAULT '{}',
    -- The worker's connection ended: when the lease does too, the job may have killed it.
    ADD COLUMN connection_lost boolean NOT NULL DEFAULT false;
ALTER SEQUENCE jobs_queued_seq OWNED BY jobs.queued_seq;
CREATE INDEX jobs_newly_queued ON jobs (queued_seq) WHERE state = 'queued';

-- Measured times that teach the estimates: one running estimate for each worker and model.
CREATE TABLE observations (
    worker_id    text NOT NULL,
    model        text NOT NULL,
    -- Milliseconds of a standard picture, and how far measurements lie from it on average.
    standard_ms  double precision NOT NULL CHECK (standard_ms > 0),
    deviation_ms double precision NOT NULL CHECK (deviation_ms >= 0),
    count        bigint NOT NULL CHECK (count > 0),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (worker_id, model)
);

-- Keys of workers on other machines: one each, of which only a hash is kept.
CREATE TABLE worker_keys (
    name       text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    key_hash   bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

-- What the operator wants of a worker.
CREATE TABLE worker_controls (
    worker_id  text PRIMARY KEY,
    draining   boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now()
);
