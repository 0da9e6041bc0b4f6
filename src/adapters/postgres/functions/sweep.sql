-- A heartbeat of every process with a dispatcher. Cleans up after the dead, and wakes what is due:
--
-- - a process that is known to be gone (`gone_ids`), without its advisory lock for 3 s (its connection is gone), or silent for
--   `silent_s` seconds, is removed; the calls it had begun are closed as 'lost': their quota stays counted, their requests
--   go back to the backlog. A server that was restarted has taken everybody's lock: then they have 10 s to come back
-- - a grant that has not begun for `unbegun_s` seconds is released
-- - requests whose instant has come are pending again, with nothing avoided
-- - a batch whose deadline has come is expiring: nothing more is granted to it
--
-- Returns grants that have not begun although their job was added 2 s ago (then 4 s, 8 s, ...): it may be lost, or
-- held by a dead process, so add another. And the next instant at which a request falls due or a deadline comes, or null.
CREATE FUNCTION sweep(silent_s double precision, unbegun_s double precision, gone_ids integer[] DEFAULT '{}', OUT missing_jobs jsonb, OUT next_due_at_ms bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  dead integer[];
  lost bigint[];
  stale bigint[];
  woken bigint;
  -- Read once: as a volatile function in a condition it would keep an index from being used.
  at_ms bigint := now_ms();
  unbegun_ms double precision := unbegun_s * 1000 * (SELECT rate FROM clock);
BEGIN
  UPDATE process w SET unlocked_at = CASE WHEN k.objid IS NULL THEN clock_timestamp() END
  FROM process p LEFT JOIN pg_locks k ON k.locktype = 'advisory' AND k.classid = 7316 AND k.objid = p.id::oid
    AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  WHERE p.id = w.id AND (w.unlocked_at IS NULL) <> (k.objid IS NOT NULL);
  SELECT array_agg(w.id) INTO dead FROM process w
  WHERE w.id = ANY (gone_ids)
     OR w.heartbeat_at < clock_timestamp() - make_interval(secs => silent_s)
     OR (w.unlocked_at < clock_timestamp() - interval '3 s' AND pg_postmaster_start_time() < clock_timestamp() - interval '10 s');
  SELECT array_agg(g.id) INTO lost FROM (
    SELECT g.id FROM grants g WHERE g.state = 'begun'
      AND (g.worker_id = ANY (dead) OR NOT EXISTS (SELECT FROM process w WHERE w.id = g.worker_id))
    ORDER BY g.id FOR UPDATE SKIP LOCKED) g;
  SELECT array_agg(g.id) INTO stale FROM (
    SELECT g.id FROM grants g WHERE g.state = 'granted'
      AND g.granted_at_ms < at_ms - unbegun_ms
    ORDER BY g.id FOR UPDATE SKIP LOCKED) g;
  -- The limits of both at once: in two rounds their locks would be out of order.
  PERFORM settle_limits(scopes_of(lost || stale));
  IF lost IS NOT NULL THEN PERFORM close_lost_grants(lost); END IF;
  IF stale IS NOT NULL THEN PERFORM release_grants(stale, 'no worker began the call'); END IF;
  DELETE FROM process WHERE id = ANY (dead);

  WITH due AS (
    UPDATE request r SET state = 'pending', due_at_ms = NULL, avoided = '{}',
      route_id = intern_route(r.batch_id, (SELECT pool_name FROM route WHERE id = r.route_id), r.excluded)
    WHERE r.id IN (SELECT id FROM request WHERE due_at_ms <= at_ms AND state IN ('pending', 'parked')
                   ORDER BY due_at_ms LIMIT 1000 FOR UPDATE SKIP LOCKED)
    RETURNING 1
  )
  SELECT count(*) INTO woken FROM due;
  IF woken > 0 THEN PERFORM wake_dispatchers('*'); END IF;
  SELECT min(due_at_ms) INTO next_due_at_ms FROM request WHERE due_at_ms IS NOT NULL AND state IN ('pending', 'parked');

  WITH missing AS (
    UPDATE grants g SET queued_at = clock_timestamp()
    WHERE g.id IN (SELECT id FROM grants WHERE state = 'granted' AND clock_timestamp() - queued_at >= greatest(interval '2 s', queued_at - made_at)
                   ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED)
    RETURNING g.id, g.lane_id, g.slots
  )
  SELECT jsonb_agg(jsonb_build_object('id', id, 'laneId', lane_id, 'slots', slots) ORDER BY id) INTO missing_jobs FROM missing;

  UPDATE batch SET state = 'expiring' WHERE state = 'in_progress' AND deadline_at_ms <= at_ms;
  next_due_at_ms := least(next_due_at_ms, (SELECT min(deadline_at_ms) FROM batch WHERE state = 'in_progress'));
END
$$;

-- Calls whose worker died: counted in full, their requests pending again.
CREATE FUNCTION close_lost_grants(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  scopes text[];
  at_ms bigint;
BEGIN
  SELECT array_agg(DISTINCT s) INTO scopes
  FROM grants g, unnest(ARRAY[g.lane_id, g.provider_id]) AS s WHERE g.id = ANY (ids);
  at_ms := settle_limits(scopes);
  UPDATE quota_use u SET expires_at_ms = greatest(g.begun_at_ms + l.margin_ms, at_ms)
  FROM grants g, quota_limit l
  WHERE u.grant_id = ANY (ids) AND g.id = u.grant_id AND l.id = u.limit_id AND u.expires_at_ms IS NULL
    AND l.window_kind <> 'concurrency';
  WITH ended AS (
    DELETE FROM quota_use u USING quota_limit l
    WHERE u.grant_id = ANY (ids) AND l.id = u.limit_id AND l.window_kind = 'concurrency'
    RETURNING u.limit_id, u.amount
  )
  UPDATE quota_limit l SET used = l.used - e.amount
  FROM (SELECT limit_id, sum(amount)::bigint AS amount FROM ended GROUP BY limit_id) e WHERE l.id = e.limit_id;
  INSERT INTO lane_total AS t (lane_id, calls) SELECT lane_id, count(*) FROM grants WHERE id = ANY (ids) GROUP BY lane_id
  ON CONFLICT (lane_id) DO UPDATE SET calls = t.calls + EXCLUDED.calls;
  UPDATE grants SET state = 'closed', closed_at_ms = at_ms, outcome = 'lost',
    reason = 'the process that made the call died' WHERE id = ANY (ids);
  PERFORM leave_to_hedges(ids);
  UPDATE request SET state = 'pending', grant_id = NULL
  WHERE id IN (SELECT request_id FROM grants WHERE id = ANY (ids)) AND grant_id = ANY (ids) AND state = 'granted';
  PERFORM keep_costs(ids);
  PERFORM wake_dispatchers('*');
END
$$;

-- Lanes that had a queue, which nobody serves, no batch wants and no grant waits for, for an hour: their queues may go.
-- Only queues are looked at, however long the backlog is.
CREATE FUNCTION forget_unused_queues() RETURNS SETOF text LANGUAGE sql AS $$
  DELETE FROM lane_queue q
  WHERE q.used_at < clock_timestamp() - interval '1 hour'
    AND NOT EXISTS (SELECT FROM worker_lane wl WHERE wl.lane_id = q.lane_id)
    AND NOT EXISTS (SELECT FROM pool p WHERE q.lane_id = ANY (p.lane_ids))
    AND NOT EXISTS (SELECT FROM grants g WHERE g.state <> 'closed' AND g.lane_id = q.lane_id)
  RETURNING q.lane_id
$$;
