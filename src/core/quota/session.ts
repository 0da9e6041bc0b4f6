/**
 * A window that opens with the first call after the one before has ended. Nobody tells us when the provider opened it:
 * at the first call that it counted, which may have arrived a margin later than we began it, or never. So a session is
 * known by two bounds, and no call begins between the earliest end and the latest, where it might open the next one
 * without our knowing. That costs two margins per session. The record does the same in SQL (`begin_in_sessions`).
 */

/** The session that is open, as far as we know it. */
export interface Session {
  /** It began no earlier: when its first call began. */
  readonly fromMs: number;
  /** It ends no later. */
  readonly untilMs: number;
  /** Whether an answer has shown that one of its calls was counted. */
  readonly isSure: boolean;
}

/** Whether a call that begins now, and is counted at most a margin later, is surely counted in this session. */
export const mayBegin = ({ fromMs }: Session, perMs: number, marginMs: number, nowMs: number): boolean =>
  nowMs + marginMs < fromMs + perMs;

/** The session in which a call begins: the open one, which may last longer if nothing is sure of it, or a new one. */
export const openedBy = (open: Session | null, nowMs: number, lastsUntilMs: number): Session => {
  if (open === null) return { fromMs: nowMs, untilMs: lastsUntilMs, isSure: false };
  return open.isSure ? open : { ...open, untilMs: Math.max(open.untilMs, lastsUntilMs) };
};

/** A session that is known to include a call, and so to end by the latest end that the call allows. */
export const surelyIncludes = (session: Session, endsByMs: number): Session => ({
  ...session,
  untilMs: session.isSure ? Math.min(session.untilMs, endsByMs) : endsByMs,
  isSure: true,
});
