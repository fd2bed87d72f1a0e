/**
 * As any error that nobody catches it ends the process, with its stack, unless the process listens to `uncaughtException`.
 *
 * @throws what a callback of this package's user threw, outside of whatever called it: nobody here can answer for it, and it must
 *   not be taken for a fault of a connection or keep others from being called
 */
export function throwUnowned(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
