/** Events at a device's socket, for logs. */
export type VhostEvent =
  | { type: "connected" }
  /** With an error when the front-end did not just leave. */
  | { type: "disconnected"; error?: Error }
  /** A ring is not served any more, since its driver did what none does. */
  | { type: "fault"; queue: number; reason: string }
  /** No front-end can be accepted now; the server tries again after this time. */
  | { type: "waiting"; error: Error; milliseconds: number }
  /** The front-end asked for what is not offered, and was told so. */
  | { type: "refused"; error: Error };
