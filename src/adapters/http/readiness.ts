/** What `GET /readyz` tells whoever decides where requests go. */

/** Whether the process can do its work now, and what that depends on. */
export interface Readiness {
  readonly isReady: boolean;
  /** By the name of what was looked at: `record`, `queue`. The detail is one sentence without secrets. */
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
}
