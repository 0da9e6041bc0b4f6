/** The pull loop on a night: `node pull-process.ts NIGHT.json URL CLOCK`, the clock as JSON. Ends when every document is answered. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { bodyOf } from '../document-line.ts';
import { lanesOf, mayEverServe } from '../least-possible/night-lanes.ts';
import { readNight } from '../night-file.ts';
import { nightClock } from '../run/night-clock.ts';
import { backlogOf } from './backlog.ts';
import { runLane } from './lane-loop.ts';
import { pacersOf } from './pacer.ts';

const clockSetting = z.object({ realOriginMs: z.number(), originMs: z.number(), rate: z.number() });

const main = async (): Promise<void> => {
  const [, , path = '', url = '', setting = ''] = process.argv;
  const night = readNight(await readFile(path, 'utf8'));
  // Read into memory beforehand, as the lines of a file would be: to make one takes as long as a call.
  const bodies = new Map(night.documents.map((document) => [document, bodyOf(document, '')]));
  const clock = nightClock(clockSetting.parse(JSON.parse(setting)));
  const lanes = lanesOf(night);
  const backlog = backlogOf(night.documents);
  const pacers = new Map(night.tiers.map((tier) => [tier, pacersOf(tier)]));
  await Promise.all(
    lanes.map(async (lane) => {
      const pacer = pacers.get(lane.tier)?.get(lane.model.id);
      if (pacer === undefined) throw new Error(`Expected a pacer for ${lane.id}, got none.`);
      const servable = new Set(night.documents.filter((document) => mayEverServe(lane, document)));
      await runLane({ lane, servable, bodies, pacer, backlog, clock, baseUrl: `${url}/${lane.tier.id}/v1` });
    }),
  );
};

await main();
