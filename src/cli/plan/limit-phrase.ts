/** A limit in full words, as its provider's page would say it. */
import type { CalendarUnit, Metric, Window } from '../../core/model.ts';
import type { PlanLimit } from '../../core/plan/situation.ts';
import { PERIOD_MS } from '../../core/quota/period-lengths.ts';
import { THOUSANDTHS } from '../../core/quota/unit-cost.ts';
import { counted, durationText } from '../text/quantity.ts';

const NAMES: Readonly<Record<Metric, readonly [one: string, many: string]>> = {
  requests: ['request', 'requests'],
  tokens: ['token', 'tokens'],
  inputTokens: ['input token', 'input tokens'],
  outputTokens: ['output token', 'output tokens'],
  units: ['unit', 'units'],
};

/** `1,000 requests a day`, `8,000 tokens a minute`, `50 requests per session of 5 h`. */
export function limitPhrase({ metric, amount, window }: PlanLimit): string {
  const whole = metric === 'units' ? amount / THOUSANDTHS : amount;
  const [one, many] = NAMES[metric];
  return `${counted(whole, one, many)} ${perText(window)}`;
}

function perText(window: Window): string {
  switch (window.kind) {
    case 'calendar':
      return article(window.unit);
    case 'fixed-month':
      return article('month');
    case 'session':
      return `per session of ${lengthText(window.perMs)}`;
    case 'rolling':
    case 'refill':
    case 'fixed': {
      const unit = UNITS.find(([, lengthMs]) => lengthMs === window.perMs)?.[0];
      return unit === undefined ? `per ${lengthText(window.perMs)}` : article(unit);
    }
  }
}

const UNITS: readonly (readonly [CalendarUnit | 'hour' | 'minute' | 'second', number])[] = [
  ['week', PERIOD_MS.week],
  ['day', PERIOD_MS.day],
  ['hour', PERIOD_MS.hour],
  ['minute', PERIOD_MS.minute],
  ['second', PERIOD_MS.second],
];

function article(unit: (typeof UNITS)[number][0]): string {
  return unit === 'hour' ? 'an hour' : `a ${unit}`;
}

/** `5 h` rather than `5 h 00 min`. */
function lengthText(ms: number): string {
  return durationText(ms).replace(/ 00 min$/u, '');
}
