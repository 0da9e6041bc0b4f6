/** Whether the record and the queues open, and what the record knows of lanes that are closed or lowered. */
import { disagreements } from '../../app/announce.ts';
import type { Closing } from '../../app/health-book.ts';
import type { LimitUse } from '../../app/progress.ts';
import type { Config } from '../../config/config.ts';
import type { Nightshift } from '../../wire.ts';
import { openRecord } from '../configuration.ts';
import { isLowered, limitLabel } from '../text/limit-label.ts';

/** What was found of the record and the queues. */
export interface StoreFinding {
  readonly isOpen: boolean;
  /** Where it is: the data directory, or the variable that names the server. */
  readonly place: string;
  readonly dataDirectory: string;
  /** The server's version, or why it does not open. */
  readonly detail: string;
  /** Whether the queues answer, in words; `null` where nobody could ask. */
  readonly queues: string | null;
  /** What works, but not as it should; one sentence each. */
  readonly warnings: readonly string[];
  readonly closings: readonly Closing[];
  /** Limits that refusals have lowered, each once. */
  readonly lowered: readonly LimitUse[];
}

/** Opens both and looks; never throws for what is wrong with them. */
export async function examineStore(config: Config, say: (message: string) => void): Promise<StoreFinding> {
  const { dataDirectory, home } = config;
  const place = home === 'embedded' ? dataDirectory : 'DATABASE_URL';
  try {
    await using nightshift = await openRecord(config, say);
    const closings = await nightshift.health.closings();
    const lowered = await loweredLimits(nightshift);
    const detail = `PostgreSQL ${await nightshift.explain.serverVersion()}`;
    const warnings = disagreements(await nightshift.processes.processes());
    const queues = await examineQueues(nightshift);
    return {
      isOpen: queues.isOpen,
      place,
      dataDirectory,
      detail,
      queues: queues.detail,
      warnings: [...warnings, ...queues.warnings],
      closings,
      lowered,
    };
  } catch (error) {
    return { ...NOTHING_KNOWN, place, dataDirectory, detail: messageOf(error) };
  }
}

const NOTHING_KNOWN = { isOpen: false, queues: null, warnings: [], closings: [], lowered: [] } as const;

async function loweredLimits(nightshift: Nightshift): Promise<readonly LimitUse[]> {
  const lanes = await nightshift.progress.lanes(await nightshift.currentRouting());
  const lowered = lanes.flatMap(({ limits }) => limits.filter(isLowered));
  return [...new Map(lowered.map((limit) => [`${limit.scope} ${limitLabel(limit)}`, limit])).values()];
}

async function examineQueues(nightshift: Nightshift) {
  try {
    const queues = await nightshift.openQueues();
    await queues.ping();
    return { isOpen: true, detail: 'the queues answer', warnings: queues.warnings };
  } catch (error) {
    return { isOpen: false, detail: messageOf(error), warnings: [] };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
