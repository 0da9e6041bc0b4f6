-- Money: what calls on paid lanes may cost, what is held for those under way, and what was spent. All amounts are whole
-- billionths of a US dollar. The rules are in ../functions/budget.sql.

ALTER TABLE batch
  ADD COLUMN max_cost_nano_dollars bigint CHECK (max_cost_nano_dollars > 0), -- its budget; null: nothing paid is called for it
  ADD COLUMN spent_nano_dollars    bigint NOT NULL DEFAULT 0 CHECK (spent_nano_dollars >= 0),
  ADD COLUMN held_nano_dollars     bigint NOT NULL DEFAULT 0 CHECK (held_nano_dollars >= 0), -- for calls that may still cost that much
  ADD COLUMN paid_requests         integer CHECK (paid_requests >= 0); -- so many more may be granted on paid lanes now; null: none

-- The most tokens that any tokenizer makes of the prompt; null: only the lane's context bounds it.
ALTER TABLE request ADD COLUMN most_prompt_tokens integer;

-- The lane's price; null where nobody has said it, and then a paid lane is never called.
ALTER TABLE lane_terms
  ADD COLUMN is_paid boolean NOT NULL DEFAULT false,
  ADD COLUMN input_nano_dollars_per_million  bigint,
  ADD COLUMN output_nano_dollars_per_million bigint,
  ADD COLUMN request_nano_dollars            bigint;

-- The most that a call of the lane cost of what it was thought to cost at most; null: no answer has shown it yet.
ALTER TABLE lane_total ADD COLUMN most_cost_ratio double precision;

-- Grants on paid lanes, at the prices of the moment they were made.
CREATE TABLE paid_call (
  grant_id bigint PRIMARY KEY,
  batch_id bigint NOT NULL,
  lane_id  text NOT NULL,
  most_nano_dollars bigint NOT NULL,              -- what it costs at most, if the provider counts as any tokenizer may
  held_nano_dollars bigint NOT NULL,              -- what is held for it: as much, or more where the lane has shown that it takes more
  cost_nano_dollars bigint,                       -- what it came to; null: still held
  input_nano_dollars_per_million  bigint NOT NULL,
  output_nano_dollars_per_million bigint NOT NULL,
  request_nano_dollars            bigint NOT NULL
);
CREATE INDEX paid_call_by_batch ON paid_call (batch_id);
CREATE INDEX paid_call_held ON paid_call (lane_id) WHERE cost_nano_dollars IS NULL;

-- What the cheapest call needed on a lane that a batch could pay none for: until as much is left, it is not looked at there.
CREATE TABLE refused_payment (
  batch_id bigint NOT NULL,
  lane_id  text NOT NULL,
  needed_nano_dollars bigint NOT NULL,
  PRIMARY KEY (batch_id, lane_id)
);
