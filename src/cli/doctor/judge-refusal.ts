/** What a refused check means, and what to do about it. Pure. */
import type { Provider } from '../../core/model.ts';

/** What `doctor` finds of a provider, without remarks. */
export interface Judgement {
  readonly isUsable: boolean;
  /** One sentence. */
  readonly finding: string;
  /** What to do; `null` where there is nothing to do. */
  readonly wayOut: string | null;
}

/** Statuses of servers that do not have what they were asked for; the key is not to blame. */
const NOT_THERE = [404, 405, 501];

/** Judges a refusal by its status; the reason is shown, and read for a key only where a 400 may mean one. */
export function judgeRefusal(provider: Provider, status: number, reason: string): Judgement {
  const { apiKeyEnv, baseUrl } = provider;
  const key = apiKeyEnv ?? 'a key';
  const said = `${status}: ${reason}`;
  if (status === 401 || (status === 400 && /\bkey\b/iu.test(reason))) return refusedKey(provider, said);
  if (NOT_THERE.includes(status))
    return usable(`answers, but not to this question (${said}); the key is untested`);
  if (status === 429) return usable(`accepts the key, but asks to wait (${said})`);
  if (status === 402) return unusable(`wants money (${said})`, `Top the account up, or change ${key}.`);
  if (status === 403)
    return unusable(
      `forbids it (${said})`,
      `Look whether ${key} may be used for this, and from this country.`,
    );
  if (status >= 300 && status < 400)
    return unusable(`sends callers elsewhere (${said})`, `Correct \`baseUrl\` (${baseUrl}).`);
  return unusable(`is not well (${said})`, 'Try again later; a run would use the other providers meanwhile.');
}

function refusedKey({ apiKeyEnv, id }: Provider, said: string): Judgement {
  const wayOut =
    apiKeyEnv === undefined
      ? `It asks for a key: name the variable that holds one with \`apiKeyEnv\` of ${id}.`
      : `Set ${apiKeyEnv} to a valid key; copy it again from the provider's console.`;
  return unusable(`refuses the key (${said})`, wayOut);
}

function usable(finding: string): Judgement {
  return { isUsable: true, finding, wayOut: null };
}

function unusable(finding: string, wayOut: string): Judgement {
  return { isUsable: false, finding, wayOut };
}
