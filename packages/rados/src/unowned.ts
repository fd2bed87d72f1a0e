/**
 * Throws an error of a callback outside of the call that reached it: nothing here can handle it, and it must not count as a fault of
 * a connection or keep other callbacks from being called. Like any error that nobody catches it ends the process, with its stack,
 * unless the process listens to `uncaughtException`.
 */
export function throwUnowned(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
