-- What was counted for each job that was let through, so that it can be taken back for work that was not done.
-- Gone with its job's end, and like all of its day within 26 hours.
CREATE TABLE limit_passes (
    job_id     uuid PRIMARY KEY,
    day        date NOT NULL,
    device_id  uuid NOT NULL,
    decided_at timestamptz NOT NULL,
    -- Device time that was reserved, in milliseconds.
    ms         bigint NOT NULL,
    -- Buckets, and what each was raised by.
    counted    jsonb NOT NULL
);
CREATE INDEX limit_passes_age ON limit_passes (decided_at);

-- When a worker first had it: until then, nothing was done for it.
ALTER TABLE jobs ADD COLUMN leased_at timestamptz;

-- How many people were here today.
CREATE INDEX devices_seen ON devices (seen_on);
