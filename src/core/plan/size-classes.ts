/**
 * Size classes: requests that are alike enough to be planned as so many of one. They have the same lanes open to them, the
 * same lanes that they fit, the same priority, about the same deadline if any, and prompts and answers of about the same size.
 */
import { answerTokensOf } from './answer-length.ts';
import { bandOf } from './bands.ts';
import { fits, limitsOf, type RequestSize } from './demand.ts';
import { earliestTogether } from './expiry-groups.ts';
import type { BacklogCell, PlanRoute, Situation } from './situation.ts';

/** Requests planned as one kind. */
export interface SizeClass {
  /** Names it from one plan to the next, as long as classes are as coarse. */
  readonly key: string;
  readonly count: number;
  /** Means. */
  readonly promptTokens: number;
  readonly capTokens: number;
  readonly answerTokens: number;
  /** Those of which no other is as large in both prompt and answer: a lane that these fit, all fit. */
  readonly largest: readonly RequestSize[];
  readonly outputIsAsked: boolean;
  readonly laneIds: readonly string[];
  /** Higher goes first. The highest of its batches': see {@link MOST_PRIORITIES}. */
  readonly priority: number;
  /** The earliest of its batches; missing: it may be done at any time. */
  readonly expiresAtMs?: number;
  readonly cells: readonly BacklogCell[];
}

/** What classes are made from. */
export type ClassGrounds = Pick<Situation, 'nowMs' | 'cells' | 'routes' | 'answers' | 'lanes' | 'limits'>;

/** More classes than this make the programme slow and the plan no better. */
const MOST_CLASSES = 60;
/**
 * The same of classes times lanes, of which the programme has a column for each segment: 60 classes on 40 lanes take three
 * times as long to solve as 30, for the same finish.
 */
const MOST_PAIRS = 1_200;
/** However many lanes there are. */
const LEAST_CLASSES = 10;

/** So many priorities are told apart; all below the last of them go with it. */
const MOST_PRIORITIES = 3;

/** How much classes put together. */
interface Coarseness {
  /** So many bands of sizes. */
  readonly bands: number;
  /** See {@link earliestTogether}; 0: no deadlines but equal ones. */
  readonly expiryShare: number;
}

/**
 * Finest first. Deadlines are put together before sizes are, since a plan has ten segments at most, and only what is done
 * late hangs on them; sizes that differ by 2.5 times (four bands) come before deadlines that are further apart than a third.
 */
const COARSENESSES: readonly Coarseness[] = [
  { bands: 1, expiryShare: 0 },
  { bands: 1, expiryShare: 0.02 },
  { bands: 1, expiryShare: 0.05 },
  { bands: 1, expiryShare: 0.1 },
  { bands: 1, expiryShare: 0.2 },
  { bands: 1, expiryShare: 0.35 },
  { bands: 2, expiryShare: 0.35 },
  { bands: 4, expiryShare: 0.35 },
  { bands: 4, expiryShare: 0.6 },
  { bands: 8, expiryShare: 0.6 },
  { bands: 8, expiryShare: 0.8 },
  { bands: 16, expiryShare: 0.8 },
  { bands: Infinity, expiryShare: 0.9 },
  { bands: Infinity, expiryShare: 1 },
];

/**
 * Cells gathered into classes; coarser where there would be too many of them. What other lanes are open to, or fit, is never
 * put together, nor what expires with what does not, nor what goes before the rest. So there may be more of them where lanes differ so much, but no more
 * for more batches, deadlines or sizes.
 */
export const sizeClasses = (grounds: ClassGrounds): readonly SizeClass[] => {
  const routes = new Map(grounds.routes.map((route) => [route.id, route]));
  const answerLengths = answerTokensOf(grounds.answers);
  const known = grounds.cells.flatMap((cell): readonly RoutedCell[] => {
    const route = routes.get(cell.routeId);
    return route === undefined || cell.count <= 0 ? [] : [{ cell, route }];
  });
  const priorityOf = prioritiesOf(known);
  const takers = takersOf(grounds);
  const kinds = Map.groupBy(known, (cell) => `${priorityOf(cell)} ${takers(cell)}`);
  const open = new Set(known.flatMap(({ route }) => route.laneIds));
  const most = Math.max(LEAST_CLASSES, Math.min(MOST_CLASSES, MOST_PAIRS / open.size));
  let groups: readonly Group[] = [];
  for (const coarseness of COARSENESSES) {
    const sizeOf = sizesAndDeadlines(known, grounds.nowMs, coarseness);
    groups = [...kinds].flatMap(([kind, cells]) =>
      [...Map.groupBy(cells, sizeOf)].map(([size, alike]) => ({ key: `${size} ${kind}`, cells: alike })),
    );
    if (groups.length <= most) break;
  }
  return groups.map((group) => classOf(group, answerLengths));
};

/** Each priority there is once, the highest first. */
export const prioritiesIn = (those: readonly { readonly priority: number }[]): readonly number[] =>
  [...new Set(those.map(({ priority }) => priority))].toSorted((a, b) => b - a);

/** The priority of a cell among those that are told apart. */
const prioritiesOf = (known: readonly RoutedCell[]): ((cell: RoutedCell) => number) => {
  const lowest = prioritiesIn(known.map(({ route }) => route))[MOST_PRIORITIES - 1] ?? -Infinity;
  return ({ route }) => Math.max(route.priority, lowest);
};

interface RoutedCell {
  readonly cell: BacklogCell;
  readonly route: PlanRoute;
}

interface Group {
  readonly key: string;
  readonly cells: readonly RoutedCell[];
}

/**
 * Names the lanes open to a cell, and those of them that it does not fit. Whether they are served now is left out: it does
 * not hang on the size, and a class keeps its name when one comes or goes.
 */
const takersOf = ({ lanes, limits }: ClassGrounds): ((cell: RoutedCell) => string) => {
  const checks = lanes.map((lane) => {
    const own = limitsOf(lane, limits);
    return { id: lane.id, isTooSmall: (cell: BacklogCell) => !fits(lane, own, cell) };
  });
  const openTo = new Map<PlanRoute, { readonly name: string; readonly checks: typeof checks }>();
  return ({ cell, route }) => {
    const open = openTo.get(route) ?? {
      name: route.laneIds.join(' '),
      checks: checks.filter(({ id }) => route.laneIds.includes(id)),
    };
    openTo.set(route, open);
    const tooSmall = open.checks.flatMap(({ id, isTooSmall }) => (isTooSmall(cell) ? [`not ${id}`] : []));
    return [cell.outputIsAsked, open.name, ...tooSmall].join(' ');
  };
};

/** Names sizes and deadlines that are put together. */
const sizesAndDeadlines = (
  known: readonly RoutedCell[],
  nowMs: number,
  { bands, expiryShare }: Coarseness,
): ((cell: RoutedCell) => string) => {
  const expiries = known.flatMap(({ route: { expiresAtMs } }) =>
    expiresAtMs === undefined ? [] : [expiresAtMs],
  );
  const earliest = expiryShare === 0 ? null : earliestTogether(expiries, nowMs, expiryShare);
  return ({ cell, route: { expiresAtMs } }) => {
    const promptBand = Math.floor(bandOf(cell.toTokens) / bands);
    const capBand = Math.floor(bandOf(cell.capTokens) / bands);
    const expires = expiresAtMs === undefined ? '' : ` by ${earliest?.get(expiresAtMs) ?? expiresAtMs}`;
    return `${promptBand} ${capBand}${expires}`;
  };
};

const classOf = (
  { key, cells: routed }: Group,
  answerLengths: ReturnType<typeof answerTokensOf>,
): SizeClass => {
  const cells = routed.map(({ cell }) => cell);
  const total = (of: (cell: BacklogCell) => number): number => cells.reduce((sum, cell) => sum + of(cell), 0);
  const count = total((cell) => cell.count);
  const answerTokens = routed.reduce(
    (sum, { cell, route }) => sum + cell.count * answerLengths(cell, route.batchId),
    0,
  );
  const expiresAtMs = routed.reduce(
    (earliestMs, { route }) => Math.min(earliestMs, route.expiresAtMs ?? Infinity),
    Infinity,
  );
  return {
    key,
    count,
    promptTokens: total((cell) => cell.promptTokens) / count,
    capTokens: total((cell) => cell.capTokens * cell.count) / count,
    answerTokens: answerTokens / count,
    largest: largestOf(cells),
    outputIsAsked: cells.some((cell) => cell.outputIsAsked),
    laneIds: routed[0]?.route.laneIds ?? [],
    priority: Math.max(...routed.map(({ route }) => route.priority)),
    ...(expiresAtMs === Infinity ? {} : { expiresAtMs }),
    cells,
  };
};

/** By falling prompts, those whose answers may be longer than all before. */
const largestOf = (cells: readonly BacklogCell[]): readonly RequestSize[] => {
  const largest: RequestSize[] = [];
  for (const cell of cells.toSorted((a, b) => b.largestTokens - a.largestTokens || b.capTokens - a.capTokens))
    if (cell.capTokens > (largest.at(-1)?.capTokens ?? -1)) largest.push(cell);
  return largest;
};
