-- What a service needs that stays up: processes of several roles, batches that are paused or cancelled, lanes that are.

-- Every process that dispatches, makes calls or answers for batches; `worker_lane` has those that make calls. It is
-- alive while it holds its advisory lock; one that is silent is granted nothing more. Who loses its connection has a few
-- seconds to come back.
DELETE FROM worker;
ALTER TABLE worker RENAME TO process;
ALTER TABLE process
  ADD COLUMN unlocked_at timestamptz,     -- since when it was seen without its lock; null: it was not
  ADD COLUMN roles       text[] NOT NULL,
  ADD COLUMN config_hash text NOT NULL,   -- equal for equal configurations
  ADD COLUMN limits      jsonb NOT NULL;  -- [{scope, metric, window, amount}], as its configuration has them
-- The lane and its provider as the process's configuration has them, so that others can dispatch without knowing keys.
ALTER TABLE worker_lane
  ADD COLUMN lane     jsonb NOT NULL,
  ADD COLUMN provider jsonb NOT NULL;

-- Lanes that somebody paused.
CREATE TABLE lane_pause (
  lane_id      text PRIMARY KEY,
  paused_at_ms bigint NOT NULL
);

-- Queues that were made, so that those of vanished lanes can be found without looking through the store of queues.
CREATE TABLE lane_queue (
  lane_id text PRIMARY KEY,
  used_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE batch
  ADD COLUMN is_served boolean NOT NULL DEFAULT false, -- its names stand for what the service's configuration says
  ADD COLUMN is_paused boolean NOT NULL DEFAULT false,
  ADD COLUMN cancelled bigint NOT NULL DEFAULT 0,
  DROP CONSTRAINT batch_state_check;
CREATE INDEX batch_by_name ON batch (name, id);
CREATE INDEX batch_in_progress ON batch (id) WHERE state = 'in_progress';
-- Completed: every line is final. Whoever wants files writes them from there.
UPDATE batch SET state = CASE WHEN bad + succeeded + failed >= total THEN 'completed' ELSE 'in_progress' END,
  completed_at_ms = CASE WHEN bad + succeeded + failed >= total THEN coalesce(completed_at_ms, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) END
WHERE state <> 'completed';
DELETE FROM pool p USING batch b WHERE b.id = p.batch_id AND b.state = 'completed';
ALTER TABLE batch ADD CONSTRAINT batch_state_check
  CHECK (state IN ('in_progress', 'cancelling', 'cancelled', 'completed'));

ALTER TABLE request
  ADD COLUMN fresh_from bigint NOT NULL DEFAULT 0,    -- attempts before this grant were before a retry: told, not judged
  DROP CONSTRAINT request_state_check;
ALTER TABLE request ADD CONSTRAINT request_state_check
  CHECK (state IN ('pending', 'granted', 'parked', 'succeeded', 'failed', 'cancelled', 'bad'));

-- Grants come in slices that one job runs one after the other in one call slot; the last of each holds the slot.
ALTER TABLE grants ADD COLUMN slots smallint NOT NULL DEFAULT 1;
DROP INDEX grants_open;
CREATE INDEX grants_open ON grants (id) WHERE state <> 'closed';
-- A call that is over, on its way through finish_grants.
CREATE TYPE finishing AS (
  id bigint, lane_id text, provider_id text, request_id bigint, begun_at_ms bigint, is_open boolean,
  outcome text, reason text, prompt integer, completion integer, settle text,
  next_state text, line text, due_at_ms bigint, excluded text[], avoided text[], dropped text[], tries smallint,
  output_cap integer, duration_ms integer
);
-- How long a call takes lately: what slices are measured by.
ALTER TABLE lane_total ADD COLUMN mean_call_ms double precision;

-- Tells records apart that share a store of queues.
ALTER TABLE installation ADD COLUMN id text NOT NULL DEFAULT left(gen_random_uuid()::text, 8);

-- Which functions of ../functions/ the record has.
CREATE TABLE function_set (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  hash      text NOT NULL
);
