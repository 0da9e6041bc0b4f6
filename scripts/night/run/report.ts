/** What a bench of nights prints. */
import { asCount, asRatio, median, table } from '../../bench/figures.ts';
import { asNightTime } from './night-time.ts';
import type { ContenderName, ContenderResult, NightResult } from './run-night.ts';

/** `0.04 %`. */
export const asPercent = (share: number, digits = 2): string =>
  Number.isFinite(share) ? `${(share * 100).toFixed(digits)} %` : '-';

/** One night: its times, and how each lane was used. */
export const nightReport = (result: NightResult): string => {
  const { shape, seed, documents, tokens, fitNowhere, runs } = result;
  const nowhere = fitNowhere === 0 ? '' : `, ${asCount(fitNowhere)} of them fit nowhere`;
  return [
    `\n${shape}, seed ${seed}: ${asCount(documents)} documents, ${asCount(tokens)} tokens${nowhere}`,
    timesTable(result),
    ...runs.flatMap(({ name, fault }) => (fault === null ? [] : [`${TITLES[name]}: ${fault}`])),
    ...deadlineLines(result),
    ...runs.flatMap(forecastLines),
    '',
    lanesTable(result),
    ...runs.flatMap(rejectionLines),
  ].join('\n');
};

const TITLES: Readonly<Record<ContenderName, string>> = { ours: 'Nightshift', pull: 'pull loop' };

const timesTable = ({ least, runs }: NightResult): string =>
  table(
    ['', 'time', 'ratio', 'calls', 'rejected', 'share', 'failed', '90 % by', 'real time', 'machine late by'],
    [
      ['least possible', asNightTime(least.leastMs), asRatio(1)],
      ...runs.map(({ name, figures, ratio, realMs, machineDelayMs }) =>
        figures === null
          ? [TITLES[name], '-']
          : [
              TITLES[name],
              asNightTime(figures.makespanMs),
              asRatio(ratio),
              asCount(figures.calls),
              asCount(figures.rejected),
              asPercent(figures.rejected / figures.calls),
              asCount(figures.failed),
              asNightTime(figures.nineTenthsMs),
              `${Math.round(realMs / 1_000)} s`,
              `${(machineDelayMs / 1_000).toFixed(1)} s`,
            ],
      ),
    ],
  );

const forecastLines = ({ name, forecast }: ContenderResult): readonly string[] =>
  forecast === null
    ? []
    : [
        `${TITLES[name]} said it would take, of what it took: ${asPart(forecast.atStart)} at the start, ${asPart(forecast.atHalf)} at half time`,
      ];

const asPart = (part: number | null): string => (part === null ? '-' : asPercent(part, 0));

const deadlineLines = ({ least, runs }: NightResult): readonly string[] => {
  if (least.mostByDeadline === null) return [];
  const done = runs.map(
    ({ name, figures }) => `${TITLES[name]} ${asCount(figures?.doneByDeadline ?? Number.NaN)}`,
  );
  return [
    `by the deadline, of which the ratio is: at most ${asCount(least.mostByDeadline)}, ${done.join(', ')}`,
  ];
};

const lanesTable = ({ least, runs }: NightResult): string => {
  const ids = [...new Set(runs.flatMap(({ figures }) => figures?.lanes.map(({ laneId }) => laneId) ?? []))];
  const rows = ids.map((laneId) => [
    laneId,
    asCount(least.lanes.find((lane) => lane.laneId === laneId)?.documents ?? 0),
    ...runs.flatMap(({ figures }) => {
      const use = figures?.lanes.find((lane) => lane.laneId === laneId);
      return use === undefined
        ? ['-', '-', '-']
        : [asCount(use.succeeded), asPercent(use.share, 0), use.binding];
    }),
  ]);
  const head = runs.flatMap(({ name }) => [TITLES[name], 'used', 'of']);
  return table(['lane', 'least possible', ...head], rows);
};

const rejectionLines = ({ name, figures }: ContenderResult): readonly string[] =>
  Object.entries(figures?.rejections ?? {}).map(
    ([limit, count]) => `rejected, ${TITLES[name]}: ${count} by ${limit}`,
  );

/** All nights together: ratios, rejections, and ours against the pull loop. */
export const closingReport = (results: readonly NightResult[]): string => {
  const names = [...new Set(results.flatMap(({ runs }) => runs.map(({ name }) => name)))];
  const rows = names.map((name) => {
    const all = runsOf(results, name);
    const ratios = all.map(({ ratio }) => ratio);
    const calls = sumOf(all, (figures) => figures.calls);
    const rejected = sumOf(all, (figures) => figures.rejected);
    return [
      TITLES[name],
      asRatio(median(ratios)),
      asRatio(Math.max(...ratios)),
      asCount(calls),
      asCount(rejected),
      asPercent(rejected / calls, 3),
      asCount(all.filter(({ fault }) => fault !== null).length),
      worstOff(all, ({ atStart }) => atStart),
      worstOff(all, ({ atHalf }) => atHalf),
    ];
  });
  const head = [
    `${results.length} nights`,
    'median',
    'worst',
    'calls',
    'rejected',
    'share',
    'unfinished',
    'forecast off at start',
    'at half',
  ];
  const versus = againstPull(results);
  return ['', table(head, rows), ...(versus === null ? [] : [versus])].join('\n');
};

const worstOff = (
  runs: readonly ContenderResult[],
  of: (forecast: NonNullable<ContenderResult['forecast']>) => number | null,
): string => {
  const parts = runs.map(({ forecast }) => (forecast === null ? null : of(forecast)));
  const off = parts.flatMap((part) => (part === null ? [] : [Math.abs(part - 1)]));
  return off.length === 0 ? '-' : asPercent(Math.max(...off), 0);
};

const runsOf = (results: readonly NightResult[], name: ContenderName): readonly ContenderResult[] =>
  results.flatMap(({ runs }) => runs.filter((run) => run.name === name));

type Figures = NonNullable<ContenderResult['figures']>;

const sumOf = (runs: readonly ContenderResult[], of: (figures: Figures) => number): number =>
  runs.reduce((sum, { figures }) => sum + (figures === null ? 0 : of(figures)), 0);

/** Both ran on each of these nights, so that their times may be divided. */
const againstPull = (results: readonly NightResult[]): string | null => {
  const times = results
    .filter(({ shape }) => shape === 'mixed')
    .flatMap(({ runs }) => {
      const [ours, pull] = (['ours', 'pull'] as const).map((name) => runs.find((run) => run.name === name));
      return ours?.figures && pull?.figures ? [ours.figures.makespanMs / pull.figures.makespanMs] : [];
    });
  return times.length === 0
    ? null
    : `mixed nights: Nightshift took ${asRatio(median(times))} of the pull loop's time (median), ${asRatio(Math.max(...times))} at worst`;
};
