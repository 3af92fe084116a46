-- Owners, their credits, their jobs and pictures. Expand and contract: later
-- migrations add first and remove only what no running version reads.

-- A browser that holds an owner cookie. Only a hash of the secret is kept.
CREATE TABLE devices (
    id          uuid PRIMARY KEY,
    secret_hash bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE jobs (
    id          uuid PRIMARY KEY,
    device_id   uuid NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    state       text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    request     jsonb NOT NULL,
    model       text NOT NULL,
    count       int NOT NULL CHECK (count > 0),
    relative_cost double precision NOT NULL CHECK (relative_cost > 0),
    price       int NOT NULL CHECK (price > 0),
    -- Fencing: grows with every lease, so that a late worker's writes miss.
    epoch       int NOT NULL DEFAULT 0,
    attempts    int NOT NULL DEFAULT 0,
    -- Leases that ended with the death of the worker.
    crashes     int NOT NULL DEFAULT 0,
    worker_id   text,
    lease_until timestamptz,
    error       jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((state = 'running') = (lease_until IS NOT NULL))
);
CREATE INDEX jobs_queue ON jobs (created_at, id) WHERE state = 'queued';
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_history ON jobs (device_id, created_at DESC, id DESC);

CREATE TABLE outputs (
    id         uuid PRIMARY KEY,
    job_id     uuid NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    index      int NOT NULL CHECK (index >= 0),
    seed       bigint NOT NULL,
    width      int NOT NULL,
    height     int NOT NULL,
    media_type text NOT NULL,
    bytes      bigint NOT NULL,
    public     boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (job_id, index)
);

CREATE INDEX outputs_public ON outputs (created_at DESC, id DESC) WHERE public;

-- The ledger: append-only. A day's balance is the sum of its entries.
CREATE TABLE credit_entries (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id  uuid NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    day        date NOT NULL,
    job_id     uuid REFERENCES jobs (id) ON DELETE CASCADE,
    kind       text NOT NULL CHECK (kind IN ('grant', 'hold', 'capture', 'release')),
    credits    int NOT NULL CHECK (credits >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'grant') = (job_id IS NULL))
);
-- Each movement of a job's money happens once, and a hold ends in one way only.
CREATE UNIQUE INDEX credit_entries_once ON credit_entries (job_id, kind) WHERE job_id IS NOT NULL;
CREATE UNIQUE INDEX credit_entries_closed_once ON credit_entries (job_id) WHERE kind IN ('capture', 'release');
CREATE UNIQUE INDEX credit_entries_daily_grant ON credit_entries (device_id, day) WHERE kind = 'grant';

-- The balance, kept beside the ledger so that one conditional UPDATE decides a race.
CREATE TABLE credit_balances (
    device_id uuid NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    day       date NOT NULL,
    credits   int NOT NULL CHECK (credits >= 0),
    PRIMARY KEY (device_id, day)
);

-- Models that some worker has announced, so that requests are understood while workers start.
CREATE TABLE models (
    name    text PRIMARY KEY,
    card    jsonb NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);
