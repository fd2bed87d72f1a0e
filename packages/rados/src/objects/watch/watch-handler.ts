import type { RadosError } from "../../errors.ts";
import type { WatchEvents } from "./watch.ts";

/** A client that watches an object through `Pool.watch`. */
export interface WatchHandler {
  /**
   * Called for each notification. The returned or resolved value goes back to the notifier. If it throws, the notifier gets no answer, and the error is an
   * unhandled rejection.
   */
  notified(payload: Buffer, notifierId: bigint): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The watch has ended: notifications may have been missed. Watch again if needed. */
  lost(error: RadosError): void;
}

/** Delivers notifications, and returns replies to the notifiers. */
export function answering(handler: WatchHandler): WatchEvents {
  return {
    notified: async ({ payload, notifierId, acknowledge }) => {
      const reply = await handler.notified(payload, notifierId);
      // If the watch is lost meanwhile, `lost` reports it.
      await acknowledge(reply).catch(() => {});
    },
    lost: (error) => handler.lost(error),
  };
}
