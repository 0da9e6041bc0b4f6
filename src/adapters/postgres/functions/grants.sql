-- The life of a grant: granted -> begun -> closed. Each function is one atomic change of the record.
-- Plans: tables grow from nothing to millions of rows within one night, faster than statistics follow. So the functions of
-- the hot path ask for plans by index, once; a scan that was right for an empty table would be kept for the full one.
--
-- Order of locks everywhere: grants, limits (by id), requests, batch. Only `grant_requests` takes requests without
-- grants, and it skips those that others hold.

-- Interns a route and returns its id.
CREATE FUNCTION intern_route(the_batch bigint, the_pool text, the_excluded text[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  sorted text[] := ARRAY(SELECT DISTINCT e FROM unnest(the_excluded) AS e ORDER BY e);
  found_id integer;
BEGIN
  SELECT id INTO found_id FROM route WHERE batch_id = the_batch AND pool_name = the_pool AND excluded = sorted;
  IF found_id IS NULL THEN
    INSERT INTO route (batch_id, pool_name, excluded) VALUES (the_batch, the_pool, sorted)
    ON CONFLICT (batch_id, pool_name, excluded) DO UPDATE SET pool_name = EXCLUDED.pool_name
    RETURNING id INTO found_id;
  END IF;
  RETURN found_id;
END
$$;

-- Tells every dispatcher that lanes of this provider may have room ('*': that any lane may have work).
CREATE FUNCTION wake_dispatchers(provider text) RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify('nightshift_wake', provider)
$$;

-- Takes quota for up to `at_most` calls on one lane and claims the pending requests that fit it best, in one step.
--
-- the_lane, the_provider   the lane and its provider: the scopes whose limits are charged
-- context_tokens           prompt and output of one call may not exceed it
-- max_output_tokens        a cap that we choose is clipped to it; a line that asks for more does not run here
-- target_tokens            the size of call that uses up requests and tokens together (src/core/matching.ts);
--                          the largest request up to it is taken first, then the smallest above it
-- at_most                  bound of this call; free call slots of live workers bound it too
--
-- Returns the grants made (ids ascending), how many slots each holds, why no more were made ('', 'paused', 'closed',
-- 'no-slot', 'no-room', 'no-work'), and the instant at which it is worth asking again (null: only an event changes it).
--
-- Slices: on a fast lane a slot takes several calls, one after the other, since round trips decide its pace; see
-- calls_per_slice. Only where there are more grants than slots; the last grant of a slice, whose call is the last,
-- holds the slot for all.
--
-- Starvation: if the best request does not fit what is left, smaller ones may go ahead of it for at most the length
-- of the window that is in its way (and no more than a minute); then the lane waits for it.
CREATE FUNCTION grant_requests(
  the_lane text, the_provider text, context_tokens bigint, max_output_tokens bigint, target_tokens bigint, at_most integer,
  OUT grant_ids bigint[], OUT grant_slots smallint[], OUT stopped_by text, OUT wake_at_ms bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  scopes text[] := ARRAY[the_lane, the_provider];
  at_ms bigint;
  closed_ms bigint;
  breaker integer;
  room record;
  free_slots bigint;
  open_calls bigint;
  slice_calls integer;
  per_slot integer;
  routes integer[];
  the_route integer;
  largest bigint;
  best record;
  candidate record;
  patience_ms bigint;
  size bigint;
  output bigint;
  request_ids bigint[] := '{}';
  prompts bigint[] := '{}';
  outputs bigint[] := '{}';
BEGIN
  -- A grant that a crash of the server takes with it was never begun: nothing is lost by not waiting for the disk.
  PERFORM set_config('synchronous_commit', 'off', true);
  grant_ids := '{}';
  grant_slots := '{}';
  stopped_by := '';
  at_ms := settle_limits(scopes);

  IF EXISTS (SELECT FROM lane_pause WHERE lane_id = the_lane) THEN
    stopped_by := 'paused'; RETURN;
  END IF;

  -- Closed, or half open: one call at a time finds out.
  SELECT max(greatest(h.closed_until_ms, h.breaker_until_ms)), coalesce(max(h.openings), 0) INTO closed_ms, breaker FROM health h WHERE h.scope = ANY (scopes);
  IF closed_ms > at_ms THEN
    stopped_by := 'closed'; wake_at_ms := closed_ms; RETURN;
  END IF;

  SELECT coalesce(sum(wl.slots), 0) INTO free_slots FROM worker_lane wl JOIN process w ON w.id = wl.worker_id
  WHERE wl.lane_id = the_lane AND w.heartbeat_at > clock_timestamp() - interval '15 s';
  -- What is in use of the lane's own limit of calls at once is just that; one without such a limit is counted.
  SELECT l.used INTO open_calls FROM quota_limit l WHERE l.scope = the_lane AND l.metric = 'calls';
  IF open_calls IS NULL THEN
    SELECT coalesce(sum(g.slots), 0) INTO open_calls FROM grants g WHERE g.state <> 'closed' AND g.lane_id = the_lane;
  END IF;
  free_slots := free_slots - open_calls;
  IF breaker > 0 THEN free_slots := least(free_slots, 1 - open_calls); END IF;
  slice_calls := CASE WHEN breaker > 0 THEN 1 ELSE calls_per_slice(the_lane, scopes) END;

  -- What every window still has, per metric; null: unlimited.
  SELECT min(l.amount - l.used) FILTER (WHERE l.metric = 'calls') AS calls,
         min(floor(l.amount - l.used - l.debt)::bigint) FILTER (WHERE l.metric = 'requests') AS requests,
         min(floor(l.amount - l.used - l.debt)::bigint) FILTER (WHERE l.metric = 'tokens') AS tokens,
         min(floor(l.amount - l.used - l.debt)::bigint) FILTER (WHERE l.metric = 'inputTokens') AS input,
         min(floor(l.amount - l.used - l.debt)::bigint) FILTER (WHERE l.metric = 'outputTokens') AS output,
         least(context_tokens, min(l.amount) FILTER (WHERE l.metric = 'tokens')) AS full_tokens,
         coalesce(min(l.amount) FILTER (WHERE l.metric = 'inputTokens'), context_tokens) AS full_input,
         coalesce(min(l.amount) FILTER (WHERE l.metric = 'outputTokens'), context_tokens) AS full_output
  INTO room FROM quota_limit l WHERE l.scope = ANY (scopes) AND l.active;
  room.full_tokens := coalesce(room.full_tokens, context_tokens);
  free_slots := least(free_slots, room.calls);
  at_most := least(at_most, free_slots * slice_calls);
  IF at_most <= 0 THEN
    stopped_by := 'no-slot'; RETURN;
  END IF;

  -- Routes this lane serves; those with the fewest other lanes first.
  SELECT coalesce(array_agg(r.id ORDER BY cardinality(p.lane_ids) - cardinality(r.excluded), r.id), '{}') INTO routes
  FROM batch b JOIN pool p ON p.batch_id = b.id JOIN route r ON r.batch_id = p.batch_id AND r.pool_name = p.name
  WHERE b.state = 'in_progress' AND NOT b.is_paused AND the_lane = ANY (p.lane_ids) AND NOT r.excluded && scopes;

  FOREACH the_route IN ARRAY routes LOOP
    EXIT WHEN cardinality(request_ids) >= at_most;

    -- The request that this lane would rather serve than any other, whether or not there is room now.
    SELECT c.* INTO best FROM fitting_requests(the_route, room.full_tokens, room.full_input, room.full_output,
      max_output_tokens, target_tokens, 1) c;
    CONTINUE WHEN best IS NULL;
    size := best.prompt_tokens + best.output_tokens;
    IF room.requests < 1 OR room.tokens < size OR room.input < best.prompt_tokens OR room.output < best.output_tokens THEN
      stopped_by := 'no-room';
      wake_at_ms := least(wake_at_ms, room_at_ms(scopes, best.prompt_tokens, best.output_tokens, at_ms));
      IF room.requests < 1 THEN EXIT; END IF;
      SELECT coalesce(min(l.per_ms), 60000) INTO patience_ms FROM quota_limit l
      WHERE l.scope = ANY (scopes) AND l.active
        AND l.used + l.debt + use_amount(l.metric, best.prompt_tokens, best.output_tokens) > l.amount;
      INSERT INTO lane_patience AS w (lane_id, request_id, since_ms) VALUES (the_lane, best.id, at_ms)
      ON CONFLICT (lane_id) DO UPDATE SET
        request_id = EXCLUDED.request_id,
        since_ms = CASE WHEN w.request_id = EXCLUDED.request_id THEN w.since_ms ELSE EXCLUDED.since_ms END;
      IF (SELECT at_ms - since_ms > least(patience_ms, 60000) FROM lane_patience WHERE lane_id = the_lane) THEN
        EXIT;
      END IF;
    END IF;

    largest := least(room.full_tokens, room.tokens);
    FOR candidate IN
      SELECT c.* FROM fitting_requests(the_route, largest, least(room.full_input, room.input),
        least(room.full_output, room.output), max_output_tokens, target_tokens, at_most - cardinality(request_ids)) c
    LOOP
      EXIT WHEN room.requests < 1 OR cardinality(request_ids) >= at_most;
      size := candidate.prompt_tokens + candidate.output_tokens;
      CONTINUE WHEN size > room.tokens OR candidate.prompt_tokens > room.input OR candidate.output_tokens > room.output;
      room.requests := room.requests - 1;
      room.tokens := room.tokens - size;
      room.input := room.input - candidate.prompt_tokens;
      room.output := room.output - candidate.output_tokens;
      request_ids := request_ids || candidate.id;
      prompts := prompts || candidate.prompt_tokens::bigint;
      outputs := outputs || candidate.output_tokens::bigint;
    END LOOP;
    -- A slice is of one batch, so that whatever happens to the batch happens to the whole slice, and to its slot.
    IF slice_calls > 1 AND cardinality(request_ids) > 0 THEN
      at_most := cardinality(request_ids);
      EXIT;
    END IF;
  END LOOP;

  IF cardinality(request_ids) = 0 THEN
    IF stopped_by = '' THEN stopped_by := 'no-work'; END IF;
    RETURN;
  END IF;
  IF cardinality(request_ids) >= at_most THEN stopped_by := ''; wake_at_ms := NULL; END IF;

  INSERT INTO lane_queue AS q (lane_id) VALUES (the_lane)
  ON CONFLICT (lane_id) DO UPDATE SET used_at = clock_timestamp() WHERE q.used_at < clock_timestamp() - interval '1 minute';
  per_slot := ceil(cardinality(request_ids)::double precision / free_slots);
  WITH made AS (
    INSERT INTO grants (lane_id, provider_id, request_id, prompt_tokens, output_tokens, granted_at_ms, slots)
    SELECT the_lane, the_provider, c.request_id, c.prompt, c.output, at_ms,
           CASE WHEN c.place % per_slot = 0 OR c.place = cardinality(request_ids) THEN 1 ELSE 0 END
    FROM unnest(request_ids, prompts, outputs) WITH ORDINALITY AS c (request_id, prompt, output, place)
    ORDER BY c.place
    RETURNING id, request_id, prompt_tokens, output_tokens, slots
  ), claimed AS (
    UPDATE request r SET state = 'granted', grant_id = made.id FROM made WHERE r.id = made.request_id
  ), uses AS (
    INSERT INTO quota_use (limit_id, grant_id, amount)
    SELECT l.id, made.id, CASE WHEN l.metric = 'calls' THEN made.slots ELSE use_amount(l.metric, made.prompt_tokens, made.output_tokens) END
    FROM made, quota_limit l WHERE l.scope = ANY (scopes) AND (l.metric <> 'calls' OR made.slots > 0)
    RETURNING limit_id, amount
  ), charged AS (
    UPDATE quota_limit l SET used = l.used + u.amount
    FROM (SELECT limit_id, sum(amount)::bigint AS amount FROM uses GROUP BY limit_id) u
    WHERE l.id = u.limit_id
  )
  SELECT array_agg(id ORDER BY id), array_agg(slots ORDER BY id) INTO grant_ids, grant_slots FROM made;
END
$$;

-- How many calls a slot of the lane may take at once: 16 at most, and about a second of work at most, or half of the
-- shortest margin, since a slice begins together. More than one only where
--
-- - calls take a quarter of a second or less, lately;
-- - no limit keeps the lane below 50 calls a second (of 1,000 tokens): there a call that waits for its neighbour gains
--   nothing, and loses the instant at which its window freed;
-- - there is so much left to do that nothing is taken from other slots: a quarter of each slot's share.
CREATE FUNCTION calls_per_slice(the_lane text, scopes text[]) RETURNS integer LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
  call_ms double precision := (SELECT mean_call_ms FROM lane_total WHERE lane_id = the_lane);
  slice_ms double precision;
  requests_left bigint;
  slots bigint;
BEGIN
  IF call_ms IS NULL OR call_ms > 250 OR EXISTS (
    SELECT FROM quota_limit l WHERE l.scope = ANY (scopes) AND l.active AND l.window_kind <> 'concurrency'
      AND l.amount < 50 * coalesce(l.per_ms, CASE WHEN l.unit = 'day' THEN 86400000 ELSE 30 * 86400000::bigint END) / 1000.0
                     * CASE l.metric WHEN 'requests' THEN 1 ELSE 1000 END
  ) THEN
    RETURN 1;
  END IF;
  SELECT least(1000, coalesce(min(l.margin_ms) / 2.0, 1000)) INTO slice_ms
  FROM quota_limit l WHERE l.scope = ANY (scopes) AND l.active AND l.window_kind <> 'concurrency';
  SELECT coalesce(sum(b.total - b.bad - b.succeeded - b.failed - b.cancelled), 0) INTO requests_left
  FROM batch b WHERE b.state = 'in_progress';
  SELECT coalesce(sum(wl.slots), 0) INTO slots FROM worker_lane wl;
  RETURN greatest(1, least(16, floor(slice_ms / greatest(call_ms, 1)), requests_left / greatest(4 * slots, 1)));
END
$$;

-- The pending requests of a route that fit these bounds, best first: the largest up to the target, then the
-- smallest above it. Locks what it looks at and skips what others have locked. `output_tokens` is what a call here
-- would reserve.
--
-- Works cap by cap: requests with the same bound of the answer are sorted by their prompt, so that every bound is a
-- range of the index and nothing is read that does not fit. There are few caps: our own, and at most a hundred that
-- lines ask for (src/core/tokens/token-estimate.ts rounds them up).
CREATE FUNCTION fitting_requests(
  the_route integer, most_tokens bigint, most_input bigint, most_output bigint, max_output_tokens bigint,
  target_tokens bigint, at_most integer
) RETURNS TABLE (id bigint, prompt_tokens integer, output_tokens integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  found_rows integer;
  cap record;
  is_asked boolean := false;
  last_cap integer := -1;
  asked_caps boolean[] := '{}';
  caps integer[] := '{}';
BEGIN
  LOOP
    SELECT r.output_is_asked, r.output_tokens INTO cap FROM request r
    WHERE r.state = 'pending' AND r.route_id = the_route AND (r.output_is_asked, r.output_tokens) > (is_asked, last_cap)
    ORDER BY r.output_is_asked, r.output_tokens LIMIT 1;
    EXIT WHEN NOT FOUND;
    is_asked := cap.output_is_asked;
    last_cap := cap.output_tokens;
    -- A cap that a line asks for is never cut; one of ours is.
    IF least(last_cap, max_output_tokens) <= most_output AND NOT (is_asked AND last_cap > max_output_tokens) THEN
      asked_caps := asked_caps || is_asked;
      caps := caps || last_cap;
    END IF;
  END LOOP;
  RETURN QUERY
    SELECT r.id, r.prompt_tokens, least(c.cap, max_output_tokens)::integer
    FROM unnest(asked_caps, caps) AS c (is_asked, cap) CROSS JOIN LATERAL (
      SELECT q.id, q.prompt_tokens FROM request q
      WHERE q.state = 'pending' AND q.route_id = the_route AND q.output_is_asked = c.is_asked AND q.output_tokens = c.cap
        AND q.prompt_tokens <= least(most_input, least(most_tokens, target_tokens) - least(c.cap, max_output_tokens))
      ORDER BY q.prompt_tokens DESC, q.id DESC LIMIT at_most FOR UPDATE SKIP LOCKED
    ) AS r
    ORDER BY r.prompt_tokens + least(c.cap, max_output_tokens) DESC LIMIT at_most;
  GET DIAGNOSTICS found_rows = ROW_COUNT;
  IF found_rows < at_most AND most_tokens > target_tokens THEN
    RETURN QUERY
      SELECT r.id, r.prompt_tokens, least(c.cap, max_output_tokens)::integer
      FROM unnest(asked_caps, caps) AS c (is_asked, cap) CROSS JOIN LATERAL (
        SELECT q.id, q.prompt_tokens FROM request q
        WHERE q.state = 'pending' AND q.route_id = the_route AND q.output_is_asked = c.is_asked AND q.output_tokens = c.cap
          AND q.prompt_tokens > target_tokens - least(c.cap, max_output_tokens)
          AND q.prompt_tokens <= least(most_input, most_tokens - least(c.cap, max_output_tokens))
        ORDER BY q.prompt_tokens, q.id LIMIT at_most - found_rows FOR UPDATE SKIP LOCKED
      ) AS r
      ORDER BY r.prompt_tokens + least(c.cap, max_output_tokens) LIMIT at_most - found_rows;
  END IF;
END
$$;

-- The scopes whose limits these grants are charged to.
CREATE FUNCTION scopes_of(ids bigint[]) RETURNS text[] LANGUAGE sql STABLE AS $$
  SELECT array_agg(DISTINCT s) FROM grants g, unnest(ARRAY[g.lane_id, g.provider_id]) AS s WHERE g.id = ANY (ids)
$$;

-- Gives the quota of these open grants back and sends their requests to the backlog: calls that never began.
CREATE FUNCTION release_grants(ids bigint[], why text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  scopes text[];
BEGIN
  SELECT array_agg(DISTINCT s) INTO scopes
  FROM grants g, unnest(ARRAY[g.lane_id, g.provider_id]) AS s WHERE g.id = ANY (ids);
  IF scopes IS NULL THEN RETURN; END IF;
  PERFORM settle_limits(scopes);
  WITH given_back AS (
    DELETE FROM quota_use WHERE grant_id = ANY (ids) RETURNING limit_id, amount
  )
  UPDATE quota_limit l SET used = l.used - g.amount
  FROM (SELECT limit_id, sum(amount)::bigint AS amount FROM given_back GROUP BY limit_id) g WHERE l.id = g.limit_id;
  UPDATE grants SET state = 'closed', closed_at_ms = now_ms(), outcome = 'released', reason = why WHERE id = ANY (ids);
  UPDATE request SET state = 'pending', grant_id = NULL
  WHERE id IN (SELECT request_id FROM grants WHERE id = ANY (ids)) AND grant_id = ANY (ids) AND state = 'granted';
  PERFORM wake_dispatchers(p) FROM (SELECT DISTINCT provider_id AS p FROM grants WHERE id = ANY (ids)) AS providers;
END
$$;

-- A worker is about to make these calls. Returns what it needs for each that may be made; the rest were closed
-- before (another delivery, an expiry), or their lane has closed since and they are released. From here on the
-- quota counts from now: a call that begins is counted whatever becomes of it. A worker that was held up between the
-- answer and its call begins again, so that the count starts when the call does; where a window has ended meanwhile, the
-- call is not counted there any more, and is released.
CREATE FUNCTION begin_grants(ids bigint[], the_worker integer) RETURNS TABLE (
  grant_id bigint, request_id bigint, lane_id text, begun_at_ms bigint, output_tokens integer, prompt_tokens integer,
  custom_id text, line text, task jsonb, tries smallint, excluded text[], avoided text[], dropped_parameters text[],
  pool_lane_ids text[], output_is_asked boolean, most_output_tokens integer, trail jsonb
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  at_ms bigint;
  open_ids bigint[];
  closed_ids bigint[];
  again_ids bigint[];
BEGIN
  at_ms := now_ms();
  SELECT coalesce(array_agg(g.id) FILTER (WHERE h.is_closed IS NULL), '{}'), array_agg(g.id) FILTER (WHERE h.is_closed)
  INTO open_ids, closed_ids
  FROM (SELECT g.id, g.lane_id, g.provider_id, g.request_id FROM grants g WHERE g.id = ANY (ids)
          AND EXISTS (SELECT FROM process w WHERE w.id = the_worker)
          AND (g.state = 'granted' OR (g.state = 'begun' AND g.worker_id = the_worker)) ORDER BY g.id FOR UPDATE) g
  LEFT JOIN LATERAL (
    SELECT true AS is_closed FROM health h WHERE h.scope IN (g.lane_id, g.provider_id) AND greatest(h.closed_until_ms, h.breaker_until_ms) > at_ms
    UNION ALL SELECT true FROM lane_pause p WHERE p.lane_id = g.lane_id
    UNION ALL SELECT true FROM request r JOIN batch b ON b.id = r.batch_id
              WHERE r.id = g.request_id AND (b.is_paused OR b.state <> 'in_progress')
    LIMIT 1
  ) h ON true;
  IF closed_ids IS NOT NULL THEN
    PERFORM release_grants(closed_ids, 'the lane or its batch closed before the call began');
  END IF;
  SELECT array_agg(g.id) INTO again_ids FROM grants g WHERE g.id = ANY (open_ids) AND g.state = 'begun';
  IF again_ids IS NOT NULL THEN
    PERFORM settle_limits(scopes_of(again_ids));
    SELECT array_agg(g.id) INTO closed_ids FROM grants g
    WHERE g.id = ANY (again_ids) AND EXISTS (
      SELECT FROM quota_limit l WHERE l.scope IN (g.lane_id, g.provider_id) AND l.active AND l.window_kind <> 'concurrency'
        AND NOT EXISTS (SELECT FROM quota_use u WHERE u.grant_id = g.id AND u.limit_id = l.id));
    IF closed_ids IS NOT NULL THEN
      PERFORM release_grants(closed_ids, 'a window ended before the call was made');
      open_ids := ARRAY(SELECT o FROM unnest(open_ids) AS o WHERE o <> ALL (closed_ids));
    END IF;
  END IF;
  at_ms := now_ms() + 1; -- now_ms() is rounded down; never count a call from before it began
  UPDATE grants g SET state = 'begun', worker_id = the_worker, begun_at_ms = at_ms WHERE g.id = ANY (open_ids);
  UPDATE quota_use u SET expires_at_ms = use_end_ms(l, at_ms + l.margin_ms)
  FROM quota_limit l WHERE l.id = u.limit_id AND u.grant_id = ANY (open_ids) AND l.window_kind <> 'concurrency';
  RETURN QUERY
    SELECT g.id, g.request_id, g.lane_id, g.begun_at_ms, g.output_tokens, g.prompt_tokens,
           r.custom_id, r.line, b.task, r.tries, r.excluded, r.avoided, r.dropped_parameters, p.lane_ids, r.output_is_asked, r.output_tokens,
           attempts_of(r.id)
    FROM grants g JOIN request r ON r.id = g.request_id JOIN batch b ON b.id = r.batch_id
    LEFT JOIN route rt ON rt.id = r.route_id LEFT JOIN pool p ON p.batch_id = rt.batch_id AND p.name = rt.pool_name
    WHERE g.id = ANY (open_ids) ORDER BY g.id;
END
$$;

-- The closed attempts of a request, in their order; null where there is none.
CREATE FUNCTION attempts_of(the_request bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_agg(jsonb_build_object(
           'lane', a.lane_id, 'outcome', a.outcome, 'reason', a.reason, 'begunAtMs', a.begun_at_ms,
           'isBeforeRetry', a.id < r.fresh_from, 'durationMs', a.closed_at_ms - a.begun_at_ms,
           'promptTokens', a.used_prompt_tokens, 'completionTokens', a.used_completion_tokens) ORDER BY a.id)
  FROM grants a JOIN request r ON r.id = a.request_id
  WHERE a.request_id = the_request AND a.state = 'closed' AND a.outcome <> 'released'
$$;

-- The calls of these grants are over. Arrays of equal length, one entry per grant:
--
-- outcomes    'succeeded' or a failure kind          reasons   short text or null
-- prompts, completions   tokens the provider reported, or null
-- settles     how the reservation is settled: 'usage', 'estimate' (kept), 'request' (tokens given back), 'release'
-- next_states of the request: 'succeeded', 'failed', 'pending', 'parked'
-- lines       the final line for succeeded and failed
-- due_ats     parked: when it is pending again; pending: when nothing is avoided any more; else null
-- excludeds, avoideds, droppeds  the request's new sets, as JSON arrays
-- tries_spent 0 or 1
-- output_caps a new bound of the answer for the next attempt, or null
-- durations   of the calls, in ms, or null
--
-- Fenced by the grant: a grant that was closed meanwhile changes nothing but its own tokens, except that a late
-- success is kept if its request has no final line yet. A final line is written once.
CREATE FUNCTION finish_grants(
  ids bigint[], outcomes text[], reasons text[], prompts integer[], completions integer[], settles text[],
  next_states text[], lines text[], due_ats bigint[], excludeds text[], avoideds text[], droppeds text[], tries_spent smallint[],
  output_caps integer[], durations integer[]
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  told finishing[];
  scopes text[];
  at_ms bigint;
  final_batches bigint[];
BEGIN
  PERFORM 1 FROM grants WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
  SELECT array_agg(ROW(g.id, g.lane_id, g.provider_id, g.request_id, g.begun_at_ms, g.state = 'begun', f.outcome, f.reason,
                       f.prompt, f.completion, f.settle, f.next_state, f.line, f.due_at, to_array(f.excluded), to_array(f.avoided),
                       to_array(f.dropped), f.tries, f.output_cap, f.duration_ms)::finishing ORDER BY g.id)
  INTO told
  FROM unnest(ids, outcomes, reasons, prompts, completions, settles, next_states, lines, due_ats, excludeds, avoideds,
              droppeds, tries_spent, output_caps, durations)
       AS f (id, outcome, reason, prompt, completion, settle, next_state, line, due_at, excluded, avoided, dropped, tries,
             output_cap, duration_ms)
  JOIN grants g ON g.id = f.id;
  IF told IS NULL THEN RETURN; END IF;

  SELECT array_agg(DISTINCT s) INTO scopes
  FROM unnest(told) AS f, unnest(ARRAY[f.lane_id, f.provider_id]) AS s;
  at_ms := settle_limits(scopes);

  -- Quota: what the call really took, and its call slot.
  WITH uses AS MATERIALIZED (
    SELECT u.grant_id, u.limit_id, u.amount AS was,
      CASE
        WHEN l.window_kind = 'concurrency' OR f.settle = 'release' THEN 0
        WHEN f.settle = 'estimate' OR l.metric = 'requests' THEN u.amount
        WHEN f.settle = 'request' THEN 0
        ELSE use_amount(l.metric, coalesce(f.prompt, 0), coalesce(f.completion, 0))
      END AS amount,
      finished_use_end_ms(l, u.expires_at_ms, coalesce(f.begun_at_ms, at_ms), at_ms) AS end_ms
    FROM unnest(told) AS f JOIN quota_use u ON u.grant_id = f.id JOIN quota_limit l ON l.id = u.limit_id
  ), ended AS (
    DELETE FROM quota_use u USING uses
    WHERE u.grant_id = uses.grant_id AND u.limit_id = uses.limit_id AND uses.amount = 0
  ), changed AS (
    UPDATE quota_use u SET amount = uses.amount, expires_at_ms = uses.end_ms
    FROM uses WHERE u.grant_id = uses.grant_id AND u.limit_id = uses.limit_id AND uses.amount > 0
  )
  UPDATE quota_limit l SET used = l.used - s.given_back
  FROM (SELECT limit_id, sum(was - amount)::bigint AS given_back FROM uses GROUP BY limit_id) AS s
  WHERE l.id = s.limit_id AND s.given_back <> 0;

  UPDATE grants g SET state = 'closed', closed_at_ms = at_ms, outcome = f.outcome, reason = f.reason,
    used_prompt_tokens = f.prompt, used_completion_tokens = f.completion
  FROM unnest(told) AS f WHERE g.id = f.id AND f.is_open;

  INSERT INTO lane_total AS t (lane_id, mean_call_ms, calls, succeeded, rejected, prompt_tokens, completion_tokens)
  SELECT f.lane_id, avg(f.duration_ms) FILTER (WHERE f.outcome = 'succeeded'),
         count(*) FILTER (WHERE f.is_open), count(*) FILTER (WHERE f.outcome = 'succeeded'),
         count(*) FILTER (WHERE f.outcome IN ('minute-limit', 'day-limit')),
         coalesce(sum(f.prompt), 0), coalesce(sum(f.completion), 0)
  FROM unnest(told) AS f GROUP BY f.lane_id ORDER BY f.lane_id
  ON CONFLICT (lane_id) DO UPDATE SET
    mean_call_ms = coalesce(t.mean_call_ms * 0.8 + EXCLUDED.mean_call_ms * 0.2, t.mean_call_ms, EXCLUDED.mean_call_ms),
    calls = t.calls + EXCLUDED.calls, succeeded = t.succeeded + EXCLUDED.succeeded, rejected = t.rejected + EXCLUDED.rejected,
    prompt_tokens = t.prompt_tokens + EXCLUDED.prompt_tokens, completion_tokens = t.completion_tokens + EXCLUDED.completion_tokens;

  -- Requests: the one that holds the request decides; a late success does too while there is no final line. Locked
  -- before they are looked at, since two calls of one request may end at the same moment, even in one go.
  PERFORM 1 FROM request WHERE id = ANY (ARRAY(SELECT f.request_id FROM unnest(told) AS f)) ORDER BY id FOR UPDATE;
  SELECT array_agg(ROW(f.*)::finishing) INTO told FROM (
    SELECT DISTINCT ON (f.request_id) f.* FROM unnest(told) AS f JOIN request r ON r.id = f.request_id
    WHERE (f.is_open AND r.state = 'granted' AND r.grant_id = f.id)
       OR (f.next_state = 'succeeded' AND r.state IN ('pending', 'parked', 'granted'))
    ORDER BY f.request_id, f.next_state = 'succeeded' DESC, f.id DESC
  ) AS f;
  UPDATE request r SET
    state = f.next_state, grant_id = NULL, tries = r.tries + f.tries,
    excluded = f.excluded, avoided = f.avoided, dropped_parameters = f.dropped,
    due_at_ms = CASE WHEN f.next_state = 'pending' AND cardinality(f.avoided) > 0
                     THEN coalesce(greatest(f.due_at_ms, r.due_at_ms), at_ms) ELSE f.due_at_ms END,
    output_tokens = coalesce(f.output_cap, r.output_tokens),
    route_id = CASE WHEN f.next_state IN ('pending', 'parked')
                    THEN intern_route(r.batch_id, (SELECT pool_name FROM route WHERE id = r.route_id), f.excluded || f.avoided)
                    ELSE r.route_id END
  FROM unnest(told) AS f WHERE r.id = f.request_id;
  WITH written AS (
    INSERT INTO result (request_id, batch_id, succeeded, line)
    SELECT f.request_id, r.batch_id, f.next_state = 'succeeded', f.line
    FROM unnest(told) AS f JOIN request r ON r.id = f.request_id
    WHERE f.next_state IN ('succeeded', 'failed')
    ON CONFLICT (request_id) DO NOTHING
    RETURNING request_id, batch_id, succeeded
  ), counted AS (
    UPDATE batch b SET
      succeeded = b.succeeded + w.succeeded, failed = b.failed + w.failed,
      prompt_tokens = b.prompt_tokens + w.prompt, completion_tokens = b.completion_tokens + w.completion
    FROM (
      SELECT written.batch_id, count(*) FILTER (WHERE written.succeeded) AS succeeded,
             count(*) FILTER (WHERE NOT written.succeeded) AS failed,
             coalesce(sum(f.prompt), 0) AS prompt, coalesce(sum(f.completion), 0) AS completion
      FROM written JOIN unnest(told) AS f ON f.request_id = written.request_id GROUP BY written.batch_id ORDER BY written.batch_id
    ) w WHERE b.id = w.batch_id
    RETURNING b.id, b.bad + b.succeeded + b.failed + b.cancelled >= b.total AS is_final
  )
  SELECT array_agg(id) INTO final_batches FROM counted WHERE is_final;
  IF final_batches IS NOT NULL THEN PERFORM close_batches(final_batches); END IF;

  UPDATE health h SET failures = 0, openings = 0, breaker_until_ms = NULL, gone_count = 0, needs_user = false
  WHERE (h.failures > 0 OR h.openings > 0 OR h.gone_count > 0 OR h.needs_user) AND h.scope IN (
    SELECT s FROM grants g, unnest(ARRAY[g.lane_id, g.provider_id]) AS s WHERE g.id = ANY (ids) AND g.outcome = 'succeeded');

  IF EXISTS (SELECT FROM unnest(told) AS f WHERE f.next_state = 'pending') THEN PERFORM wake_dispatchers('*'); END IF;
  -- A call in the middle of a slice frees no slot: without a window there is nothing to be granted for it.
  PERFORM wake_dispatchers(p) FROM (
    SELECT DISTINCT g.provider_id AS p FROM grants g
    WHERE g.id = ANY (ids) AND (g.slots > 0 OR EXISTS (
      SELECT FROM quota_limit l WHERE l.scope IN (g.lane_id, g.provider_id) AND l.window_kind <> 'concurrency'))
  ) AS providers;
END
$$;

CREATE FUNCTION to_array(json_text text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN json_text = '[]' THEN '{}' ELSE (SELECT coalesce(array_agg(e), '{}') FROM jsonb_array_elements_text(coalesce(json_text, '[]')::jsonb) AS e) END
$$;

-- Nothing more is granted on the lane; what was granted and has not begun goes back.
CREATE FUNCTION pause_lane(the_lane text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  unbegun bigint[];
BEGIN
  INSERT INTO lane_pause (lane_id, paused_at_ms) VALUES (the_lane, now_ms()) ON CONFLICT DO NOTHING;
  SELECT array_agg(g.id) INTO unbegun FROM (
    SELECT id FROM grants WHERE lane_id = the_lane AND state = 'granted' ORDER BY id FOR UPDATE SKIP LOCKED) g;
  IF unbegun IS NOT NULL THEN PERFORM release_grants(unbegun, 'the lane was paused'); END IF;
END
$$;

CREATE FUNCTION resume_lane(the_lane text) RETURNS void LANGUAGE sql AS $$
  DELETE FROM lane_pause WHERE lane_id = the_lane;
  SELECT wake_dispatchers('*');
$$;
