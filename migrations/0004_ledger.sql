-- The ledger in full. Credits of a day are worth something on that day; credits that last are kept under the last day
-- there is, so that every pot is (owner, day) and a hold may take from two.
ALTER TABLE credit_entries
    DROP CONSTRAINT credit_entries_kind_check,
    ADD CONSTRAINT credit_entries_kind_check CHECK
        (kind IN ('grant', 'plan', 'sign_up', 'hold', 'capture', 'release', 'refund', 'expire')),
    DROP CONSTRAINT credit_entries_check,
    ADD CONSTRAINT credit_entries_of_a_job CHECK
        ((kind IN ('hold', 'capture', 'release', 'refund')) = (job_id IS NOT NULL));

DROP INDEX credit_entries_once;
DROP INDEX credit_entries_closed_once;
CREATE UNIQUE INDEX credit_entries_once ON credit_entries (job_id, kind, day) WHERE job_id IS NOT NULL;
CREATE UNIQUE INDEX credit_entries_closed_once ON credit_entries (job_id, day) WHERE kind IN ('capture', 'release');
CREATE UNIQUE INDEX credit_entries_plan_once ON credit_entries (device_id, day) WHERE kind = 'plan';
CREATE UNIQUE INDEX credit_entries_sign_up_once ON credit_entries (device_id) WHERE kind = 'sign_up';
CREATE INDEX credit_entries_statement ON credit_entries (device_id, id DESC);
CREATE INDEX credit_balances_left ON credit_balances (day) WHERE credits > 0;
