/** `providers`: lanes, limits, use, next reset; and what is off, and why. */
import type { LaneProgress, LimitUse } from '../../app/progress.ts';
import type { Config } from '../../config/config.ts';
import { DEMO_OFFER } from '../../config/no-keys-message.ts';
import { CATALOG } from '../../providers/catalog.ts';
import { type ConfigFlags, openRecord, readConfig } from '../configuration.ts';
import { type CliContext, printJson, printLines } from '../context.ts';
import { laneState, stateText } from '../display/lane-state.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { byMetricAndLength, limitLabel, quotaLeft } from '../text/limit-label.ts';
import { fullCount, untilText } from '../text/quantity.ts';
import { type Column, tableLines } from '../text/table.ts';
import { oneLine } from '../text/width.ts';

/** Options of `providers`. */
export interface ProvidersFlags extends ConfigFlags {
  readonly json?: boolean | undefined;
}

/** Prints how every lane stands. */
export async function providers(context: CliContext, flags: ProvidersFlags): Promise<ExitCode> {
  const config = await readConfig(context, flags, { allowNoLanes: true });
  await using nightshift = await openRecord(config, (message) => void context.stderr.write(`${message}\n`));
  const lanes = await nightshift.progress.lanes(await nightshift.currentRouting());
  const nowMs = nightshift.clock.nowMs();
  if (flags.json === true) printJson(context.stdout, { atMs: nowMs, lanes, unavailable: config.unavailable });
  else printLines(context.stdout, [...laneTable(lanes, nowMs), '', ...unavailableLines(config)]);
  return EXIT.done;
}

const COLUMNS: readonly Column[] = [
  { title: 'lane', align: 'left' },
  { title: 'limit', align: 'left' },
  { title: 'left', align: 'right' },
  { title: 'of', align: 'right' },
  { title: 'kind', align: 'left' },
  { title: 'frees', align: 'left' },
  { title: 'state', align: 'left' },
];

/** One line per limit; a limit of the provider is marked, since its lanes share it. */
export function laneTable(lanes: readonly LaneProgress[], nowMs: number): readonly string[] {
  if (lanes.length === 0) return ['No lane is on.'];
  const rows = lanes.flatMap((lane) => {
    const state = oneLine(stateText(laneState(lane, nowMs), nowMs));
    if (lane.limits.length === 0) return [[lane.laneId, 'none', '', '', '', '', state]];
    return lane.limits
      .toSorted(byMetricAndLength)
      .map((limit, index) => [
        index === 0 ? lane.laneId : '',
        ...limitCells(limit, lane, nowMs),
        index === 0 ? state : '',
      ]);
  });
  return tableLines(COLUMNS, rows);
}

function limitCells(limit: LimitUse, { providerId }: LaneProgress, nowMs: number): readonly string[] {
  const isShared = limit.scope === providerId;
  const { freesAtMs, windowKind, timeZone } = limit;
  return [
    `${limitLabel(limit)}${isShared ? ' (shared)' : ''}`,
    fullCount(quotaLeft(limit)),
    fullCount(limit.amount),
    `${windowKind}${timeZone === null ? '' : ` ${timeZone}`}`,
    freesAtMs === null ? freesByItself(limit) : untilText(freesAtMs, nowMs),
  ];
}

function freesByItself({ windowKind, used }: LimitUse): string {
  if (used === 0) return '';
  return windowKind === 'refill' ? 'continuously' : 'when calls end';
}

function nameOf(id: string): string {
  return CATALOG.find((provider) => provider.id === id)?.name ?? id;
}

function unavailableLines({ unavailable, providers: on }: Config): readonly string[] {
  return [
    ...(unavailable.length === 0 ? [] : ['Not on:']),
    ...unavailable.map(({ providerId, reason }) => `  ${nameOf(providerId)} (${providerId}): ${reason}`),
    ...(on.length === 0 ? ['', DEMO_OFFER] : []),
  ];
}
