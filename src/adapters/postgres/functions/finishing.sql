-- The end of calls: what they took of the quota, what became of their requests, and final lines, written once.

-- The calls of these grants are over. Arrays of equal length, one entry per grant:
--
-- outcomes    'succeeded' or a failure kind          reasons   short text or null
-- prompts, completions   tokens the provider reported, or null
-- settles     how the reservation is settled: 'usage', 'estimate' (kept), 'prompt' (of windows of more than five minutes the
--             answer given back: see src/core/quota/quota.ts), 'request' (all tokens given back), 'release'
-- next_states of the request: 'succeeded', 'failed', 'pending', 'parked'
-- lines       the final line for succeeded and failed
-- due_ats     parked: when it is pending again; pending: when nothing is avoided any more; else null
-- excludeds, avoideds, droppeds  the request's new sets, as JSON arrays
-- tries_spent 0 or 1
-- output_caps a new bound of the answer for the next attempt, or null
-- durations   of the calls, in ms, or null
-- sents       when the worker sent the call, which may be later than it began; null: then
-- tolds       what the provider said of its limits, as JSON, or null; see evidence.sql
--
-- Fenced by the grant: a grant that was closed meanwhile changes nothing but its own tokens, except that a late
-- success is kept if its request has no final line yet. A final line is written once: a failure leaves the request to a hedge.
CREATE FUNCTION finish_grants(
  ids bigint[], outcomes text[], reasons text[], prompts integer[], completions integer[], settles text[],
  next_states text[], lines text[], due_ats bigint[], excludeds text[], avoideds text[], droppeds text[], tries_spent smallint[],
  output_caps integer[], durations integer[], sents bigint[], tolds text[]
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  told finishing[];
  scopes text[];
  at_ms bigint;
  final_batches bigint[];
BEGIN
  PERFORM 1 FROM grants WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
  SELECT array_agg(ROW(g.id, g.lane_id, g.provider_id, g.request_id, greatest(g.begun_at_ms, f.sent), g.state = 'begun', f.outcome, f.reason,
                       f.prompt, f.completion, f.settle, f.next_state, f.line, f.due_at, to_array(f.excluded), to_array(f.avoided),
                       to_array(f.dropped), f.tries, f.output_cap, f.duration_ms, f.told::jsonb)::finishing ORDER BY g.id)
  INTO told
  FROM unnest(ids, outcomes, reasons, prompts, completions, settles, next_states, lines, due_ats, excludeds, avoideds,
              droppeds, tries_spent, output_caps, durations, sents, tolds)
       AS f (id, outcome, reason, prompt, completion, settle, next_state, line, due_at, excluded, avoided, dropped, tries,
             output_cap, duration_ms, sent, told)
  JOIN grants g ON g.id = f.id;
  IF told IS NULL THEN RETURN; END IF;

  SELECT array_agg(DISTINCT s) INTO scopes
  FROM unnest(told) AS f, unnest(ARRAY[f.lane_id, f.provider_id]) AS s;
  at_ms := settle_limits(scopes);

  PERFORM hear_answer(f, at_ms) FROM unnest(told) AS f
  WHERE f.told IS NOT NULL OR (SELECT bool_or(l.probe_grant_id IS NOT NULL) FROM quota_limit l WHERE l.scope = ANY (scopes));
  PERFORM confirm_session(l.id, f.begun_at_ms)
  FROM unnest(told) AS f JOIN quota_use u ON u.grant_id = f.id JOIN quota_limit l ON l.id = u.limit_id AND l.window_kind = 'session'
  WHERE f.outcome IN ('succeeded', 'useless-answer') AND f.settle IN ('usage', 'estimate');

  -- Quota: what the call really took, and its call slot.
  WITH uses AS MATERIALIZED (
    SELECT u.grant_id, u.limit_id, u.amount AS was,
      CASE
        WHEN l.window_kind = 'concurrency' OR f.settle = 'release' THEN 0
        WHEN f.settle = 'estimate' OR l.metric = 'requests' THEN u.amount
        WHEN f.settle = 'request' THEN 0
        WHEN f.settle = 'prompt' AND window_ms(l) <= 300000 THEN u.amount
        WHEN f.settle = 'prompt' THEN use_amount(l.metric, g.prompt_tokens, 0, t.unit_input, t.unit_output)
        ELSE use_amount(l.metric, coalesce(f.prompt, 0), coalesce(f.completion, 0), t.unit_input, t.unit_output)
      END AS amount,
      finished_use_end_ms(l, u.expires_at_ms, coalesce(f.begun_at_ms, at_ms), at_ms) AS end_ms
    FROM unnest(told) AS f JOIN grants g ON g.id = f.id JOIN quota_use u ON u.grant_id = f.id JOIN quota_limit l ON l.id = u.limit_id
    LEFT JOIN lane_terms t ON t.lane_id = f.lane_id
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

  UPDATE grants g SET state = 'closed', begun_at_ms = f.begun_at_ms, closed_at_ms = at_ms, outcome = f.outcome, reason = f.reason,
    used_prompt_tokens = f.prompt, used_completion_tokens = f.completion
  FROM unnest(told) AS f WHERE g.id = f.id AND f.is_open;

  PERFORM tally_calls(told);

  -- Requests: the one that holds the request decides; a late success does too while there is no final line. Locked
  -- before they are looked at, since two calls of one request may end at the same moment, even in one go.
  PERFORM 1 FROM request WHERE id = ANY (ARRAY(SELECT f.request_id FROM unnest(told) AS f)) ORDER BY id FOR UPDATE;
  PERFORM settle_costs(told);
  -- One that fails while it is being called a second time is that call's from now on, with what the failure taught. One that
  -- fails for good is not left to a call that may never begin.
  UPDATE request r SET grant_id = h.id, tries = r.tries + f.tries,
    excluded = f.excluded, avoided = f.avoided, dropped_parameters = f.dropped, output_tokens = coalesce(f.output_cap, r.output_tokens),
    due_at_ms = CASE WHEN cardinality(f.avoided) > 0 THEN coalesce(greatest(f.due_at_ms, r.due_at_ms), at_ms) END,
    route_id = intern_route(r.batch_id, (SELECT pool_name FROM route WHERE id = r.route_id), f.excluded, f.avoided)
  FROM unnest(told) AS f JOIN grants h ON h.request_id = f.request_id AND h.id <> f.id
    AND (h.state = 'begun' OR (h.state = 'granted' AND f.next_state <> 'failed'))
  WHERE r.id = f.request_id AND r.state = 'granted' AND r.grant_id = f.id AND f.is_open AND f.next_state <> 'succeeded';
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
                    THEN intern_route(r.batch_id, (SELECT pool_name FROM route WHERE id = r.route_id), f.excluded, f.avoided)
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
             coalesce(sum(f.prompt) FILTER (WHERE written.succeeded), 0) AS prompt,
             coalesce(sum(f.completion) FILTER (WHERE written.succeeded), 0) AS completion
      FROM written JOIN unnest(told) AS f ON f.request_id = written.request_id GROUP BY written.batch_id ORDER BY written.batch_id
    ) w WHERE b.id = w.batch_id
    RETURNING b.id, b.bad + b.succeeded + b.failed + b.cancelled + b.expired >= b.total AS is_final
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
