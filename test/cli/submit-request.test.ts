/** What is told before work begins, and when it counts as told. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Batches, Submission } from '../../src/app/batches.ts';
import { submitRequest } from '../../src/cli/submit-request.ts';
import { plainDisplay } from '../../src/cli/display/plain-display.ts';
import { quietDisplay } from '../../src/cli/display/run-display.ts';
import { aBatch } from '../app/fakes.ts';
import { NOTHING_ASKED } from '../contracts/batches-under-test.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightshift-submit-'));
  await writeFile(join(directory, 'docs.jsonl'), '{}\n');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const POLICY = { forbidsTraining: true, regions: [], only: [], except: ['x'] };

/** Submits, and puts down in one list what is shown and what counts as told. */
const submit = async (displayOf: typeof plainDisplay, notices: readonly string[]) => {
  const happened: string[] = [];
  const submissions: Submission[] = [];
  const batches: Pick<Batches, 'submit' | 'markTold'> = {
    submit: async (submission) => {
      submissions.push(submission);
      return {
        batch: aBatch(),
        reasons: { first: [], count: 0 },
        isKnown: false,
        formerTerms: null,
        notices,
      };
    },
    markTold: async (told) => void happened.push(...told.map((notice) => `told ${notice}`)),
  };
  const submitted = await submitRequest(
    {
      input: join(directory, 'docs.jsonl'),
      output: null,
      errors: null,
      task: null,
      pool: null,
      policy: POLICY,
      maxCostNanoDollars: 2_500_000_000,
      terms: NOTHING_ASKED,
      name: 'docs',
      limit: null,
      fresh: false,
    },
    {
      batches,
      spoolDirectory: directory,
      listener: displayOf((message) => void happened.push(message)),
      signal: new AbortController().signal,
    },
  );
  return { happened, submitted, submission: submissions[0] };
};

it.each([
  ['in plain lines', plainDisplay],
  ['although it is quiet', quietDisplay],
])('a notice is shown on one line %s, and then counts as told', async (_, display) => {
  const { happened, submitted } = await submit(display, ['Alpha may train\non it.', 'Beta too.']);
  expect(happened.slice(-4)).toEqual([
    expect.stringMatching(/^note: Alpha may train.on it\.$/u),
    'note: Beta too.',
    'told Alpha may train\non it.',
    'told Beta too.',
  ]);
  expect(submitted?.notices).toHaveLength(2);
});

it('nothing is said where there is nothing to tell, and the policy and the budget go along', async () => {
  const { happened, submission } = await submit(quietDisplay, []);
  expect(happened).toEqual([]);
  expect(submission).toMatchObject({ policy: POLICY, maxCostNanoDollars: 2_500_000_000 });
});
