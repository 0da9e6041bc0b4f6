-- What a batch goes by beside its lines: when it may run, before whom, and until when.

ALTER TABLE batch
  -- {fromMinute, untilMinute, timeZone}, as src/core/night-window.ts has it; null: at any time. A zone that the server does
  -- not know would break every grant, so it never comes in.
  ADD COLUMN night_window jsonb
    CHECK (night_window IS NULL OR (timestamp '2000-01-01' AT TIME ZONE (night_window->>'timeZone')) IS NOT NULL),
  ADD COLUMN priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100), -- higher goes first
  ADD COLUMN deadline_at_ms bigint,
  ADD COLUMN deadline_text text,                  -- as it was asked for: the same again means the same instant
  ADD COLUMN expired bigint NOT NULL DEFAULT 0,
  DROP CONSTRAINT batch_state_check;
ALTER TABLE batch ADD CONSTRAINT batch_state_check
  CHECK (state IN ('in_progress', 'cancelling', 'cancelled', 'expiring', 'expired', 'completed'));

ALTER TABLE request DROP CONSTRAINT request_state_check;
ALTER TABLE request ADD CONSTRAINT request_state_check
  CHECK (state IN ('pending', 'granted', 'parked', 'succeeded', 'failed', 'cancelled', 'expired', 'bad'));

-- What batches have been granted while others were open, too; see ../functions/sharing.sql. Not a column of `batch`: grants
-- would wait there for the calls that end, and those wait for the disk.
CREATE TABLE batch_share (
  batch_id     bigint PRIMARY KEY REFERENCES batch ON DELETE CASCADE,
  tokens       bigint NOT NULL,
  served_at_ms bigint NOT NULL
);
