/** A limit as a person writes it in nightshift.yaml; src/config reads the same form. */
import type { LimitUse } from '../../app/progress.ts';
import { formatDuration } from '../../config/duration.ts';

/** One entry of a `limits` list: members in the order in which they are written. */
export type LimitEntry = Readonly<Record<string, string | number>>;

/** The entry for `figure` of the limit's metric in a window of its kind. */
export function limitEntryOf(limit: LimitUse, figure: number): LimitEntry {
  return { [limit.metric]: figure, ...windowEntry(limit) };
}

/** Members that say what the configuration takes for granted are left out. */
function windowEntry({ windowKind, perMs, unit, timeZone, anchorAtMs }: LimitUse): LimitEntry {
  const per =
    perMs === null ? { per: unit === null ? '1month' : UNIT_PERIODS[unit] } : { per: formatDuration(perMs) };
  const zone = timeZone === null ? {} : { timeZone };
  const anchor =
    anchorAtMs === null || anchorAtMs === 0 ? {} : { anchor: new Date(anchorAtMs).toISOString() };
  return windowKind === 'rolling'
    ? per
    : { ...per, window: windowKind === 'fixed-month' ? 'fixed' : windowKind, ...anchor, ...zone };
}

const UNIT_PERIODS = { day: '1d', week: '7d', month: '1month' } as const;
