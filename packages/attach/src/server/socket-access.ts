import { AttachError } from "../errors.ts";
import { accountId } from "./accounts.ts";

/** Access to a unix socket. */
export interface SocketAccess {
  /** The owner; default: the user of this process. */
  readonly uid?: number;
  /** The group; default: the group of this process. */
  readonly gid?: number;
  /** Mode of the file: a user who may write to it may connect. */
  readonly mode: number;
}

/** Only the user of this process. */
export const ownerOnly: SocketAccess = { mode: 0o600 };

/** Access as users write it: names or ids, and an octal mode. */
export interface AccessWords {
  readonly user?: string | undefined;
  readonly group?: string | undefined;
  readonly mode?: string | undefined;
}

/**
 * With a group and no mode, the group may connect.
 *
 * @throws AttachError SIPHON_USAGE for an unknown user or group
 */
export async function socketAccess({ user, group, mode }: AccessWords): Promise<SocketAccess> {
  if (mode !== undefined && !/^0?[0-7]{3}$/.test(mode)) {
    throw new AttachError("SIPHON_USAGE", `invalid socket mode ${mode}`, {
      hint: "give three octal digits: 660 lets the owner and the group connect",
    });
  }
  return {
    ...(user !== undefined && { uid: await accountId("user", user) }),
    ...(group !== undefined && { gid: await accountId("group", group) }),
    mode: mode === undefined ? (group === undefined ? 0o600 : 0o660) : Number.parseInt(mode, 8),
  };
}
