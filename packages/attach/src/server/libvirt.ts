import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { type Account, findAccount } from "./accounts.ts";

const exec = promisify(execFile);

/** Where libvirt's QEMU driver has its settings, and what runs it. */
const settings = "/etc/libvirt/qemu.conf";
const daemons = ["/usr/sbin/libvirtd", "/usr/sbin/virtqemud"];
/** The users that distributions build libvirt with. */
const usualUsers = ["libvirt-qemu", "qemu"];

/**
 * The user as whom libvirt's system daemon runs QEMU on this host; undefined where libvirt is not installed. Source: `user` in qemu.conf,
 * which may be a name or `+ID`.
 */
export async function libvirtUser(): Promise<Account | undefined> {
  if (!existsSync(settings) && !daemons.some((path) => existsSync(path))) return undefined;
  const set = userSetting(readable(settings));
  for (const user of set === undefined ? usualUsers : [set]) {
    const account = await findAccount(user).catch(() => undefined);
    if (account !== undefined) return account;
  }
  return undefined;
}

/** The version of this host's libvirt, as its daemon says: `9.0.0`; undefined where it is not installed. */
export async function libvirtVersion(): Promise<string | undefined> {
  for (const daemon of daemons) {
    const said = await exec(daemon, ["--version"], { timeout: 10_000 }).catch(() => undefined);
    const version = /\d+(?:\.\d+)+/.exec(said?.stdout ?? "")?.[0];
    if (version !== undefined) return version;
  }
  return undefined;
}

/** The value of `user`; the last one counts. */
export function userSetting(text: string): string | undefined {
  const found = [...text.matchAll(/^\s*user\s*=\s*(["'])\+?(.+?)\1/gm)].at(-1);
  return found?.[2];
}

/**
 * The directory or socket that keeps a user from connecting; undefined when nothing does. Only the modes of files are checked,
 * not access control lists and security modules.
 */
export function obstacleTo(path: string, account: Account): string | undefined {
  if (account.uid === 0) return undefined;
  const whole = resolve(path);
  const above: string[] = [];
  for (let each = dirname(whole); ; each = dirname(each)) {
    above.unshift(each);
    if (each === dirname(each)) break;
  }
  return (
    above.find((each) => !may(account, each, search)) ?? (may(account, whole, write) ? undefined : whole)
  );
}

const search = 0o1;
const write = 0o2;

/** The first class that an account belongs to decides: an owner without a right has none as one of the others. */
function may({ uid, gids }: Account, path: string, right: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return true;
  const { mode, uid: owner, gid: group } = found;
  if (uid === owner) return (mode & (right << 6)) !== 0;
  if (gids.includes(group)) return (mode & (right << 3)) !== 0;
  return (mode & right) !== 0;
}

function readable(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
