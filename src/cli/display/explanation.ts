/** The story of one line, in words. */
import type { AttemptStory, LineStory, Obstacle } from '../../app/explain.ts';
import type { Batch } from '../../app/batch-store.ts';
import { waitsForNightUntilMs } from '../../app/progress.ts';
import { policyText } from '../../core/policy-text.ts';
import { memberAt, parseLoosely, stringAt } from '../../core/json/loose-json.ts';
import { limitLabel, quotaLeft } from '../text/limit-label.ts';
import { clockTime, counted, durationText, fullCount, untilText } from '../text/quantity.ts';
import { tableLines } from '../text/table.ts';
import { termsLines } from './terms-text.ts';
import { oneLine } from '../text/width.ts';

/** A line with what stands between it and its lanes; no lanes once it is final. */
export interface Explanation {
  readonly batch: Batch;
  /** Batches that the name stands for; more than one means that the latest was taken. */
  readonly namesakes: number;
  readonly story: LineStory;
  readonly lanes: readonly { readonly laneId: string; readonly obstacle: Obstacle }[];
}

/** The explanation for people. */
export function explanationLines(explanation: Explanation): readonly string[] {
  const { batch, namesakes, story } = explanation;
  const size = `about ${fullCount(story.promptTokens)} tokens in, at most ${fullCount(story.outputTokens)} out`;
  return [
    `${oneLine(story.customId ?? '(no custom_id)')}: line ${fullCount(story.lineNumber)} of batch "${oneLine(batch.name)}" (id ${batch.id})`,
    ...(namesakes > 1
      ? [`  the latest of ${namesakes} batches of this name; each of the others answers to its own id`]
      : []),
    ...(story.state === 'bad' ? [] : [`  ${size}, for \`${oneLine(story.poolName ?? '')}\``]),
    `  ${standing(explanation)}`,
    ...(batch.policy === null
      ? []
      : [`  only on lanes that \`${oneLine(policyText(batch.policy))}\` allows`]),
    ...(story.finalLine === null ? termsLines(batch.terms, story.atMs).map((line) => `  ${line}`) : []),
    ...duplicateLines(story),
    ...attemptLines(story),
    ...laneLines(explanation),
    ...finalLines(explanation),
  ];
}

function standing({ batch, story, lanes }: Explanation): string {
  const tries = story.tries === 0 ? '' : ` (${counted(story.tries, 'try', 'tries')} counted)`;
  switch (story.state) {
    case 'succeeded':
      return `succeeded${tries}`;
    case 'failed':
      return `failed${tries}`;
    case 'cancelled':
      return `cancelled with its batch${tries}`;
    case 'expired':
      return `expired: the deadline of its batch came before it was done${tries}`;
    case 'bad':
      return 'bad: the line could not be run';
    case 'granted':
      return `a call is granted or under way${tries}`;
    case 'parked':
      return `parked until ${story.dueAtMs === null ? 'a lane can serve it' : untilText(story.dueAtMs, story.atMs)}${tries}`;
    case 'pending': {
      const nightMs = waitsForNightUntilMs(batch, story.atMs);
      if (nightMs !== null)
        return `waiting until ${untilText(nightMs, story.atMs)} for the hours of its batch${tries}`;
      return `waiting for ${lanes.some(({ obstacle }) => obstacle.kind === 'none') ? 'its turn' : 'a lane'}${tries}`;
    }
  }
}

function duplicateLines({ duplicateLineNumbers }: LineStory): readonly string[] {
  if (duplicateLineNumbers.length === 0) return [];
  return [
    `  the same custom_id again on line ${duplicateLineNumbers.join(', ')}: refused, the first one counts`,
  ];
}

function attemptLines({ attempts, atMs, state }: LineStory): readonly string[] {
  if (attempts.length === 0) return state === 'bad' ? [] : ['', 'No attempt yet.'];
  const table = tableLines(
    [
      { title: '  #', align: 'right' },
      { title: 'lane', align: 'left' },
      { title: 'at', align: 'left' },
      { title: 'took', align: 'right' },
      { title: 'in', align: 'right' },
      { title: 'out', align: 'right' },
      { title: 'outcome', align: 'left' },
    ],
    attempts.map((attempt, index) => attemptCells(attempt, index, atMs)),
  );
  return ['', 'Attempts:', ...table];
}

function attemptCells(attempt: AttemptStory, index: number, nowMs: number): readonly string[] {
  const { laneId, begunAtMs, closedAtMs, grantedAtMs, promptTokens, completionTokens } = attempt;
  const took = begunAtMs === null || closedAtMs === null ? '' : durationText(closedAtMs - begunAtMs);
  return [
    String(index + 1),
    oneLine(laneId),
    clockTime(begunAtMs ?? grantedAtMs, nowMs),
    took,
    promptTokens === null ? '' : fullCount(promptTokens),
    completionTokens === null ? '' : fullCount(completionTokens),
    oneLine(outcomeText(attempt)),
  ];
}

function outcomeText({ state, outcome, reason }: AttemptStory): string {
  if (state === 'granted') return 'granted, not begun yet';
  if (state === 'begun') return 'under way';
  const what = outcome === 'released' ? 'never began' : (outcome ?? 'closed');
  return reason === null ? what : `${what}: ${reason}`;
}

function laneLines({ story, lanes }: Explanation): readonly string[] {
  if (lanes.length === 0 || story.state === 'granted') return [];
  const idle =
    story.workers > 0
      ? []
      : ['  Nobody is at work on these lanes now: run the command of this batch again, it resumes.'];
  return [
    '',
    'Lanes that its name stands for:',
    ...lanes.map(
      ({ laneId, obstacle }) => `  ${oneLine(laneId)}: ${oneLine(obstacleText(obstacle, story.atMs))}`,
    ),
    ...idle,
  ];
}

function after(attempt: number | null): string {
  return attempt === null ? '' : ` after attempt ${attempt}`;
}

/** Why a lane does not serve a request now, in words. */
export function obstacleText(obstacle: Obstacle, nowMs: number): string {
  switch (obstacle.kind) {
    case 'not-configured':
      return 'not in the configuration any more';
    case 'excluded': {
      const why = obstacle.reason === null ? '' : ` (${obstacle.reason})`;
      return `ruled out for this line${after(obstacle.attempt)}${why}`;
    }
    case 'too-small':
      return 'too small for this line, whatever is left';
    case 'avoided': {
      const until = obstacle.untilMs === null ? 'for now' : `until ${untilText(obstacle.untilMs, nowMs)}`;
      return `avoided ${until}${after(obstacle.attempt)}`;
    }
    case 'closed':
      return obstacle.needsUser
        ? `closed until you act: ${obstacle.reason}`
        : `closed until ${untilText(obstacle.untilMs, nowMs)}: ${obstacle.reason}`;
    case 'no-quota': {
      const { limit, needed, untilMs } = obstacle;
      const frees =
        untilMs === null ? 'frees when calls under way end' : `frees ${untilText(untilMs, nowMs)}`;
      return `${limitLabel(limit)} has ${fullCount(quotaLeft(limit))} of ${fullCount(limit.amount)} left, it needs ${fullCount(needed)}; ${frees}`;
    }
    case 'all-slots-taken':
      return `all its ${obstacle.callsUnderWay} calls are under way`;
    case 'costs-money':
      return 'costs money: it takes what free lanes cannot do in time, as far as the budget goes';
    case 'none':
      return 'has room for it now';
  }
}

function finalLines({ batch, story }: Explanation): readonly string[] {
  const { finalLine, state } = story;
  if (finalLine === null) return [];
  const line = parseLoosely(finalLine);
  const error = memberAt(line, 'error') ?? memberAt(line, 'response', 'body', 'error');
  const code = stringAt(error, 'code');
  const message = stringAt(error, 'message');
  const isOver = ['completed', 'cancelled', 'expired'].includes(batch.state);
  const path = state === 'succeeded' ? batch.outputPath : batch.errorPath;
  const place = isOver ? `is in ${path}` : `will be in ${path} when the batch is done`;
  return [
    '',
    ...(state === 'succeeded' || message === undefined
      ? []
      : [`Why: ${oneLine(code === undefined ? message : `${code}: ${message}`)}`]),
    `Its final line ${place}${state === 'succeeded' && !isOver ? ` (already in ${batch.outputPath}.partial)` : ''}`,
  ];
}
