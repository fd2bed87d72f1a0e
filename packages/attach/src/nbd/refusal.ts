import { command, commandFlag, maxPayload, nbdError } from "./protocol.ts";
import type { NbdRequest } from "./request.ts";
import type { Session } from "./session.ts";

/** The protocol's error for a request that cannot be carried out; 0 for a valid one. */
export function refusal(request: NbdRequest, { export: served, replies, contexts }: Session): number {
  const { command: code, flags, start, total } = request;
  const { device } = served;
  const extended = replies === "extended";
  const allowed = allowedFlags(code, replies !== "simple", extended);
  if (allowed === undefined || (flags & ~allowed) !== 0) return nbdError.EINVAL;
  if (code === command.flush) return 0;
  const writes = code === command.write || code === command.trim || code === command.writeZeroes;
  if (writes && device.readOnly) return nbdError.EPERM;
  if (code === command.blockStatus) {
    if (contexts.length === 0 || total === 0) return nbdError.EINVAL;
    // With a payload, the header's length is the payload's; the payload holds the range's length.
    if ((flags & commandFlag.payloadLength) !== 0)
      return isStatusPayload(total, contexts.length) ? 0 : nbdError.EINVAL;
  }
  if (start + total > device.size) return writes && code !== command.trim ? nbdError.ENOSPC : nbdError.EINVAL;
  if (code === command.read && total > maxPayload) return nbdError.EINVAL;
  const isSlow = (flags & commandFlag.noHole) !== 0 || device.writesZerosAsData === true;
  if ((flags & commandFlag.fastZero) !== 0 && isSlow) return nbdError.ENOTSUP;
  return 0;
}

/** Undefined for commands that do not exist. */
function allowedFlags(code: number, chunked: boolean, extended: boolean): number | undefined {
  const { fua, noHole, df, reqOne, fastZero, payloadLength } = commandFlag;
  switch (code) {
    case command.read:
      return chunked ? fua | df : fua;
    case command.write:
      return extended ? fua | payloadLength : fua;
    case command.flush:
    case command.trim:
    case command.cache:
      return fua;
    case command.writeZeroes:
      return fua | noHole | fastZero;
    case command.blockStatus:
      return extended ? fua | reqOne | payloadLength : fua | reqOne;
    default:
      return undefined;
  }
}

function isStatusPayload(length: number, contexts: number): boolean {
  return length > 8 && (length - 8) % 4 === 0 && (length - 8) / 4 <= contexts;
}
