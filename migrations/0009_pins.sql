-- Jobs that their owner wants at hand.
ALTER TABLE jobs ADD COLUMN pinned boolean NOT NULL DEFAULT false;
CREATE INDEX jobs_pinned ON jobs (device_id, created_at DESC, id DESC) WHERE pinned;
