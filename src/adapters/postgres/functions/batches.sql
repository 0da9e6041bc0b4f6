-- What is done to whole batches. Order of locks as in grants.sql: grants, limits, requests, batch.

-- These batches have only final lines: they are over. Without pools no grant looks at their routes any more. One whose
-- deadline came while its last calls were under way, and that lost nothing by it, is completed like any other.
CREATE FUNCTION close_batches(ids bigint[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM pool WHERE batch_id = ANY (ids);
  UPDATE batch SET
    state = CASE WHEN state = 'cancelling' THEN 'cancelled' WHEN state = 'expiring' AND expired > 0 THEN 'expired' ELSE 'completed' END,
    completed_at_ms = now_ms(), is_paused = false
  WHERE id = ANY (ids) AND state IN ('in_progress', 'cancelling', 'expiring');
  DELETE FROM batch_share WHERE batch_id = ANY (ids);
$$;

-- Writes final lines for open requests of a batch that is being cancelled, or expiring; `ids` and `lines` are of equal
-- length. Requests that are not open any more, or granted, are left alone; those of any other batch, too.
CREATE FUNCTION end_requests(the_batch bigint, ids bigint[], lines text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  end_state text := (SELECT CASE state WHEN 'cancelling' THEN 'cancelled' WHEN 'expiring' THEN 'expired' END FROM batch WHERE id = the_batch);
  is_final boolean;
BEGIN
  IF end_state IS NULL THEN RETURN; END IF;
  WITH ended AS (
    UPDATE request r SET state = end_state, due_at_ms = NULL
    WHERE r.id = ANY (ids) AND r.batch_id = the_batch AND r.state IN ('pending', 'parked')
    RETURNING r.id
  ), written AS (
    INSERT INTO result (request_id, batch_id, succeeded, line)
    SELECT ended.id, the_batch, false, c.line
    FROM unnest(ids, lines) AS c (id, line) JOIN ended ON ended.id = c.id
    ON CONFLICT (request_id) DO NOTHING
    RETURNING request_id
  )
  UPDATE batch b SET cancelled = b.cancelled + CASE end_state WHEN 'cancelled' THEN w.lines ELSE 0 END,
    expired = b.expired + CASE end_state WHEN 'expired' THEN w.lines ELSE 0 END
  FROM (SELECT count(*) AS lines FROM written) AS w WHERE b.id = the_batch
  RETURNING b.bad + b.succeeded + b.failed + b.cancelled + b.expired >= b.total INTO is_final;
  IF is_final THEN PERFORM close_batches(ARRAY[the_batch]); END IF;
END
$$;

-- Failed lines of a batch (of a cancelled or expired one the cancelled or expired lines, too) are pending again, as if they
-- had never been tried; attempts so far stay in their provenance. A deadline that has passed is lifted. `the_pool` routes
-- them by another name; null keeps each line's own.
-- Returns how many lines that are; 0 changes nothing. The caller sees to the batch's pools.
CREATE FUNCTION retry_batch(the_batch bigint, the_pool text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  was batch;
  last_grant bigint := (SELECT coalesce(max(id), 0) FROM grants);
  at_ms bigint := now_ms();
  retried_failed bigint;
  retried_cancelled bigint;
  retried_expired bigint;
BEGIN
  SELECT * INTO was FROM batch WHERE id = the_batch FOR UPDATE;
  IF NOT FOUND OR was.state IN ('cancelling', 'expiring') THEN RETURN 0; END IF;
  WITH again AS (
    SELECT r.id, r.state, coalesce(the_pool, rt.pool_name) AS pool_name
    FROM request r JOIN route rt ON rt.id = r.route_id
    WHERE r.batch_id = the_batch AND (r.state = 'failed' OR (was.state IN ('cancelled', 'expired') AND r.state IN ('cancelled', 'expired')))
  ), routes AS (
    SELECT pool_name, intern_route(the_batch, pool_name, '{}') AS route_id FROM (SELECT DISTINCT pool_name FROM again) AS names
  ), moved AS (
    UPDATE request r SET state = 'pending', tries = 0, excluded = '{}', avoided = '{}', due_at_ms = NULL,
      dropped_parameters = '{}', fresh_from = last_grant + 1, route_id = routes.route_id
    FROM again JOIN routes ON routes.pool_name = again.pool_name WHERE r.id = again.id
    RETURNING again.state AS was_state
  ), forgotten AS (
    DELETE FROM result WHERE request_id IN (SELECT id FROM again)
  )
  SELECT count(*) FILTER (WHERE was_state = 'failed'), count(*) FILTER (WHERE was_state = 'cancelled'), count(*) FILTER (WHERE was_state = 'expired')
  INTO retried_failed, retried_cancelled, retried_expired FROM moved;
  IF retried_failed + retried_cancelled + retried_expired = 0 THEN RETURN 0; END IF;
  UPDATE batch SET state = 'in_progress', completed_at_ms = NULL, failed = failed - retried_failed,
    cancelled = cancelled - retried_cancelled, expired = expired - retried_expired,
    deadline_at_ms = CASE WHEN deadline_at_ms > at_ms THEN deadline_at_ms END,
    deadline_text = CASE WHEN deadline_at_ms > at_ms THEN deadline_text END,
    pool_names = CASE WHEN the_pool IS NULL OR the_pool = ANY (pool_names) THEN pool_names ELSE pool_names || the_pool END
  WHERE id = the_batch;
  RETURN retried_failed + retried_cancelled + retried_expired;
END
$$;

-- The batch goes by these terms from now on. Another priority is another company: its share begins anew there.
CREATE FUNCTION set_terms(the_batch bigint, the_night jsonb, the_priority smallint, the_deadline_ms bigint, the_deadline_text text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM batch_share s USING batch b WHERE b.id = the_batch AND s.batch_id = b.id AND b.priority <> the_priority;
  UPDATE batch SET night_window = the_night, priority = the_priority, deadline_at_ms = the_deadline_ms, deadline_text = the_deadline_text
  WHERE id = the_batch AND state = 'in_progress';
  PERFORM wake_dispatchers('*');
END
$$;

-- Removes a batch with everything it holds. Calls under way stay counted; their grants find nothing to finish.
CREATE FUNCTION remove_batch(the_batch bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  unbegun bigint[];
  begun bigint[];
BEGIN
  -- Until nothing is open: what is being granted meanwhile is waited for, and what is given back is not granted again.
  -- Grants are locked first, then limits, then requests, as by whoever ends calls.
  LOOP
    SELECT array_agg(g.id) FILTER (WHERE g.state = 'granted'), array_agg(g.id) FILTER (WHERE g.state = 'begun')
    INTO unbegun, begun FROM (
      SELECT g.id, g.state FROM grants g JOIN request r ON r.id = g.request_id
      WHERE r.batch_id = the_batch AND g.state <> 'closed' ORDER BY g.id FOR UPDATE OF g) g;
    PERFORM settle_limits(scopes_of(unbegun || begun));
    UPDATE request SET state = 'bad' WHERE batch_id = the_batch AND state IN ('pending', 'parked');
    EXIT WHEN NOT EXISTS (SELECT FROM grants g JOIN request r ON r.id = g.request_id WHERE r.batch_id = the_batch AND g.state <> 'closed');
    IF unbegun IS NOT NULL THEN PERFORM release_grants(unbegun, 'its batch was removed'); END IF;
    IF begun IS NOT NULL THEN PERFORM close_lost_grants(begun); END IF;
  END LOOP;
  DELETE FROM batch WHERE id = the_batch;
  PERFORM forget_costs(the_batch);
  DELETE FROM route WHERE batch_id = the_batch;
  DELETE FROM pool WHERE batch_id = the_batch;
END
$$;
