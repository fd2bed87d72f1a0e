import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { AttachError } from "../errors.ts";

const exec = promisify(execFile);

/** A user and its groups. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gids: readonly number[];
}

/**
 * The id of a user or group, given by name or number.
 *
 * @throws AttachError SIPHON_USAGE if there is none of that name
 */
export async function accountId(kind: "user" | "group", name: string): Promise<number> {
  if (/^\d+$/.test(name)) {
    const id = Number(name);
    if (id < noId) return id;
    throw new AttachError("SIPHON_USAGE", `invalid ${kind} id ${name}`);
  }
  const [, , id] = (await lookUp(kind === "user" ? "passwd" : "group", name))?.split(":") ?? [];
  if (id === undefined) throw new AttachError("SIPHON_USAGE", `this machine has no ${kind} ${name}`);
  return Number(id);
}

/** Undefined if there is no such user. */
export async function findAccount(user: string): Promise<Account | undefined> {
  const [name, , uid, gid] = (await lookUp("passwd", user))?.split(":") ?? [];
  if (name === undefined || uid === undefined) return undefined;
  // "NAME GID GID ..."; only the name for a user without other groups.
  const [, ...gids] = (await lookUp("initgroups", name))?.split(/\s+/) ?? [];
  return { name, uid: Number(uid), gids: [Number(gid), ...gids.map(Number)] };
}

/** (uid_t) -1 means "leave unchanged". */
const noId = 0xffff_ffff;

/** getent reads every source of accounts of the system. It fails if there is no such entry. */
async function lookUp(database: string, name: string): Promise<string | undefined> {
  const found = await exec("getent", [database, "--", name]).catch((error: { code?: unknown }) => {
    if (error.code === "ENOENT")
      throw new AttachError("SIPHON_USAGE", "user and group names need the program getent", {
        hint: "use numeric ids",
      });
    return undefined;
  });
  return found?.stdout.trim();
}
