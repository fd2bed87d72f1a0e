import { AttachError } from "../errors.ts";

/**
 * Waits for work that ends after `stop` is aborted, for at most `timeout` milliseconds more, because the cluster may
 * not answer. The work itself goes on until the process ends.
 *
 * @throws AttachError SIPHON_ATTACH_DRAIN after that time
 */
export async function endedInTime<T>(work: Promise<T>, stop: AbortSignal, timeout: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    timer = setTimeout(() => late.reject(drainTimeout(timeout)), timeout);
  };
  if (stop.aborted) begin();
  else stop.addEventListener("abort", begin, { once: true });
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", begin);
  }
}

function drainTimeout(timeout: number): AttachError {
  const message = `requests in flight did not finish within ${timeout / 1000} s: the cluster does not answer`;
  return new AttachError("SIPHON_ATTACH_DRAIN", message, {
    hint: "they are not acknowledged: VMs send them again to the next server, which waits until the cluster has fenced this one",
  });
}
