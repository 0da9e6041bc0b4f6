/** Documents that are about as large and may go to the same lanes, as one. */
import type { NightDocument } from '../night.ts';
import { mayEverServe, type NightLane } from './night-lanes.ts';

/** Documents of one class. */
export interface SizeClass {
  readonly documents: readonly NightDocument[];
  /** Those that would ever serve each of them; never empty. */
  readonly lanes: readonly NightLane[];
}

/** Prompts of one class differ by no more than this factor, and answers by no more than that one. */
const WIDEST_PROMPTS = 1.12;
const WIDEST_ANSWERS = 1.4;

/** Every document that some lane may serve, in exactly one class. */
export const sizeClasses = (
  documents: readonly NightDocument[],
  lanes: readonly NightLane[],
): readonly SizeClass[] => {
  const placed = documents.map((document) => ({
    document,
    eligible: lanes.filter((lane) => mayEverServe(lane, document)),
  }));
  const classes = Map.groupBy(placed, ({ document, eligible }) =>
    [...sizeSteps(document), ...eligible.map(({ index }) => index)].join(' '),
  );
  return [...classes.values()]
    .map((members) => ({
      documents: members.map(({ document }) => document),
      lanes: members[0]?.eligible ?? [],
    }))
    .filter((one) => one.lanes.length > 0);
};

const sizeSteps = ({ promptTokens, answerTokens }: NightDocument): readonly number[] => [
  Math.floor(Math.log(promptTokens) / Math.log(WIDEST_PROMPTS)),
  Math.floor(Math.log(answerTokens + 1) / Math.log(WIDEST_ANSWERS)),
];
