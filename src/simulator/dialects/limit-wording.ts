/** Limits and what a call met at them, in the words of Groq's messages (facts/providers.json, groq). */
import { goDuration } from './go-duration.ts';
import type { CallSize, Exceeded } from '../windows/meter.ts';
import type { SimulatedLimit, SimulatedMetric, WindowName } from '../tier.ts';
import { windowName } from '../tier.ts';

/** "tokens" for every token metric: providers name the type, not the direction, in `error.type`. */
export function metricWord(metric: SimulatedMetric): 'requests' | 'tokens' | 'units' {
  return metric === 'requests' || metric === 'units' ? metric : 'tokens';
}

const WINDOW_LETTER: Readonly<Record<WindowName, string>> = {
  second: 'S',
  minute: 'M',
  hour: 'H',
  session: 'S',
  day: 'D',
  week: 'W',
  month: 'MO',
};
const METRIC_LETTER: Readonly<Record<SimulatedMetric, string>> = {
  requests: 'R',
  tokens: 'T',
  inputTokens: 'IT',
  outputTokens: 'OT',
  units: 'U',
};

/** "tokens per minute (TPM)"; Groq calls the one-directional ones ITPM and OTPM. */
function limitPhrase(limit: SimulatedLimit): string {
  const window = windowName(limit);
  const short = `${METRIC_LETTER[limit.metric]}P${WINDOW_LETTER[window]}`;
  return `${metricWord(limit.metric)} per ${window} (${short})`;
}

/** "Limit 100000, Used 97050, Requested 3619": whole numbers, rounded up so that nobody reads more room than is. */
function limitFigures({ limit, used, requested }: Exceeded): string {
  return `Limit ${limit.amount}, Used ${Math.ceil(used)}, Requested ${Math.ceil(requested)}`;
}

/** "Rate limit reached for model ... Please try again in 9m38.016s." */
export function quotaMessage(model: string, worst: Exceeded): string {
  return (
    `Rate limit reached for model \`${model}\` in organization \`org_simulated\` service tier \`on_demand\` ` +
    `on ${limitPhrase(worst.limit)}: ${limitFigures(worst)}. Please try again in ${goDuration(worst.waitMs)}.`
  );
}

/** "Request too large for model ...": a call that can never fit the limit. */
export function tooLargeMessage(model: string, limit: SimulatedLimit, requested: number): string {
  return (
    `Request too large for model \`${model}\` in organization \`org_simulated\` service tier \`on_demand\` ` +
    `on ${limitPhrase(limit)}: Limit ${limit.amount}, Requested ${Math.ceil(requested)}, ` +
    'please reduce your message size and try again.'
  );
}

/** OpenAI's words for a prompt and output that exceed the context together. */
export function contextMessage(contextTokens: number, { promptTokens, outputTokens }: CallSize): string {
  return (
    `This model's maximum context length is ${contextTokens} tokens. However, you requested ` +
    `${promptTokens + outputTokens} tokens (${promptTokens} in the messages, ${outputTokens} in the completion). ` +
    'Please reduce the length of the messages or completion.'
  );
}
