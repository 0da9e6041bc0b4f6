/** What a person sees of a running simulator: a line per second, and the table at the end. */
import type { CallStats, LimitStats, SimulatorStats } from './stats.ts';

/** `12:00:01Z  +34 calls  31 answered  2 refused  1 failed  5 under way`, or null if nothing happened since. */
export function activityLine(before: SimulatorStats, after: SimulatorStats): string | null {
  const [earlier, now] = [total(before), total(after)];
  const calls = now.calls - earlier.calls;
  const ended =
    now.succeeded + now.rejected + now.failed - earlier.succeeded - earlier.rejected - earlier.failed;
  if (calls === 0 && ended === 0) return null;
  return [
    new Date(after.nowMs).toISOString().slice(11, 19),
    `+${calls} calls`,
    `${now.succeeded - earlier.succeeded} answered`,
    `${now.rejected - earlier.rejected} refused (429)`,
    `${now.failed - earlier.failed} failed`,
    `${now.inFlight} under way`,
  ].join('  ');
}

type Totals = Pick<CallStats, 'calls' | 'succeeded' | 'rejected' | 'failed' | 'inFlight'>;

function total(stats: SimulatorStats): Totals {
  const none: Totals = { calls: 0, succeeded: 0, rejected: 0, failed: 0, inFlight: 0 };
  return Object.values(stats.providers).reduce<Totals>(
    (sum, provider) => ({
      calls: sum.calls + provider.calls,
      succeeded: sum.succeeded + provider.succeeded,
      rejected: sum.rejected + provider.rejected,
      failed: sum.failed + provider.failed,
      inFlight: sum.inFlight + provider.inFlight,
    }),
    none,
  );
}

const HEADINGS = [
  'model',
  'calls',
  'answered',
  'refused',
  'failed',
  'tokens in',
  'tokens out',
  'most used limit',
];

/** One row per model: calls, answers, 429s, failures, tokens, and the limit it used the largest share of. */
export function closingTable(stats: SimulatorStats): string {
  const rows = Object.entries(stats.providers).flatMap(([providerId, provider]) =>
    Object.entries(provider.models).map(([modelId, model]) =>
      row(`${providerId}/${modelId}`, model, [...model.limits, ...provider.limits]),
    ),
  );
  return aligned([HEADINGS, ...rows]);
}

function row(name: string, model: CallStats, limits: readonly LimitStats[]): string[] {
  const { calls, succeeded, rejected, failed, promptTokens, completionTokens } = model;
  const counts = [calls, succeeded, rejected, failed, promptTokens, completionTokens].map((n) =>
    n.toLocaleString('en'),
  );
  const fullest = limits.toSorted((left, right) => right.share - left.share)[0];
  const share = fullest === undefined ? '-' : `${Math.round(fullest.share * 100)} % of ${fullest.limit}`;
  return [name, ...counts, share];
}

/** Numbers to the right, the first and the last column to the left. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const cell = (text: string, column: number) => {
    const width = widths[column] ?? 0;
    return column === 0 || column === HEADINGS.length - 1 ? text.padEnd(width) : text.padStart(width);
  };
  return rows.map((cells) => cells.map(cell).join('  ').trimEnd()).join('\n');
}
