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
--                 The calls that find it full have four margins: how late they are stays for as long as it is never
--                 full again, and the first calls of a process are its latest.
--   session       begin + margin + per, or the latest end of the session once an answer has shown that it is open; see below.
--   concurrency   held until the call is finished, by the last call of a slice for all of it (see grant_requests).
--
-- A call that is over has been counted by then. So when it is finished, rolling and refill uses end as if it had
-- arrived at that moment (plus a fortieth of the margin, for clocks that differ), if that is earlier: with quick answers
-- nearly nothing of the window is lost, however long the margin is.
--
-- Nothing is given back by a stale grant and nothing is oversold by a late one: as long as it is held it counts.
-- The same rules in TypeScript, for tests and simulated nights: src/core/quota/.

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
    WHEN l.window_kind = 'session' THEN least(counted_by_ms + l.per_ms, CASE WHEN l.session_is_sure THEN l.session_until_ms END)
  END
$$;

-- By when a call that begins now has reached the provider. The limit may not have been settled.
CREATE FUNCTION arrives_by_ms(l quota_limit, at_ms bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT at_ms + l.margin_ms * CASE
    WHEN l.window_kind = 'refill' AND l.debt <= greatest(0, at_ms - l.drained_at_ms) * l.amount::double precision / l.per_ms THEN 4
    ELSE 1 END
$$;

-- When a use ends whose call is over; `ends_at_ms` is what was known before. A worker that was held up sent the call later
-- than it began: then the use ends as if it had begun when it was sent.
CREATE FUNCTION finished_use_end_ms(l quota_limit, ends_at_ms bigint, sent_at_ms bigint, finished_at_ms bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN l.window_kind IN ('rolling', 'refill') THEN
      greatest(finished_at_ms, least(
        greatest(ends_at_ms, coalesce(use_end_ms(l, at_most.sent), at_most.sent)),
        coalesce(use_end_ms(l, at_most.counted), at_most.counted)))
    WHEN l.window_kind = 'concurrency' THEN ends_at_ms
    ELSE greatest(ends_at_ms, use_end_ms(l, least(at_most.sent, at_most.counted)))
  END
  FROM (SELECT sent_at_ms + l.margin_ms AS sent, finished_at_ms + 1 + ceil(l.margin_ms / 40.0)::bigint AS counted) AS at_most
$$;

-- What a call takes of a limit; of units in thousandths (a cost per thousand tokens is one in thousandths per token).
CREATE FUNCTION use_amount(metric text, prompt_tokens bigint, output_tokens bigint, unit_input double precision, unit_output double precision)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE metric
    WHEN 'tokens' THEN prompt_tokens + output_tokens
    WHEN 'inputTokens' THEN prompt_tokens
    WHEN 'outputTokens' THEN output_tokens
    WHEN 'units' THEN coalesce(ceil(prompt_tokens * unit_input + output_tokens * unit_output)::bigint, 0)
    ELSE 1
  END
$$;

-- Sessions open with their first call, and nobody tells us when the provider counted it: at begin + margin at the
-- latest, or never. So a session is known by two bounds, and no call begins between its earliest end, less the margin,
-- and its latest one: it might open the next session without our knowing.

-- Whether a call may begin now, as far as sessions go.
CREATE FUNCTION is_open_for(l quota_limit, at_ms bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT l.window_kind <> 'session' OR l.session_until_ms IS NULL OR l.session_until_ms <= at_ms
      OR at_ms + l.margin_ms < l.session_from_ms + l.per_ms
$$;

-- A call begins in these limits at `at_ms`: opens their sessions, or lets those last longer of which nothing is sure.
CREATE FUNCTION begin_in_sessions(ids integer[], at_ms bigint) RETURNS void LANGUAGE sql AS $$
  UPDATE quota_limit l SET
    session_from_ms = CASE WHEN l.session_until_ms > at_ms THEN l.session_from_ms ELSE at_ms END,
    session_is_sure = l.session_is_sure AND l.session_until_ms > at_ms,
    session_until_ms = CASE
      WHEN l.session_until_ms > at_ms AND l.session_is_sure THEN l.session_until_ms
      WHEN l.session_until_ms > at_ms THEN greatest(l.session_until_ms, at_ms + l.margin_ms + l.per_ms)
      ELSE at_ms + l.margin_ms + l.per_ms END
  WHERE l.id = ANY (ids) AND l.window_kind = 'session'
$$;

-- An answer shows that a call was counted: its session ends no later than the call allows, and so do all its uses.
CREATE FUNCTION confirm_session(the_limit integer, sent_at_ms bigint) RETURNS void LANGUAGE sql AS $$
  WITH surer AS (
    UPDATE quota_limit l SET session_is_sure = true,
      session_until_ms = least(CASE WHEN l.session_is_sure THEN l.session_until_ms END, sent_at_ms + l.margin_ms + l.per_ms)
    WHERE l.id = the_limit AND l.session_from_ms <= sent_at_ms
    RETURNING l.id, l.session_until_ms
  )
  UPDATE quota_use u SET expires_at_ms = surer.session_until_ms
  FROM surer WHERE u.limit_id = surer.id AND u.expires_at_ms > surer.session_until_ms
$$;

-- Locks the limits of these scopes, always in the same order, and brings them to now: uses that have ended are
-- forgotten or become debt, debt drains. Every function below that changes `used` calls it first.
-- Returns the instant it brought them to.
CREATE FUNCTION settle_limits(scopes text[]) RETURNS bigint LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  at_ms bigint;
  windows integer[];
  buckets integer[];
  ended record;
BEGIN
  SELECT array_agg(l.id) FILTER (WHERE l.window_kind IN ('rolling', 'fixed', 'fixed-month', 'calendar', 'session')),
         array_agg(l.id) FILTER (WHERE l.window_kind = 'refill')
  INTO windows, buckets
  FROM (SELECT id, window_kind FROM quota_limit WHERE scope = ANY (scopes) ORDER BY id FOR UPDATE) AS l;
  at_ms := now_ms();
  IF windows IS NOT NULL THEN
    WITH gone AS (
      DELETE FROM quota_use u WHERE u.limit_id = ANY (windows) AND u.expires_at_ms <= at_ms
      RETURNING u.limit_id, u.amount
    )
    UPDATE quota_limit l SET used = l.used - g.amount
    FROM (SELECT limit_id, sum(amount)::bigint AS amount FROM gone GROUP BY limit_id) g
    WHERE l.id = g.limit_id;
    UPDATE quota_limit SET session_from_ms = NULL, session_until_ms = NULL, session_is_sure = false
    WHERE id = ANY (windows) AND session_until_ms <= at_ms;
  END IF;
  IF buckets IS NULL THEN RETURN at_ms; END IF;

  FOR ended IN
    SELECT u.limit_id, u.grant_id, u.amount, u.expires_at_ms FROM quota_use u
    WHERE u.limit_id = ANY (buckets) AND u.expires_at_ms <= at_ms
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
  WHERE l.id = ANY (buckets) AND l.debt > 0;
  RETURN at_ms;
END
$$;

-- What calls take of a limit whose use has no end yet.
CREATE FUNCTION held_of(the_limit integer) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(u.amount), 0)::bigint FROM quota_use u WHERE u.limit_id = the_limit AND u.expires_at_ms IS NULL
$$;

-- The earliest instant at which every limit of these scopes may have room for one more such call, given what is
-- known now; null where that hangs on a call that has not begun or finished. `begin_ms`: when those begin that have not;
-- null: nobody knows. Limits must have been settled.
CREATE FUNCTION room_at_ms(
  scopes text[], prompt_tokens bigint, output_tokens bigint, measure lane_measure, at_ms bigint, begin_ms bigint DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  l quota_limit;
  needed bigint;
  surplus double precision;
  ending record;
  answer bigint := at_ms;
  frees_at_ms bigint;
BEGIN
  FOR l IN SELECT * FROM quota_limit WHERE scope = ANY (scopes) AND active LOOP
    -- Worded as in grant_requests, so that rounding cannot make one of them see room where the other does not.
    needed := use_amount(l.metric, prompt_tokens, output_tokens, measure.unit_input, measure.unit_output);
    surplus := needed - (l.amount - l.used - l.debt);
    CONTINUE WHEN surplus <= 0 AND is_open_for(l, at_ms);
    frees_at_ms := NULL;
    -- The uses of a session end with it.
    IF l.window_kind = 'session' THEN
      SELECT l.session_until_ms INTO frees_at_ms FROM quota_use
      WHERE limit_id = l.id AND expires_at_ms IS NULL HAVING coalesce(sum(amount), 0) + needed <= l.amount;
      IF frees_at_ms IS NULL THEN RETURN NULL; END IF;
      answer := greatest(answer, frees_at_ms);
      CONTINUE;
    END IF;
    -- Whether draining alone makes room is asked in whole numbers: in fractions it may look a hair short.
    IF l.window_kind = 'refill' AND l.used + needed <= l.amount THEN
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
    -- Those that have not begun end last.
    IF frees_at_ms IS NULL AND surplus <= held_of(l.id) THEN frees_at_ms := use_end_ms(l, begin_ms + l.margin_ms); END IF;
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
           CASE WHEN l.metric = 'calls' THEN g.slots
                ELSE use_amount(l.metric, coalesce(g.used_prompt_tokens, g.prompt_tokens), coalesce(g.used_completion_tokens, g.output_tokens),
                                t.unit_input, t.unit_output) END AS amount,
           CASE WHEN g.state = 'closed' AND l.window_kind = 'refill' THEN g.begun_at_ms + l.margin_ms
                ELSE use_end_ms(l, g.begun_at_ms + l.margin_ms) END AS end_ms
    FROM quota_limit l JOIN grants g ON l.scope IN (g.lane_id, g.provider_id) LEFT JOIN lane_terms t ON t.lane_id = g.lane_id
    WHERE l.id = ANY (ids)
      AND (g.state <> 'closed' OR (l.window_kind <> 'concurrency' AND g.outcome <> 'released'
           AND g.begun_at_ms > now_ms() - coalesce(l.per_ms, 32 * 86400000::bigint) - l.margin_ms))
  ) c
  WHERE c.amount > 0 AND (c.end_ms IS NULL OR c.window_kind = 'refill' OR c.end_ms > now_ms())
  ON CONFLICT DO NOTHING;
  UPDATE quota_limit l SET used = coalesce((SELECT sum(u.amount) FROM quota_use u WHERE u.limit_id = l.id), 0)
  WHERE l.id = ANY (ids);
  -- The first of those calls may have opened the session, or the last.
  UPDATE quota_limit l SET session_until_ms = s.last_ms, session_from_ms = s.first_ms - l.per_ms - l.margin_ms
  FROM (SELECT limit_id, min(expires_at_ms) AS first_ms, max(expires_at_ms) AS last_ms FROM quota_use
        WHERE limit_id = ANY (ids) AND expires_at_ms IS NOT NULL GROUP BY limit_id) AS s
  WHERE l.id = s.limit_id AND l.window_kind = 'session';
END
$$;
