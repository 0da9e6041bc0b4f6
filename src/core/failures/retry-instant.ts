/** When a refusal says to come back: its words, its body and its headers, the most exact first. */
import type { Evidence } from './evidence.ts';
import type { ToldLimit } from '../quota/read-standings.ts';
import { MAX_WAIT_MS, parseDurationMs, parseRetryInstant } from './retry-time.ts';

/** The instant that it names, at most 32 days ahead and never before now; `null` where it names none. */
export function retryInstant(evidence: Evidence): number | null {
  const { words, headers, nowMs } = evidence;
  const waitMs = spokenWaitMs(words) ?? wholeMs(headers['retry-after-ms']);
  if (waitMs !== null) return nowMs + Math.ceil(Math.min(waitMs, MAX_WAIT_MS));
  for (const text of writtenInstants(evidence)) {
    const instantMs = parseRetryInstant(text, nowMs);
    if (instantMs !== null) return instantMs;
  }
  return null;
}

/** Gemini's `RetryInfo`, `Retry-After`, the reset of the limit that refused, and the one that does not say of what. */
function writtenInstants({ body, headers, toldLimits, named }: Evidence): readonly string[] {
  const resets = toldLimits
    .filter(({ standing }) => isAbout(standing, named))
    .map(({ resetText }) => resetText);
  const texts = [body.retryDelay, headers['retry-after'], ...resets, headers['x-ratelimit-reset']];
  return texts.filter((text) => typeof text === 'string');
}

/** Headers tell about every limit, and the reset of another one may be hours away. */
function isAbout({ metric, periodMs }: ToldLimit['standing'], named: Evidence['named']): boolean {
  return named !== null && metric === named.metric && periodMs === named.periodMs;
}

/** `try again in 9m38.016s`, `Please retry in 45.5s`, `retry after 30 seconds`, `resets in 3 hours`. */
const SPOKEN_WAIT =
  /\b(?:again|retry|wait|resets?)\s(?:in|after|for)\s(?:about\s)?(\d[\d.a-zµ]{0,40})\s?(second|sec|minute|min|hour|day)?/iu;

const WORD_MS: Readonly<Record<string, number>> = {
  second: 1_000,
  sec: 1_000,
  minute: 60_000,
  min: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

function spokenWaitMs(words: string): number | null {
  const [, amount, unit] = SPOKEN_WAIT.exec(words) ?? [];
  if (amount === undefined) return null;
  const spoken = amount.replace(/\.+$/u, '');
  const wordMs = WORD_MS[unit?.toLowerCase() ?? ''];
  if (wordMs === undefined) return parseDurationMs(spoken);
  return Number.isFinite(Number(spoken)) ? Number(spoken) * wordMs : null;
}

/** `retry-after-ms` of OpenAI and Azure. */
function wholeMs(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,12}$/u.test(value.trim()) ? Number(value) : null;
}
