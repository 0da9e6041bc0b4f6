/** Plain documents with a task, instead of whole requests. */
import { expect, test } from 'vitest';
import { describeHomes, isThorough } from '../homes/homes.ts';
import { onCommonGround } from './ground.ts';
import { customIdsOf, type FinalLine, readFinalLines } from './lines.ts';
import { provider } from './providers.ts';
import { requireExit } from './command.ts';
import { setStage, type Stage } from './stage.ts';

const STORY =
  'The harbour was closed in March. The council had argued about the harbour for years. Ships now land at Northport. ' +
  'Some sailors miss the old harbour. Nobody misses the smell. The council will sell the land in autumn.';

const contentOf = (line: FinalLine | undefined): string =>
  line?.response?.body.choices?.[0]?.message.content ?? '';

describeHomes((home) => {
  let stage: Stage;

  onCommonGround(async (ground) => {
    stage = ground.use(await setStage({ home, tiers: [provider('one'), provider('two')] }));
  });

  test('--task summarize turns documents into summaries, under their own ids', async () => {
    const documents = [
      { id: 'harbour', text: STORY, source: 'press' },
      { id: 7, text: `${STORY} It was the seventh time.` },
      { custom_id: 'named', text: `${STORY} So it was named.` },
    ];
    const input = await stage.write(
      'stories.jsonl',
      documents.map((document) => JSON.stringify(document)),
    );
    const output = stage.path('stories.out.jsonl');

    const { code, stderr } = await stage.run(['run', input, '--out', output, '--task', 'summarize']);

    requireExit({ code, stderr }, 0);
    const lines = await readFinalLines(output);
    expect(customIdsOf(lines)).toEqual(['harbour', '7', 'named']);
    for (const line of lines) expect(contentOf(line)).toMatch(/harbour|council/u);
  });

  test.runIf(isThorough(home))(
    "--prompt fills the fields of the user's own template, and --field names the text",
    async () => {
      const prompt = await stage.write('prompt.txt', [
        'Give the gist of "{{title}}" by {{author.name}}: {{text}}',
      ]);
      const documents = [
        { id: 'a', title: 'The Harbour', author: { name: 'Ada' }, body: STORY },
        { id: 'b', title: 'No author', body: STORY },
        { id: 'c', title: 'No text', author: { name: 'Cy' } },
      ];
      const input = await stage.write(
        'titled.jsonl',
        documents.map((document) => JSON.stringify(document)),
      );
      const output = stage.path('titled.out.jsonl');

      const { code, stderr } = await stage.run([
        'run',
        input,
        '--out',
        output,
        '--prompt',
        prompt,
        '--field',
        'body',
      ]);

      requireExit({ code, stderr }, 2);
      expect(customIdsOf(await readFinalLines(output))).toEqual(['a']);
      const refused = await readFinalLines(stage.path('titled.out.errors.jsonl'));
      expect(customIdsOf(refused)).toEqual(['b', 'c']);
      expect(refused[0]?.error?.message).toContain('author.name');
      expect(refused[1]?.error?.message).toContain('body');
    },
  );

  test.runIf(isThorough(home))('Documents without a task are refused with the way out', async () => {
    const input = await stage.write('bare.jsonl', [JSON.stringify({ id: 'a', text: STORY })]);

    const { code, stderr } = await stage.run(['run', input, '--out', stage.path('bare.out.jsonl')]);

    expect(code).toBe(1);
    expect(stderr).toContain('--task summarize');
  });
});
