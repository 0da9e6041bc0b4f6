-- What a lane asks for by the plan of the night, and how often its calls fail, lately.

-- A range of the backlog; see src/core/plan/wish-list.ts.
CREATE TYPE wish AS (
  place integer,       -- from 1, the most wanted first
  route_id integer, is_asked boolean, cap integer, from_tokens integer, to_tokens integer,
  at_most integer,     -- requests of it, now
  is_planned boolean   -- it is waited for where it does not fit; others must fit beside it
);
-- Nobody passes a request by for a while any more: see choose_requests.
DROP TABLE lane_patience;
ALTER TABLE lane_total ADD COLUMN failure_share double precision;
