-- Quota: limits, and the uses that grants put on them. The rules are in ../functions/quota.sql.

CREATE TABLE quota_limit (
  id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scope         text NOT NULL,                   -- lane id or provider id
  metric        text NOT NULL CHECK (metric IN ('requests', 'tokens', 'inputTokens', 'outputTokens', 'calls')),
  window_kind   text NOT NULL
                CHECK (window_kind IN ('rolling', 'refill', 'fixed', 'fixed-month', 'calendar', 'concurrency')),
  per_ms        bigint,                          -- rolling, refill, fixed
  anchor_ms     bigint,                          -- fixed, fixed-month
  time_zone     text,                            -- fixed-month, calendar
  unit          text,                            -- calendar: day or month
  margin_ms     bigint NOT NULL,
  amount        bigint NOT NULL CHECK (amount > 0),
  active        boolean NOT NULL DEFAULT true,   -- in the configuration; uses are counted all the same
  used          bigint NOT NULL DEFAULT 0,       -- sum of the uses that have not ended
  debt          double precision NOT NULL DEFAULT 0, -- refill: what has ended and not drained yet
  drained_at_ms bigint NOT NULL DEFAULT 0,
  UNIQUE NULLS NOT DISTINCT (scope, metric, window_kind, per_ms, anchor_ms, time_zone, unit)
);

CREATE TABLE quota_use (
  limit_id      integer NOT NULL REFERENCES quota_limit ON DELETE CASCADE,
  grant_id      bigint NOT NULL,
  amount        bigint NOT NULL,
  expires_at_ms bigint,                          -- null: held
  PRIMARY KEY (grant_id, limit_id)
);
CREATE INDEX quota_use_by_end ON quota_use (limit_id, expires_at_ms);
