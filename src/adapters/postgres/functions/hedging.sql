-- Hedged calls: late in a batch, when nothing of it is pending any more, a call that takes long is made a second time on a
-- lane that has nothing else to do. The first answer wins; the other is counted, and thrown away (Dean and Barroso, The
-- Tail at Scale, 2013). The request stays with its first grant, so a hedge that fails changes nothing, and a late answer
-- of either finds the final line written. A first call that comes to nothing leaves the request to its hedge: it is not
-- called a third time beside that (finish_grants, leave_to_hedges).

-- The call that this lane had better make a second time now, of those of routes that it serves: the one under way for
-- longest. One is due when it has taken longer than nineteen in twenty of its lane's do (two deviations above the mean, and 2 s at least;
-- 10 s where eight calls have not shown that yet), or when this lane is likely to be done in half of the time that is left to it.
-- Each request is hedged once at a time, and only by a lane that was not tried with it; none is from quota that others wait for.
--
-- Returns a null `request_id` where there is none; then `wake_at_ms` is when the first will be due, null: none.
CREATE FUNCTION choose_hedge(
  the_lane text, scopes text[], routes integer[], requests bigint, has call_room, full_size call_room, measure lane_measure, at_ms bigint,
  OUT request_id bigint, OUT prompt bigint, OUT output bigint, OUT wake_at_ms bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  own_ms double precision := coalesce((SELECT mean_call_ms FROM lane_total WHERE lane_id = the_lane), 5000);
  slow record;
BEGIN
  IF requests < 1 THEN RETURN; END IF;
  FOR slow IN
    SELECT g.id, g.request_id, g.begun_at_ms, q.batch_id, q.fresh_from, q.output_tokens, q.output_is_asked,
           q.prompt_tokens AS counted, most_prompt(full_size, least(q.output_tokens, measure.max_output), measure) AS most,
           CASE WHEN t.timed_calls >= 8 AND t.mean_call_ms - (at_ms - g.begun_at_ms) > 2 * own_ms + 1000 THEN at_ms
                ELSE g.begun_at_ms + ceil(greatest(CASE WHEN t.timed_calls >= 8 THEN 2000 ELSE 10000 END, t.mean_call_ms + 2 * t.call_ms_dev))::bigint
           END AS due_ms
    FROM grants g JOIN request q ON q.id = g.request_id AND q.grant_id = g.id LEFT JOIN lane_total t ON t.lane_id = g.lane_id
    WHERE g.state = 'begun' AND g.lane_id <> the_lane AND q.state = 'granted' AND q.route_id = ANY (routes)
      AND NOT q.excluded && scopes AND NOT q.avoided && scopes
    ORDER BY g.begun_at_ms
  LOOP
    CONTINUE WHEN EXISTS (SELECT FROM route r JOIN request p ON p.route_id = r.id AND p.state = 'pending' WHERE r.batch_id = slow.batch_id);
    CONTINUE WHEN slow.output_is_asked AND slow.output_tokens > measure.max_output;
    -- As in fitting_requests.
    CONTINUE WHEN slow.counted > greatest(slow.most, counted_tokens(slow.most, measure));
    prompt := least(ceil(slow.counted * measure.token_ratio)::bigint, slow.most);
    output := least(slow.output_tokens, measure.max_output);
    CONTINUE WHEN NOT fits(has, prompt, output, measure);
    IF slow.due_ms > at_ms THEN
      wake_at_ms := least(wake_at_ms, slow.due_ms);
      CONTINUE;
    END IF;
    EXIT WHEN is_wanted_beside(the_lane, scopes[2]);
    -- Whoever holds the row is about to end it, or hedges it already. Who did so a moment ago is seen once it is locked.
    PERFORM 1 FROM request q WHERE q.id = slow.request_id AND q.state = 'granted' AND q.grant_id = slow.id FOR UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND OR EXISTS (
      SELECT FROM grants o WHERE o.request_id = slow.request_id AND o.id <> slow.id
        AND (o.state <> 'closed' OR (o.lane_id = the_lane AND o.outcome <> 'released' AND o.id >= slow.fresh_from)));
    request_id := slow.request_id;
    wake_at_ms := NULL;
    RETURN;
  END LOOP;
END
$$;

-- Whether requests wait that other lanes of the provider may take, out of limits that all of its lanes share.
CREATE FUNCTION is_wanted_beside(the_lane text, the_provider text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM quota_limit l WHERE l.scope = the_provider AND l.active) AND EXISTS (
    SELECT FROM batch b JOIN pool p ON p.batch_id = b.id JOIN route r ON r.batch_id = p.batch_id AND r.pool_name = p.name
    WHERE b.state = 'in_progress' AND NOT b.is_paused AND the_provider <> ALL (r.excluded)
      AND EXISTS (SELECT FROM unnest(p.lane_ids) AS l WHERE starts_with(l, the_provider || '/') AND l <> the_lane AND l <> ALL (r.excluded))
      AND EXISTS (SELECT FROM request q WHERE q.route_id = r.id AND q.state = 'pending'))
$$;

-- The requests of these grants, which are closed, are from now on those of their hedges. Requests are locked before anybody
-- looks, whosever they are: hedges are granted and ended under that lock.
CREATE FUNCTION leave_to_hedges(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  request_ids bigint[] := ARRAY(SELECT request_id FROM grants WHERE id = ANY (ids));
BEGIN
  PERFORM 1 FROM request WHERE id = ANY (request_ids) ORDER BY id FOR UPDATE;
  UPDATE request r SET grant_id = h.id FROM grants h
  WHERE r.id = ANY (request_ids) AND h.request_id = r.id AND h.state <> 'closed' AND r.state = 'granted' AND r.grant_id = ANY (ids);
END
$$;
