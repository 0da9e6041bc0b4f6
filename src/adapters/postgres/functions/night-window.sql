-- When a batch may run, by the clocks of its zone. The same rules in TypeScript: src/core/night-window.ts.

-- Whether a clock on the wall shows a time in the window; without a window always.
CREATE FUNCTION is_night_open(night jsonb, at_ms bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  from_ms integer;
  until_ms integer;
  wall_ms integer;
BEGIN
  IF night IS NULL THEN RETURN true; END IF;
  from_ms := (night->>'fromMinute')::integer * 60000;
  until_ms := (night->>'untilMinute')::integer * 60000;
  wall_ms := shown_ms(night->>'timeZone', at_ms);
  IF from_ms < until_ms THEN RETURN wall_ms >= from_ms AND wall_ms < until_ms; END IF;
  RETURN wall_ms >= from_ms OR wall_ms < until_ms;
END
$$;

-- The first instant after `at_ms` at which the window is not as it is then; null for null.
CREATE FUNCTION night_changes_at_ms(night jsonb, at_ms bigint) RETURNS bigint LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
  zone text := night->>'timeZone';
  was_open boolean := is_night_open(night, at_ms);
  next_minute integer := (night->>CASE WHEN was_open THEN 'untilMinute' ELSE 'fromMinute' END)::integer;
  begin_ms bigint := at_ms;
  before_ms bigint;
  middle_ms bigint;
  after_ms bigint;
BEGIN
  LOOP
    after_ms := begin_ms + (next_minute * 60000 - shown_ms(zone, begin_ms) + 86400000) % 86400000;
    IF zone_offset_ms(zone, after_ms) = zone_offset_ms(zone, begin_ms) THEN RETURN after_ms; END IF;
    -- The clocks are set before the boundary comes: it may come with that, or later than it seemed, or not today.
    before_ms := begin_ms;
    WHILE after_ms - before_ms > 1 LOOP
      middle_ms := (before_ms + after_ms) / 2;
      IF zone_offset_ms(zone, middle_ms) = zone_offset_ms(zone, begin_ms) THEN before_ms := middle_ms; ELSE after_ms := middle_ms; END IF;
    END LOOP;
    IF is_night_open(night, after_ms) <> was_open THEN RETURN after_ms; END IF;
    begin_ms := after_ms;
  END LOOP;
END
$$;

-- What a clock on the wall of the zone shows, in ms from midnight.
CREATE FUNCTION shown_ms(zone text, at_ms bigint) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT (extract(epoch FROM (to_timestamp(at_ms / 1000.0) AT TIME ZONE zone)::time) * 1000)::integer
$$;

-- How far the clocks of the zone are ahead of UTC.
CREATE FUNCTION zone_offset_ms(zone text, at_ms bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT (extract(epoch FROM to_timestamp(at_ms / 1000.0) AT TIME ZONE zone) * 1000)::bigint - at_ms
$$;
