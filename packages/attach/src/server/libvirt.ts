import { execFile } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { type Account, findAccount } from "./accounts.ts";

const exec = promisify(execFile);

/** Paths of the settings of libvirt's QEMU driver and of its daemons. */
const settings = "/etc/libvirt/qemu.conf";
const daemons = ["/usr/sbin/libvirtd", "/usr/sbin/virtqemud"];
/** Users that distributions configure libvirt with. */
const usualUsers = ["libvirt-qemu", "qemu"];

/**
 * The user as whom libvirt's system daemon runs QEMU on this host; undefined without libvirt. Source: `user` in
 * qemu.conf, which may be a name or `+ID`.
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

/** The version of this host's libvirt, from its daemon: `9.0.0`; undefined if it is not installed. */
export async function libvirtVersion(): Promise<string | undefined> {
  for (const daemon of daemons) {
    const said = await exec(daemon, ["--version"], { timeout: 10_000 }).catch(() => undefined);
    const version = /\d+(?:\.\d+)+/.exec(said?.stdout ?? "")?.[0];
    if (version !== undefined) return version;
  }
  return undefined;
}

/** The value of `user`; the last one is valid. */
export function userSetting(text: string): string | undefined {
  const found = [...text.matchAll(/^\s*user\s*=\s*(["'])\+?(.+?)\1/gm)].at(-1);
  return found?.[2];
}

/**
 * The directory or socket that prevents a user from connecting; undefined if none does. It checks file modes only, not
 * access control lists or security modules.
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

/** Only the first class that an account belongs to counts: an owner does not get the rights of group or others. */
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
