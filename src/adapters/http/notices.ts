/** Answers that tell people something once: it counts as told when the answer is out. */
import { finished } from 'node:stream/promises';
import type { Response } from 'express';
import type { Batches } from '../../app/batches.ts';

/** Sends an answer. A client that goes away before it has it is told again next time. */
export const answerWithNotices = async (
  batches: Pick<Batches, 'markTold'>,
  response: Response,
  answer: { readonly notices: readonly string[] },
): Promise<void> => {
  response.json(answer);
  await finished(response);
  if (answer.notices.length > 0) await batches.markTold(answer.notices);
};
