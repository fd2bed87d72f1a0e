/**
 * Rethrows a callback's error outside of the current call: it cannot be handled here, and must not count as a
 * connection's fault or prevent other callbacks. Like any error that nobody catches it ends the process, with its
 * stack, unless the process listens to `uncaughtException`.
 */
export function throwUnowned(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
