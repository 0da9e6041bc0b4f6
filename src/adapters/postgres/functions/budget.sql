-- The budget of a batch, never exceeded. Amounts are whole billionths of a US dollar, prices are per million tokens.
--
-- Guarantee. At every moment spent + held <= max_cost, from any number of processes, as long as no call is reported to have
-- taken more than `most_call_cost` says. For
--   1. a grant on a paid lane is made in the transaction that adds its hold, with the batch's row locked, and only if
--      spent + held + hold <= max_cost (`affordable`, `hold_costs`). So no two grants see the same money.
--   2. afterwards a hold only ever turns into a cost that is no larger (`settle_costs`), is counted as spent itself where
--      nobody knows what the call took (`settle_costs`, `keep_costs`), or is given back because the call was never made
--      (`give_back_costs`). A call is settled at the prices it was granted at. So spent + held never grows but by 1.
--   3. a call begins only when its grant has been stored: a server that crashes loses either both or none.
-- A budget that is set below what is spent and held stops everything at once, also what is granted and has not begun
-- (`begin_grants`); calls under way end and are counted.
-- `most_call_cost` rests on no estimate. The answer takes at most the max_tokens that are sent with the call, which are those of
-- its grant. The prompt takes at most a token per byte that is sent (core/money/most-prompt-tokens.ts: no tokenizer makes more of
-- a text), and where it is not all text, or that is more, at most the lane's context.
--
-- What it does not promise: what a provider claims beyond that. It is counted in full, so that whatever comes after stops in
-- time, and every later call of the lane is held with that much more, up to its whole context. Until a lane has shown what it
-- takes there is one paid call at a time on it, so that a lane that counts otherwise is found out by its first answer.
--
-- Order of locks as in grants.sql; batches come last, by id.

-- Whether calls on the lane cost money.
CREATE FUNCTION is_paid_lane(the_lane text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT t.is_paid FROM lane_terms t WHERE t.lane_id = the_lane), false)
$$;

-- Whether requests of the batch may go to this paid lane now, as far as can be told without looking at them: it has a budget,
-- the plan wants it, and as much is left as the least that was refused there for want of money.
CREATE FUNCTION may_pay(b batch, the_lane text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(b.paid_requests > 0 AND b.paid_until > clock_timestamp() AND b.spent_nano_dollars + b.held_nano_dollars + coalesce((
    SELECT p.needed_nano_dollars FROM refused_payment p WHERE p.batch_id = b.id AND p.lane_id = the_lane), 0) <= b.max_cost_nano_dollars, false)
$$;

-- Lets the batch have so many more requests granted on paid lanes, for so long from now on: what was allowed before is
-- forgotten. Each grant takes one, whatever becomes of it; so do those of the last `age_ms`, which whoever reckoned this did not
-- know of. Both are in real milliseconds. 0 allows none; a batch without a budget is left alone.
CREATE FUNCTION allow_paid(the_batch bigint, the_count integer, age_ms double precision DEFAULT 0, for_ms double precision DEFAULT 60000)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  before integer;
BEGIN
  SELECT CASE WHEN paid_until > clock_timestamp() THEN coalesce(paid_requests, 0) ELSE 0 END INTO before
  FROM batch WHERE id = the_batch AND max_cost_nano_dollars IS NOT NULL FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  -- The lock is held: nothing is granted between this count and the end.
  SELECT greatest(0, the_count - count(*)) INTO the_count FROM paid_call
  WHERE batch_id = the_batch AND made_at > clock_timestamp() - make_interval(secs => age_ms / 1000);
  UPDATE batch SET paid_requests = the_count, paid_until = clock_timestamp() + make_interval(secs => for_ms / 1000)
  WHERE id = the_batch AND (paid_requests IS DISTINCT FROM the_count OR the_count > 0);
  -- Other requests may be pending by now.
  DELETE FROM refused_payment WHERE batch_id = the_batch;
  IF the_count > 0 AND (before = 0 OR FOUND) THEN PERFORM wake_dispatchers('*'); END IF;
END
$$;

-- What tokens cost in one call, rounded up; the twin of costNanoDollars in core/money/price.ts.
CREATE FUNCTION cost_of(prompt_tokens bigint, output_tokens bigint, input_price bigint, output_price bigint, request_price bigint)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT ceil((prompt_tokens::numeric * input_price + output_tokens::numeric * output_price) / 1000000)::bigint + request_price
$$;

-- What a call costs at most, and what is held for it: half as much again as the lane has shown that its calls take of the most,
-- if that is more, and never more than a full context costs, be it all prompt or all answer: a provider may not heed the
-- bound of an answer. Null without a price.
CREATE FUNCTION most_call_cost(
  the_lane text, most_prompt_tokens integer, output_tokens bigint, context_tokens bigint, OUT most bigint, OUT hold bigint
) LANGUAGE sql STABLE AS $$
  SELECT c.most, greatest(c.most, least(ceil(c.most * 1.5 * c.ratio), c.full_cost::double precision)::bigint)
  FROM (
    SELECT
      cost_of(least(most_prompt_tokens, context_tokens), output_tokens, t.input_nano_dollars_per_million, t.output_nano_dollars_per_million, t.request_nano_dollars) AS most,
      cost_of(context_tokens, 0, greatest(t.input_nano_dollars_per_million, t.output_nano_dollars_per_million), 0, t.request_nano_dollars) AS full_cost,
      coalesce((SELECT l.most_cost_ratio FROM lane_total l WHERE l.lane_id = the_lane), 0) AS ratio
    FROM lane_terms t
    WHERE t.lane_id = the_lane AND num_nulls(t.input_nano_dollars_per_million, t.output_nano_dollars_per_million, t.request_nano_dollars) = 0
  ) AS c
$$;

-- The longest prompt, by `most_prompt_tokens`, for which what is left of the batch's budget holds a call; null where it holds
-- one of the whole context, -1 where it holds none. Found by halving: what is held grows with the prompt.
CREATE FUNCTION most_payable_prompt(the_batch bigint, the_lane text, output_tokens bigint, context_tokens bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  money bigint := (SELECT b.max_cost_nano_dollars - b.spent_nano_dollars - b.held_nano_dollars FROM batch b WHERE b.id = the_batch);
  holds bigint := -1;
  too_long bigint := context_tokens;
  middle bigint;
BEGIN
  IF (SELECT m.hold <= money FROM most_call_cost(the_lane, context_tokens::integer, output_tokens, context_tokens) AS m) THEN RETURN NULL; END IF;
  WHILE too_long - holds > 1 LOOP
    middle := (holds + too_long) / 2;
    IF (SELECT m.hold <= money FROM most_call_cost(the_lane, middle::integer, output_tokens, context_tokens) AS m) THEN holds := middle;
    ELSE too_long := middle; END IF;
  END LOOP;
  RETURN holds;
END
$$;

-- Of requests that were chosen for a paid lane, in their order, those that their batches can pay. Locks the batches until the
-- end of the transaction; whoever grants them adds the holds (`hold_costs`).
--
-- A batch of which none can be paid is not looked at for this lane again until as much is left as the least of them needs, so
-- that it does not stand in the way of others.
CREATE FUNCTION affordable(
  the_lane text, context_tokens bigint,
  INOUT request_ids bigint[], INOUT prompts bigint[], INOUT outputs bigint[], INOUT stopped_by text, INOUT wake_at_ms bigint
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  most_calls bigint := most_paid_calls(the_lane);
  chosen_ids bigint[] := request_ids;
  chosen_prompts bigint[] := prompts;
  chosen_outputs bigint[] := outputs;
  purse record;
  candidate record;
BEGIN
  IF cardinality(chosen_ids) = 0 THEN RETURN; END IF;
  request_ids := '{}'; prompts := '{}'; outputs := '{}';
  FOR purse IN
    SELECT b.id, b.max_cost_nano_dollars - b.spent_nano_dollars - b.held_nano_dollars AS money,
           CASE WHEN b.paid_until > clock_timestamp() THEN b.paid_requests END AS calls, 0 AS taken, NULL::bigint AS refused
    FROM batch b WHERE b.id IN (SELECT r.batch_id FROM request r WHERE r.id = ANY (chosen_ids)) ORDER BY b.id FOR UPDATE
  LOOP
    CONTINUE WHEN purse.money IS NULL OR purse.calls IS NULL;
    FOR candidate IN
      SELECT c.place, m.hold FROM unnest(chosen_ids, chosen_outputs) WITH ORDINALITY AS c (request_id, output, place)
      JOIN request r ON r.id = c.request_id, most_call_cost(the_lane, r.most_prompt_tokens, c.output, context_tokens) AS m
      WHERE r.batch_id = purse.id AND m.hold IS NOT NULL ORDER BY c.place
    LOOP
      EXIT WHEN purse.calls < 1 OR most_calls < 1;
      IF candidate.hold > purse.money THEN
        purse.refused := least(purse.refused, candidate.hold);
        CONTINUE;
      END IF;
      purse.money := purse.money - candidate.hold;
      purse.calls := purse.calls - 1;
      purse.taken := purse.taken + 1;
      most_calls := most_calls - 1;
      request_ids := request_ids || chosen_ids[candidate.place];
      prompts := prompts || chosen_prompts[candidate.place];
      outputs := outputs || chosen_outputs[candidate.place];
    END LOOP;
    IF purse.taken = 0 AND purse.refused IS NOT NULL THEN
      INSERT INTO refused_payment (batch_id, lane_id, needed_nano_dollars) VALUES (purse.id, the_lane, purse.refused)
      ON CONFLICT (batch_id, lane_id) DO UPDATE SET needed_nano_dollars = EXCLUDED.needed_nano_dollars;
    END IF;
  END LOOP;
  IF cardinality(request_ids) = 0 THEN
    stopped_by := CASE WHEN most_calls < 1 THEN 'no-slot' ELSE 'no-work' END;
    wake_at_ms := NULL; -- only a call that ends, or a new plan, changes that
  END IF;
END
$$;

-- How many calls may be granted on a paid lane: one at a time, until an answer has shown what its calls take.
CREATE FUNCTION most_paid_calls(the_lane text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN EXISTS (SELECT FROM lane_total t WHERE t.lane_id = the_lane AND t.most_cost_ratio IS NOT NULL) THEN 2147483647
    WHEN EXISTS (SELECT FROM paid_call p WHERE p.lane_id = the_lane AND p.cost_nano_dollars IS NULL) THEN 0
    ELSE 1 END
$$;

-- Holds what these new grants cost at most. Their batches are locked, and `affordable` has seen that they can pay; if a price
-- was raised since then, nothing is granted after all.
CREATE FUNCTION hold_costs(ids bigint[], context_tokens bigint) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  WITH held AS (
    INSERT INTO paid_call (grant_id, batch_id, lane_id, most_nano_dollars, held_nano_dollars,
                           input_nano_dollars_per_million, output_nano_dollars_per_million, request_nano_dollars)
    SELECT g.id, r.batch_id, g.lane_id, m.most, m.hold, t.input_nano_dollars_per_million, t.output_nano_dollars_per_million, t.request_nano_dollars
    FROM grants g JOIN request r ON r.id = g.request_id JOIN lane_terms t ON t.lane_id = g.lane_id,
         most_call_cost(g.lane_id, r.most_prompt_tokens, g.output_tokens, context_tokens) AS m
    WHERE g.id = ANY (ids)
    RETURNING batch_id, held_nano_dollars
  )
  UPDATE batch b SET held_nano_dollars = b.held_nano_dollars + h.held, paid_requests = b.paid_requests - h.calls
  FROM (SELECT batch_id, sum(held_nano_dollars)::bigint AS held, count(*)::integer AS calls FROM held GROUP BY batch_id) AS h
  WHERE b.id = h.batch_id;
  IF EXISTS (
    SELECT FROM paid_call p JOIN batch b ON b.id = p.batch_id
    WHERE p.grant_id = ANY (ids) AND b.spent_nano_dollars + b.held_nano_dollars > b.max_cost_nano_dollars
  ) THEN
    RAISE EXCEPTION 'the price of a lane was raised while calls were granted on it';
  END IF;
END
$$;

-- Calls are over: what was held for them becomes what they cost. The real cost where usage was reported, also of a call that
-- was given up as lost before; the price of a call alone where the provider refused it; nothing where it was never reached;
-- else what was held.
CREATE FUNCTION settle_costs(told finishing[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM paid_call p WHERE p.grant_id = ANY (ARRAY(SELECT f.id FROM unnest(told) AS f))) THEN RETURN; END IF;
  -- All of them, paid or not: the rest of finish_grants changes others, too.
  PERFORM 1 FROM batch WHERE id IN (SELECT r.batch_id FROM unnest(told) AS f JOIN request r ON r.id = f.request_id) ORDER BY id FOR UPDATE;
  PERFORM record_costs(
    array_agg(p.grant_id),
    array_agg(CASE
      WHEN f.prompt IS NOT NULL AND f.completion IS NOT NULL
        THEN cost_of(f.prompt, f.completion, p.input_nano_dollars_per_million, p.output_nano_dollars_per_million, p.request_nano_dollars)
      WHEN f.settle = 'release' THEN 0
      WHEN f.settle = 'request' THEN p.request_nano_dollars
      ELSE p.held_nano_dollars END))
  FROM (SELECT DISTINCT ON (t.id) t.* FROM unnest(told) AS t ORDER BY t.id) AS f JOIN paid_call p ON p.grant_id = f.id
  WHERE p.cost_nano_dollars IS NULL OR (f.prompt IS NOT NULL AND f.completion IS NOT NULL);
  UPDATE lane_total t SET most_cost_ratio = greatest(t.most_cost_ratio, s.ratio)
  FROM (SELECT p.lane_id, max(coalesce(p.cost_nano_dollars::double precision / nullif(p.most_nano_dollars, 0), 0)) AS ratio
        FROM unnest(told) AS f JOIN paid_call p ON p.grant_id = f.id
        WHERE f.prompt IS NOT NULL AND f.completion IS NOT NULL GROUP BY p.lane_id) AS s
  WHERE t.lane_id = s.lane_id AND (t.most_cost_ratio IS NULL OR t.most_cost_ratio < s.ratio);
END
$$;

-- Calls whose worker died may have been made: what was held for them is spent.
CREATE FUNCTION keep_costs(ids bigint[]) RETURNS void LANGUAGE sql AS $$
  SELECT record_costs(array_agg(p.grant_id), array_agg(p.held_nano_dollars))
  FROM paid_call p WHERE p.grant_id = ANY (ids) AND p.cost_nano_dollars IS NULL HAVING count(*) > 0
$$;

-- Calls that never began cost nothing.
CREATE FUNCTION give_back_costs(ids bigint[]) RETURNS void LANGUAGE sql AS $$
  SELECT record_costs(array_agg(p.grant_id), array_agg(0::bigint))
  FROM paid_call p WHERE p.grant_id = ANY (ids) AND p.cost_nano_dollars IS NULL HAVING count(*) > 0
$$;

-- These grants came to these costs. What they were thought to come to before is taken back. Money that is free again may be
-- what lanes of other providers wait for.
CREATE FUNCTION record_costs(ids bigint[], costs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  change record;
BEGIN
  IF ids IS NULL THEN RETURN; END IF;
  FOR change IN
    SELECT p.batch_id, sum(c.cost - coalesce(p.cost_nano_dollars, 0))::bigint AS spent,
           coalesce(sum(p.held_nano_dollars) FILTER (WHERE p.cost_nano_dollars IS NULL), 0)::bigint AS freed
    FROM unnest(ids, costs) AS c (id, cost) JOIN paid_call p ON p.grant_id = c.id GROUP BY p.batch_id ORDER BY p.batch_id
  LOOP
    UPDATE batch SET spent_nano_dollars = spent_nano_dollars + change.spent, held_nano_dollars = held_nano_dollars - change.freed
    WHERE id = change.batch_id;
    IF change.freed > change.spent AND EXISTS (SELECT FROM refused_payment r WHERE r.batch_id = change.batch_id) THEN
      PERFORM wake_dispatchers('*');
    END IF;
  END LOOP;
  UPDATE paid_call p SET cost_nano_dollars = c.cost FROM unnest(ids, costs) AS c (id, cost) WHERE p.grant_id = c.id;
END
$$;

-- What is known of the calls of a batch that is removed.
CREATE FUNCTION forget_costs(the_batch bigint) RETURNS void LANGUAGE sql AS $$
  DELETE FROM paid_call WHERE batch_id = the_batch;
  DELETE FROM refused_payment WHERE batch_id = the_batch
$$;
