/** Events at a device's socket, for logs. */
export type VhostEvent =
  | { type: "connected" }
  /** With an error unless the front-end disconnected in order. */
  | { type: "disconnected"; error?: Error }
  /** A ring is no longer served, because its driver broke the protocol. */
  | { type: "fault"; queue: number; reason: string }
  /** Accepting a front-end failed; the server tries again after this time. */
  | { type: "waiting"; error: Error; milliseconds: number }
  /** The front-end requested something that is not offered, and got an error. */
  | { type: "refused"; error: Error };
