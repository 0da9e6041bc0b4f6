/** From what a provider said to what that means for tonight. Pure. */
import type { ModelList } from '../../adapters/openai/model-list.ts';
import type { Closing } from '../../app/health-book.ts';
import type { Provider } from '../../core/model.ts';
import type { Examination } from './examination.ts';
import { type Judgement, judgeRefusal } from './judge-refusal.ts';
import { remarks } from './remarks.ts';

/** What `doctor` says of one provider. */
export interface Verdict extends Judgement {
  readonly providerId: string;
  /** Further remarks, one sentence each. */
  readonly notes: readonly string[];
}

/** Judges one provider. */
export function judgeProvider(examination: Examination): Verdict {
  const { provider } = examination;
  const judgement = judgeProbe(examination);
  const waits = examination.closings.find(({ scope, needsUser }) => needsUser && scope === provider.id);
  return {
    providerId: provider.id,
    notes: remarks(examination),
    ...(waits === undefined || !judgement.isUsable ? judgement : refusedCalls(waits)),
  };
}

/** Answers to anybody who asks, and yet refused the calls of a run. */
function refusedCalls({ reason, kind }: Closing): Judgement {
  const wayOut =
    kind === 'no-money'
      ? 'Top the account up, or change its key; a changed key is tried at once, a paid one within a day.'
      : 'Change its key; a changed one is tried at once.';
  return { isUsable: false, finding: `refused the calls of a run: ${reason}`, wayOut };
}

function judgeProbe({ provider, probe, provesKey }: Examination): Judgement {
  if (probe === null)
    return {
      isUsable: true,
      finding: 'was not asked, for a call may count; the key is untested',
      wayOut: null,
    };
  switch (probe.kind) {
    case 'answered':
      return judgeAnswer(provider, probe.models, provesKey);
    case 'refused':
      return judgeRefusal(provider, probe.status, probe.reason);
    case 'silent':
      return { isUsable: false, finding: `does not answer: ${probe.reason}`, wayOut: wakeUp(provider) };
  }
}

function wakeUp({ tier, baseUrl }: Provider): string {
  return tier === 'local'
    ? `Start the server, or correct \`baseUrl\` (${baseUrl}).`
    : `Check the network and \`baseUrl\` (${baseUrl}).`;
}

const MOST_NAMED = 8;

function judgeAnswer(
  { lanes, apiKeyEnv }: Provider,
  models: ModelList | null,
  provesKey: boolean,
): Judgement {
  const said = saidText(apiKeyEnv, provesKey);
  if (models === null || !models.isWhole || lanes.some(({ model }) => models.ids.includes(model)))
    return { isUsable: true, finding: said, wayOut: null };
  const named = models.ids.slice(0, MOST_NAMED).join(', ');
  const more = models.ids.length > MOST_NAMED ? ', …' : '';
  return {
    isUsable: false,
    finding: `${said}, but lists none of the configured models`,
    wayOut: `It has: ${named}${more}. Name some of these under \`models\`.`,
  };
}

function saidText(apiKeyEnv: string | undefined, provesKey: boolean): string {
  if (apiKeyEnv === undefined) return 'answers';
  return provesKey ? 'accepts the key' : 'answers; the key is untested, because anybody gets this answer';
}
