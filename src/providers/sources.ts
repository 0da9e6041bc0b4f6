/** Where figures were read: pages that several entries of the catalog share, and how pages without a date are noted. */
import type { Source } from './catalog-provider.ts';

/** Pages without a date were read on this day. */
const READ_ON = '2026-11-20';

/** A page that bears no date. */
export function undated(url: string, note?: string): Source {
  const read = `The page bears no date; this is the day the facts were gathered.`;
  return { url, date: READ_ON, note: note === undefined ? read : `${note} ${read}` };
}

/** A page that was not read again: what it is named for is known from memory. */
export function recalled(url: string): Source {
  return { url, date: READ_ON, note: 'From memory, not read again.' };
}

/** Lists that several providers' figures were read from. */
export const SHARED_SOURCES = {
  mnfst: {
    url: 'https://github.com/mnfst/awesome-free-llm-apis/blob/010fa9a482bca94e7061a947005ca78b112d75e6/data.json',
    date: '2026-10-05',
  },
  mnfst102: { url: 'https://github.com/mnfst/awesome-free-llm-apis/pull/102', date: '2026-08-20' },
  cheahjs: {
    url: 'https://github.com/cheahjs/free-llm-api-resources',
    date: '2026-07-18',
    note: 'README at e6765bc.',
  },
  xyzs996: {
    url: 'https://github.com/xyzs996/free-llm-api',
    date: '2026-08-22',
    note: 'data/providers.json at 7245281.',
  },
  omniroute: {
    url: 'https://github.com/diegosouzapw/OmniRoute/blob/16eae80/docs/reference/FREE_TIERS.md',
    date: '2026-09-04',
  },
  freellmapi: {
    url: 'https://github.com/tashfeenahmed/freellmapi',
    date: '2026-08-22',
    note: 'At 291556d: providers/index.ts, sampling-params.ts, ratelimit.ts, error-classify.ts and its review of terms.',
  },
  modelsDev: {
    url: 'https://github.com/anomalyco/models.dev',
    date: '2026-07-02',
    note: 'providers/*/provider.toml at f3fc692: addresses and key variables.',
  },
  keyPages: undated('https://doc.aiscouncil.com/pt/advanced/api-keys', 'Addresses of the key pages.'),
} as const satisfies Record<string, Source>;
