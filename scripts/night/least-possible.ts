/**
 * The least possible time of a night: what somebody with perfect knowledge could not beat, given the providers' true
 * windows and bursts, concurrency, latency without jitter, and outages. Failures by chance are left out, so it is a
 * lower bound. Independent of Nightshift: it knows the simulated tiers and a solver.
 */
import { type Bound, boundsOf } from './least-possible/bounds.ts';
import { lanesOf, type NightLane, type Span } from './least-possible/night-lanes.ts';
import { mostDocuments } from './least-possible/priced-bound.ts';
import { type Programme, programmeOf } from './least-possible/programme.ts';
import { segmentsOf } from './least-possible/segments.ts';
import { type SizeClass, sizeClasses } from './least-possible/size-classes.ts';
import { loadSolver, type Solver } from './least-possible/solver.ts';
import type { Night } from './night.ts';

/** What a night takes at least. */
export interface LeastPossible {
  /** From the beginning of the first call to the end of the last, in ms, short of the truth by at most 0.1 %. */
  readonly leastMs: number;
  /** Documents that no lane would ever serve; they are not waited for. */
  readonly fitNowhere: number;
  /** What the programme would put where, in a night of that length. */
  readonly lanes: readonly LaneShare[];
}

/** What a lane takes in the programme's plan; fractions of documents are possible. */
export interface LaneShare {
  readonly laneId: string;
  readonly documents: number;
  readonly tokens: number;
}

/** Answers for one night, with a solver that is loaded once. */
export interface LeastPossibleSolver {
  leastPossible(night: Night): LeastPossible;
  /** No more documents than this can be done by then, `untilMs` from the night's beginning. */
  mostDocumentsBy(night: Night, untilMs: number): number;
}

/** Where the search ends: this much of the time. */
const PRECISION = 0.001;
const SHORTEST_GUESS_MS = 240_000;
/** A night that takes longer than 60 days is no night. */
const LONGEST_MS = 60 * 86_400_000;
/** Part of a document that the solver's own tolerance may add. */
const TOLERANCE = 1e-6;

/** Loads the solver. */
export const openLeastPossible = async (): Promise<LeastPossibleSolver> => {
  const solver = await loadSolver();
  return {
    leastPossible: (night) => leastPossible(solver, night),
    mostDocumentsBy: (night, untilMs) => {
      const task = taskOf(night);
      return Math.min(task.servable, Math.floor(doneBy(solver, task, untilMs).most + TOLERANCE));
    },
  };
};

const leastPossible = (solver: Solver, night: Night): LeastPossible => {
  const task = taskOf(night);
  const isEnough = (untilMs: number): boolean =>
    doneBy(solver, task, untilMs).most >= task.servable - TOLERANCE;
  let [shortMs, enoughMs] = [0, SHORTEST_GUESS_MS];
  while (!isEnough(enoughMs)) {
    if (enoughMs > LONGEST_MS)
      throw new Error('Expected the night to end within 60 days, but its limits do not allow that.');
    [shortMs, enoughMs] = [enoughMs, enoughMs * 2];
  }
  while (enoughMs - shortMs > enoughMs * PRECISION) {
    const middleMs = (shortMs + enoughMs) / 2;
    if (isEnough(middleMs)) enoughMs = middleMs;
    else shortMs = middleMs;
  }
  return {
    leastMs: shortMs,
    fitNowhere: night.documents.length - task.servable,
    lanes: doneBy(solver, task, enoughMs).lanes,
  };
};

/** What of a night is the same however long it may take. */
interface Task {
  readonly tiers: Night['tiers'];
  readonly startsAtMs: number;
  readonly lanes: readonly NightLane[];
  readonly classes: readonly SizeClass[];
  readonly bounds: readonly Bound[];
  /** Documents that fit some lane. */
  readonly servable: number;
}

const taskOf = (night: Night): Task => {
  const { tiers, startsAtMs, documents } = night;
  const lanes = lanesOf(night);
  const classes = sizeClasses(documents, lanes);
  const servable = classes.reduce((sum, one) => sum + one.documents.length, 0);
  return { tiers, startsAtMs, lanes, classes, bounds: boundsOf(classes, startsAtMs), servable };
};

interface Done {
  /** An upper bound of the documents that can be done. */
  readonly most: number;
  readonly lanes: readonly LaneShare[];
}

const doneBy = (solver: Solver, task: Task, endsAtMs: number): Done => {
  const { tiers, lanes, startsAtMs, classes, bounds } = task;
  const byTier = new Map(tiers.map((tier) => [tier, segmentsOf(tier, lanes, { startsAtMs, endsAtMs })]));
  const laneSegments = (lane: NightLane): readonly Span[] => byTier.get(lane.tier) ?? [];
  const programme = programmeOf({ classes, bounds, segmentsOf: laneSegments, endsAtMs });
  if (programme.columns.length === 0) return { most: 0, lanes: [] };
  const solution = solver.solve(programme.text, { output_flag: false });
  if (solution.Status !== 'Optimal')
    throw new Error(`Expected the programme of the night to be solved, got \`${solution.Status}\`.`);
  const prices = new Map(
    solution.Rows.flatMap((row) => ('Dual' in row ? [[row.Name, Math.abs(row.Dual)] as const] : [])),
  );
  const rows = programme.rows.map((row, index) => ({ row, price: prices.get(`r${index}`) ?? 0 }));
  return {
    most: mostDocuments({ rows, classes, segmentsOf: laneSegments, endsAtMs }),
    lanes: sharesOf(programme, (index) => primalOf(solution.Columns[`x${index}`])),
  };
};

const primalOf = (column: object | undefined): number =>
  column !== undefined && 'Primal' in column && typeof column.Primal === 'number' ? column.Primal : 0;

const sharesOf = ({ columns }: Programme, takenOf: (index: number) => number): readonly LaneShare[] => {
  const shares = columns.map(({ sizeClass, place }, index) => {
    const tokens = sizeClass.documents.reduce((sum, one) => sum + one.promptTokens + one.answerTokens, 0);
    const documents = takenOf(index);
    return { laneId: place.lane.id, documents, tokens: (documents * tokens) / sizeClass.documents.length };
  });
  return [...Map.groupBy(shares, ({ laneId }) => laneId)].map(([laneId, parts]) => ({
    laneId,
    documents: parts.reduce((sum, part) => sum + part.documents, 0),
    tokens: parts.reduce((sum, part) => sum + part.tokens, 0),
  }));
};
