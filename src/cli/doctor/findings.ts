/** Everything `doctor` found, for people and for programs. Pure. */
import type { Config } from '../../config/config.ts';
import { DEMO_OFFER } from '../../config/no-keys-message.ts';
import { oneLine } from '../text/width.ts';
import type { ClockFinding } from './clock-finding.ts';
import type { Verdict } from './diagnosis.ts';
import type { StoreFinding } from './examine-store.ts';
import { type Spending, spendingText } from './spending.ts';

/** What was found. */
export interface Findings {
  readonly config: Config;
  readonly store: StoreFinding;
  readonly verdicts: readonly Verdict[];
  /** `null` where no provider told the time. */
  readonly clock: ClockFinding | null;
  readonly spending: Spending;
}

/** Whether a run would work: the record opens, and at least one provider can be used. */
export function isWell({ store, verdicts }: Findings): boolean {
  return store.isOpen && verdicts.some(({ isUsable }) => isUsable);
}

/** As JSON. */
export function findingsJson(findings: Findings) {
  const { config, store, verdicts, clock, spending } = findings;
  const { isOpen, dataDirectory, detail, queues, warnings, lowered } = store;
  return {
    isWell: isWell(findings),
    configuration: { file: config.file, warnings: config.warnings },
    store: { isOpen, dataDirectory, detail, queues, warnings },
    clock,
    providers: verdicts,
    lowered,
    spending,
    unavailable: config.unavailable,
  };
}

/** As lines. */
export function findingsLines(findings: Findings): readonly string[] {
  const { config, store, verdicts, clock, spending } = findings;
  return [
    mark(
      true,
      `configuration: ${config.file ?? 'no file, so every free provider whose key is in the environment'}`,
    ),
    mark(store.isOpen || store.queues !== null, `record: ${store.place}: ${store.detail}`),
    ...(store.queues === null ? [] : [mark(store.isOpen, `queues: ${store.queues}`)]),
    ...(clock === null ? [] : [mark(clock.isGood, `clock: ${clock.text}`)]),
    ...store.warnings.map((warning) => `  warning: ${warning}`),
    '',
    ...(verdicts.length === 0 ? noProviderLines(config) : ['Providers:']),
    ...verdicts.flatMap(verdictLines),
    ...(verdicts.length === 0 ? [] : ['', spendingText(spending)]),
    ...offLines(config),
    ...(verdicts.length === 0 ? ['', DEMO_OFFER] : []),
    '',
    isWell(findings) ? readyText(findings) : 'Not ready: see what to do above.',
  ];
}

function readyText({ config, verdicts }: Findings): string {
  const lanes = config.providers.reduce((count, provider) => count + provider.lanes.length, 0);
  const usable = verdicts.filter(({ isUsable }) => isUsable).length;
  return `Ready: ${usable} of ${verdicts.length} providers can be used, ${lanes} lanes are configured.`;
}

/** What is off, why, and how to get each key follows as a list of its own. */
function noProviderLines({ unavailable }: Config): readonly string[] {
  if (unavailable.length === 0) return ['No provider can be used: the configuration lists none.'];
  return [
    'No provider can be used.',
    ...(unavailable.some(({ kind }) => kind === 'no-key')
      ? [
          'A free key takes a few minutes: put one of these into the environment, or into a .env beside nightshift.yaml.',
        ]
      : []),
  ];
}

function verdictLines({ providerId, isUsable, finding, wayOut, notes }: Verdict): readonly string[] {
  return [
    mark(isUsable, `${providerId} ${oneLine(finding)}`),
    ...(wayOut === null ? [] : [`    → ${oneLine(wayOut)}`]),
    ...notes.map((note) => `    · ${oneLine(note)}`),
  ];
}

function offLines({ unavailable }: Config): readonly string[] {
  if (unavailable.length === 0) return [];
  return [
    '',
    'Not on:',
    ...unavailable.map(({ providerId, reason }) => `  · ${providerId}: ${oneLine(reason)}`),
  ];
}

function mark(isGood: boolean, text: string): string {
  return `  ${isGood ? '✓' : '✗'} ${text}`;
}
