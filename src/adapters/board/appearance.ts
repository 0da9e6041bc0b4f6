/** How the board looks and how often it asks. */
import type { UIConfig } from '@bull-board/api/typings/app';

const MOON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#e8b64c" d="M15.5 2.5a9.8 9.8 0 1 0 6.3 14.1A8.2 8.2 0 0 1 15.5 2.5z"/></svg>`;
const MOON_URL = `data:image/svg+xml,${encodeURIComponent(MOON)}`;

/** Seconds between two looks of a page that is open. */
const POLL_SECONDS = 2;

/** The board's settings; what people may set for themselves is left to them. */
export const APPEARANCE: UIConfig = {
  boardTitle: 'Nightshift',
  boardLogo: { path: MOON_URL, width: 22, height: 22 },
  favIcon: { default: MOON_URL, alternative: MOON_URL },
  pollingInterval: { showSetting: false, forceInterval: POLL_SECONDS },
  hideDocsLink: true,
  miscLinks: [{ text: 'Log out', url: '/logout' }],
  // The record says how many workers a lane has; asking Redis would be a CLIENT LIST per lane and poll.
  showWorkers: false,
  // Asked of the first queue, which is no queue.
  hideRedisDetails: true,
  showMetrics: false,
  // In the menu: batches first, lanes in the order of the configuration.
  sortQueues: false,
  // Groups would come before what is in none, and put the batches last.
  overview: { groupByDelimiter: false },
  jobDetails: { defaultTab: 'Data' },
};
