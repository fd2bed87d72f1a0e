import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Call, CallOptions, Variables } from "../host/platform.ts";
import { shellQuote } from "../vm/escape.ts";

/**
 * System directories, by their names in /. A program of a root sees the root's; all other directories are the host's.
 */
const SYSTEM = /^(usr|etc|bin|sbin|lib\w*)$/;

/** Host-specific files in /etc. The host's replace the root's. */
const HOST_ETC = ["ceph", "hosts", "resolv.conf"];

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * How to start a program that sees a root's system directories and otherwise the host's files, in its own mount
 * namespace: the mounts are invisible to others, and end with the program. Every step uses exec, so the caller's pid is
 * the program's.
 *
 * The tree is assembled in a tmpfs over the root's /proc. It needs mount(8), unshare(1) and chroot(8) of the host,
 * sh(1) and env(1) of the root.
 */
export function enterRoot(
  root: string,
  program: string,
  args: readonly string[],
  { env = {}, cwd = process.cwd() }: CallOptions = {},
): Call {
  const superuser = process.geteuid?.() === 0;
  const namespace = superuser ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
  // The program cannot see the host's system directories.
  const directory = SYSTEM.test(cwd.split("/")[1] ?? "") ? "/" : cwd;
  const script = [
    ...assembly(root, superuser),
    'exec chroot "$at" /bin/sh -c \'cd "$1"; shift; exec env "$@"\' siphon-root "$@"',
  ].join("\n");
  const { forLoader, rest } = splitVariables(env);
  const words = [directory, `PATH=${PATH}`, ...forLoader, program, ...args];
  return { command: "unshare", args: [...namespace, "sh", "-c", script, "siphon-root", ...words], env: rest };
}

/**
 * The kernel shows files of a process in a root by the place where its tree was assembled (/proc/PID/maps, exe).
 * Replaces them by paths that this process can open.
 */
export function withHostPaths(text: string, pid: number): string {
  const top = linkAt(`/proc/${pid}/root`);
  if (!top?.endsWith("/proc")) return text;
  const root = asSeenFromHere(dirname(top), pid);
  // The top of the tree is replaced as literal text, not as a pattern.
  const [before, ...inTree] = text.split(`${top}/`);
  const named = inTree.map((rest) => {
    const [first] = rest.split(/[/\s]/, 1);
    return `${SYSTEM.test(first!) ? root : ""}/${rest}`;
  });
  return [before, ...named].join("");
}

/**
 * The kernel shows a root's path from the top of the program's mount namespace. If this process is in a chroot, removes
 * the chroot's path prefix.
 */
function asSeenFromHere(root: string, pid: number): string {
  const parts = root.split("/").slice(1);
  const names = parts.map((_, first) => `/${parts.slice(first).join("/")}`);
  return names.find((name) => isSame(join(name, "usr"), `/proc/${pid}/root/usr`)) ?? root;
}

function isSame(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

/**
 * Variables of the dynamic loader apply only to the program, because unshare and mount are the host's. This process's
 * own variables name libraries of the host, which are invalid in a root.
 */
function splitVariables(env: Variables): { forLoader: string[]; rest: Variables } {
  const all = Object.entries(env);
  const isLoaders = ([name]: [string, unknown]) => name.startsWith("LD_");
  const inherited = Object.keys(process.env).filter((name) => name.startsWith("LD_"));
  return {
    forLoader: all
      .filter(isLoaders)
      .flatMap(([name, value]) => (value === undefined ? [] : `${name}=${value}`)),
    rest: {
      ...Object.fromEntries(all.filter((entry) => !isLoaders(entry))),
      ...Object.fromEntries(inherited.map((name) => [name, undefined])),
    },
  };
}

/** Shell lines that assemble the tree and set `$at` to it. */
function assembly(root: string, superuser: boolean): string[] {
  const own = entries(root).filter(({ name }) => SYSTEM.test(name));
  const hosts = entries("/").filter(({ name }) => !SYSTEM.test(name));
  const directories = [...own, ...hosts].filter(({ link }) => link === undefined);
  const links = [...own, ...hosts].filter(({ link }) => link !== undefined);
  // The directory that contains the root goes first: otherwise earlier mounts would be bound again with it.
  const holdsRoot = ({ path }: Entry) => root.startsWith(`${path}/`);
  const ordered = directories.toSorted((a, b) => Number(holdsRoot(b)) - Number(holdsRoot(a)));
  return [
    "set -e",
    `PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH at=${shellQuote(join(root, "proc"))}`,
    'mount -t tmpfs -o mode=755 siphon-root "$at"',
    `cd "$at"; mkdir ${directories.map(({ name }) => shellQuote(name)).join(" ")}`,
    ...links.map(({ name, link }) => `ln -s ${shellQuote(link!)} ${shellQuote(name)}`),
    ...ordered.map(({ name, path }) => `mount --rbind ${shellQuote(path)} ${shellQuote(name)}`),
    // A user namespace may not change the flags of inherited mounts.
    ...(superuser ? directories.filter(({ name }) => SYSTEM.test(name)) : []).map(
      ({ name }) => `mount -o remount,bind,ro ${shellQuote(name)}`,
    ),
    ...HOST_ETC.filter((name) => canCover(join("/etc", name), join(root, "etc", name))).map(
      (name) => `mount --bind /etc/${name} etc/${name}`,
    ),
  ];
}

interface Entry {
  name: string;
  path: string;
  /** The target of a symbolic link. */
  link: string | undefined;
}

/** The directories and links at the top of a tree. */
function entries(top: string): Entry[] {
  return readdirSync(top, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => {
      const path = join(top, entry.name);
      return { name: entry.name, path, link: entry.isSymbolicLink() ? readlinkSync(path) : undefined };
    });
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function canCover(file: string, place: string): boolean {
  if (!existsSync(file)) return false;
  const there = lstatSync(place, { throwIfNoEntry: false });
  if (there === undefined || there.isSymbolicLink()) return false;
  return there.isDirectory() === statSync(file).isDirectory();
}
