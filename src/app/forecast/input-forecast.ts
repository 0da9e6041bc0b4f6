/** The forecast of an input, as it is answered. Types only; all counts of lines are of the input alone and may be fractions where said. */
import type { AnswerEvidence } from '../../core/plan/answer-length.ts';
import type { FirstWait } from '../../core/plan/first-wait.ts';
import type { PlanLimit } from '../../core/plan/situation.ts';
import type { SizeBar } from '../../core/plan/tally.ts';
import type { MeasuredInput } from '../measure-input.ts';

/** When the last line is done. */
export type ForecastFinish =
  | {
      readonly kind: 'at';
      readonly atMs: number;
      /** If answers are short, calls quick and all goes well, and if they are long and some does not. */
      readonly earliestMs: number;
      readonly latestMs: number;
    }
  /** These lines wait for a person, or for longer than can be seen. */
  | { readonly kind: 'never'; readonly lines: number };

/** What a lane is planned to do of the input. */
export interface LaneForecast {
  readonly laneId: string;
  /** May have a fraction. */
  readonly lines: number;
  /** Of all lines that run, from 0 to 1. */
  readonly share: number;
  /** By the lane's own tokenizer. */
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** What keeps it from taking more; `null` where nothing does but its calls at once. */
  readonly binding: PlanLimit | null;
  /** When it first waits for a window of more than some minutes; `null` where it need not. */
  readonly firstWait: FirstWait | null;
  readonly state: LaneOpening;
}

/** Whether a lane takes calls when the night begins. */
export type LaneOpening =
  | { readonly kind: 'open' }
  | { readonly kind: 'opens'; readonly atMs: number }
  /** A key or money is missing, or somebody paused it. */
  | { readonly kind: 'needs-user' };

/** The night with one more provider. */
export interface AdditionForecast {
  readonly providerId: string;
  /** `null` where lines would be left. */
  readonly finishAtMs: number | null;
  /** Lines of the input that nobody would run. */
  readonly linesLeft: number;
  /** Lines that the provider would take of the input. */
  readonly lines: number;
  /** Lines too long for all that are on that it could take besides. */
  readonly tooLargeLines: number;
}

/** A way to have fewer lines left at the deadline. */
export type DeadlineOption =
  | { readonly kind: 'provider'; readonly providerId: string; readonly linesLeft: number }
  | { readonly kind: 'pool-all'; readonly linesLeft: number };

/** How it looks at a deadline. */
export interface DeadlineForecast {
  readonly atMs: number;
  /** Those that only paid lanes can take are not among them. */
  readonly linesLeft: number;
  /** Of the batch's hours so much comes before it, in ms. */
  readonly openMs: number;
  /** Those that leave fewer lines, fewest first. */
  readonly options: readonly DeadlineOption[];
}

/** The answer. All counts of lines are of the input alone. */
export interface InputForecast {
  readonly atMs: number;
  /** Lines that are still to be run. */
  readonly lines: number;
  readonly bad: MeasuredInput['bad'];
  /** Of the bad ones, those that no lane of their pool can ever take. */
  readonly tooLarge: { readonly lines: number; readonly largestPromptTokens: number };
  /** Not bad, but no lane takes them as its limits are now, lowered by refusals. */
  readonly unplannableLines: number;
  /** Those that only paid lanes can take, and that the budget pays for as far as it goes. They are in no lane's share. */
  readonly paidOnlyLines: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** What tells how long its answers are. */
  readonly answersToldBy: AnswerEvidence;
  /** Lanes of the plan that have not shown how quick they are. */
  readonly untriedLanes: readonly string[];
  readonly sizes: readonly SizeBar[];
  /** Lines of other batches that are served from the same quota. */
  readonly linesOfOthers: number;
  readonly finish: ForecastFinish;
  /** Most lines first. Lanes that may take none are missing. */
  readonly lanes: readonly LaneForecast[];
  /** Those that help, most first. */
  readonly additions: readonly AdditionForecast[];
  readonly deadline: DeadlineForecast | null;
}
