import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { openTokenizer } from '../../../src/adapters/tokens/open-tokenizer.ts';
import { numberAt } from '../../../src/core/json/loose-json.ts';

/** Some 0.2 s of work: time enough to die over it. */
const LABORIOUS = [
  Array.from({ length: 200_000 }, (_, index) => ((index * index) % 46_656).toString(36)).join(''),
];

const isAlive = (pid: number | undefined): boolean => {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
};

const kill = (pid: number | undefined, signal: NodeJS.Signals): void => {
  if (pid === undefined) throw new Error('Expected a process to kill, got none.');
  process.kill(pid, signal);
};

describe('openTokenizer', () => {
  it('counts in a process of its own, which is there while somebody has it open', async () => {
    using tokenizer = openTokenizer({ lingerMs: 0 });
    expect(tokenizer.pid()).toBeUndefined();
    const tokens = tokenizer.open();
    const pid = tokenizer.pid();
    expect(isAlive(pid)).toBe(true);
    expect(await tokens.count(['Hello, world!', '', '<|endoftext|> \uD800'])).toEqual([4, 0, 8]);
    expect(await tokens.count([])).toEqual([]);
    tokens[Symbol.dispose]();
    await expect.poll(() => [tokenizer.pid(), isAlive(pid)], { timeout: 5_000 }).toEqual([undefined, false]);
  });

  it('answers every block its own counts, however many wait', async () => {
    using tokenizer = openTokenizer({ lingerMs: 0 });
    using tokens = tokenizer.open();
    const blocks = Array.from({ length: 50 }, (_, size) =>
      Array.from({ length: size }, () => ' word'.repeat(size)),
    );
    const counts = await Promise.all(blocks.map((block) => tokens.count(block)));
    expect(counts).toEqual(blocks.map((block) => block.map(() => block.length)));
  });

  it('stays for the next user, and for a while after the last', async () => {
    using tokenizer = openTokenizer({ lingerMs: 60_000 });
    const first = tokenizer.open();
    const pid = tokenizer.pid();
    const second = tokenizer.open();
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(await second.count(['x'])).toEqual([1]);
    second[Symbol.dispose]();
    expect(await tokenizer.open().count(['x'])).toEqual([1]);
    expect([tokenizer.pid(), isAlive(pid)]).toEqual([pid, true]);
  });

  it('is started again when it dies, and counts again what it died over', async () => {
    using tokenizer = openTokenizer({ lingerMs: 0 });
    using tokens = tokenizer.open();
    const [expected] = await tokens.count(LABORIOUS);
    const pid = tokenizer.pid();
    const counts = Promise.all([tokens.count(LABORIOUS), tokens.count(['x'])]);
    kill(pid, 'SIGKILL');
    expect(await counts).toEqual([[expected], [1]]);
    expect(tokenizer.pid()).not.toBe(pid);
  });

  it('gives a block up over which it dies twice, and goes on with the others', async () => {
    using tokenizer = openTokenizer({ lingerMs: 0 });
    using tokens = tokenizer.open();
    const fatal = tokens.count(LABORIOUS);
    const other = tokens.count(['x']);
    const first = tokenizer.pid();
    kill(first, 'SIGKILL');
    await expect.poll(() => tokenizer.pid() ?? first, { interval: 1 }).not.toBe(first);
    kill(tokenizer.pid(), 'SIGKILL');
    await expect(fatal).rejects.toThrow(
      /count 1 texts, but its process died 2 times .* it ended by SIGKILL/u,
    );
    expect(await other).toEqual([1]);
  });

  it('says why its process cannot start', async () => {
    const entry = new URL('./broken-process.ts', import.meta.url);
    using tokenizer = openTokenizer({ lingerMs: 0, entry });
    using tokens = tokenizer.open();
    await expect(tokens.count(['x'])).rejects.toThrow(/died 2 times[^]*the vocabulary is missing[^]*npm ci/u);
  });

  it('rejects what is not counted yet when it is closed', async () => {
    const tokenizer = openTokenizer({ lingerMs: 0 });
    const counts = tokenizer.open().count(LABORIOUS);
    tokenizer[Symbol.dispose]();
    await expect(counts).rejects.toThrow('the tokenizer was stopped');
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'leaves %s to the one that started it',
    async (signal) => {
      using tokenizer = openTokenizer({ lingerMs: 0 });
      using tokens = tokenizer.open();
      await tokens.count(['x']);
      const pid = tokenizer.pid();
      kill(pid, signal);
      expect(await tokens.count(['x'])).toEqual([1]);
      expect(tokenizer.pid()).toBe(pid);
    },
  );

  it('leaves no orphan when the one that started it is killed', async () => {
    const parent = fork(new URL('./abandoned.ts', import.meta.url), { execArgv: ['--stack-size=900'] });
    const [told] = await once(parent, 'message');
    const pid = numberAt(told, 'pid');
    expect([numberAt(told, 'count'), isAlive(pid)]).toEqual([1, true]);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });
});
