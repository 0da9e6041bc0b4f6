-- The record: what exists, what happened, which quota is used, which workers serve which lanes.
-- Words are those of src/core/model.ts. Every instant is in milliseconds since 1970 by now_ms() below.

-- The one clock. Tests may move its origin and change its rate; src/adapters/postgres/record-clock.ts mirrors it in the processes.
CREATE TABLE clock (
  singleton      boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  real_origin_ms double precision NOT NULL DEFAULT 0,
  origin_ms      double precision NOT NULL DEFAULT 0,
  rate           double precision NOT NULL DEFAULT 1 CHECK (rate > 0)
);
INSERT INTO clock DEFAULT VALUES;

CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT floor(origin_ms + (extract(epoch FROM clock_timestamp())::double precision * 1000 - real_origin_ms) * rate)::bigint
  FROM clock
$$;

-- Makes fingerprints of keys useless elsewhere: they tell whether a key changed, and nothing more.
CREATE TABLE installation (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  key_salt  text NOT NULL DEFAULT gen_random_uuid()::text
);
INSERT INTO installation DEFAULT VALUES;

-- What a name stood for when the batch's own process last said so: a pool, an alias, a lane or a bare model id. Each
-- batch has its own, so that two configurations on one record do not change each other's.
CREATE TABLE pool (
  batch_id bigint NOT NULL,
  name     text NOT NULL,
  lane_ids text[] NOT NULL,
  PRIMARY KEY (batch_id, name)
);

-- Requests that may run on the same lanes share a route: a pool less the lanes and providers that failed them.
-- Interned, so that the backlog needs no per-request look at exclusions.
CREATE TABLE route (
  id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id  bigint NOT NULL,
  pool_name text NOT NULL,
  excluded  text[] NOT NULL DEFAULT '{}',
  UNIQUE (batch_id, pool_name, excluded)
);

CREATE TABLE batch (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner          text NOT NULL DEFAULT 'local',
  identity       text NOT NULL UNIQUE,          -- hash of input, task and policy: the same again resumes
  name           text NOT NULL,
  task           jsonb,                          -- null where every line is an OpenAI batch line
  pool_names     text[] NOT NULL DEFAULT '{}',   -- what its requests are routed by
  output_path    text,
  error_path     text,
  state          text NOT NULL DEFAULT 'in_progress'
                 CHECK (state IN ('in_progress', 'finalizing', 'completed')),
  created_at_ms  bigint NOT NULL,
  completed_at_ms bigint,
  total          bigint NOT NULL DEFAULT 0,
  bad            bigint NOT NULL DEFAULT 0,      -- lines that could not be read as requests
  succeeded      bigint NOT NULL DEFAULT 0,
  failed         bigint NOT NULL DEFAULT 0,      -- requests that no lane could serve
  prompt_tokens  bigint NOT NULL DEFAULT 0,
  completion_tokens bigint NOT NULL DEFAULT 0
);

-- One line of a batch. `line` is the text as it came; of a bad line it is the finished error line.
CREATE TABLE request (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id       bigint NOT NULL REFERENCES batch ON DELETE CASCADE,
  line_number    integer NOT NULL,
  custom_id      text,
  line           text NOT NULL,
  route_id       integer REFERENCES route,
  prompt_tokens  integer NOT NULL DEFAULT 0,
  output_tokens  integer NOT NULL DEFAULT 0,
  output_is_asked boolean NOT NULL DEFAULT false, -- the line names its own max_tokens
  state          text NOT NULL
                 CHECK (state IN ('pending', 'granted', 'parked', 'succeeded', 'failed', 'bad')),
  grant_id       bigint,                         -- the open grant while granted
  tries          smallint NOT NULL DEFAULT 0,
  excluded       text[] NOT NULL DEFAULT '{}',   -- lanes and providers that can never serve it
  avoided        text[] NOT NULL DEFAULT '{}',   -- lanes to stay away from until due_at_ms
  due_at_ms      bigint,                         -- parked: pending again; pending: nothing avoided any more
  dropped_parameters text[] NOT NULL DEFAULT '{}'
) WITH (fillfactor = 90);
CREATE INDEX request_by_line ON request (batch_id, line_number);
CREATE INDEX request_by_custom_id ON request (batch_id, custom_id);
CREATE INDEX request_pending ON request (route_id, output_is_asked, output_tokens, prompt_tokens, id) WHERE state = 'pending';
CREATE INDEX request_due ON request (due_at_ms) WHERE due_at_ms IS NOT NULL;

-- Final lines, written once. `written_by` and `sequence` give readers an order in which nothing appears late.
CREATE TABLE result (
  request_id  bigint PRIMARY KEY REFERENCES request ON DELETE CASCADE,
  batch_id    bigint NOT NULL,
  sequence    bigint GENERATED ALWAYS AS IDENTITY,
  written_by  xid8 NOT NULL DEFAULT pg_current_xact_id(),
  succeeded   boolean NOT NULL,
  line        text NOT NULL
);
CREATE INDEX result_by_completion ON result (batch_id, written_by, sequence);

-- Health of a lane or a provider. Missing: healthy.
CREATE TABLE health (
  scope           text PRIMARY KEY,              -- lane id or provider id
  closed_until_ms bigint,                        -- nothing is granted before; see closed_kind
  closed_kind     text,                          -- the failure kind that closed it
  closed_reason   text,
  needs_user      boolean NOT NULL DEFAULT false, -- only a new key or money opens it
  key_fingerprint text,                          -- provider: HMAC of the key that was refused
  failures        integer NOT NULL DEFAULT 0,    -- circuit breaker: sick outcomes in a row
  openings        integer NOT NULL DEFAULT 0,    -- circuit breaker: times opened in a row
  breaker_until_ms bigint,                       -- circuit breaker: open until then, half open after
  breaker_reason  text,
  gone_count      integer NOT NULL DEFAULT 0     -- answers in a row that say the model is gone
);

-- A process that makes calls. It is alive while it holds its advisory lock; one that is silent is granted nothing more.
CREATE TABLE worker (
  id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  host            text NOT NULL,
  pid             integer NOT NULL,
  started_at_ms   bigint NOT NULL,
  heartbeat_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE worker_lane (
  worker_id integer NOT NULL REFERENCES worker ON DELETE CASCADE,
  lane_id   text NOT NULL,
  slots     integer NOT NULL CHECK (slots > 0),
  PRIMARY KEY (lane_id, worker_id)
);

-- A grant; once closed, the attempt that became of it.
CREATE TABLE grants (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  lane_id        text NOT NULL,
  provider_id    text NOT NULL,
  request_id     bigint NOT NULL REFERENCES request ON DELETE CASCADE,
  prompt_tokens  integer NOT NULL,               -- reserved
  output_tokens  integer NOT NULL,               -- reserved
  state          text NOT NULL DEFAULT 'granted' CHECK (state IN ('granted', 'begun', 'closed')),
  worker_id      integer,
  granted_at_ms  bigint NOT NULL,
  made_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  queued_at      timestamptz NOT NULL DEFAULT clock_timestamp(), -- when its job was last added to the queue
  begun_at_ms    bigint,
  closed_at_ms   bigint,
  outcome        text,                           -- 'succeeded', a failure kind, 'lost' or 'released'
  reason         text,
  used_prompt_tokens     integer,
  used_completion_tokens integer
);
CREATE INDEX grants_open ON grants (state, id) WHERE state <> 'closed';
CREATE INDEX grants_by_request ON grants (request_id);

-- Totals per lane, so that nobody has to count the attempts.
CREATE TABLE lane_total (
  lane_id           text PRIMARY KEY,
  calls             bigint NOT NULL DEFAULT 0,
  succeeded         bigint NOT NULL DEFAULT 0,
  rejected          bigint NOT NULL DEFAULT 0,   -- refused for quota
  prompt_tokens     bigint NOT NULL DEFAULT 0,
  completion_tokens bigint NOT NULL DEFAULT 0
);

-- What a lane waits for while smaller requests go ahead; see grant_requests.
CREATE TABLE lane_patience (
  lane_id    text PRIMARY KEY,
  request_id bigint NOT NULL,
  since_ms   bigint NOT NULL
);
