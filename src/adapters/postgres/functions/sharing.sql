-- Whose turn it is where several batches wait for one lane: the higher priority first, and among equals the one that has
-- been granted the least. It is start-time fair queuing: a batch is charged the tokens that are reserved for its calls, on
-- all lanes together, and one that arrives, or comes back after it was granted nothing for ten minutes (paused, outside its
-- window, all its lanes closed), begins at the least share of those at work. So it has no arrears to collect, which would
-- starve the others, and no debts to wait off. Reads no request.

-- How long a batch's share is remembered while it is granted nothing, in ms.
CREATE FUNCTION share_memory_ms() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 600000::bigint $$;

-- The least share of the batches of this priority that are being served; 0 where there is none.
CREATE FUNCTION least_share(the_priority smallint, at_ms bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce(min(s.tokens), 0) FROM batch b JOIN batch_share s ON s.batch_id = b.id
  WHERE b.state = 'in_progress' AND b.priority = the_priority AND s.served_at_ms > at_ms - share_memory_ms()
$$;

-- The routes that a lane serves now, in the order of their turn; within one batch those with the fewest other lanes first.
--
-- rivals       batches of the highest priority among them
-- is_shared    whether another batch is open at all: else nobody's share need be counted
-- opens_at_ms  when the next window of a batch opens that waits for it and may use this lane; null: none does
CREATE FUNCTION routes_in_turn(
  the_lane text, scopes text[], at_ms bigint,
  OUT routes integer[], OUT rivals bigint, OUT is_shared boolean, OUT opens_at_ms bigint
) LANGUAGE plpgsql STABLE AS $$
BEGIN
  WITH open_batch AS MATERIALIZED (
    SELECT b.id, b.priority, b.night_window, is_night_open(b.night_window, at_ms) AS is_open, s.served_at_ms,
           CASE WHEN s.served_at_ms > at_ms - share_memory_ms() THEN s.tokens END AS share
    FROM batch b LEFT JOIN batch_share s ON s.batch_id = b.id
    WHERE b.state = 'in_progress' AND NOT b.is_paused AND (b.deadline_at_ms IS NULL OR b.deadline_at_ms > at_ms)
      AND (NOT is_paid_lane(the_lane) OR may_pay(b, the_lane))
  ), in_turn AS (
    SELECT b.*, coalesce(b.share, min(b.share) OVER (PARTITION BY b.priority), 0) AS turn FROM open_batch b
  ), may_run AS (
    SELECT b.*, r.id AS route_id, cardinality(p.lane_ids) - cardinality(r.excluded) AS lanes,
           max(b.priority) FILTER (WHERE b.is_open) OVER () AS highest
    FROM in_turn b JOIN pool p ON p.batch_id = b.id JOIN route r ON r.batch_id = p.batch_id AND r.pool_name = p.name
    WHERE the_lane = ANY (p.lane_ids) AND NOT r.excluded && scopes
  )
  SELECT coalesce(array_agg(m.route_id ORDER BY m.priority DESC, m.turn, m.served_at_ms NULLS FIRST, m.id, m.lanes, m.route_id)
                  FILTER (WHERE m.is_open), '{}'),
         count(DISTINCT m.id) FILTER (WHERE m.is_open AND m.priority = m.highest),
         (SELECT count(*) > 1 FROM open_batch),
         (SELECT min(night_changes_at_ms(w.night_window, at_ms)) FROM (SELECT DISTINCT o.night_window FROM may_run o WHERE NOT o.is_open) AS w)
  INTO routes, rivals, is_shared, opens_at_ms FROM may_run m;
END
$$;

-- These requests were granted, with so many tokens each. Batches in the order of their ids, so that no two wait for each other.
CREATE FUNCTION count_shares(request_ids bigint[], prompts bigint[], outputs bigint[], at_ms bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO batch_share AS s (batch_id, tokens, served_at_ms)
  SELECT b.id, least_share(b.priority, at_ms), at_ms
  FROM batch b WHERE b.id IN (SELECT r.batch_id FROM request r WHERE r.id = ANY (request_ids)) ORDER BY b.id
  ON CONFLICT (batch_id) DO UPDATE SET tokens = EXCLUDED.tokens WHERE s.served_at_ms <= at_ms - share_memory_ms();
  UPDATE batch_share s SET tokens = s.tokens + g.tokens, served_at_ms = at_ms
  FROM (SELECT r.batch_id, sum(c.prompt + c.output)::bigint AS tokens
        FROM unnest(request_ids, prompts, outputs) AS c (id, prompt, output) JOIN request r ON r.id = c.id GROUP BY r.batch_id) AS g
  WHERE s.batch_id = g.batch_id
$$;
