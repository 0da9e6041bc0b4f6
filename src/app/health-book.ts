/** Which lanes and providers take no calls for now, and why. */

/** Why a lane or a provider takes no calls for now. */
export interface Closing {
  /** Lane id or provider id. */
  readonly scope: string;
  readonly untilMs: number;
  readonly kind: string;
  readonly reason: string;
  /** Nothing but a new key or money opens it; `untilMs` is then only when it is tried again. */
  readonly needsUser: boolean;
}

/** Health of lanes and providers, shared by all processes. */
export interface HealthBook {
  /** Nothing more is granted on the lane until it is resumed; what was granted and not begun goes back. */
  pause(laneId: string): Promise<void>;
  resume(laneId: string): Promise<void>;
  close(closing: Closing): Promise<void>;
  /** Counts a sick outcome of a lane or provider and opens its circuit breaker when it is time. */
  sick(scope: string, reason: string, random01: number): Promise<void>;
  /** Counts an answer that says the model is gone; the second in a row retires the lane for a day. */
  gone(laneId: string, reason: string): Promise<void>;
  closings(): Promise<readonly Closing[]>;
}
