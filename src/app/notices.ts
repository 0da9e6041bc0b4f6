/** What a user is told once per provider, before the first batch goes there: that free prompts may be used. */
import type { Provider } from '../core/model.ts';
import { lanesUnder } from './batch-policy.ts';
import type { Batch, BatchStore } from './batch-store.ts';
import type { Routing } from './ports.ts';
import { isFinal } from './progress.ts';

/** A provider in words for people. */
export interface ProviderFacts {
  readonly name: string;
  /** A sentence on what happens to prompts. */
  readonly dataNote: string;
}

/** Of which providers the users of this record were told. */
export interface NoticeBook {
  /** Those of these that nobody was told of. */
  untold(providerIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** They are never told of again; telling twice changes nothing. */
  markTold(providerIds: readonly string[]): Promise<void>;
}

/** What telling needs. */
export interface NoticeTools {
  readonly store: Pick<BatchStore, 'poolNamesOf'>;
  readonly noticeBook: NoticeBook;
  /** `undefined` for a provider that only the user's configuration knows. */
  readonly factsOf: (providerId: string) => ProviderFacts | undefined;
}

/** What nobody was told yet about the providers that an unfinished batch may go to; one sentence each. */
export const untoldNotices = async (
  { store, noticeBook, factsOf }: NoticeTools,
  routing: Routing,
  batch: Batch,
): Promise<readonly string[]> => {
  if (isFinal(batch)) return [];
  const lanes = lanesUnder(batch, routing, await store.poolNamesOf(batch.id));
  const goesTo = new Set(lanes.map(({ providerId }) => providerId));
  const worthTelling = routing.providers.filter(
    (provider) => goesTo.has(provider.id) && mayUsePrompts(provider),
  );
  if (worthTelling.length === 0) return [];
  const untold = await noticeBook.untold(worthTelling.map(({ id }) => id));
  return worthTelling
    .filter(({ id }) => untold.has(id))
    .map((provider) => noticeOf(provider, factsOf(provider.id)));
};

/** Remembers the providers of these notices as told. A notice is known by its text, which names its provider. */
export const markTold = async (
  { noticeBook, factsOf }: Pick<NoticeTools, 'noticeBook' | 'factsOf'>,
  { providers }: Routing,
  notices: readonly string[],
): Promise<void> => {
  const told = providers.filter((provider) => notices.includes(noticeOf(provider, factsOf(provider.id))));
  if (told.length > 0) await noticeBook.markTold(told.map(({ id }) => id));
};

/** Whether a provider's free or trial tier may use prompts, as far as anybody knows. */
export const mayUsePrompts = ({ tier, trainsOnData }: Provider): boolean =>
  trainsOnData !== false && (tier === 'free' || tier === 'trial');

/** The notice for a provider: what happens to prompts, and how to leave it out. */
export const noticeOf = ({ id, tier, trainsOnData }: Provider, facts: ProviderFacts | undefined): string => {
  const name = facts?.name ?? id;
  const what =
    trainsOnData === true
      ? `${name} may train on what you send on its ${tier} tier`
      : `It is not known whether ${name} keeps or trains on what you send on its ${tier} tier`;
  const note = facts === undefined ? '' : `: ${facts.dataNote.replace(/\.$/u, '')}`;
  return `${what}${note} (\`--no-training\` or \`--except ${id}\` leaves it out).`;
};
