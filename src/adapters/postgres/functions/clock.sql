-- The one clock. It is the server's, which somebody may set.

CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT floor(origin_ms + (extract(epoch FROM clock_timestamp())::double precision * 1000 - real_origin_ms) * rate)::bigint
  FROM clock
$$;

-- The server's clock was set by so many ms (negative: back): what lasts for a time rather than until an instant of the
-- calendar moves with it. Several processes notice the same step; of those that had seen `seen` steps before, the first is
-- heard. Windows with boundaries are right by the new time, and so are waits of over ten minutes: those are for a day or an hour.
CREATE FUNCTION allow_for_step(by_ms bigint, seen integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  before_ms bigint := now_ms() - by_ms;
BEGIN
  UPDATE clock SET steps = steps + 1 WHERE steps = seen;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM 1 FROM grants WHERE state = 'begun' ORDER BY id FOR UPDATE;
  PERFORM 1 FROM quota_limit ORDER BY id FOR UPDATE;
  UPDATE quota_use u SET expires_at_ms = u.expires_at_ms + by_ms
  FROM quota_limit l WHERE l.id = u.limit_id AND l.window_kind IN ('rolling', 'refill', 'session');
  UPDATE quota_limit SET drained_at_ms = drained_at_ms + by_ms, session_from_ms = session_from_ms + by_ms, session_until_ms = session_until_ms + by_ms
  WHERE window_kind IN ('rolling', 'refill', 'session');
  UPDATE grants SET begun_at_ms = begun_at_ms + by_ms WHERE state = 'begun';
  UPDATE health SET breaker_until_ms = breaker_until_ms + by_ms,
    closed_until_ms = closed_until_ms + CASE WHEN closed_until_ms < before_ms + 600000 THEN by_ms ELSE 0 END;
  UPDATE request SET due_at_ms = due_at_ms + by_ms WHERE due_at_ms < before_ms + 600000 AND state IN ('pending', 'parked');
  RETURN true;
END
$$;
