-- Photos that people sent in, to begin from. The file has the same kind of name as a picture's.
CREATE TABLE photos (
    id         uuid PRIMARY KEY,
    device_id  uuid NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    width      int NOT NULL CHECK (width > 0),
    height     int NOT NULL CHECK (height > 0),
    bytes      bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX photos_device ON photos (device_id, created_at DESC);
CREATE INDEX photos_created ON photos (created_at);
