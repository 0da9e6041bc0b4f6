/** Bad lines end as explained error lines and harm no good one. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeHomes, isThorough } from '../homes/homes.ts';
import { onCommonGround } from './ground.ts';
import { chatLine, chatRequest, customIdsOf, ids, readFinalLines } from './lines.ts';
import { callCount, provider } from './providers.ts';
import { requireExit } from './command.ts';
import { setStage, type Stage } from './stage.ts';

/** A good line with some members changed; `undefined` leaves one out. */
const altered = (customId: string, changes: object, bodyChanges: object = {}): string => {
  const line = chatRequest(customId);
  return JSON.stringify({ ...line, body: { ...line.body, ...bodyChanges }, ...changes });
};

interface Entry {
  readonly text: string | Buffer;
  /** The code of its error line; `null` for a good line, which is known by its `customId`. */
  readonly code: string | null;
  readonly customId: string | null;
}

const good = (customId: string, text: string = chatLine(customId)): Entry => ({ text, code: null, customId });
const bad = (code: string, customId: string | null, text: string | Buffer): Entry => ({
  text,
  code,
  customId,
});

const NOT_UTF8 = Buffer.concat([Buffer.from(chatLine('latin')), Buffer.from([0x20, 0xe9, 0xff])]);
const SURROGATE_LINE = altered(
  'surrogate',
  {},
  { messages: [{ role: 'user', content: 'half a pair: \ud83d, said aloud.' }] },
);
const NUL_LINE = altered(
  'nul',
  {},
  { messages: [{ role: 'user', content: 'A nul: \0, and nothing more.' }] },
);

const ENTRIES: readonly Entry[] = [
  good('good-0'),
  bad('invalid_json_line', null, '{"custom_id": "broken", '),
  bad('invalid_request', null, '["an", "array"]'),
  bad('missing_required_parameter', null, altered('x', { custom_id: undefined })),
  bad(
    'duplicate_custom_id',
    'good-0',
    chatLine('good-0', { content: 'The same name once more. It is late.' }),
  ),
  good('good-1', `${chatLine('good-1')}\r`),
  bad('invalid_method', 'get', altered('get', { method: 'GET' })),
  bad('invalid_url', 'embed', altered('embed', { url: '/v1/embeddings' })),
  bad('streaming_unsupported', 'stream', altered('stream', {}, { stream: true })),
  bad('line_too_long', null, chatLine('huge', { content: 'x'.repeat(4 * 1024 * 1024) })),
  bad('invalid_utf8', null, NOT_UTF8),
  bad('missing_required_parameter', 'mute', altered('mute', {}, { messages: undefined })),
  bad('model_not_found', 'unknown', chatLine('unknown', { model: 'smal' })),
  bad('request_unservable', 'long', chatLine('long', { content: 'word '.repeat(30_000) })),
  bad('invalid_value', null, altered('x', { custom_id: 'with\0nul' })),
  bad('invalid_value', null, altered('x', { custom_id: 'half \ud83d' })),
  good('surrogate', SURROGATE_LINE),
  good('nul', NUL_LINE),
  good('tab\tand "quotes" \\ and é'),
  good('good-2'),
];

const customIdsOfEntries = (wanted: (entry: Entry) => boolean): readonly (string | null)[] =>
  ENTRIES.filter((entry) => wanted(entry)).map((entry) => entry.customId);

describeHomes((home) => {
  let stage: Stage;

  onCommonGround(async (ground) => {
    stage = ground.use(await setStage({ home, tiers: [provider('one'), provider('two')] }));
  });

  test('One bad line of every kind among good ones: every good one is done, every bad one explained, exit 2', async () => {
    const bytes = ENTRIES.flatMap(({ text }, index) => [
      Buffer.from(text),
      // A blank line after the third; no line break at the end.
      Buffer.from(index === ENTRIES.length - 1 ? '' : index === 2 ? '\n\n' : '\n'),
    ]);
    const input = await stage.write('mixed.jsonl', Buffer.concat(bytes));
    const output = stage.path('mixed.out.jsonl');
    const errors = stage.path('mixed.err.jsonl');

    const { code, stderr } = await stage.run(['run', input, '--out', output, '--errors', errors]);

    requireExit({ code, stderr }, 2);
    expect(customIdsOf(await readFinalLines(output))).toEqual(
      customIdsOfEntries((entry) => entry.code === null),
    );
    const refused = await readFinalLines(errors);
    const expected = ENTRIES.filter((entry) => entry.code !== null);
    expect(refused.map((line) => line.error?.code)).toEqual(expected.map((entry) => entry.code));
    expect(customIdsOf(refused)).toEqual(expected.map((entry) => entry.customId));
    for (const line of refused) {
      expect(line.error?.message).toMatch(/.{30}/u);
      expect(line.response).toBeNull();
    }
    // Counted from 1, with the blank one.
    expect(refused.map((line) => line.error?.line)).toEqual(
      expected.map((entry) => ENTRIES.indexOf(entry) + 1 + (ENTRIES.indexOf(entry) > 2 ? 1 : 0)),
    );
    expect(stage.simulator.calls()).toHaveLength(ENTRIES.length - expected.length);
  });

  test.runIf(isThorough(home))(
    'A file with no good line shows its first ten reasons and leaves nothing behind',
    async () => {
      const input = await stage.write(
        'none.jsonl',
        ids(25).map((name) => altered(name, { method: 'GET' })),
      );
      const before = callCount(stage.simulator);
      const batchesBefore = await stage.ask('SELECT count(*) FROM batch');

      const { code, stderr } = await stage.run(['run', input, '--out', stage.path('none.out.jsonl')]);

      requireExit({ code, stderr }, 1);
      expect(stderr.match(/line \d+: invalid_method/gu)).toHaveLength(10);
      expect(stderr).toMatch(/15 more/u);
      expect(existsSync(stage.path('none.out.jsonl'))).toBe(false);
      expect(existsSync(stage.path('none.out.jsonl.partial'))).toBe(false);
      expect(existsSync(stage.path('none.out.errors.jsonl'))).toBe(false);
      expect(await stage.ask('SELECT count(*) FROM batch')).toBe(batchesBefore);
      expect(
        await stage.ask(
          'SELECT count(*) FROM request r LEFT JOIN batch b ON b.id = r.batch_id WHERE b.id IS NULL',
        ),
      ).toBe(0);
      expect(callCount(stage.simulator)).toBe(before);
    },
  );

  test.runIf(isThorough(home))('An empty file is refused with a sentence that says so', async () => {
    const input = await stage.write('empty.jsonl', []);

    const { code, stderr } = await stage.run(['run', input, '--out', stage.path('empty.out.jsonl')]);

    expect(code).toBe(1);
    expect(stderr).toMatch(/at least one line, got none/u);
  });
});
