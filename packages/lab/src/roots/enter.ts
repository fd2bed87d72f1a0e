import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Call, CallOptions, Variables } from "../host/platform.ts";
import { shellQuote } from "../vm/escape.ts";

/** Directories of a distribution, by their names in /. A program of a root sees the root's; all others are the host's. */
const SYSTEM = /^(usr|etc|bin|sbin|lib\w*)$/;

/** Parts of the host's /etc that say what the machine is part of. Where the root has the same, the host's lies over it. */
const HOST_ETC = ["ceph", "hosts", "resolv.conf"];

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * How to start a program that sees a root's system directories and the host's everything else, in a mount namespace of
 * its own: nothing is mounted for anybody else, and what is mounted ends with the program, however that ends. Every step
 * replaces the one before (exec), so the pid that the caller gets is the program's.
 *
 * The tree is put together in a tmpfs that covers the root's /proc. It needs mount(8), unshare(1) and chroot(8) of the
 * host, sh(1) and env(1) of the root.
 */
export function enterRoot(
  root: string,
  program: string,
  args: readonly string[],
  { env = {}, cwd = process.cwd() }: CallOptions = {},
): Call {
  const superuser = process.geteuid?.() === 0;
  const namespace = superuser ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
  // A directory of the host's system is none that the program can see.
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
 * The kernel names files of a process in a root by the place where its tree was put together (/proc/PID/maps, exe): the same
 * text with the names that this process can open.
 */
export function withHostPaths(text: string, pid: number): string {
  const top = linkAt(`/proc/${pid}/root`);
  if (!top?.endsWith("/proc")) return text;
  const root = asSeenFromHere(dirname(top), pid);
  // The names of the tree's top are no pattern: they are cut out as they stand.
  const [before, ...inTree] = text.split(`${top}/`);
  const named = inTree.map((rest) => {
    const [first] = rest.split(/[/\s]/, 1);
    return `${SYSTEM.test(first!) ? root : ""}/${rest}`;
  });
  return [before, ...named].join("");
}

/**
 * The kernel names a root from the top of the program's mount namespace. Where this process lives in a chroot, the chroot's own path
 * stands in front, and is left out here.
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
 * Variables of the dynamic loader are the program's alone: unshare and mount are the host's programs. Those that this
 * process itself was started with name libraries of the host, which mean nothing in a root.
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

/** Lines of shell that leave in `$at` the tree to change into. */
function assembly(root: string, superuser: boolean): string[] {
  const own = entries(root).filter(({ name }) => SYSTEM.test(name));
  const hosts = entries("/").filter(({ name }) => !SYSTEM.test(name));
  const directories = [...own, ...hosts].filter(({ link }) => link === undefined);
  const links = [...own, ...hosts].filter(({ link }) => link !== undefined);
  // The one that holds the root goes first: what is mounted by then would be bound once more with it.
  const holdsRoot = ({ path }: Entry) => root.startsWith(`${path}/`);
  const ordered = directories.toSorted((a, b) => Number(holdsRoot(b)) - Number(holdsRoot(a)));
  return [
    "set -e",
    `PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH at=${shellQuote(join(root, "proc"))}`,
    'mount -t tmpfs -o mode=755 siphon-root "$at"',
    `cd "$at"; mkdir ${directories.map(({ name }) => shellQuote(name)).join(" ")}`,
    ...links.map(({ name, link }) => `ln -s ${shellQuote(link!)} ${shellQuote(name)}`),
    ...ordered.map(({ name, path }) => `mount --rbind ${shellQuote(path)} ${shellQuote(name)}`),
    // A user namespace may not change the flags of what it was given.
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
  /** Where it leads, for a symbolic link. */
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
