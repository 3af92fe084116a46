-- How often a job went from one worker to another while it ran, what there was of its pictures carried along.
ALTER TABLE jobs ADD COLUMN moves int NOT NULL DEFAULT 0;
