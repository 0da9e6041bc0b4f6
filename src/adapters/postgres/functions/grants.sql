-- The life of a grant: granted -> begun -> closed (finishing.sql). Each function is one atomic change of the record.
-- Plans: tables grow from nothing to millions of rows within one night, faster than statistics follow. So the functions of
-- the hot path ask for plans by index, once; a scan that was right for an empty table would be kept for the full one.
--
-- Order of locks everywhere: grants, limits (by id), requests, batch. Only `grant_requests` takes requests without
-- grants, and it skips those that others hold.

-- Interns a route and returns its id. What is avoided comes back after a while.
CREATE FUNCTION intern_route(the_batch bigint, the_pool text, the_excluded text[], the_avoided text[] DEFAULT '{}') RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  all_sorted text[] := ARRAY(SELECT DISTINCT e FROM unnest(the_excluded || the_avoided) AS e ORDER BY e);
  avoided_sorted text[] := ARRAY(SELECT DISTINCT e FROM unnest(the_avoided) AS e WHERE e <> ALL (the_excluded) ORDER BY e);
  found_id integer;
BEGIN
  SELECT id INTO found_id FROM route
  WHERE batch_id = the_batch AND pool_name = the_pool AND excluded = all_sorted AND avoided = avoided_sorted;
  IF found_id IS NULL THEN
    INSERT INTO route (batch_id, pool_name, excluded, avoided) VALUES (the_batch, the_pool, all_sorted, avoided_sorted)
    ON CONFLICT (batch_id, pool_name, excluded, avoided) DO UPDATE SET pool_name = EXCLUDED.pool_name
    RETURNING id INTO found_id;
  END IF;
  RETURN found_id;
END
$$;

-- Tells every dispatcher that lanes of this provider may have room ('*': that any lane may have work).
CREATE FUNCTION wake_dispatchers(provider text) RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify('nightshift_wake', provider)
$$;

-- Calls at once that the lane's live workers could begin beside those that it has.
CREATE FUNCTION free_slots_of(the_lane text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(wl.slots), 0) - open_calls_of(the_lane) FROM worker_lane wl JOIN process w ON w.id = wl.worker_id
  WHERE wl.lane_id = the_lane AND w.heartbeat_at > clock_timestamp() - interval '15 s'
$$;

-- The calls of a lane, granted or under way. What is in use of its own limit of calls at once is just that; where it has none they are counted.
CREATE FUNCTION open_calls_of(the_lane text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT l.used FROM quota_limit l WHERE l.scope = the_lane AND l.metric = 'calls'),
                  (SELECT sum(g.slots) FROM grants g WHERE g.state <> 'closed' AND g.lane_id = the_lane), 0)
$$;

-- Takes quota for up to `at_most` calls on one lane and claims the pending requests that fit it best, in one step.
--
-- the_lane, the_provider   the lane and its provider: the scopes whose limits are charged
-- context_tokens           prompt and output of one call may not exceed it
-- max_output_tokens        a cap that we choose is clipped to it; a line that asks for more does not run here
-- target_tokens            the size of call that uses up requests and tokens together (src/core/matching.ts);
--                          the largest request up to it is taken first, then the smallest above it
-- wishes, planned_routes   what the plan of the night says belongs here; see choose_requests. Empty: no plan
-- at_most                  bound of this call; free call slots of live workers bound it too
--
-- Returns the grants made (ids ascending), how many slots each holds, why no more were made ('', 'paused', 'closed',
-- 'no-slot', 'no-room', 'no-work'), the place of the wish that each fulfils (0: none), and the instant at which it is worth asking again (null: only an event changes it).
--
-- Slices: on a fast lane a slot takes several calls, one after the other, since round trips decide its pace; see
-- calls_per_slice. Only where there are more grants than slots; the last grant of a slice, whose call is the last,
-- holds the slot for all.
--
-- Hedges: a lane without work makes slow calls of others a second time; see hedging.sql. Those requests stay as they are.
--
-- Probes: where nothing fits but for a limit that was lowered by evidence, and it is time, one call goes beyond it.
CREATE FUNCTION grant_requests(
  the_lane text, the_provider text, context_tokens bigint, max_output_tokens bigint, target_tokens bigint, at_most integer,
  wishes wish[], planned_routes integer[],
  OUT grant_ids bigint[], OUT grant_slots smallint[], OUT wish_places integer[], OUT stopped_by text, OUT wake_at_ms bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  scopes text[] := ARRAY[the_lane, the_provider];
  at_ms bigint;
  closed_ms bigint;
  breaker integer;
  room record;
  measure lane_measure;
  free_slots bigint;
  all_slots bigint;
  slice_calls integer;
  per_slot integer;
  turn record;
  choice record;
  hedge record;
  chosen bigint[];
  is_paid boolean := is_paid_lane(the_lane);
  paid_context bigint := CASE WHEN is_paid THEN context_tokens END;
BEGIN
  -- A grant that a crash of the server takes with it was never begun: nothing is lost by not waiting for the disk.
  PERFORM set_config('synchronous_commit', 'off', true);
  grant_ids := '{}';
  grant_slots := '{}';
  wish_places := '{}';
  stopped_by := '';

  IF EXISTS (SELECT FROM lane_pause WHERE lane_id = the_lane) THEN
    stopped_by := 'paused'; RETURN;
  END IF;
  -- A lane that is busy is asked whenever a neighbour's call ends: it need not lock what they share to be told to wait.
  IF free_slots_of(the_lane) < 1 THEN
    stopped_by := 'no-slot'; RETURN;
  END IF;
  at_ms := settle_limits(scopes);

  -- Closed, or half open: one call at a time finds out.
  SELECT max(greatest(h.closed_until_ms, h.breaker_until_ms)), coalesce(max(h.openings), 0) INTO closed_ms, breaker FROM health h WHERE h.scope = ANY (scopes);
  IF closed_ms > at_ms THEN
    stopped_by := 'closed'; wake_at_ms := closed_ms; RETURN;
  END IF;

  free_slots := free_slots_of(the_lane); -- again, now that nobody else may take one
  IF breaker > 0 THEN free_slots := least(free_slots, 1 - open_calls_of(the_lane)); END IF;
  slice_calls := CASE WHEN breaker > 0 THEN 1 ELSE calls_per_slice(the_lane, scopes) END;

  room := room_left(scopes, context_tokens, at_ms, false);
  IF room.calls < 1 AND free_slots > 0 AND may_probe(scopes, at_ms) THEN
    room := room_left(scopes, context_tokens, at_ms, true);
    room.calls := least(room.calls, 1);
    slice_calls := 1; -- a probe is a single call
  END IF;
  free_slots := least(free_slots, room.calls);
  all_slots := free_slots;
  at_most := least(at_most, free_slots * slice_calls);
  IF at_most <= 0 THEN
    stopped_by := 'no-slot';
    wake_at_ms := next_probe_of(scopes, at_ms);
    RETURN;
  END IF;

  turn := routes_in_turn(the_lane, scopes, at_ms);
  -- Where equal batches wait, one takes its part alone, and then it is the next one's turn. Many of them may have nothing
  -- left to grant: a quarter each time is fair soon enough.
  IF turn.rivals > 1 THEN
    free_slots := ceil(free_slots / least(turn.rivals, 4)::numeric);
    at_most := least(at_most, free_slots * slice_calls, ceil(nullif(room.requests, 0) / least(turn.rivals, 4)::numeric));
  END IF;

  measure := measure_of(the_lane, max_output_tokens);
  choice := choose_requests(the_lane, scopes, turn.routes, room.requests, room.has, room.full_size, measure, target_tokens, wishes, planned_routes, at_most, slice_calls > 1, paid_context, at_ms);
  IF cardinality(choice.request_ids) = 0 AND may_probe(scopes, at_ms) THEN
    room := room_left(scopes, context_tokens, at_ms, true);
    choice := choose_requests(the_lane, scopes, turn.routes, room.requests, room.has, room.full_size, measure, target_tokens, wishes, planned_routes, 1, false, paid_context, at_ms);
  END IF;
  -- Where all that is there costs too much, what one of them needs is noted below.
  IF is_paid AND cardinality(choice.request_ids) = 0 AND choice.stopped_by = 'no-work' THEN
    choice := choose_requests(the_lane, scopes, turn.routes, room.requests, room.has, room.full_size, measure, target_tokens, wishes, planned_routes, 1, false, NULL, at_ms);
  END IF;
  wish_places := choice.places;
  IF is_paid THEN
    chosen := choice.request_ids;
    choice := affordable(the_lane, context_tokens, choice.request_ids, choice.prompts, choice.outputs, choice.stopped_by, choice.wake_at_ms);
    wish_places := ARRAY(SELECT wish_places[array_position(chosen, c.id)] FROM unnest(choice.request_ids) WITH ORDINALITY AS c (id, place) ORDER BY c.place);
  END IF;
  stopped_by := choice.stopped_by;
  wake_at_ms := least(choice.wake_at_ms, turn.opens_at_ms);
  IF stopped_by = 'no-work' AND NOT is_paid THEN
    hedge := choose_hedge(the_lane, scopes, turn.routes, room.requests, room.has, room.full_size, measure, at_ms);
    wake_at_ms := least(wake_at_ms, hedge.wake_at_ms);
    IF hedge.request_id IS NOT NULL THEN
      choice.request_ids := ARRAY[hedge.request_id]; choice.prompts := ARRAY[hedge.prompt]; choice.outputs := ARRAY[hedge.output];
      wish_places := ARRAY[0];
      stopped_by := ''; wake_at_ms := NULL; -- there may be more of them
    END IF;
  END IF;
  IF cardinality(choice.request_ids) = 0 THEN
    wake_at_ms := least(wake_at_ms, next_probe_of(scopes, at_ms));
    RETURN;
  END IF;

  INSERT INTO lane_queue AS q (lane_id) VALUES (the_lane)
  ON CONFLICT (lane_id) DO UPDATE SET used_at = clock_timestamp() WHERE q.used_at < clock_timestamp() - interval '1 minute';
  per_slot := ceil(cardinality(choice.request_ids)::double precision / free_slots);
  WITH made AS (
    INSERT INTO grants (lane_id, provider_id, request_id, prompt_tokens, output_tokens, granted_at_ms, slots)
    SELECT the_lane, the_provider, c.request_id, c.prompt, c.output, at_ms,
           CASE WHEN c.place % per_slot = 0 OR c.place = cardinality(choice.request_ids) THEN 1 ELSE 0 END
    FROM unnest(choice.request_ids, choice.prompts, choice.outputs) WITH ORDINALITY AS c (request_id, prompt, output, place)
    ORDER BY c.place
    RETURNING id, request_id, prompt_tokens, output_tokens, slots
  ), claimed AS (
    UPDATE request r SET state = 'granted', grant_id = made.id FROM made WHERE r.id = made.request_id AND r.state = 'pending'
  ), uses AS (
    INSERT INTO quota_use (limit_id, grant_id, amount)
    SELECT l.id, made.id, CASE WHEN l.metric = 'calls' THEN made.slots
      ELSE use_amount(l.metric, made.prompt_tokens, made.output_tokens, measure.unit_input, measure.unit_output) END
    FROM made, quota_limit l WHERE l.scope = ANY (scopes) AND (l.metric <> 'calls' OR made.slots > 0)
    RETURNING limit_id, amount, grant_id
  ), charged AS (
    UPDATE quota_limit l SET used = l.used + u.amount,
      probe_grant_id = CASE WHEN l.amount < l.declared AND l.used + l.debt + u.amount > l.amount THEN u.last_grant ELSE l.probe_grant_id END
    FROM (SELECT limit_id, sum(amount)::bigint AS amount, max(grant_id) AS last_grant FROM uses GROUP BY limit_id) u
    WHERE l.id = u.limit_id
  )
  SELECT array_agg(id ORDER BY id), array_agg(slots ORDER BY id) INTO grant_ids, grant_slots FROM made;
  IF stopped_by = '' AND cardinality(array_remove(grant_slots, 0::smallint)) >= all_slots THEN stopped_by := 'no-slot'; END IF;
  IF is_paid THEN PERFORM hold_costs(grant_ids, context_tokens); END IF;
  IF turn.is_shared THEN PERFORM count_shares(choice.request_ids, choice.prompts, choice.outputs, at_ms); END IF;
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
  PERFORM leave_to_hedges(ids);
  UPDATE request SET state = 'pending', grant_id = NULL
  WHERE id IN (SELECT request_id FROM grants WHERE id = ANY (ids)) AND grant_id = ANY (ids) AND state = 'granted';
  PERFORM give_back_costs(ids);
  PERFORM wake_dispatchers(p) FROM (SELECT DISTINCT provider_id AS p FROM grants WHERE id = ANY (ids)) AS providers;
END
$$;

-- A worker is about to make these calls. Returns what it needs for each that may be made; the rest were closed
-- before (another delivery, an expiry), or their lane has closed since, or their batch's budget does not cover what is held
-- any more, and they are released. From here on the
-- quota counts from now: a call that begins is counted whatever becomes of it. A worker that was held up between the
-- answer and its call begins again, so that the count starts when the call does; where a window has ended meanwhile, the
-- call is not counted there any more, and is released.
CREATE FUNCTION begin_grants(ids bigint[], the_worker integer) RETURNS TABLE (
  grant_id bigint, request_id bigint, lane_id text, begun_at_ms bigint, output_tokens integer, prompt_tokens integer,
  custom_id text, line text, task jsonb, tries smallint, excluded text[], avoided text[], dropped_parameters text[],
  pool_lane_ids text[], output_is_asked boolean, most_output_tokens integer, trail jsonb, patience_ms double precision, is_probe boolean, is_trial boolean
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  at_ms bigint;
  open_ids bigint[];
  closed_ids bigint[];
  again_ids bigint[];
  sessions integer[];
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
              WHERE r.id = g.request_id AND (b.is_paused OR b.state <> 'in_progress' OR r.state IN ('succeeded', 'failed', 'cancelled', 'expired')
                OR b.deadline_at_ms <= at_ms OR NOT is_night_open(b.night_window, at_ms))
    UNION ALL SELECT true FROM paid_call c JOIN batch b ON b.id = c.batch_id
              WHERE c.grant_id = g.id AND b.spent_nano_dollars + b.held_nano_dollars > b.max_cost_nano_dollars
    LIMIT 1
  ) h ON true;
  IF closed_ids IS NOT NULL THEN
    -- Those of all at once: what is given back may be money, and the batch is locked after every limit.
    PERFORM settle_limits(scopes_of(closed_ids || open_ids));
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
  SELECT array_agg(DISTINCT l.id) INTO sessions FROM grants g JOIN quota_limit l ON l.scope IN (g.lane_id, g.provider_id)
  WHERE g.id = ANY (open_ids) AND l.window_kind = 'session';
  IF sessions IS NOT NULL THEN PERFORM settle_limits(scopes_of(open_ids)); END IF;
  at_ms := now_ms() + 1; -- now_ms() is rounded down; never count a call from before it began
  IF sessions IS NOT NULL THEN
    SELECT array_agg(g.id) INTO closed_ids FROM grants g
    WHERE g.id = ANY (open_ids) AND EXISTS (
      SELECT FROM quota_limit l WHERE l.id = ANY (sessions) AND l.scope IN (g.lane_id, g.provider_id) AND l.active AND NOT is_open_for(l, at_ms));
    IF closed_ids IS NOT NULL THEN
      PERFORM release_grants(closed_ids, 'a session was about to end');
      open_ids := ARRAY(SELECT o FROM unnest(open_ids) AS o WHERE o <> ALL (closed_ids));
    END IF;
    PERFORM begin_in_sessions(sessions_of(open_ids), at_ms);
  END IF;
  UPDATE grants g SET state = 'begun', worker_id = the_worker, begun_at_ms = at_ms WHERE g.id = ANY (open_ids);
  UPDATE quota_use u SET expires_at_ms = use_end_ms(l, arrives_by_ms(l, at_ms))
  FROM quota_limit l WHERE l.id = u.limit_id AND u.grant_id = ANY (open_ids) AND l.window_kind <> 'concurrency';
  RETURN QUERY
    SELECT g.id, g.request_id, g.lane_id, g.begun_at_ms, g.output_tokens, g.prompt_tokens,
           r.custom_id, r.line, b.task, r.tries, r.excluded, r.avoided, r.dropped_parameters, p.lane_ids, r.output_is_asked, r.output_tokens,
           attempts_of(r.id), call_patience_ms(g.lane_id, g.output_tokens),
           EXISTS (SELECT FROM quota_limit l WHERE l.scope IN (g.lane_id, g.provider_id) AND l.probe_grant_id = g.id),
           EXISTS (SELECT FROM health h WHERE h.scope IN (g.lane_id, g.provider_id) AND h.openings > 0)
    FROM grants g JOIN request r ON r.id = g.request_id JOIN batch b ON b.id = r.batch_id
    LEFT JOIN route rt ON rt.id = r.route_id LEFT JOIN pool p ON p.batch_id = rt.batch_id AND p.name = rt.pool_name
    WHERE g.id = ANY (open_ids) ORDER BY g.id;
END
$$;

-- The limits on sessions that these grants are charged to.
CREATE FUNCTION sessions_of(ids bigint[]) RETURNS integer[] LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(DISTINCT l.id), '{}') FROM grants g JOIN quota_limit l ON l.scope IN (g.lane_id, g.provider_id)
  WHERE g.id = ANY (ids) AND l.window_kind = 'session'
$$;

-- How long a call with such a bound of its answer is waited for on a lane, by how long its calls take: four deviations
-- above the mean, at least twice that where answers may get longer than they were, and never under 10 s; null until
-- eight calls have shown it.
CREATE FUNCTION call_patience_ms(the_lane text, output_tokens bigint) RETURNS double precision LANGUAGE sql STABLE AS $$
  SELECT greatest(10000, (t.mean_call_ms + 4 * t.call_ms_dev)
                         * greatest(2, output_tokens / greatest(1, t.completion_tokens / greatest(1, t.succeeded))))
  FROM lane_total t WHERE t.lane_id = the_lane AND t.timed_calls >= 8
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
