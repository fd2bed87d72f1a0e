import { errno } from "@siphon/wire";
import { RbdError } from "../errors.ts";
import { encodeNotifyMessage, responseOf } from "../watch/notify-message.ts";
import type { MaintainedImage } from "./maintained-image.ts";

/**
 * Whether clients that have an image open are asked to quiesce before a snapshot: `required` (no snapshot unless all
 * do), `attempted` (a snapshot in any case), or `skipped`.
 */
export type Quiescing = "required" | "attempted" | "skipped";

/** SNAP_CREATE_FLAG_* of the request for a snapshot (src/librbd/Types.h). */
export const quiescingFlags: Readonly<Record<Quiescing, number>> = { required: 0, skipped: 1, attempted: 2 };

export function quiescingOf(flags: number): Quiescing {
  if ((flags & quiescingFlags.skipped) !== 0) return "skipped";
  return (flags & quiescingFlags.attempted) === 0 ? "required" : "attempted";
}

/**
 * Calls a function while all clients that can quiesce pause their writes to the images.
 *
 * @throws RbdError SIPHON_RBD_BUSY if a client does not quiesce, and that is required
 */
export async function whileQuiesced(
  images: readonly MaintainedImage[],
  quiescing: Quiescing,
  action: () => Promise<void>,
): Promise<void> {
  await using asked = new AsyncDisposableStack();
  if (quiescing !== "skipped") {
    const answers = await Promise.allSettled(images.map(async (image) => asked.use(await quiesce(image))));
    const refusal = answers.find(({ status }) => status === "rejected");
    if (refusal?.status === "rejected" && quiescing === "required") throw refusal.reason;
  }
  await action();
}

/** Requests it (ImageWatcher::notify_quiesce), until disposed of. */
async function quiesce(image: MaintainedImage): Promise<AsyncDisposable> {
  const { pool, headerName, header, requests, settings } = image;
  const id = await requests.newId();
  const question = encodeNotifyMessage({ type: "quiesce", id });
  await using asked = new AsyncDisposableStack();
  asked.defer(() => image.tell({ type: "unquiesce", id }));
  for (let attempt = 0; attempt < settings.number("rbd_quiesce_notification_attempts"); attempt++) {
    const { replies, missed } = await pool.notify(headerName, question, { timeout: answerTimeout });
    const errno = replies.map(({ payload }) => responseOf(payload) ?? 0).find(refuses);
    if (errno !== undefined) {
      const message = `a client that has image ${header.name} open cannot quiesce (error ${-errno})`;
      throw new RbdError("SIPHON_RBD_BUSY", message, { errno, retryable: true });
    }
    if (missed.length === 0) return asked.move();
  }
  const message = `a client that has image ${header.name} open did not answer the quiesce request`;
  throw new RbdError("SIPHON_RBD_BUSY", message, { errno: -errno.ETIMEDOUT, retryable: true });
}

/** A client that answers EOPNOTSUPP has nothing to quiesce. */
function refuses(result: number): boolean {
  return result < 0 && result !== -errno.EOPNOTSUPP;
}

/** Milliseconds for each attempt: clients take the requester for dead after two without news. */
const answerTimeout = 5_000;
