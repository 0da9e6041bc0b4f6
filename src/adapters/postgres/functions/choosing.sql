-- Which requests a lane is granted next: what its limits have left, what calls would take, and which fit best.

-- How a lane turns a request into a call: its own tokens per token counted at ingest, at most (four deviations above the
-- mean that its answers have shown, as TCP sets its timer; until then what its terms say), and its cost in units.
CREATE FUNCTION measure_of(the_lane text, max_output bigint) RETURNS lane_measure LANGUAGE sql STABLE AS $$
  SELECT ROW(least(8, greatest(0.25, coalesce(t.token_ratio + 4 * t.token_ratio_dev, s.token_ratio, 1.25))), s.unit_input, s.unit_output, max_output)::lane_measure
  FROM (SELECT the_lane AS lane_id) AS l
  LEFT JOIN lane_terms s ON s.lane_id = l.lane_id LEFT JOIN lane_total t ON t.lane_id = l.lane_id
$$;

-- What the limits of these scopes still have, and what one call may take of them at most when they are empty; null:
-- unlimited. `is_probe`: limits that evidence lowered, and that are due for a probe, count at what is declared.
CREATE FUNCTION room_left(
  scopes text[], context_tokens bigint, at_ms bigint, is_probe boolean,
  OUT calls bigint, OUT requests bigint, OUT has call_room, OUT full_size call_room
) LANGUAGE sql STABLE AS $$
  WITH l AS (
    SELECT q.metric, q.used, q.debt, is_open_for(q, at_ms) AS is_open,
           CASE WHEN is_probe AND is_due_for_probe(q, at_ms) THEN q.declared ELSE q.amount END AS amount
    FROM quota_limit q WHERE q.scope = ANY (scopes) AND q.active
  ), left_over AS (
    SELECT l.metric, l.amount, CASE WHEN l.is_open THEN floor(l.amount - l.used - l.debt)::bigint ELSE -1 END AS free FROM l
  )
  SELECT min(free) FILTER (WHERE metric = 'calls'),
         CASE WHEN bool_or(free < 0 AND metric <> 'calls') THEN 0 ELSE min(free) FILTER (WHERE metric = 'requests') END,
         ROW(min(free) FILTER (WHERE metric = 'tokens'), min(free) FILTER (WHERE metric = 'inputTokens'),
             min(free) FILTER (WHERE metric = 'outputTokens'), min(free) FILTER (WHERE metric = 'units'))::call_room,
         ROW(least(context_tokens, min(amount) FILTER (WHERE metric = 'tokens')), min(amount) FILTER (WHERE metric = 'inputTokens'),
             min(amount) FILTER (WHERE metric = 'outputTokens'), min(amount) FILTER (WHERE metric = 'units'))::call_room
  FROM left_over
$$;

-- Which of the pending requests are called next, for so many calls at most. A higher priority goes before a lower one. Of
-- equal ones first what the lane's plan wishes for, batch by batch as it is their turn and in that order, then of the routes
-- that the plan does not know what suits the lane by itself.
--
-- requests, has, full_size   see room_left
-- routes                     those the lane serves; in their order
-- wishes                     ranges of the backlog, see src/core/plan/wish-list.ts; the routes they are from are left to them
-- planned_routes             routes the plan knows: of these nothing is taken but by a wish, nor of those that are newer (see new_routes)
-- paid_context               on a paid lane its context: what is wished for and what is left of a budget cannot pay for is passed by; null: all is looked at
-- is_sliced                  take all from one batch, so that whatever happens to it happens to the whole slice, and to its slot
--
-- Starvation: what is wanted most and does not fit yet is waited for. Meanwhile others go first that fit beside it when
-- it is called, so that they do not put it off (EASY backfilling: Lifka, 1995). What fits beside it is not known while some
-- are chosen that the record does not have yet: then it is worth asking again at once. Nothing goes first where answers that
-- are due will make the room: small requests would use up the calls that large ones are planned with.
--
-- Returns for each request the place of its wish, 0 for none.
CREATE FUNCTION choose_requests(
  the_lane text, scopes text[], routes integer[], requests bigint, has call_room, full_size call_room, measure lane_measure,
  target_tokens bigint, wishes wish[], planned_routes integer[], at_most integer, is_sliced boolean, paid_context bigint, at_ms bigint,
  OUT request_ids bigint[], OUT prompts bigint[], OUT outputs bigint[], OUT places integer[], OUT stopped_by text, OUT wake_at_ms bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  step record;
  the_wish wish;
  best record;
  candidate record;
  beside record;
  coming record;
  taken_before integer;
  is_waiting boolean := false;
  the_batch bigint;
  -- The longest prompt that can be paid for, and for whose wishes with which bound of the answer.
  payable bigint;
  payable_batch bigint;
  payable_cap bigint;
  -- The smallest of those that are welcome and do not fit now.
  welcome_prompt bigint;
  welcome_output bigint;
  -- Routes that the plan does not know although something waits there (after a night of failures there are hundreds of
  -- routes, most of them empty), and those of them to which its wishes extend.
  unplanned integer[] := ARRAY(
    SELECT t.route_id FROM unnest(routes) AS t (route_id)
    WHERE t.route_id <> ALL (planned_routes) AND EXISTS (SELECT FROM request q WHERE q.route_id = t.route_id AND q.state = 'pending'));
  newer integer[] := CASE WHEN unplanned = '{}' THEN '{}' ELSE new_routes(unplanned, planned_routes) END;
BEGIN
  request_ids := '{}'; prompts := '{}'; outputs := '{}'; places := '{}'; stopped_by := '';
  IF cardinality(newer) > 0 THEN wishes := wishes || wishes_extended_to(newer, wishes); END IF;

  FOR step IN
    WITH served AS (
      SELECT t.route_id, t.turn, b.id AS batch_id, b.priority, min(t.turn) OVER (PARTITION BY b.id) AS batch_turn
      FROM unnest(routes) WITH ORDINALITY AS t (route_id, turn) JOIN route r ON r.id = t.route_id JOIN batch b ON b.id = r.batch_id
    )
    SELECT s.route_id, s.batch_id, w AS wish, false AS is_unplanned, s.priority, s.batch_turn, w.place, s.turn
    FROM served s JOIN unnest(wishes) AS w ON w.route_id = s.route_id
    UNION ALL
    SELECT s.route_id, s.batch_id, NULL, true, s.priority, s.batch_turn, 0, s.turn
    FROM served s WHERE s.route_id = ANY (unplanned) AND s.route_id <> ALL (newer)
    ORDER BY priority DESC, is_unplanned, batch_turn, place, turn
  LOOP
    EXIT WHEN cardinality(request_ids) >= at_most OR (is_waiting AND requests < 1);
    CONTINUE WHEN is_sliced AND the_batch <> step.batch_id;
    taken_before := cardinality(request_ids);
    the_wish := step.wish; -- null where it is a route that the plan does not know

    IF step.is_unplanned THEN
      -- The request that this lane would rather serve than any other, whether or not there is room now.
      SELECT c.* INTO best FROM fitting_requests(step.route_id, full_size, full_size, measure, target_tokens, 1, request_ids) c;
      CONTINUE WHEN best IS NULL;
      IF NOT is_waiting AND (requests < 1 OR NOT fits(has, best.prompt_tokens, best.output_tokens, measure)) THEN
        is_waiting := true;
        stopped_by := 'no-room';
        EXIT WHEN taken_before > 0;
        wake_at_ms := least(wake_at_ms, room_at_ms(scopes, best.prompt_tokens, best.output_tokens, measure, at_ms));
        beside := room_beside(scopes, requests, has, best.prompt_tokens, best.output_tokens, measure, at_ms);
        requests := beside.requests; has := beside.has;
        EXIT WHEN requests < 1;
      END IF;
    ELSE
      IF paid_context IS NOT NULL THEN
        IF (step.batch_id, the_wish.cap::bigint) IS DISTINCT FROM (payable_batch, payable_cap) THEN
          payable := most_payable_prompt(step.batch_id, the_lane, least(the_wish.cap, measure.max_output), paid_context);
          payable_batch := step.batch_id; payable_cap := the_wish.cap;
        END IF;
        CONTINUE WHEN payable < 0;
      END IF;
      IF requests < 1 THEN
        CONTINUE WHEN stopped_by <> ''; -- one that waits for the next request is enough
        SELECT c.* INTO best FROM wished_requests(the_wish, full_size, full_size, measure, 1, request_ids, payable) c;
        CONTINUE WHEN best IS NULL;
        stopped_by := 'no-room';
        wake_at_ms := least(wake_at_ms, room_at_ms(scopes, best.prompt_tokens, best.output_tokens, measure, at_ms));
        CONTINUE;
      END IF;
    END IF;

    FOR candidate IN
      SELECT c.* FROM wished_requests(the_wish, has, full_size, measure, least(the_wish.at_most, at_most - taken_before), request_ids, payable) c
      WHERE NOT step.is_unplanned
      UNION ALL
      SELECT c.* FROM fitting_requests(step.route_id, has, full_size, measure, target_tokens, at_most - taken_before, request_ids) c
      WHERE step.is_unplanned
    LOOP
      EXIT WHEN requests < 1;
      CONTINUE WHEN NOT fits(has, candidate.prompt_tokens, candidate.output_tokens, measure);
      requests := requests - 1;
      has := room_without(has, candidate.prompt_tokens, candidate.output_tokens, measure);
      request_ids := request_ids || candidate.id;
      prompts := prompts || candidate.prompt_tokens::bigint;
      outputs := outputs || candidate.output_tokens::bigint;
      places := places || coalesce(the_wish.place, 0);
      the_batch := step.batch_id;
    END LOOP;
    CONTINUE WHEN step.is_unplanned;
    CONTINUE WHEN is_waiting OR cardinality(request_ids) - taken_before >= least(the_wish.at_most, at_most - taken_before);
    CONTINUE WHEN NOT the_wish.is_planned AND (cardinality(request_ids) > 0 OR the_wish.from_tokens >= welcome_prompt);
    SELECT c.* INTO best FROM wished_requests(the_wish, full_size, full_size, measure, 1, request_ids, payable) c;
    CONTINUE WHEN best IS NULL OR fits(has, best.prompt_tokens, best.output_tokens, measure);
    IF NOT the_wish.is_planned THEN
      welcome_prompt := best.prompt_tokens; welcome_output := best.output_tokens;
      CONTINUE;
    END IF;
    is_waiting := true;
    stopped_by := 'no-room';
    IF cardinality(request_ids) > 0 THEN requests := 0; EXIT; END IF;
    wake_at_ms := room_at_ms(scopes, best.prompt_tokens, best.output_tokens, measure, at_ms);
    coming := coming_back(the_lane, scopes, at_ms);
    IF fits(has, best.prompt_tokens, best.output_tokens - coming.tokens, measure) THEN
      wake_at_ms := least(wake_at_ms, at_ms + coming.within_ms);
      requests := 0;
      EXIT;
    END IF;
    beside := room_beside(scopes, requests, has, best.prompt_tokens, best.output_tokens, measure, at_ms);
    requests := beside.requests; has := beside.has;
  END LOOP;

  IF cardinality(request_ids) = 0 AND NOT is_waiting AND welcome_prompt IS NOT NULL THEN
    stopped_by := 'no-room';
    wake_at_ms := least(wake_at_ms, room_at_ms(scopes, welcome_prompt, welcome_output, measure, at_ms));
  END IF;
  IF cardinality(request_ids) > 0 AND is_waiting THEN wake_at_ms := coalesce(wake_at_ms, at_ms); END IF;
  IF cardinality(request_ids) = 0 AND stopped_by = '' THEN
    stopped_by := 'no-work';
    -- Whoever looks at what does not fit him now hides it for that long.
    IF paid_context IS NULL AND is_hidden(routes, wishes, has, full_size, measure) THEN wake_at_ms := least(wake_at_ms, at_ms + 50); END IF;
  END IF;
  IF cardinality(request_ids) > 0 AND (cardinality(request_ids) >= at_most OR is_sliced) THEN
    stopped_by := ''; wake_at_ms := NULL;
  END IF;
END
$$;

-- Those of the routes whose requests a plan knew on another route of the same pool: they failed since it was made. Whatever lane
-- idles would take them at once, and it idles because nothing of their size belongs there. So until the next plan they go where others
-- of their size do, as long as others wait.
CREATE FUNCTION new_routes(unplanned integer[], planned_routes integer[]) RETURNS integer[] LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(n.id), '{}') FROM route n
  WHERE n.id = ANY (unplanned) AND EXISTS (
    SELECT FROM route k WHERE k.id = ANY (planned_routes) AND k.batch_id = n.batch_id AND k.pool_name = n.pool_name
      AND EXISTS (SELECT FROM request q WHERE q.route_id = k.id AND q.state = 'pending'))
$$;

-- The wishes for such routes, each range once, as early as it is wished for on any route of the same pool.
CREATE FUNCTION wishes_extended_to(newer integer[], wishes wish[]) RETURNS wish[] LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(e.extended), '{}') FROM (
    SELECT ROW(min(w.place), n.id, w.is_asked, w.cap, w.from_tokens, w.to_tokens, max(w.at_most), bool_or(w.is_planned))::wish AS extended
    FROM route n JOIN route k ON k.batch_id = n.batch_id AND k.pool_name = n.pool_name JOIN unnest(wishes) AS w ON w.route_id = k.id
    WHERE n.id = ANY (newer)
    GROUP BY n.id, w.is_asked, w.cap, w.from_tokens, w.to_tokens
  ) AS e
$$;

-- Whether requests are pending that a lane wishes for and has room for: then others hold them just now.
CREATE FUNCTION is_hidden(routes integer[], wishes wish[], has call_room, full_size call_room, measure lane_measure) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM unnest(wishes) AS w, LATERAL (SELECT least(w.cap, measure.max_output)::bigint) AS o (output),
      LATERAL (SELECT least(most_prompt(has, o.output, measure), most_prompt(full_size, o.output, measure))) AS p (most)
    WHERE w.route_id = ANY (routes) AND w.at_most > 0 AND NOT (w.is_asked AND w.cap > measure.max_output) AND EXISTS (
      SELECT FROM request q WHERE q.state = 'pending' AND q.route_id = w.route_id AND q.output_is_asked = w.is_asked AND q.output_tokens = w.cap
        AND q.prompt_tokens BETWEEN w.from_tokens AND least(w.to_tokens, p.most, counted_tokens(p.most, measure))))
$$;

-- Tokens that calls under way have reserved beyond what their answers are going to take, by those that their lanes gave: they
-- are free again within the time of a call. Of calls that take too long nothing is expected. All lanes of the provider count
-- where its limits of tokens are common to them.
CREATE FUNCTION coming_back(the_lane text, scopes text[], at_ms bigint, OUT tokens bigint, OUT within_ms bigint) LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(greatest(0, g.output_tokens - ceil(1.25 * t.completion_tokens / t.succeeded))), 0)::bigint, max(ceil(t.mean_call_ms))::bigint
  FROM grants g JOIN lane_total t ON t.lane_id = g.lane_id AND t.succeeded > 0
  WHERE g.state <> 'closed' AND at_ms - coalesce(g.begun_at_ms, at_ms) < 2 * t.mean_call_ms
    AND (g.lane_id = the_lane OR (g.provider_id = scopes[2] AND EXISTS (
      SELECT FROM quota_limit l WHERE l.scope = scopes[2] AND l.active AND l.metric IN ('tokens', 'outputTokens', 'units'))))
$$;

-- What of the room is left after such a call.
CREATE FUNCTION room_without(has call_room, prompt_tokens bigint, output_tokens bigint, measure lane_measure) RETURNS call_room LANGUAGE sql IMMUTABLE AS $$
  SELECT ROW(has.tokens - prompt_tokens - output_tokens, has.input - prompt_tokens, has.output - output_tokens,
             has.units - use_amount('units', prompt_tokens, output_tokens, measure.unit_input, measure.unit_output))::call_room
$$;

-- What of the room calls may take now that fit beside a call which waits until it fits itself: what is free then, by what is
-- known now, less what it needs. Calls that have not begun are thought to begin now. Nothing where there is no telling: then a
-- call that has not finished takes from a bucket, and what that gives is for the one that waits. Limits must have been settled.
CREATE FUNCTION room_beside(
  scopes text[], requests_now bigint, has_now call_room, prompt_tokens bigint, output_tokens bigint, measure lane_measure, at_ms bigint,
  OUT requests bigint, OUT has call_room
) LANGUAGE sql STABLE AS $$
  WITH beside AS (
    SELECT l.metric, floor(l.amount - l.used + ended.amount
        - CASE WHEN l.window_kind = 'refill'
               -- What ends by then is debt, which drains at least from the last of those ends on.
               THEN greatest(0, l.debt + ended.amount - (u.until_ms - greatest(at_ms, ended.last_ms)) * l.amount::double precision / l.per_ms)
               ELSE l.debt - CASE WHEN use_end_ms(l, at_ms + l.margin_ms) <= u.until_ms THEN held_of(l.id) ELSE 0 END END
        - use_amount(l.metric, prompt_tokens, output_tokens, measure.unit_input, measure.unit_output))::bigint AS room
    FROM quota_limit l, room_at_ms(scopes, prompt_tokens, output_tokens, measure, at_ms, at_ms) AS u (until_ms), LATERAL (
      SELECT coalesce(sum(q.amount), 0) AS amount, max(q.expires_at_ms) AS last_ms
      FROM quota_use q WHERE q.limit_id = l.id AND q.expires_at_ms <= u.until_ms
    ) AS ended
    WHERE l.scope = ANY (scopes) AND l.active AND l.window_kind <> 'concurrency' AND u.until_ms IS NOT NULL
  )
  SELECT least(requests_now, min(room) FILTER (WHERE metric = 'requests'), CASE WHEN count(*) = 0 THEN 0 END),
         ROW(least(has_now.tokens, min(room) FILTER (WHERE metric = 'tokens')), least(has_now.input, min(room) FILTER (WHERE metric = 'inputTokens')),
             least(has_now.output, min(room) FILTER (WHERE metric = 'outputTokens')), least(has_now.units, min(room) FILTER (WHERE metric = 'units')))::call_room
  FROM beside
$$;

-- The pending requests of a wish that fit what a lane has, the largest first, as a call here would reserve them (see
-- fitting_requests), without those that are chosen already, or that may take longer prompts than can be paid for. Locks what it answers and skips what others have locked.
CREATE FUNCTION wished_requests(the_wish wish, has call_room, full_size call_room, measure lane_measure, at_most integer, chosen bigint[], payable bigint)
RETURNS TABLE (id bigint, prompt_tokens integer, output_tokens integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  output bigint := least(the_wish.cap, measure.max_output);
  full_prompt bigint;
  most bigint;
BEGIN
  IF (the_wish.is_asked AND the_wish.cap > measure.max_output) OR output > has.output THEN RETURN; END IF;
  full_prompt := most_prompt(full_size, output, measure);
  -- What fits an empty window fits, even if the lane's tokenizer should make a little more of it than the window holds.
  most := least(
    greatest(full_prompt, counted_tokens(full_prompt, measure)),
    CASE WHEN most_prompt(has, output, measure) < full_prompt THEN counted_tokens(most_prompt(has, output, measure), measure) END,
    the_wish.to_tokens);
  IF most < the_wish.from_tokens THEN RETURN; END IF;
  RETURN QUERY
    SELECT q.id, least(ceil(q.prompt_tokens * measure.token_ratio)::bigint, full_prompt)::integer, output::integer FROM request q
    WHERE q.state = 'pending' AND q.route_id = the_wish.route_id AND q.output_is_asked = the_wish.is_asked AND q.output_tokens = the_wish.cap
      AND q.prompt_tokens BETWEEN the_wish.from_tokens AND most AND q.id <> ALL (chosen)
      AND (payable IS NULL OR q.most_prompt_tokens <= payable)
    ORDER BY q.prompt_tokens DESC, q.id DESC LIMIT at_most FOR UPDATE SKIP LOCKED;
END
$$;

-- Whether a call of this size fits.
CREATE FUNCTION fits(has call_room, prompt_tokens bigint, output_tokens bigint, measure lane_measure) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(prompt_tokens + output_tokens <= has.tokens, true) AND coalesce(prompt_tokens <= has.input, true)
     AND coalesce(output_tokens <= has.output, true)
     AND coalesce(use_amount('units', prompt_tokens, output_tokens, measure.unit_input, measure.unit_output) <= has.units, true)
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
      AND l.amount < 50 * window_ms(l) / 1000.0
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

-- The pending requests of a route that fit what a lane has, best first: the largest up to the target, then the smallest
-- above it, without those that are chosen already. Locks what it looks at and skips what others have locked. Tokens are
-- answered as a call here would reserve them: those of the lane's own tokenizer, at most what the lane ever takes, and an answer
-- cut to what it can give.
--
-- Works cap by cap: requests with the same bound of the answer are sorted by their prompt, so that every bound is a
-- range of the index and nothing is read that does not fit. There are few caps: our own, and at most a hundred that
-- lines ask for (src/core/tokens/reserved-output.ts rounds them up).
CREATE FUNCTION fitting_requests(
  the_route integer, has call_room, full_size call_room, measure lane_measure, target_tokens bigint, at_most integer, chosen bigint[]
) RETURNS TABLE (id bigint, prompt_tokens integer, output_tokens integer) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  found_rows integer;
  cap record;
  output bigint;
  most bigint;
  is_asked boolean := false;
  last_cap integer := -1;
  asked_caps boolean[] := '{}';
  caps integer[] := '{}';
  outputs bigint[] := '{}';
  full_prompts bigint[] := '{}';
  most_counted bigint[] := '{}';
  target_counted bigint[] := '{}';
BEGIN
  LOOP
    SELECT r.output_is_asked, r.output_tokens INTO cap FROM request r
    WHERE r.state = 'pending' AND r.route_id = the_route AND (r.output_is_asked, r.output_tokens) > (is_asked, last_cap)
    ORDER BY r.output_is_asked, r.output_tokens LIMIT 1;
    EXIT WHEN NOT FOUND;
    is_asked := cap.output_is_asked;
    last_cap := cap.output_tokens;
    -- A cap that a line asks for is never cut; one of ours is.
    CONTINUE WHEN is_asked AND last_cap > measure.max_output;
    output := least(last_cap, measure.max_output);
    CONTINUE WHEN output > has.output;
    most := most_prompt(full_size, output, measure);
    asked_caps := asked_caps || is_asked;
    caps := caps || last_cap;
    outputs := outputs || output;
    full_prompts := full_prompts || most;
    -- What fits an empty window fits, even if the lane's tokenizer should make a little more of it than the window holds.
    most_counted := most_counted || least(
      greatest(most, counted_tokens(most, measure)),
      CASE WHEN most_prompt(has, output, measure) < most THEN counted_tokens(most_prompt(has, output, measure), measure) END);
    target_counted := target_counted || counted_tokens(target_tokens - output, measure);
  END LOOP;
  RETURN QUERY
    SELECT r.id, least(ceil(r.prompt_tokens * measure.token_ratio)::bigint, c.full_prompt)::integer, c.output::integer
    FROM unnest(asked_caps, caps, outputs, full_prompts, most_counted, target_counted) AS c (is_asked, cap, output, full_prompt, most, target)
    CROSS JOIN LATERAL (
      SELECT q.id, q.prompt_tokens FROM request q
      WHERE q.state = 'pending' AND q.route_id = the_route AND q.output_is_asked = c.is_asked AND q.output_tokens = c.cap
        AND q.prompt_tokens <= least(c.most, c.target) AND q.id <> ALL (chosen)
      ORDER BY q.prompt_tokens DESC, q.id DESC LIMIT at_most FOR UPDATE SKIP LOCKED
    ) AS r
    ORDER BY r.prompt_tokens + c.output DESC LIMIT at_most;
  GET DIAGNOSTICS found_rows = ROW_COUNT;
  IF found_rows < at_most THEN
    RETURN QUERY
      SELECT r.id, least(ceil(r.prompt_tokens * measure.token_ratio)::bigint, c.full_prompt)::integer, c.output::integer
      FROM unnest(asked_caps, caps, outputs, full_prompts, most_counted, target_counted) AS c (is_asked, cap, output, full_prompt, most, target)
      CROSS JOIN LATERAL (
        SELECT q.id, q.prompt_tokens FROM request q
        WHERE q.state = 'pending' AND q.route_id = the_route AND q.output_is_asked = c.is_asked AND q.output_tokens = c.cap
          AND q.prompt_tokens > c.target AND q.prompt_tokens <= c.most AND q.id <> ALL (chosen)
        ORDER BY q.prompt_tokens, q.id LIMIT at_most - found_rows FOR UPDATE SKIP LOCKED
      ) AS r
      ORDER BY r.prompt_tokens + c.output LIMIT at_most - found_rows;
  END IF;
END
$$;

-- The longest prompt, in the lane's own tokens, beside such an answer; negative where the answer alone does not fit.
CREATE FUNCTION most_prompt(has call_room, output_tokens bigint, measure lane_measure) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT least(2147483647, has.input, has.tokens - output_tokens,
    CASE WHEN has.units < output_tokens * measure.unit_output THEN -1
         ELSE floor(least(2147483647, (has.units - output_tokens * measure.unit_output) / nullif(measure.unit_input, 0)))::bigint END)
$$;

-- As many tokens of a prompt as counted at ingest as surely make no more than these of the lane's own.
CREATE FUNCTION counted_tokens(tokens bigint, measure lane_measure) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT least(2147483647, floor(tokens / measure.token_ratio))::bigint
$$;
