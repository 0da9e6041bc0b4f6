/** The zone that this machine's clock is shown in: what a time of day means unless somebody says otherwise. */
import { isTimeZone } from '../core/time-of-day.ts';

/** An IANA name; `UTC` on a machine that was told none. */
export const machineTimeZone = (): string => {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  return isTimeZone(timeZone) ? timeZone : 'UTC';
};
