/** Several `nightshift run`s at once, each with more lines than it will get, until they are told to stop. */
import { type Command, requireExit } from './command.ts';
import { chatLine, ids, type LineOptions } from './lines.ts';
import type { Stage } from './stage.ts';

/** A line of 63 tokens, which the simulator answers with 38 of the 45 that it allows: 101 in all. */
export const WEIGHED_LINE = {
  content:
    'The harbour grew for nine years. Trade doubled, and doubled again. Then the river changed its bed, and the ships ' +
    'went elsewhere. The town wrote letters to the king, who had other things to do. So it dug a canal of its own, ' +
    'with spades, in eleven winters.',
  maxTokens: 45,
} satisfies LineOptions;

/** How many, and what each has to do. */
export interface CrowdOptions extends LineOptions {
  readonly processes: number;
  readonly linesEach: number;
  /** Lines that come first in each, for another model: what a process does for the first time it does slowly. */
  readonly warmUp?: { readonly model: string; readonly linesEach: number };
}

/** Starts them, all at once. */
export const startCrowd = async (
  stage: Stage,
  { processes, linesEach, warmUp, ...line }: CrowdOptions,
): Promise<readonly Command[]> =>
  await Promise.all(
    ids(processes, 'run-').map(async (run) => {
      const first = ids(warmUp?.linesEach ?? 0, `${run}-warm-`).map((name) =>
        chatLine(name, { ...line, ...(warmUp === undefined ? {} : { model: warmUp.model }) }),
      );
      const lines = [...first, ...ids(linesEach, `${run}-`).map((name) => chatLine(name, line))];
      const input = await stage.write(`${run}.jsonl`, lines);
      return stage.start(['run', input, '--out', stage.path(`${run}.out.jsonl`)]);
    }),
  );

/** Interrupts them, and throws with what one said that did not end as an interrupted command does. */
export const stopCrowd = async (runs: readonly Command[]): Promise<void> => {
  for (const run of runs) run.kill('SIGINT');
  for (const end of await Promise.all(runs.map(({ ended }) => ended))) requireExit(end, 130);
};
