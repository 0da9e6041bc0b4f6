/** What a simulation of nights prints. */
import { asCount, asRatio, median, table } from '../../bench/figures.ts';
import { asNightTime } from '../run/night-time.ts';
import { asPercent } from '../run/report.ts';
import { MATCHINGS, type Matching, type NightComparison, type SimulatedRun } from './compare-night.ts';

const TITLES: Readonly<Record<Matching, string>> = { planned: 'planned', local: 'each lane by itself' };

/** One night: its times, what was forecast of it, and, if asked for, its lanes. */
export const comparisonReport = (night: NightComparison, withLanes: boolean): string => {
  const { shape, seed, documents, fitNowhere } = night;
  const nowhere = fitNowhere === 0 ? '' : `, ${asCount(fitNowhere)} of them fit nowhere`;
  return [
    `\n${shape}, seed ${seed}: ${asCount(documents)} documents${nowhere}`,
    timesTable(night),
    ...(withLanes ? ['', lanesTable(night)] : []),
  ].join('\n');
};

const timesTable = ({ leastMs, documents, fitNowhere, runs }: NightComparison): string =>
  table(
    [
      '',
      'time',
      'ratio',
      'calls',
      'rejected',
      'undone',
      'idle',
      'said at start',
      'said at half',
      'real time',
    ],
    [
      ['least possible', asNightTime(leastMs), asRatio(1)],
      ...runs.map((run) => [
        TITLES[run.matching],
        asNightTime(run.durationMs),
        asRatio(run.ratio),
        asCount(run.calls),
        asCount(run.rejected),
        asCount(documents - fitNowhere - run.done),
        asCount(run.idle.length),
        ...forecastErrors(run).map(asDeviation),
        `${(run.realMs / 1_000).toFixed(1)} s`,
      ]),
    ],
  );

/**
 * By how much the ends that were forecast at the start and at half time were off, as a share of the time that the night
 * took; negative where it took longer. NaN where nothing was said.
 */
export const forecastErrors = ({ forecastMs, durationMs }: SimulatedRun): readonly [number, number] => {
  const errorOf = (saidMs: number | null): number => (saidMs === null ? Number.NaN : saidMs / durationMs - 1);
  return [errorOf(forecastMs.atStart), errorOf(forecastMs.atHalf)];
};

const asDeviation = (share: number): string => `${share > 0 ? '+' : ''}${asPercent(share, 1)}`;

const lanesTable = ({ leastLanes, runs }: NightComparison): string =>
  table(
    ['lane', 'least possible', ...runs.flatMap(({ matching }) => [TITLES[matching], 'tokens', 'until'])],
    (runs[0]?.lanes ?? []).map(({ laneId }) => [
      laneId,
      asCount(leastLanes.find((lane) => lane.laneId === laneId)?.documents ?? 0),
      ...runs.flatMap(({ lanes }) => {
        const own = lanes.find((lane) => lane.laneId === laneId);
        return own === undefined
          ? ['-', '-', '-']
          : [asCount(own.calls), asCount(own.tokens), asNightTime(own.lastMs)];
      }),
    ]),
  );

/** All nights together: ratios, rejections, and how far forecasts were off. */
export const closingComparison = (nights: readonly NightComparison[]): string => {
  const rows = MATCHINGS.map((matching) => {
    const runs = nights.flatMap((night) => night.runs.filter((run) => run.matching === matching));
    const ratios = runs.map(({ ratio }) => ratio);
    const sum = (of: (run: SimulatedRun) => number): number =>
      runs.reduce((total, run) => total + of(run), 0);
    const worstError = (place: 0 | 1): number =>
      Math.max(...runs.map((run) => Math.abs(forecastErrors(run)[place])));
    return [
      TITLES[matching],
      asRatio(median(ratios)),
      asRatio(Math.max(...ratios)),
      asCount(sum(({ calls }) => calls)),
      asCount(sum(({ rejected }) => rejected)),
      asCount(sum(({ idle }) => idle.length)),
      asPercent(worstError(0), 1),
      asPercent(worstError(1), 1),
    ];
  });
  const head = [
    `${nights.length} nights`,
    'median',
    'worst',
    'calls',
    'rejected',
    'idle',
    'start off by',
    'half off by',
  ];
  return `\n${table(head, rows)}`;
};
