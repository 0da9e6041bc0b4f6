/** Stopping: what is under way may end, and what does not end is cut off with all that it holds. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Batches } from '../../../src/app/batches.ts';
import { documents } from '../../contracts/batches-under-test.ts';
import { fakeBatches } from './fake-batches.ts';
import { ask, serving } from './serving.ts';

/** Lanes that are asked for and answered when the test says so. */
const heldLanes = () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const lanes: Batches['lanes'] = async () => {
    asked.resolve();
    await answer.promise;
    return [];
  };
  return { batches: { ...fakeBatches(), lanes }, asked: asked.promise, answer: () => answer.resolve() };
};

describe('disposing the service', () => {
  it('lets a request under way end, and takes no new ones', async () => {
    const held = heldLanes();
    await using served = await serving({ batches: held.batches });
    const answer = fetch(`${served.url}/api/lanes`);
    await held.asked;
    const stopped = served.service[Symbol.asyncDispose]();
    await expect(ask(`${served.url}/healthz`)).rejects.toThrow('ECONNREFUSED');
    held.answer();
    const response = await answer;
    expect([response.status, await response.json()]).toEqual([200, { lanes: [] }]);
    await stopped;
  });

  it('does not wait for connections on which nothing happens', async () => {
    await using served = await serving({ patienceMs: 60_000 });
    const silent = connect(served.service.port, '127.0.0.1');
    await once(silent, 'connect');
    const keptAlive = connect(served.service.port, '127.0.0.1');
    keptAlive.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(keptAlive, 'data');
    silent.resume();
    keptAlive.resume();
    const ended = Promise.all([once(silent, 'close'), once(keptAlive, 'close')]);
    await served.service[Symbol.asyncDispose]();
    await ended;
    expect([silent.destroyed, keptAlive.destroyed]).toEqual([true, true]);
  });

  it('cuts off what takes too long', async () => {
    const held = heldLanes();
    await using served = await serving({ batches: held.batches, patienceMs: 50 });
    const answer = ask(`${served.url}/api/lanes`);
    await Promise.all([
      held.asked.then(async () => await served.service[Symbol.asyncDispose]()),
      expect(answer).rejects.toThrow('socket hang up'),
    ]);
    held.answer();
  });

  it('tells a batch that is being taken in to stop, and waits until it has', async () => {
    const begun = Promise.withResolvers<void>();
    let hasStopped = false;
    const submit: Batches['submit'] = async (_submission, _input, _tell, signal) => {
      begun.resolve();
      return await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          setImmediate(() => {
            hasStopped = true;
            reject(new Error('aborted'));
          });
        });
      });
    };
    await using served = await serving({ batches: { ...fakeBatches(), submit }, patienceMs: 50 });
    const upload = ask(`${served.url}/api/batches?name=docs`, { method: 'POST', body: documents('a') });
    await Promise.all([
      begun.promise.then(async () => await served.service[Symbol.asyncDispose]()),
      expect(upload).rejects.toThrow('socket hang up'),
    ]);
    expect(hasStopped).toBe(true);
  });

  it('may be asked for twice', async () => {
    await using served = await serving();
    await Promise.all([served.service[Symbol.asyncDispose](), served.service[Symbol.asyncDispose]()]);
    await expect(ask(`${served.url}/healthz`)).rejects.toThrow('ECONNREFUSED');
  });
});
