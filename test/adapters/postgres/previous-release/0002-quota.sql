-- Quota: how much of every limit is in use, exactly, from any number of processes.
--
-- One mechanism serves every kind of window. A grant puts a use on each limit of its lane and provider. A use has
-- no end while nobody can know when the provider will count the call: it is held until the call begins (and tokens
-- on a refilling limit until it is settled). From then on it has an end, `expires_at_ms`, which depends on the
-- window. What is in use is the sum of the uses that have not ended. A provider may count a call up to margin_ms
-- after we begin it (and, where windows hang on its clock, as much before), and each end allows for that:
--
--   rolling       begin + margin + per: no interval of `per` can hold more than the amount.
--   fixed,        the end of the window that holds begin + margin, plus margin: a call near a boundary is counted
--   calendar      on both sides of it.
--   refill        begin + margin. A use that ends becomes debt, and debt drains continuously at amount / per. Until then
--                 it is held at its full size: a bucket that the provider has not yet drawn from does not refill.
--   concurrency   held until the call is finished.
--
-- A call that is over has been counted by then. So when it is finished, rolling and refill uses end as if it had
-- arrived at that moment (plus a sixteenth of the margin, for clocks that differ), if that is earlier: with quick answers
-- nearly nothing of the window is lost, however long the margin is.
--
-- Nothing is given back by a stale grant and nothing is oversold by a late one: as long as it is held it counts.
-- The same rules in TypeScript, for tests and forecasts: src/core/quota/.

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

-- The end of the window of a fixed, fixed-month or calendar limit that holds the instant; null for null. Pure.
CREATE FUNCTION window_end_ms(l quota_limit, at_ms bigint) RETURNS bigint LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
  local_at timestamp;
  local_anchor timestamp;
  months integer;
  end_ms bigint;
BEGIN
  IF l.window_kind = 'fixed' THEN
    RETURN l.anchor_ms + (floor((at_ms - l.anchor_ms)::numeric / l.per_ms)::bigint + 1) * l.per_ms;
  END IF;
  local_at := to_timestamp(at_ms / 1000.0) AT TIME ZONE l.time_zone;
  IF l.window_kind = 'calendar' THEN
    RETURN (extract(epoch FROM (date_trunc(l.unit, local_at) + ('1 ' || l.unit)::interval) AT TIME ZONE l.time_zone)
            * 1000)::bigint;
  END IF;
  -- fixed-month: every boundary counted from the anchor itself, so that a short month does not shift the rest.
  local_anchor := to_timestamp(l.anchor_ms / 1000.0) AT TIME ZONE l.time_zone;
  months := (extract(year FROM local_at)::int - extract(year FROM local_anchor)::int) * 12
          + extract(month FROM local_at)::int - extract(month FROM local_anchor)::int - 1;
  LOOP
    end_ms := (extract(epoch FROM (local_anchor + make_interval(months => months)) AT TIME ZONE l.time_zone) * 1000)::bigint;
    EXIT WHEN end_ms > at_ms;
    months := months + 1;
  END LOOP;
  RETURN end_ms;
END
$$;

-- When a use ends whose call the provider counts by `counted_by_ms`; null where that is not known yet.
CREATE FUNCTION use_end_ms(l quota_limit, counted_by_ms bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN l.window_kind = 'rolling' THEN counted_by_ms + l.per_ms
    WHEN l.window_kind = 'refill' AND l.metric = 'requests' THEN counted_by_ms
    WHEN l.window_kind IN ('fixed', 'fixed-month', 'calendar') THEN window_end_ms(l, counted_by_ms) + l.margin_ms
  END
$$;

-- When a use ends whose call is over; `ends_at_ms` is what was known before.
CREATE FUNCTION finished_use_end_ms(l quota_limit, ends_at_ms bigint, begun_at_ms bigint, finished_at_ms bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN l.window_kind IN ('rolling', 'refill') THEN
      greatest(finished_at_ms, least(
        coalesce(ends_at_ms, begun_at_ms + l.margin_ms),
        coalesce(use_end_ms(l, counted), counted)))
    ELSE ends_at_ms
  END
  FROM (SELECT finished_at_ms + 1 + ceil(l.margin_ms / 16.0)::bigint AS counted) AS answered
$$;

-- What a grant takes of a limit.
CREATE FUNCTION use_amount(metric text, prompt_tokens bigint, output_tokens bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE metric
    WHEN 'tokens' THEN prompt_tokens + output_tokens
    WHEN 'inputTokens' THEN prompt_tokens
    WHEN 'outputTokens' THEN output_tokens
    ELSE 1
  END
$$;

-- Locks the limits of these scopes, always in the same order, and brings them to now: uses that have ended are
-- forgotten or become debt, debt drains. Every function below that changes `used` calls it first.
-- Returns the instant it brought them to.
CREATE FUNCTION settle_limits(scopes text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  at_ms bigint;
  ended record;
BEGIN
  PERFORM 1 FROM quota_limit WHERE scope = ANY (scopes) ORDER BY id FOR UPDATE;
  at_ms := now_ms();
  WITH gone AS (
    DELETE FROM quota_use u USING quota_limit l
    WHERE l.scope = ANY (scopes) AND l.window_kind <> 'refill'
      AND u.limit_id = l.id AND u.expires_at_ms <= at_ms
    RETURNING u.limit_id, u.amount
  )
  UPDATE quota_limit l SET used = l.used - g.amount
  FROM (SELECT limit_id, sum(amount)::bigint AS amount FROM gone GROUP BY limit_id) g
  WHERE l.id = g.limit_id;

  FOR ended IN
    SELECT u.limit_id, u.grant_id, u.amount, u.expires_at_ms FROM quota_use u JOIN quota_limit l ON l.id = u.limit_id
    WHERE l.scope = ANY (scopes) AND l.window_kind = 'refill' AND u.expires_at_ms <= at_ms
    ORDER BY u.expires_at_ms
  LOOP
    UPDATE quota_limit l SET
      debt = greatest(0, l.debt - greatest(0, ended.expires_at_ms - l.drained_at_ms) * l.amount::double precision / l.per_ms)
             + ended.amount,
      drained_at_ms = greatest(l.drained_at_ms, ended.expires_at_ms),
      used = l.used - ended.amount
    WHERE l.id = ended.limit_id;
    DELETE FROM quota_use WHERE grant_id = ended.grant_id AND limit_id = ended.limit_id;
  END LOOP;
  UPDATE quota_limit l SET
    debt = greatest(0, l.debt - greatest(0, at_ms - l.drained_at_ms) * l.amount::double precision / l.per_ms),
    drained_at_ms = greatest(l.drained_at_ms, at_ms)
  WHERE l.scope = ANY (scopes) AND l.window_kind = 'refill' AND l.debt > 0;
  RETURN at_ms;
END
$$;

-- The earliest instant at which every limit of these scopes may have room for one more such call, given what is
-- known now; null where that hangs on a call that has not begun or finished. Limits must have been settled.
CREATE FUNCTION room_at_ms(scopes text[], prompt_tokens bigint, output_tokens bigint, at_ms bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  l quota_limit;
  surplus double precision;
  ending record;
  answer bigint := at_ms;
  frees_at_ms bigint;
BEGIN
  FOR l IN SELECT * FROM quota_limit WHERE scope = ANY (scopes) AND active LOOP
    -- Worded as in grant_requests, so that rounding cannot make one of them see room where the other does not.
    surplus := use_amount(l.metric, prompt_tokens, output_tokens) - (l.amount - l.used - l.debt);
    CONTINUE WHEN surplus <= 0;
    frees_at_ms := NULL;
    -- Whether draining alone makes room is asked in whole numbers: in fractions it may look a hair short.
    IF l.window_kind = 'refill' AND l.used + use_amount(l.metric, prompt_tokens, output_tokens) <= l.amount THEN
      frees_at_ms := at_ms + ceil(surplus * l.per_ms / l.amount)::bigint;
    END IF;
    IF frees_at_ms IS NULL THEN
      FOR ending IN
        SELECT expires_at_ms, amount FROM quota_use
        WHERE limit_id = l.id AND expires_at_ms IS NOT NULL ORDER BY expires_at_ms
      LOOP
        surplus := surplus - CASE WHEN l.window_kind = 'refill' THEN 0 ELSE ending.amount END;
        IF surplus <= 0 OR l.window_kind = 'refill' THEN
          frees_at_ms := ending.expires_at_ms;
          EXIT;
        END IF;
      END LOOP;
    END IF;
    IF frees_at_ms IS NULL THEN RETURN NULL; END IF;
    answer := greatest(answer, frees_at_ms);
  END LOOP;
  RETURN answer;
END
$$;

-- Charges limits that are new in the configuration with the calls they would have counted, so that a limit added in
-- the middle of its window is not taken for untouched.
CREATE FUNCTION charge_new_limits(ids integer[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO quota_use (limit_id, grant_id, amount, expires_at_ms)
  SELECT c.limit_id, c.grant_id, c.amount, c.end_ms
  FROM (
    SELECT l.id AS limit_id, g.id AS grant_id, l.window_kind, l.per_ms, l.margin_ms,
           use_amount(l.metric, coalesce(g.used_prompt_tokens, g.prompt_tokens), coalesce(g.used_completion_tokens, g.output_tokens)) AS amount,
           CASE WHEN g.state = 'closed' AND l.window_kind = 'refill' THEN g.begun_at_ms + l.margin_ms
                ELSE use_end_ms(l, g.begun_at_ms + l.margin_ms) END AS end_ms
    FROM quota_limit l JOIN grants g ON l.scope IN (g.lane_id, g.provider_id)
    WHERE l.id = ANY (ids)
      AND (g.state <> 'closed' OR (l.window_kind <> 'concurrency' AND g.outcome <> 'released'
           AND g.begun_at_ms > now_ms() - coalesce(l.per_ms, 32 * 86400000::bigint) - l.margin_ms))
  ) c
  WHERE c.amount > 0 AND (c.end_ms IS NULL OR c.window_kind = 'refill' OR c.end_ms > now_ms())
  ON CONFLICT DO NOTHING;
  UPDATE quota_limit l SET used = coalesce((SELECT sum(u.amount) FROM quota_use u WHERE u.limit_id = l.id), 0)
  WHERE l.id = ANY (ids);
END
$$;
