/**
 * What may be done from the board: pause and resume lanes, and remove calls that failed, which are kept for show only.
 * All else is refused, a route of a later version of Bull Board too, because the record decides what runs.
 */
import type { BeforeHookResult, BullBoardRequest, HookContext } from '@bull-board/api/typings/app';
import { BATCHES_QUEUE } from './batches-adapter.ts';

const QUEUE = '/api/queues/:queueName';
const JOB = `${QUEUE}/:jobId`;
const SCHEDULER = `${QUEUE}/job-schedulers/:schedulerId`;

const NO_SCHEDULERS = 'Nightshift has no schedulers: the record knows when a lane has quota again.';
const NO_ADDING = 'Jobs are added by the dispatcher, each with a grant. Use `nightshift submit` to add work.';
const NO_EDITS =
  'A job is a call that is already granted and paid for in quota; it cannot be changed or moved.';
const NO_RETRIES =
  'A failed call is not made again from here: its request moved on when it failed. Use `nightshift retry BATCH` for lines that failed for good.';
const NO_LIMITS = 'Limits and concurrency of a lane are set in the configuration, and the record keeps them.';
const NO_EMPTYING =
  'Waiting calls hold quota and would be queued again. Use `nightshift cancel BATCH` to give work up.';

/** Why an action is closed, by method and route. */
const CLOSED: ReadonlyMap<string, string> = new Map([
  [`post ${QUEUE}/add`, NO_ADDING],
  [`put ${QUEUE}/retry/:queueStatus`, NO_RETRIES],
  [`put ${JOB}/retry`, NO_RETRIES],
  [`put ${QUEUE}/promote`, NO_EDITS],
  [`put ${JOB}/promote`, NO_EDITS],
  [`patch ${JOB}/update-data`, NO_EDITS],
  [`patch ${JOB}/delay`, NO_EDITS],
  [`patch ${JOB}/priority`, NO_EDITS],
  [`put ${JOB}/remove-unprocessed-children`, NO_EDITS],
  [`put ${QUEUE}/concurrency`, NO_LIMITS],
  [`put ${QUEUE}/rate-limit`, NO_LIMITS],
  [`put ${QUEUE}/rate-limit/release`, NO_LIMITS],
  [`put ${QUEUE}/empty`, NO_EMPTYING],
  [`put ${QUEUE}/obliterate`, NO_EMPTYING],
  [`put ${SCHEDULER}/remove`, NO_SCHEDULERS],
  [`put ${SCHEDULER}/run`, NO_SCHEDULERS],
  [`patch ${SCHEDULER}`, NO_SCHEDULERS],
]);

const CLOSED_BY_DEFAULT = 'This cannot be done from the board: the record decides what runs.';

const CLOSED_FOR_BATCHES =
  'Batches are not changed from the board. Use `nightshift pause BATCH`, `resume`, `cancel` or `retry`.';

/** Bull Board's hook before each request: refuses with status 403 and a sentence that says what to use instead. */
export const guardAction = async ({ method, route, request }: HookContext): Promise<BeforeHookResult> => {
  const reason = method === 'get' ? null : await reasonAgainst(`${method} ${route}`, request);
  return reason === null
    ? { allow: true }
    : { allow: false, status: 403, errorKey: 'ERRORS.FORBIDDEN', message: reason };
};

const reasonAgainst = async (action: string, request: BullBoardRequest): Promise<string | null> => {
  if (request.params['queueName'] === BATCHES_QUEUE) return CLOSED_FOR_BATCHES;
  switch (action) {
    case 'put /api/queues/pause':
    case 'put /api/queues/resume':
    case `put ${QUEUE}/pause`:
    case `put ${QUEUE}/resume`:
      return null;
    case `put ${QUEUE}/clean/:queueStatus`:
      return reasonAgainstRemoving(String(request.params['queueStatus']));
    case `put ${JOB}/clean`:
      return reasonAgainstRemoving(await stateOfJob(request));
    default:
      return CLOSED.get(action) ?? CLOSED_BY_DEFAULT;
  }
};

/** A job that does not exist (`null`) is left to Bull Board, which answers 404. */
const reasonAgainstRemoving = (state: string | null): string | null =>
  state === null || state === 'failed'
    ? null
    : `Only failed calls can be removed, got calls that are ${state}. ${NO_EMPTYING}`;

const stateOfJob = async ({ queues, params }: BullBoardRequest): Promise<string | null> => {
  const job = await queues.get(String(params['queueName']))?.getJob(String(params['jobId']));
  return job === undefined || job === null ? null : job.getState();
};
