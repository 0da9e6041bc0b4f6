import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { watchSignals } from '../../src/cli/interruption.ts';

const setUp = () => {
  const source = new EventEmitter();
  const said: string[] = [];
  let nowMs = 1_000;
  const signals = watchSignals(
    source,
    {
      drainRequested: () => said.push('drain'),
      abortRequested: () => said.push('abort'),
      exitRequested: () => said.push('exit'),
    },
    () => nowMs,
  );
  const send = (signal: string, afterMs = 1_000): void => {
    nowMs += afterMs;
    source.emit(signal);
  };
  return { source, said, signals, send };
};

describe('signals of the user', () => {
  it('drain at the first Ctrl-C, abort at the second and exit at the third', () => {
    const { said, send, signals } = setUp();
    send('SIGINT');
    expect([signals.drain.aborted, signals.abort.aborted]).toEqual([true, false]);
    send('SIGINT');
    expect(signals.abort.aborted).toBe(true);
    send('SIGINT');
    expect(said).toEqual(['drain', 'abort', 'exit']);
  });

  it('count once when a launcher and the terminal both deliver the same Ctrl-C', () => {
    const { said, send } = setUp();
    send('SIGINT');
    send('SIGINT', 5);
    expect(said).toEqual(['drain']);
  });

  it('drain and no more on SIGTERM and SIGHUP', () => {
    const { said, send } = setUp();
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGTERM']) send(signal);
    expect(said).toEqual(['drain']);
  });

  it('abort at a Ctrl-C that follows a SIGTERM', () => {
    const { said, send } = setUp();
    send('SIGTERM');
    send('SIGINT');
    expect(said).toEqual(['drain', 'abort']);
  });

  it('are left to the process again afterwards', () => {
    const { source, signals } = setUp();
    signals[Symbol.dispose]();
    expect(source.eventNames()).toEqual([]);
  });
});
