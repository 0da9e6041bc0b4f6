-- The one clock.

CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT floor(origin_ms + (extract(epoch FROM clock_timestamp())::double precision * 1000 - real_origin_ms) * rate)::bigint
  FROM clock
$$;
