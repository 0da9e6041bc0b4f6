-- What the calls of lanes come to, and what they show: how long answers take, how many tokens its own tokenizer makes of
-- one that was counted at ingest, and how many calls come to nothing. Means and deviations are smoothed as TCP measures
-- round trips (RFC 6298): new calls weigh an eighth in a mean, a quarter in a deviation, a sixteenth in a share.

-- Adds calls that are over.
CREATE FUNCTION tally_calls(told finishing[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lane_total AS t (lane_id, calls, succeeded, rejected, prompt_tokens, completion_tokens,
                               mean_call_ms, call_ms_dev, timed_calls, token_ratio, token_ratio_dev, failure_share)
  SELECT f.lane_id, count(*) FILTER (WHERE f.is_open), count(*) FILTER (WHERE f.outcome = 'succeeded'),
         count(*) FILTER (WHERE f.outcome IN ('minute-limit', 'day-limit')),
         coalesce(sum(f.prompt), 0), coalesce(sum(f.completion), 0),
         avg(s.call_ms), avg(s.call_ms) / 2, count(s.call_ms), avg(s.ratio), avg(s.ratio) / 16, avg(s.failure) / 16
  FROM unnest(told) AS f CROSS JOIN LATERAL samples_of(f) AS s GROUP BY f.lane_id ORDER BY f.lane_id
  ON CONFLICT (lane_id) DO UPDATE SET
    calls = t.calls + EXCLUDED.calls, succeeded = t.succeeded + EXCLUDED.succeeded, rejected = t.rejected + EXCLUDED.rejected,
    prompt_tokens = t.prompt_tokens + EXCLUDED.prompt_tokens, completion_tokens = t.completion_tokens + EXCLUDED.completion_tokens,
    timed_calls = t.timed_calls + EXCLUDED.timed_calls,
    call_ms_dev = smoothed(t.call_ms_dev, abs(EXCLUDED.mean_call_ms - t.mean_call_ms), EXCLUDED.call_ms_dev, 0.25),
    mean_call_ms = smoothed(t.mean_call_ms, EXCLUDED.mean_call_ms, EXCLUDED.mean_call_ms, 0.125),
    token_ratio_dev = smoothed(t.token_ratio_dev, abs(EXCLUDED.token_ratio - t.token_ratio), EXCLUDED.token_ratio_dev, 0.25),
    token_ratio = smoothed(t.token_ratio, EXCLUDED.token_ratio, EXCLUDED.token_ratio, 0.125),
    failure_share = smoothed(coalesce(t.failure_share, 0), EXCLUDED.failure_share * 16, 0, 0.0625)
$$;

-- A measure with a new sample; the first one is taken as it stands. Null samples change nothing.
CREATE FUNCTION smoothed(so_far double precision, sample double precision, first double precision, weight double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(so_far + (sample - so_far) * weight, so_far, first)
$$;

-- What one call shows of its lane; null: nothing. Only answers tell how long answers take; a call that was given up
-- counts where it took longer than they do, so that patience grows with a lane that has become slow. Short prompts are
-- mostly template, and say little of a tokenizer: the template may be so many tokens shorter than it was counted, which a
-- lane that sees prompts of one size cannot tell from a tokenizer that makes less of all of them.
CREATE FUNCTION samples_of(f finishing, OUT call_ms double precision, OUT ratio double precision, OUT failure double precision) LANGUAGE sql STABLE AS $$
  SELECT
    CASE WHEN f.outcome = 'succeeded' THEN f.duration_ms
         WHEN f.outcome = 'sick' AND f.duration_ms > (SELECT t.mean_call_ms FROM lane_total t WHERE t.lane_id = f.lane_id) THEN f.duration_ms END,
    CASE WHEN f.prompt > 0 THEN (SELECT (f.prompt + 16)::double precision / r.prompt_tokens FROM request r WHERE r.id = f.request_id AND r.prompt_tokens >= 100) END,
    CASE WHEN f.outcome = 'succeeded' THEN 0 WHEN f.outcome IN ('minute-limit', 'day-limit', 'aborted') THEN NULL ELSE 1 END
$$;
