import { describe, expect, it } from 'vitest';
import { BatchRefused } from '../../src/app/batches.ts';
import { isExpected, printableError, UnexpectedFault } from '../../src/cli/printable-error.ts';
import { CannotRun } from '../../src/cli/run-request.ts';
import { configError } from '../../src/config/problems.ts';

describe('what a person is told', () => {
  it.each([
    new BatchRefused('not-found', 'Expected a batch, got none.'),
    new CannotRun('Expected a lane, got none.'),
    configError('Expected a key, got none.'),
    new Error('Expected a server, got none.'),
  ])('is the message alone of what was expected to go wrong: $name', (error) => {
    expect(isExpected(error)).toBe(true);
    expect(printableError(error)).toMatch(/^nightshift: .*Expected .*, got none\.$/u);
  });

  it('is where to look, of anything else', () => {
    expect(printableError(new TypeError('x is not a function'))).toMatch(
      /something unexpected went wrong: x is not a function\n.*NIGHTSHIFT_DEBUG=1/u,
    );
    expect(printableError(new UnexpectedFault(new Error('boom'), '/data/nightshift.log'))).toMatch(
      /boom\nThe log is \/data\/nightshift\.log\.$/u,
    );
  });
});
