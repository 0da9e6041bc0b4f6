-- What of a route is only left to others for some minutes, and comes back; all of it is in `excluded`, too.
ALTER TABLE route ADD COLUMN avoided text[] NOT NULL DEFAULT '{}';
ALTER TABLE route DROP CONSTRAINT route_batch_id_pool_name_excluded_key;
ALTER TABLE route ADD UNIQUE (batch_id, pool_name, excluded, avoided);
