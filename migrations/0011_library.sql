-- Prompts that people keep: an entry of their library each, as the crate `prompts` bounds it.
CREATE TABLE library_entries (
    id         uuid PRIMARY KEY,
    device_id  uuid NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    prompt     text NOT NULL CHECK (prompt <> ''),
    negative   text NOT NULL DEFAULT '',
    title      text NOT NULL DEFAULT '',
    notes      text NOT NULL DEFAULT '',
    tags       text[] NOT NULL DEFAULT '{}',
    pinned     boolean NOT NULL DEFAULT false,
    tool       text NOT NULL DEFAULT '',
    model      text NOT NULL DEFAULT '',
    -- Other tools' seeds have 64 bits: these are the same bits, with a sign.
    seed       bigint,
    steps      int,
    guidance   real,
    width      int,
    height     int,
    made_at    timestamptz,
    -- Of everything but the title's, the notes', the tags' and the pin's: the same words and settings are kept once.
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32),
    bytes      int GENERATED ALWAYS AS
        (octet_length(prompt) + octet_length(negative) + octet_length(title) + octet_length(notes)) STORED,
    created_at timestamptz NOT NULL,
    UNIQUE (device_id, digest)
);
CREATE INDEX library_entries_page ON library_entries (device_id, created_at DESC, id DESC);

-- Work that came in an archive instead of being made here: it cost nothing, counts nowhere, and is never public.
ALTER TABLE jobs
    ADD COLUMN imported boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT jobs_price_check,
    ADD CONSTRAINT jobs_price_check CHECK (price > 0 OR (imported AND price = 0)),
    ADD CONSTRAINT jobs_imported_are_over CHECK (NOT imported OR state IN ('succeeded', 'failed', 'cancelled'));
ALTER TABLE outputs
    ADD COLUMN imported boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT outputs_imported_are_private CHECK (NOT (imported AND public));
-- Whether somebody made something here is asked with every request.
CREATE INDEX jobs_made_here ON jobs (device_id) WHERE NOT imported;

-- How much came in lately, which bounds how fast the disk fills.
CREATE TABLE imports (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bytes      bigint NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX imports_created ON imports (created_at);
