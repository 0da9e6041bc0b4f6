/** COPY of a batch's lines into the record. */
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { IngestRow } from '../../app/batch-store.ts';

const COLUMNS =
  'batch_id, line_number, custom_id, line, route_id, prompt_tokens, most_prompt_tokens, output_tokens, output_is_asked, state';

/** Streams rows into `request`; `routeIdOf` names the route of a row's pool. Resolves when PostgreSQL has them all. */
export const copyRequests = async (
  client: pg.ClientBase,
  batchId: number,
  rows: AsyncIterable<readonly IngestRow[]>,
  routeIdOf: (poolName: string) => Promise<number>,
): Promise<void> => {
  const copy = client.query(copyFrom(`COPY request (${COLUMNS}) FROM STDIN`));
  await pipeline(Readable.from(asText(batchId, rows, routeIdOf), { objectMode: false }), copy);
};

async function* asText(
  batchId: number,
  rows: AsyncIterable<readonly IngestRow[]>,
  routeIdOf: (poolName: string) => Promise<number>,
): AsyncGenerator<Buffer> {
  for await (const some of rows) {
    let text = '';
    for (const row of some) {
      const routeId = row.poolName === null ? '\\N' : await routeIdOf(row.poolName);
      const customId = row.customId === null ? '\\N' : escape(row.customId);
      text += `${batchId}\t${row.lineNumber}\t${customId}\t${escape(row.line)}\t${routeId}\t${row.promptTokens}\t${row.mostPromptTokens ?? '\\N'}\t${row.outputTokens}\t${row.outputIsAsked}\t${row.state}\n`;
    }
    yield Buffer.from(text);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** COPY's text format; see "File Formats, Text Format" of COPY in PostgreSQL's manual. */
const escape = (text: string): string =>
  text.replaceAll(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character);
