-- Where prompts may go, who was told where they go, and whose keys they go with.

-- {forbidsTraining, regions, only, except}, as src/core/policy.ts has it; null: anywhere. Its pools hold no other lanes.
ALTER TABLE batch ADD COLUMN policy jsonb;

-- Providers that may use free prompts, of which somebody was told.
CREATE TABLE notice_told (
  provider_id text PRIMARY KEY,
  told_at_ms  bigint NOT NULL
);

-- {provider: HMAC of the key (and address) that the process makes calls with}, for free and trial tiers: one account each.
ALTER TABLE process ADD COLUMN key_fingerprints jsonb NOT NULL DEFAULT '{}';
