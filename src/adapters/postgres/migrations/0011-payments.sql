-- What a plan lets a batch pay for holds for a while, and takes what was paid for since it was begun into account.
ALTER TABLE batch ADD COLUMN paid_until timestamptz; -- `paid_requests` may be granted until then

ALTER TABLE paid_call ADD COLUMN made_at timestamptz NOT NULL DEFAULT clock_timestamp();
DROP INDEX paid_call_by_batch;
CREATE INDEX paid_call_by_batch ON paid_call (batch_id, made_at);
