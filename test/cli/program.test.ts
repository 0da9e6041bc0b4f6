import { CommanderError } from 'commander';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BatchRefused } from '../../src/app/batches.ts';
import { createProgram } from '../../src/cli/program.ts';

// oxfmt-ignore
const COMMANDS = [
  'run', 'plan', 'up', 'submit', 'list', 'status', 'watch', 'results', 'cancel', 'pause', 'resume', 'retry',
  'explain', 'providers', 'doctor', 'init', 'simulate',
] as const;

describe('the command line', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nightshift-cli-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const type = async (...args: string[]) => {
    const said = { stdout: '', stderr: '', code: null as number | null, error: null as unknown };
    const program = createProgram(
      {
        environment: {},
        workingDirectory: directory,
        homeDirectory: directory,
        stdout: { write: (text) => (said.stdout += text) },
        stderr: { write: (text) => (said.stderr += text) },
        arguments: args,
      },
      (code) => {
        said.code = code;
      },
    );
    await program.parseAsync(args, { from: 'user' }).catch((error: unknown) => {
      said.error = error;
    });
    return said;
  };

  it('teaches with a first example, and explains the exit codes', async () => {
    const { stdout } = await type('--help');
    expect(stdout).toContain('npx nightshift run docs.jsonl --task summarize');
    expect(stdout).toMatch(/130 {2}interrupted/);
  });

  it.each(COMMANDS)('has examples for %s', async (name) => {
    const { stdout } = await type(name, '--help');
    expect(stdout).toContain('Example');
    expect(stdout).toContain(`nightshift ${name}`);
    expect(stdout).toMatch(new RegExp(`^  \\$ .*nightshift ${name}`, 'mu'));
  });

  it('tells its version', async () => {
    expect((await type('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each(['run', 'submit'])('says in the help of %s where prompts go', async (name) => {
    const { stdout } = await type(name, '--help');
    for (const option of ['--no-training', '--region', '--only', '--except'])
      expect(stdout).toContain(option);
    expect(stdout).toContain('never gets a line of the batch, whatever fails');
    expect(stdout).toMatch(/\$ nightshift (?:run|submit) .*--no-training/u);
  });

  it.each(['run', 'submit'])('says in the help of %s what the options on time promise', async (name) => {
    const { stdout } = await type(name, '--help');
    for (const option of ['--between', '--priority', '--deadline', '--time-zone'])
      expect(stdout).toContain(option);
    expect(stdout).toContain('Outside its hours nothing of the batch begins');
    expect(stdout).toMatch(/\$ nightshift (?:run|submit) .*--deadline/u);
  });

  it.each(['run', 'plan', 'submit'])(
    'refuses terms that make no sense to %s, before it reads the input',
    async (name) => {
      expect((await type(name, 'a.jsonl', '--priority', 'high')).stderr).toContain(
        'Expected a whole number from -100 to 100, got "high".',
      );
      const whole = await type(name, 'a.jsonl', '--between', '00:00-24:00', '--priority', '-5');
      expect(whole.error).toBeInstanceOf(BatchRefused);
      expect(String(whole.error)).toContain('Leave it out for the whole day');
      const soon = await type(name, 'a.jsonl', '--deadline', 'soon');
      expect(String(soon.error)).toContain('(2026-11-21T07:00)');
      const mars = await type(name, 'a.jsonl', '--deadline', '07:00', '--time-zone', 'Mars/Olympus');
      expect(String(mars.error)).toContain('an IANA name such as Europe/Berlin or UTC, got "Mars/Olympus"');
    },
  );

  it('suggests the nearest command and the nearest option', async () => {
    expect((await type('rum')).stderr).toContain('Did you mean run?');
    expect((await type('run', 'a.jsonl', '--lmit', '3')).stderr).toContain('Did you mean --limit?');
  });

  it('refuses numbers that are none, naming what it expected', async () => {
    const { stderr, error } = await type('run', 'a.jsonl', '--limit', 'many');
    expect(stderr).toContain('Expected a whole number from 1, got "many".');
    expect(error).toBeInstanceOf(CommanderError);
  });

  it('refuses faults that no simulated tier knows', async () => {
    const { stderr } = await type('simulate', '--fault', 'sim-groq:nonsense');
    expect(stderr).toContain('http-500');
    expect((await type('simulate', '--fault', 'sim-groq')).stderr).toContain('Expected TIER:KIND');
  });

  it('says that an input is missing before it looks for keys', async () => {
    const { error } = await type('run', 'none.jsonl');
    expect(String(error)).toContain('found none there');
  });

  it('tells someone without a key how to get one', async () => {
    const { stdout } = await type('init', '--stdout');
    expect(stdout).toContain('GROQ_API_KEY');
  });

  it('says once how to get each key when there is none', async () => {
    const noDirectory = join(directory, 'a-file');
    await writeFile(noDirectory, '');
    const { stdout, code } = await type('doctor', '--data', noDirectory);
    expect(code).toBe(1);
    expect(stdout.split('https://aistudio.google.com/apikey')).toHaveLength(2);
    expect(stdout).toContain('npm run demo');
  });

  it('writes a configuration once, and again only when forced', async () => {
    expect((await type('init')).code).toBe(0);
    expect(await readFile(join(directory, 'nightshift.yaml'), 'utf8')).toContain('providers:');
    expect(String((await type('init')).error)).toContain('Add --force to overwrite it');
    expect((await type('init', '--force')).code).toBe(0);
  });

  it.each([
    [
      'up',
      '--role',
      'boss',
      'Expected roles out of api, dispatcher, worker with commas between them, got "boss".',
    ],
    ['up', '--role', '', 'Expected roles out of'],
    ['up', '--port', '70000', 'Expected a port from 0 to 65535, got 70000.'],
    ['up', '--port', '-1', 'Expected a whole number from 0, got "-1".'],
    ['up', '--host', ' ', 'Expected a text, got an empty one.'],
    ['list', '--limit', '1001', 'Expected a whole number from 1 to 1000, got 1001.'],
    ['list', '--limit', '0', 'Expected a whole number from 1, got "0".'],
  ])('refuses %s %s %j', async (command, option, value, message) => {
    const { stderr, error } = await type(command, option, value);
    expect(stderr).toContain(message);
    expect(error).toBeInstanceOf(CommanderError);
  });

  it.each([
    [['results', 'docs', '--order', 'sideways'], /Allowed choices are input, completion/u],
    [['results', 'docs', '--only', 'some'], /Allowed choices are all, succeeded, others/u],
    [['submit', 'a.jsonl', '--task', 'translate'], /Allowed choices are summarize/u],
    [['submit', 'a.jsonl', '--out', 'b.jsonl'], /unknown option '--out'/u],
    [['submit'], /missing required argument 'INPUT.jsonl'/u],
    [['status'], /missing required argument 'BATCH'/u],
    [['watch', 'docs', 'mail'], /too many arguments/u],
    [['cancel', 'docs', '--lane', 'groq/small'], /unknown option '--lane'/u],
    [['retry', 'docs', '--pool', ''], /Expected a text, got an empty one/u],
  ])('refuses what is typed as %j, and offers its help', async (typed, message) => {
    const { stderr, error } = await type(...typed);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('(add --help for what is possible)');
    expect(error).toBeInstanceOf(CommanderError);
  });

  it.each(['pause', 'resume'])('asks %s for a batch or a lane, and not for both', async (command) => {
    for (const typed of [[], ['docs', '--lane', 'groq/small']]) {
      const { error } = await type(command, ...typed);
      expect(String(error)).toContain('Expected BATCH or --lane LANE, got both or neither.');
    }
  });

  it('says that an input to submit is missing before it opens anything', async () => {
    expect(String((await type('submit', 'none.jsonl')).error)).toContain('found none there');
    expect(String((await type('submit', '-')).error)).toContain('Expected --name NAME beside `-`');
  });
});
