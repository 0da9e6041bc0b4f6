/** From what a provider said to what that means for tonight. Pure. */
import type { Probe } from '../adapters/openai/probe-provider.ts';
import type { Provider } from '../core/model.ts';
import type { Closing } from '../app/ports.ts';
import { clockTime, durationText } from './text/quantity.ts';

/** What `doctor` says of one provider. */
export interface Verdict {
  readonly providerId: string;
  readonly isUsable: boolean;
  /** One sentence. */
  readonly finding: string;
  /** What to do; `null` where there is nothing to do. */
  readonly wayOut: string | null;
  /** Further remarks, one sentence each. */
  readonly notes: readonly string[];
}

/** What is known of a provider when it is judged. */
export interface Examination {
  readonly provider: Provider;
  readonly probe: Probe;
  /** Of the provider or its lanes. */
  readonly closings: readonly Closing[];
  readonly nowMs: number;
}

/** More than this between two clocks makes calendar windows open at the wrong time. */
const CLOCK_TOLERANCE_MS = 2_000;

/** Judges one provider. */
export function judgeProvider(examination: Examination): Verdict {
  const { provider, probe } = examination;
  const notes = [...clockNotes(probe), ...modelNotes(provider, probe), ...closingNotes(examination)];
  const verdict = judgeProbe(provider, probe);
  const waits = examination.closings.find(({ scope, needsUser }) => needsUser && scope === provider.id);
  return {
    providerId: provider.id,
    notes,
    ...(waits === undefined || !verdict.isUsable ? verdict : unpaid(waits)),
  };
}

/** Lists its models to anybody who asks, and yet refused the calls of a run. */
function unpaid({ reason, kind }: Closing) {
  const wayOut =
    kind === 'no-money'
      ? 'Top the account up, or change its key; a changed key is tried at once, a paid one within a day.'
      : 'Change its key; a changed one is tried at once.';
  return { isUsable: false, finding: `answers, but refused the calls of a run: ${reason}`, wayOut };
}

function judgeProbe(provider: Provider, probe: Probe): Omit<Verdict, 'providerId' | 'notes'> {
  switch (probe.kind) {
    case 'answered':
      return judgeAnswer(provider, probe.models);
    case 'refused':
      return judgeRefusal(provider, probe.status, probe.reason);
    case 'silent': {
      const wayOut =
        provider.tier === 'local'
          ? `Start the server, or correct \`baseUrl\` (${provider.baseUrl}).`
          : `Check the network and \`baseUrl\` (${provider.baseUrl}).`;
      return { isUsable: false, finding: `does not answer: ${probe.reason}`, wayOut };
    }
  }
}

function judgeAnswer({ lanes, apiKeyEnv }: Provider, models: readonly string[] | null) {
  const known = models === null ? lanes : lanes.filter(({ model }) => models.includes(model));
  const said = apiKeyEnv === undefined ? 'answers' : 'accepts the key';
  if (known.length > 0 || models === null) return { isUsable: true, finding: said, wayOut: null };
  return {
    isUsable: false,
    finding: `${said}, but lists none of the configured models`,
    wayOut: `It has: ${models.slice(0, 8).join(', ')}${models.length > 8 ? ', …' : ''}. Name some of these under \`models\`.`,
  };
}

/** Statuses of servers that have no list of models; the key is not to blame. */
const NO_LIST = [404, 405, 501];

function judgeRefusal({ apiKeyEnv, id }: Provider, status: number, reason: string) {
  const key = apiKeyEnv ?? 'a key';
  const said = `${status}: ${reason}`;
  if (status === 401 || (status === 400 && /\bkey\b/iu.test(reason))) {
    const wayOut =
      apiKeyEnv === undefined
        ? `It asks for a key: name the variable that holds one with \`apiKeyEnv\` of ${id}.`
        : `Set ${key} to a valid key; copy it again from the provider's console.`;
    return { isUsable: false, finding: `refuses the key (${said})`, wayOut };
  }
  if (NO_LIST.includes(status)) {
    return {
      isUsable: true,
      finding: `answers, but has no list of models (${said}); the key is untested`,
      wayOut: null,
    };
  }
  if (status === 429) {
    return { isUsable: true, finding: `accepts the key, but asks to wait (${said})`, wayOut: null };
  }
  if (status === 402)
    return {
      isUsable: false,
      finding: `wants money (${said})`,
      wayOut: `Top the account up, or change ${key}.`,
    };
  if (status === 403) {
    return {
      isUsable: false,
      finding: `forbids it (${said})`,
      wayOut: `Look whether ${key} may be used for this, and from this country.`,
    };
  }
  return {
    isUsable: false,
    finding: `is not well (${said})`,
    wayOut: 'Try again later; a run would use the other providers meanwhile.',
  };
}

function clockNotes(probe: Probe): readonly string[] {
  const aheadMs = probe.kind === 'silent' ? null : probe.clockAheadMs;
  if (aheadMs === null || Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) return [];
  const direction = aheadMs > 0 ? 'behind' : 'ahead of';
  return [
    `This machine's clock is ${durationText(Math.abs(aheadMs))} ${direction} the provider's: quotas that reset at midnight would be misjudged. Set it by network time.`,
  ];
}

function modelNotes({ lanes, id }: Provider, probe: Probe): readonly string[] {
  if (probe.kind !== 'answered' || probe.models === null) return [];
  const { models } = probe;
  const missing = lanes.filter(({ model }) => !models.includes(model));
  if (missing.length === lanes.length) return [];
  return missing.map(
    (lane) =>
      `${lane.model} is no longer listed: switch it off with \`${lane.id.slice(id.length + 1)}: false\` under \`models\`.`,
  );
}

function closingNotes({ closings, provider, nowMs }: Examination): readonly string[] {
  const scopes = [provider.id, ...provider.lanes.map((lane) => lane.id)];
  return closings
    .filter(({ scope }) => scopes.includes(scope))
    .map(
      ({ scope, untilMs, reason }) => `${scope} takes no calls until ${clockTime(untilMs, nowMs)}: ${reason}`,
    );
}
