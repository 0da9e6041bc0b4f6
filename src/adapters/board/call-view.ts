/** What the board shows of a job: the grants it carries, told from the record. */
import type { GrantStory } from '../../app/grant-stories.ts';
import { instantText } from './figures.ts';

/** A page shows several jobs; one huge document must not make it slow. */
const MOST_TEXT_CHARACTERS = 10_000;
const HIDDEN_TEXT = 'hidden; NIGHTSHIFT_BOARD_TEXT=1 shows it';

/** A job's name and data, in place of its own. */
export interface CallView {
  readonly name: string;
  /** By grant: `grant 7`. A page folds what is nested deeper. */
  readonly data: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The grant ids of a job's data; empty if it is no data of ours. */
export const grantIdsOf = (data: unknown): readonly number[] => {
  if (typeof data !== 'object' || data === null || !('grants' in data) || !Array.isArray(data.grants))
    return [];
  return data.grants.filter((id): id is number => Number.isSafeInteger(id));
};

/** Tells a job's grants; those that `storyOf` does not know belong to a batch that was removed. */
export const callView = (
  grantIds: readonly number[],
  storyOf: (grantId: number) => GrantStory | undefined,
  showsText: boolean,
): CallView => ({
  name: nameOf(grantIds.map(storyOf)),
  data: Object.fromEntries(
    grantIds.map((grantId) => [`grant ${grantId}`, grantData(storyOf(grantId), showsText)]),
  ),
});

const nameOf = ([first, ...others]: readonly (GrantStory | undefined)[]): string => {
  const told =
    first === undefined ? 'a call of a removed batch' : `${first.customId} of "${first.batchName}"`;
  return others.length === 0 ? told : `${told} and ${others.length} more`;
};

const grantData = (story: GrantStory | undefined, showsText: boolean): Readonly<Record<string, unknown>> =>
  story === undefined
    ? { note: 'The record does not know it any more: its batch was removed.' }
    : toldData(story, showsText);

const toldData = (story: GrantStory, showsText: boolean): Readonly<Record<string, unknown>> => ({
  batch: story.batchName,
  batchId: story.batchId,
  customId: story.customId,
  lineNumber: story.lineNumber,
  lane: story.laneId,
  state: story.state,
  outcome: story.outcome,
  reason: story.reason,
  granted: instantText(story.grantedAtMs),
  begun: instantText(story.begunAtMs),
  closed: instantText(story.closedAtMs),
  promptTokens: story.promptTokens,
  completionTokens: story.completionTokens,
  text: showsText ? shortened(story.line) : HIDDEN_TEXT,
});

const shortened = (line: string | null): string | null => {
  if (line === null || line.length <= MOST_TEXT_CHARACTERS) return line;
  return `${line.slice(0, MOST_TEXT_CHARACTERS)} ... (${line.length - MOST_TEXT_CHARACTERS} characters more)`;
};
