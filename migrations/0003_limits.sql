-- Who may have how much, and what has to be proven first. Nothing here outlives 26 hours from the start of its day,
-- except the days' sums.

-- A key for each day: what addresses and fingerprints are hashed with. When it is gone, so is their meaning.
CREATE TABLE signal_keys (
    day date PRIMARY KEY,
    key bytea NOT NULL CHECK (octet_length(key) = 32)
);

-- Secrets that challenges are signed with, the newest first; older ones still verify what they signed.
CREATE TABLE proof_keys (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    secret     bytea NOT NULL CHECK (octet_length(secret) = 32),
    created_at timestamptz NOT NULL
);

-- Challenges that were answered: each buys one request.
CREATE TABLE spent_proofs (
    id         bytea PRIMARY KEY CHECK (octet_length(id) = 32),
    expires_at timestamptz NOT NULL
);
CREATE INDEX spent_proofs_expiry ON spent_proofs (expires_at);

-- What happened today under one signal: an address range, a fingerprint at one, a fingerprint anywhere, a prompt at one.
CREATE TABLE limit_buckets (
    day         date NOT NULL,
    kind        smallint NOT NULL,
    key         bytea NOT NULL CHECK (octet_length(key) = 16),
    -- Credits spent, less what coming back with the same cookie vouches for: how much newcomers take and leave.
    turnover    int NOT NULL DEFAULT 0,
    credits     int NOT NULL DEFAULT 0,
    last_device uuid,
    PRIMARY KEY (day, kind, key)
) WITH (fillfactor = 80);

-- And what each device had in that.
CREATE TABLE limit_uses (
    day       date NOT NULL,
    kind      smallint NOT NULL,
    key       bytea NOT NULL CHECK (octet_length(key) = 16),
    device_id uuid NOT NULL,
    credits   int NOT NULL,
    jobs      int NOT NULL,
    -- Times the device came back, as far as they count.
    returns   smallint NOT NULL,
    last_at   timestamptz NOT NULL,
    -- Pauses between its jobs: mean in seconds and sum of squared differences from it (Welford).
    gap_mean  real NOT NULL DEFAULT 0,
    gap_m2    real NOT NULL DEFAULT 0,
    PRIMARY KEY (day, kind, key, device_id)
) WITH (fillfactor = 80);
CREATE INDEX limit_uses_device ON limit_uses (device_id, day);

-- Who met a limit today: how many people do is watched.
CREATE TABLE limit_meetings (
    day    date NOT NULL,
    person bytea NOT NULL CHECK (octet_length(person) = 16),
    code   text NOT NULL,
    PRIMARY KEY (day, person, code)
);

-- Device time that was given away in an hour, in milliseconds.
CREATE TABLE anonymous_hours (
    hour        timestamptz PRIMARY KEY,
    reserved_ms bigint NOT NULL DEFAULT 0
);

-- What a device is entitled to, and since when.
ALTER TABLE devices
    ADD COLUMN plan    text NOT NULL DEFAULT 'visitor' CHECK (plan IN ('visitor', 'ultra')),
    -- Why it has that plan without paying.
    ADD COLUMN attested_at timestamptz,
    -- The last day it made something: a cookie ends when it was not used for 400 days.
    ADD COLUMN seen_on date NOT NULL DEFAULT current_date;
