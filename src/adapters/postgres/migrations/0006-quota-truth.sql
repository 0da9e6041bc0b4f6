-- What providers really count and allow: their own units, sessions, limits that turn out lower than declared, tokens as
-- their own tokenizers see them, and how long their answers take.

ALTER TABLE quota_limit
  DROP CONSTRAINT quota_limit_metric_check,
  DROP CONSTRAINT quota_limit_window_kind_check,
  ADD CONSTRAINT quota_limit_metric_check
    CHECK (metric IN ('requests', 'tokens', 'inputTokens', 'outputTokens', 'units', 'calls')),
  ADD CONSTRAINT quota_limit_window_kind_check
    CHECK (window_kind IN ('rolling', 'refill', 'fixed', 'fixed-month', 'calendar', 'session', 'concurrency')),
  -- `amount` is what is granted from: what is declared, or less while evidence says so. Units are in thousandths.
  ADD COLUMN declared bigint,
  ADD COLUMN reserved bigint NOT NULL DEFAULT 0,   -- kept for other uses of the key: the provider's figure is declared + reserved
  -- Evidence that the declared amount is not what the provider allows; null while there is none.
  ADD COLUMN lowered_since_ms bigint,
  ADD COLUMN lowered_at_ms bigint,
  ADD COLUMN lowered_reason text,
  ADD COLUMN refusals integer NOT NULL DEFAULT 0,
  ADD COLUMN is_told boolean NOT NULL DEFAULT false, -- the provider itself named the lower amount
  -- Single calls beyond the lowered amount, that find out whether there is more by now.
  ADD COLUMN probe_at_ms bigint,
  ADD COLUMN probe_grant_id bigint,
  ADD COLUMN probe_growth integer NOT NULL DEFAULT 1, -- by how many calls the next success raises the amount
  ADD COLUMN probe_failures integer NOT NULL DEFAULT 0,
  -- The open session; see src/core/quota/session.ts.
  ADD COLUMN session_from_ms bigint,
  ADD COLUMN session_until_ms bigint,
  ADD COLUMN session_is_sure boolean NOT NULL DEFAULT false;
UPDATE quota_limit SET declared = amount;
ALTER TABLE quota_limit ALTER COLUMN declared SET NOT NULL;
-- Evidence lowers, and never raises.
ALTER TABLE quota_limit ADD CONSTRAINT quota_limit_amount_at_most_declared CHECK (amount <= declared);

-- What a configuration says of a lane beyond its limits.
CREATE TABLE lane_terms (
  lane_id     text PRIMARY KEY,
  unit_input  double precision,               -- units per thousand prompt tokens
  unit_output double precision,
  token_ratio double precision NOT NULL        -- tokens of its own tokenizer per token counted at ingest, until it has shown it
);

-- What its answers have shown of a lane: smoothed means and deviations, as TCP measures its round trips (RFC 6298).
ALTER TABLE lane_total
  ADD COLUMN token_ratio     double precision, -- its own tokens per token counted at ingest
  ADD COLUMN token_ratio_dev double precision,
  ADD COLUMN call_ms_dev     double precision, -- of mean_call_ms
  ADD COLUMN timed_calls     bigint NOT NULL DEFAULT 0;

-- What one call may take of each metric; null: unlimited.
CREATE TYPE call_room AS (tokens bigint, input bigint, output bigint, units bigint);
-- How a lane turns a request into a call.
CREATE TYPE lane_measure AS (token_ratio double precision, unit_input double precision, unit_output double precision, max_output bigint);
-- A call that is over brings what the provider said of its limits.
ALTER TYPE finishing ADD ATTRIBUTE told jsonb;

-- How often the server's clock was seen to be set; see allow_for_step.
ALTER TABLE clock ADD COLUMN steps integer NOT NULL DEFAULT 0;
