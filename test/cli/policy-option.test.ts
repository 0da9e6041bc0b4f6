import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type PolicyFlags, readPolicy } from '../../src/cli/policy-option.ts';
import { withPolicy } from '../../src/cli/program/options.ts';

/** The policy of what was typed. */
const typed = (...args: readonly string[]): unknown => {
  const command = withPolicy(new Command('run'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  command.parse(args, { from: 'user' });
  return readPolicy(command.opts<PolicyFlags>());
};

describe('the policy that was typed', () => {
  it('is none where nothing was said of it', () => {
    expect([typed(), typed('--pool', 'small')]).toEqual([null, null]);
  });

  it('has every option, lists in one order', () => {
    expect(
      typed('--no-training', '--region', 'eu, CH', '--only', 'groq,gemini/gemma', '--except', 'groq/a'),
    ).toEqual({
      forbidsTraining: true,
      regions: ['CH', 'EU'],
      only: ['gemini/gemma', 'groq'],
      except: ['groq/a'],
    });
  });

  it.each([
    ['--region', ''],
    ['--only', 'groq,'],
    ['--except', ','],
  ])('is refused as %s %j', (option, value) => {
    expect(() => typed(option, value)).toThrow('Expected names with commas between them');
  });
});
