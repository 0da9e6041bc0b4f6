/** One contract for both homes of the queues. */
import { laneQueuesContract } from './lane-queues.contract.ts';
import { openOnPostgres, openOnRedis } from './queue-homes.ts';

laneQueuesContract('PostgreSQL', openOnPostgres);
laneQueuesContract('Redis', openOnRedis);
