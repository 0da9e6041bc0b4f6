/** The log of calls, from which everything the simulator claims can be checked again. */

/** One ended call. */
export interface CallRecord {
  /** From 1, in the order in which calls ended, so that reading on from a known number misses none. */
  readonly sequence: number;
  /** The instant of judgement: what every window counts this call at. The body has been read by then. */
  readonly arrivedAtMs: number;
  readonly durationMs: number;
  readonly provider: string;
  /** Null when the body named none. */
  readonly model: string | null;
  /** 16 hexadecimal digits, equal for equal `messages`; null when the body could not be read. */
  readonly messagesHash: string | null;
  /** Header `x-nightshift-request`, else body member `metadata.custom_id`, else null. */
  readonly customId: string | null;
  /** HTTP status, or null when none was sent (hang, reset, dead, client gone). */
  readonly status: number | null;
  readonly outcome: Outcome;
  /** As settled: what the limits count. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Most output tokens charged up front; 0 for a call that was not admitted. */
  readonly reservedOutputTokens: number;
  /** The kind of the fault that was applied, or null. */
  readonly fault: string | null;
}

/** `rejected` is a 429 for a limit of the tier; `failed` everything else that is no answer, faults included. */
export type Outcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'rejected'; readonly limit: string }
  | { readonly kind: 'failed'; readonly failure: string };

/** The last calls. */
export interface CallLog {
  append(record: Omit<CallRecord, 'sequence'>): void;
  /** Records with a sequence number above `sequence` that are still kept. */
  since(sequence: number): readonly CallRecord[];
}

/** A log that keeps the last `keep` records, so that a million calls do not fill the memory. */
export function callLog(keep: number): CallLog {
  let records: CallRecord[] = [];
  let ended = 0;
  return {
    append(record) {
      ended += 1;
      records.push({ sequence: ended, ...record });
      if (records.length >= keep * 2) records = records.slice(-keep);
    },
    since(sequence) {
      const kept = records.slice(-keep);
      return kept.slice(Math.max(0, sequence - (kept[0]?.sequence ?? 1) + 1));
    },
  };
}
