-- When batches will be done, as a dispatcher's plan last said.
CREATE TABLE forecast (
  batch_id     bigint PRIMARY KEY REFERENCES batch ON DELETE CASCADE,
  made_at_ms   bigint NOT NULL,
  finish_at_ms bigint,                            -- null: nobody can tell
  spread_ms    bigint NOT NULL,
  next         jsonb,                             -- {scope, atMs}: the next reset or opening that it waits for
  stored_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
