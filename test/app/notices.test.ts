/** Who is told what about which provider, and how often. */
import { describe, expect, it } from 'vitest';
import { markTold, type NoticeTools, noticeOf, untoldNotices } from '../../src/app/notices.ts';
import type { Batch } from '../../src/app/batch-store.ts';
import type { Provider } from '../../src/core/model.ts';
import { aBatch, aLane, aProvider, routingFor } from './fakes.ts';

const provider = (id: string, differences: Partial<Provider> = {}): Provider =>
  aProvider([aLane(`${id}/small`)], differences);
const TRAINS = provider('trains', { trainsOnData: true });
const SILENT = provider('silent', { tier: 'trial', trainsOnData: null });
const ROUTING = routingFor(
  [
    TRAINS,
    SILENT,
    provider('honest', { trainsOnData: false }),
    provider('paid', { tier: 'paid', trainsOnData: true }),
    provider('home', { tier: 'local', trainsOnData: null }),
    provider('elsewhere', { trainsOnData: true }),
  ],
  [
    { name: 'all', laneIds: ['trains/small', 'silent/small', 'honest/small', 'paid/small', 'home/small'] },
    { name: 'more', laneIds: ['elsewhere/small'] },
  ],
);

/** A book in memory, and what is told of a batch with these pools. */
const setUp = (poolNames: readonly string[] = ['all']) => {
  const told = new Set<string>();
  const tools: NoticeTools = {
    store: { poolNamesOf: async () => poolNames },
    noticeBook: {
      untold: async (ids) => new Set(ids).difference(told),
      markTold: async (ids) => ids.forEach((id) => told.add(id)),
    },
    factsOf: (id) => (id === 'trains' ? { name: 'Trains Inc.', dataNote: 'People read it.' } : undefined),
  };
  return {
    told,
    tell: async (batch: Partial<Batch> = {}) => await untoldNotices(tools, ROUTING, aBatch(batch)),
    mark: async (notices: readonly string[]) => await markTold(tools, ROUTING, notices),
  };
};

describe('notices', () => {
  it('tell of free and trial tiers that may use prompts, and of no others', async () => {
    const notices = await setUp().tell();
    expect(notices).toEqual([
      'Trains Inc. may train on what you send on its free tier: People read it (`--no-training` or `--except trains` leaves it out).',
      'It is not known whether silent keeps or trains on what you send on its trial tier (`--no-training` or `--except silent` leaves it out).',
    ]);
  });

  it('are given until they were shown, and then never again', async () => {
    const { tell, mark } = setUp();
    const notices = await tell();
    expect(await tell()).toEqual(notices);
    await mark(notices.slice(0, 1));
    expect(await tell()).toEqual(notices.slice(1));
    await mark(notices);
    expect(await tell()).toEqual([]);
  });

  it('leave out the providers that the policy of the batch leaves out', async () => {
    const { tell } = setUp(['all', 'more']);
    const policy = { forbidsTraining: false, regions: [], only: [], except: ['trains', 'elsewhere/small'] };
    expect(await tell({ policy })).toEqual([noticeOf(SILENT, undefined)]);
    expect(await tell({ policy: { ...policy, forbidsTraining: true } })).toEqual([]);
  });

  it('are of no use for a batch that is over', async () => {
    expect(await setUp().tell({ succeeded: 4 })).toEqual([]);
  });

  it('mark nobody for a text that is no notice', async () => {
    const { told, mark } = setUp();
    await mark(['trains', '', '--except trains']);
    expect(told.size).toBe(0);
  });
});
