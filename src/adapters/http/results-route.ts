/** `GET /api/batches/:ref/results`: final lines as they are, one per line, read no faster than the client takes them. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { Batches } from '../../app/batches.ts';
import type { FinalLine } from '../../app/batch-store.ts';
import { oneOf, queryOf } from './query.ts';
import { refOf } from './refs.ts';

/**
 * Streams the lines. What goes wrong before the first page is an error like any other; later it closes the connection
 * without the end that chunked transfer asks for, so that no client takes a part for the whole.
 */
export const streamResults =
  (batches: Batches) =>
  async (request: Request, response: Response): Promise<void> => {
    const read = queryOf(request, 'order', 'only');
    const query = {
      order: read('order', oneOf('completion', 'input')),
      only: read('only', oneOf('all', 'succeeded', 'others')),
    };
    const pages = batches.results(refOf(request), query)[Symbol.asyncIterator]();
    try {
      const first = await pages.next();
      response.type('application/jsonl');
      if (request.method === 'HEAD') response.end();
      else await pipeline(Readable.from(textOf(first, pages)), response);
    } finally {
      await pages.return?.();
    }
  };

async function* textOf(
  first: IteratorResult<readonly FinalLine[]>,
  pages: AsyncIterator<readonly FinalLine[]>,
): AsyncGenerator<string> {
  for (let page = first; page.done !== true; page = await pages.next()) {
    if (page.value.length > 0) yield page.value.map(({ line }) => `${line}\n`).join('');
  }
}
