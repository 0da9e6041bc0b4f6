/** `explain`: everything that happened to one line, and what it waits for. */
import { type LaneAtHand, type LineStory, obstacleOf } from '../../app/explain.ts';
import type { Batch } from '../../app/batch-store.ts';
import { findBatch } from '../../app/record-batches.ts';
import { nearestNames } from '../../core/nearest.ts';
import type { Nightshift } from '../../wire.ts';
import { type ConfigFlags, openRecord, readConfig } from '../configuration.ts';
import { type CliContext, printJson, printLines } from '../context.ts';
import { type Explanation, explanationLines } from '../display/explanation.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { CannotRun } from '../run-request.ts';

/** Options of `explain`. */
export interface ExplainFlags extends ConfigFlags {
  readonly json?: boolean | undefined;
}

/** Prints the story of a line. Rejects with CannotRun where batch or line is unknown, with the nearest names. */
export async function explain(
  context: CliContext,
  names: { readonly batch: string; readonly customId: string },
  flags: ExplainFlags,
): Promise<ExitCode> {
  const config = await readConfig(context, flags, { allowNoLanes: true });
  await using nightshift = await openRecord(config, (message) => void context.stderr.write(`${message}\n`));
  const batch = await findBatch(nightshift.store, names.batch);
  const story = await findLine(nightshift, batch, names.customId);
  const explanation = {
    batch,
    namesakes: await countNamesakes(nightshift, batch, names.batch),
    story,
    lanes: await judgeLanes(nightshift, story),
  };
  if (flags.json === true) printJson(context.stdout, explanation);
  else printLines(context.stdout, explanationLines(explanation));
  return EXIT.done;
}

/** How many batches share the name that was asked for; 1 where it was asked for by id. */
async function countNamesakes(
  { explain: reader }: Nightshift,
  { name }: Batch,
  asked: string,
): Promise<number> {
  if (asked !== name) return 1;
  const names = await reader.batchNames();
  return names.filter((other) => other === name).length;
}

async function findLine({ explain: reader }: Nightshift, batch: Batch, customId: string): Promise<LineStory> {
  const story = await reader.line(batch.id, customId);
  if (story !== null) return story;
  const near = await reader.customIdsNear(batch.id, customId);
  throw new CannotRun(
    `Expected CUSTOM_ID to be one of the ${batch.total} lines of "${batch.name}", got ${JSON.stringify(customId)}. ${didYouMean(nearestNames(customId, near), near.slice(0, 3))}`,
  );
}

function didYouMean(nearest: readonly string[], some: readonly string[]): string {
  return nearest.length > 0
    ? `Did you mean ${nearest.join(' or ')}?`
    : `There are, for example: ${some.join(', ')}.`;
}

async function judgeLanes(
  { currentRouting, progress }: Nightshift,
  story: LineStory,
): Promise<Explanation['lanes']> {
  if (story.finalLine !== null) return [];
  const routing = await currentRouting();
  const standings = await progress.lanes(routing);
  return story.laneIds.map((laneId) => {
    const lane = routing.lane(laneId);
    const provider = lane === undefined ? undefined : routing.provider(lane.providerId);
    const standing = standings.find((candidate) => candidate.laneId === laneId);
    const isAtHand = lane !== undefined && provider !== undefined && standing !== undefined;
    const atHand: LaneAtHand | undefined = isAtHand ? { lane, provider, progress: standing } : undefined;
    return { laneId, obstacle: obstacleOf(story, laneId, atHand) };
  });
}
