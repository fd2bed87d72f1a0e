/** Gathers what nobody catches while `work` goes on, in place of ending the process. */
export async function gatherUnowned(work: () => Promise<void>): Promise<unknown[]> {
  const thrown: unknown[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error));
  try {
    await work();
    await new Promise(setImmediate);
    return thrown;
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
}
