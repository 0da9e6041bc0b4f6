-- What answers say of limits: how much the provider has counted, how much it allows, and refusals although there was room
-- by our count. Counts are only ever corrected upwards here, and amounts downwards; an amount is never raised above what
-- the configuration declares. All of it under the limits' locks (settle_limits).
--
-- `told` is an object: `standings`, a list of src/core/quota/standing.ts; `refusal`, {scope, isLong, isConcurrency, metric,
-- periodMs, amount, used}, where metric to used are null unless the refusal names them (NamedLimit of
-- src/core/failures/failure.ts).
--
-- A lowered amount is tried again: when it is time, one call goes beyond it (`may_probe`). If the provider takes it although
-- it surely counted the whole amount at that moment, the amount grows by that call, then by two, four, ... of its size, each
-- time by a single call first; if it refuses, the next probe waits twice as long, up to four windows, until three in a row
-- were taken.

-- How long a window is; a month counts as 30 days. Calls at once have none: a minute, for how often they are tried.
CREATE FUNCTION window_ms(l quota_limit) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(CASE WHEN l.window_kind = 'concurrency' THEN 60000 WHEN l.window_kind NOT IN ('calendar', 'fixed-month') THEN l.per_ms END,
                  86400000::bigint * CASE l.unit WHEN 'day' THEN 1 WHEN 'week' THEN 7 ELSE 30 END)
$$;

-- Whether a call may go beyond a lowered amount now.
CREATE FUNCTION is_due_for_probe(l quota_limit, at_ms bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT l.amount < l.declared AND l.probe_at_ms <= at_ms
     AND NOT EXISTS (SELECT FROM grants g WHERE g.id = l.probe_grant_id AND g.state <> 'closed')
$$;

-- Whether any limit of these scopes is due for a probe.
CREATE FUNCTION may_probe(scopes text[], at_ms bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM quota_limit l WHERE l.scope = ANY (scopes) AND l.active AND l.amount < l.declared AND is_due_for_probe(l, at_ms))
$$;

-- When the first of the lowered limits of these scopes is due for a probe; null: none will be.
CREATE FUNCTION next_probe_of(scopes text[], at_ms bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT min(l.probe_at_ms) FROM quota_limit l WHERE l.scope = ANY (scopes) AND l.active AND l.amount < l.declared AND l.probe_at_ms > at_ms
$$;

-- When a lowered limit is tried next, after so many probes in a row that were refused: in the next window, then in the
-- second after that, ...; long windows are tried once in each.
CREATE FUNCTION next_probe_ms(l quota_limit, failures integer, at_ms bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN l.window_kind IN ('calendar', 'fixed-month', 'fixed') THEN window_end_ms(l, at_ms) + l.margin_ms + waited.windows * window_ms(l)
    ELSE at_ms + (waited.windows + 1) * window_ms(l)
  END
  FROM (SELECT CASE WHEN window_ms(l) < 3600000 THEN 2 ^ least(failures, 2) - 1 ELSE 0 END::bigint AS windows) AS waited
$$;

-- Lowers what is granted from, and keeps why. Lowering to what it is already only counts the refusal. Probes that failed
-- before are not forgotten: one refusal more is no reason to try more often.
CREATE FUNCTION lower_limit(l quota_limit, to_amount bigint, why text, by_provider boolean, at_ms bigint) RETURNS void LANGUAGE sql AS $$
  UPDATE quota_limit q SET
    amount = greatest(1, least(q.amount, to_amount)), is_told = by_provider,
    lowered_since_ms = coalesce(q.lowered_since_ms, at_ms), lowered_at_ms = at_ms, lowered_reason = why,
    refusals = q.refusals + 1, probe_growth = 1, probe_at_ms = next_probe_ms(q, q.probe_failures, at_ms)
  WHERE q.id = l.id AND (to_amount < q.amount OR q.amount < q.declared)
$$;

-- The declared amount is believed again.
CREATE FUNCTION heal_limit(the_limit integer) RETURNS void LANGUAGE sql AS $$
  UPDATE quota_limit SET amount = declared, is_told = false, lowered_since_ms = NULL, lowered_at_ms = NULL, lowered_reason = NULL,
    refusals = 0, probe_at_ms = NULL, probe_grant_id = NULL, probe_growth = 1, probe_failures = 0
  WHERE id = the_limit
$$;

-- Hears what the answer of a call says of the limits of its lane and provider.
CREATE FUNCTION hear_answer(f finishing, at_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  is_refused boolean := f.outcome IN ('minute-limit', 'day-limit');
BEGIN
  IF EXISTS (SELECT FROM quota_limit l WHERE l.scope IN (f.lane_id, f.provider_id) AND l.probe_grant_id = f.id) THEN
    PERFORM end_probe(l, f, is_refused, at_ms) FROM quota_limit l
    WHERE l.scope IN (f.lane_id, f.provider_id) AND l.probe_grant_id = f.id;
  ELSIF is_refused AND f.told -> 'refusal' IS NOT NULL THEN
    PERFORM hear_refusal(f, f.told -> 'refusal', at_ms);
  END IF;
  PERFORM hear_standing(f, s, at_ms) FROM jsonb_array_elements(coalesce(f.told -> 'standings', '[]')) AS s;
END
$$;

-- A call that went beyond a lowered amount has come back.
CREATE FUNCTION end_probe(l quota_limit, f finishing, is_refused boolean, at_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  size bigint := (SELECT amount FROM quota_use WHERE grant_id = f.id AND limit_id = l.id);
  shown bigint := size + surely_counted(l, f);
BEGIN
  IF is_refused THEN
    UPDATE quota_limit SET probe_grant_id = NULL, probe_growth = 1, probe_failures = probe_failures + 1,
      probe_at_ms = next_probe_ms(l, probe_failures + 1, at_ms) WHERE id = l.id;
  ELSIF f.outcome NOT IN ('succeeded', 'useless-answer') OR shown IS NULL OR shown <= l.amount - floor(l.amount * 0.02) THEN
    -- It shows nothing: in a rolling window others may have left before it came.
    UPDATE quota_limit SET probe_grant_id = NULL WHERE id = l.id;
  ELSIF greatest(l.amount, shown) + size * (l.probe_growth - 1) >= l.declared THEN
    PERFORM heal_limit(l.id);
  ELSE
    UPDATE quota_limit SET probe_grant_id = NULL, amount = greatest(l.amount, shown) + size * (l.probe_growth - 1),
      probe_growth = least(1024, l.probe_growth * 2), probe_at_ms = at_ms,
      probe_failures = CASE WHEN l.probe_growth < 4 THEN probe_failures ELSE 0 END WHERE id = l.id;
  END IF;
END
$$;

-- What the provider surely counted beside a call when it was sent, allowing for the margin; refused calls may not count.
CREATE FUNCTION surely_counted(l quota_limit, f finishing) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT (floor(l.debt) + coalesce(sum(u.amount), 0))::bigint
  FROM quota_use u LEFT JOIN grants g ON g.id = u.grant_id
  WHERE u.limit_id = l.id AND u.grant_id <> f.id AND (g.id IS NULL OR g.begun_at_ms <= f.begun_at_ms)
    AND coalesce(g.outcome NOT IN ('minute-limit', 'day-limit'), true)
    AND (l.window_kind <> 'rolling' OR coalesce(g.begun_at_ms, 0) + l.per_ms > f.begun_at_ms + l.margin_ms)
$$;

-- A refusal although there was room by our count. The limit is the one that it names: of the metric, and with the window
-- nearest to the period that it speaks of, a day and more for long ones; of several the one that was used the most.
CREATE FUNCTION hear_refusal(f finishing, refusal jsonb, at_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  l quota_limit;
  found record;
  full_amount bigint := (refusal ->> 'amount')::bigint;
  counted bigint := (refusal ->> 'used')::bigint;
  period_ms bigint := (refusal ->> 'periodMs')::bigint;
BEGIN
  SELECT q.id, b.before, b.own, coalesce(window_ms(q) BETWEEN period_ms / 2 AND period_ms * 2, true) AS is_of_period INTO found
  FROM quota_limit q CROSS JOIN LATERAL use_before(q, f) AS b
  WHERE q.scope IN (f.lane_id, f.provider_id) AND q.active AND (q.window_kind = 'concurrency') = (refusal ->> 'isConcurrency')::boolean
    AND b.own > 0 AND is_same_metric(q.metric, refusal ->> 'metric')
    AND (q.window_kind = 'concurrency' OR (window_ms(q) >= 43200000) = (refusal ->> 'isLong')::boolean)
  ORDER BY coalesce(abs(ln(window_ms(q)::double precision / period_ms)), 0),
    (b.before + b.own)::double precision / q.amount DESC, q.metric = 'requests' DESC, (q.scope = f.lane_id) = (refusal ->> 'scope' = 'lane') DESC
  LIMIT 1;
  SELECT q.* INTO l FROM quota_limit q WHERE q.id = found.id;
  IF l.id IS NULL THEN RETURN; END IF;
  -- Figures of another window than is declared say nothing of the declared one.
  IF NOT found.is_of_period THEN full_amount := NULL; counted := NULL; END IF;
  IF l.metric = 'units' THEN full_amount := full_amount * 1000; counted := counted * 1000; END IF;
  IF full_amount < l.declared + l.reserved THEN
    PERFORM lower_limit(l, full_amount - l.reserved, f.reason, true, at_ms);
  ELSIF full_amount IS NULL THEN
    -- What was used before it had been allowed; where that is nothing, half of what it asked for is tried.
    PERFORM lower_limit(l, CASE WHEN found.before > 0 THEN found.before ELSE found.own / 2 END, f.reason, false, at_ms);
  END IF;
  IF counted IS NOT NULL THEN PERFORM count_foreign_use(l, f, counted - found.before, at_ms); END IF;
END
$$;

-- What had been used of a limit when a call was made, by calls that began before it and by others; and what it takes itself.
CREATE FUNCTION use_before(l quota_limit, f finishing, OUT before bigint, OUT own bigint) LANGUAGE sql STABLE AS $$
  SELECT ceil(l.debt + coalesce(sum(u.amount) FILTER (WHERE u.grant_id <> f.id AND (u.grant_id < 0 OR (g.begun_at_ms, g.id) < (f.begun_at_ms, f.id))), 0))::bigint,
         coalesce(sum(u.amount) FILTER (WHERE u.grant_id = f.id), 0)::bigint
  FROM quota_use u LEFT JOIN grants g ON g.id = u.grant_id WHERE u.limit_id = l.id
$$;

CREATE FUNCTION is_same_metric(declared text, named text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT named IS NULL OR declared = named OR (named = 'tokens' AND declared IN ('inputTokens', 'outputTokens')) OR (named = 'inputTokens' AND declared = 'tokens')
$$;

-- How a limit stands by the provider's own count. A lower amount than declared is believed at once, and no longer when the
-- provider names the declared one again.
CREATE FUNCTION hear_standing(f finishing, standing jsonb, at_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  l quota_limit;
  told_amount bigint := (standing ->> 'amount')::bigint;
  told_left bigint := (standing ->> 'remaining')::bigint;
  period_ms bigint := (standing ->> 'periodMs')::bigint;
BEGIN
  -- Without a period the amount tells which limit is meant.
  SELECT q.* INTO l FROM quota_limit q
  WHERE q.scope IN (f.lane_id, f.provider_id) AND q.active AND q.window_kind <> 'concurrency' AND q.metric = standing ->> 'metric'
    AND CASE WHEN period_ms IS NULL THEN told_amount = q.declared + q.reserved ELSE window_ms(q) BETWEEN period_ms / 2 AND period_ms * 2 END
  ORDER BY (q.scope = f.lane_id) = (standing ->> 'scope' = 'lane') DESC, q.id LIMIT 1;
  IF l.id IS NULL THEN RETURN; END IF;
  IF told_amount < l.declared + l.reserved AND told_amount - l.reserved < l.amount THEN
    PERFORM lower_limit(l, told_amount - l.reserved, format('its headers say %s', told_amount), true, at_ms);
  ELSIF told_amount >= l.declared + l.reserved AND l.is_told AND l.amount < l.declared THEN
    PERFORM heal_limit(l.id);
  END IF;
  PERFORM count_foreign_use(l, f, counted.by_now - used.by_us, at_ms)
  FROM (SELECT coalesce(told_amount, l.declared + l.reserved) - told_left AS at_its_time) AS told,
       LATERAL (SELECT still_counted(l, told.at_its_time, f.begun_at_ms, at_ms) AS by_now) AS counted,
       LATERAL (SELECT ceil(l.used + l.debt)::bigint AS by_us) AS used
  WHERE counted.by_now IS NOT NULL;
END
$$;

-- How much of what a provider had counted at some time since `since_ms` it surely still counts; null where nobody can tell:
-- a rolling window may have forgotten any of it since.
CREATE FUNCTION still_counted(l quota_limit, counted bigint, since_ms bigint, at_ms bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN l.window_kind = 'refill' THEN counted - ceil((at_ms - since_ms) * l.amount::double precision / l.per_ms)::bigint
    WHEN l.window_kind IN ('fixed', 'fixed-month', 'calendar') AND window_end_ms(l, since_ms - l.margin_ms) = window_end_ms(l, at_ms + l.margin_ms) THEN counted
    WHEN l.window_kind = 'session' AND l.session_is_sure AND l.session_from_ms <= since_ms THEN counted
  END
$$;

-- The provider counts so much more than we do: somebody else uses the key. What is reserved is theirs; the rest is counted
-- here too, until its window ends.
CREATE FUNCTION count_foreign_use(l quota_limit, f finishing, more bigint, at_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  theirs bigint := least(more - l.reserved, floor(l.declared - l.used - l.debt)::bigint);
BEGIN
  IF theirs IS NULL OR theirs <= 0 THEN RETURN; END IF;
  IF l.window_kind = 'refill' THEN
    UPDATE quota_limit SET debt = debt + theirs WHERE id = l.id;
    RETURN;
  END IF;
  INSERT INTO quota_use (limit_id, grant_id, amount, expires_at_ms) VALUES (l.id, -f.id, theirs, use_end_ms(l, at_ms + l.margin_ms))
  ON CONFLICT (grant_id, limit_id) DO NOTHING;
  IF FOUND THEN UPDATE quota_limit SET used = used + theirs WHERE id = l.id; END IF;
END
$$;
