import type { NbdClient, Request } from "./nbd-client.ts";

export type Form = "simple" | "structured" | "extended";

const [READ, WRITE, FLUSH, TRIM, CACHE, ZEROES, STATUS, UNKNOWN] = [0, 1, 3, 4, 5, 6, 7, 77];
const [FUA, NO_HOLE, DF, REQ_ONE, FAST_ZERO, PAYLOAD_LEN] = [1, 2, 4, 8, 16, 32];
const [EINVAL, ENOSPC, ENOTSUP] = [22, 28, 95];

/**
 * Commands, and the flags that each may have. Source: NBD's doc/proto.md with its extension-ext-header. FUA is valid with every
 * command, whether or not it means anything there.
 */
export function flagsOf(form: Form): ReadonlyMap<number, number> {
  const payload = form === "extended" ? PAYLOAD_LEN : 0;
  return new Map([
    [READ, FUA | (form === "simple" ? 0 : DF)],
    [WRITE, FUA | payload],
    [FLUSH, FUA],
    [TRIM, FUA],
    [CACHE, FUA],
    [ZEROES, FUA | NO_HOLE | FAST_ZERO],
    [STATUS, FUA | REQ_ONE | payload],
  ]);
}

export const unknownCommand = UNKNOWN;

/** Every set of flags. */
export const flagSets: readonly number[] = Array.from({ length: 64 }, (_, flags) => flags);

/** A command with its flags, for all kinds of ranges of a disk of `size` bytes, and with the bytes that belong to it. */
export function* requestsOf(type: number, flags: number, form: Form, size: number): Generator<Request> {
  const carries = type === WRITE || (form === "extended" && (flags & PAYLOAD_LEN) !== 0);
  const ranges =
    type === FLUSH
      ? [[0, carries ? 512 : 0]]
      : [
          [0, 0],
          [512, 1024],
          [0, size],
          [size - 512, 1024],
        ];
  for (const [offset, length] of ranges as [number, number][]) {
    yield { type, flags, offset, length, ...(carries && { payload: Buffer.alloc(length, 0x5a) }) };
  }
  if (type === STATUS && carries) yield { type, flags, offset: 0, payload: statusPayload(size) };
}

const statusPayloadBytes = 12;

/** Chooses a context, the client's first one once it is sent, for a range. */
function statusPayload(length: number): Buffer {
  const payload = Buffer.alloc(statusPayloadBytes);
  payload.writeBigUInt64BE(BigInt(length), 0);
  return payload;
}

/** The answer to a request with allowed flags on a disk of `size` bytes: the error, 0 for none. */
export function answerOf(
  { type, flags = 0, offset = 0, length = 0, payload }: Request,
  form: Form,
  size: number,
): number {
  if (type === FLUSH) return 0;
  if (type === STATUS) {
    if (form === "simple") return EINVAL;
    if ((flags & PAYLOAD_LEN) !== 0) return payload?.length === statusPayloadBytes ? 0 : EINVAL;
    if (length === 0) return EINVAL;
  }
  if (offset + length > size) return type === WRITE || type === ZEROES ? ENOSPC : EINVAL;
  if ((flags & FAST_ZERO) !== 0 && (flags & NO_HOLE) !== 0) return ENOTSUP;
  return 0;
}

/** Sends a request, takes all of its answer, and returns its error. */
export async function exchange(client: NbdClient, request: Request, form: Form): Promise<number> {
  const { type, payload } = request;
  if (type === STATUS && payload?.length === statusPayloadBytes)
    payload.writeUInt32BE(client.firstContext, 8);
  client.send(request);
  if (form !== "simple") return (await client.reply()).error;
  return (await client.simpleReply(request.type === READ ? request.length : 0)).error;
}
