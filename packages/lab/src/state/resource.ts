import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LabError } from "../errors.ts";
import { isRunning, type ProcessId, pidsWithEnvironment, processId } from "../host/proc.ts";
import { endProcesses } from "../host/signals.ts";
import { stateDir } from "./paths.ts";

/** The kinds of resources, which outlive a call and must be found after a crash. */
export type ResourceKind = "clusters" | "vms" | "images" | "networks" | "work";

/** Environment variable of every program of a resource, by which it can be found without its pid. */
export const RESOURCE_VARIABLE = "SIPHON_RESOURCE";

/** The content of a resource's lease.json. */
export interface Lease {
  kind: ResourceKind;
  name: string;
  created: string;
  /** The siphon process that owns the resource; null for a kept one (`siphon cluster up`). */
  owner: ProcessId | null;
  /** Details for cleaning up or showing the resource; never a secret. */
  details: Record<string, unknown>;
}

/** Prefix of directories that are being created or removed, followed by the process. */
const unfinished = ".unfinished-";

function unfinishedName(): string {
  const { pid, startTime } = processId(process.pid) ?? NOBODY;
  return `${unfinished}${pid}-${startTime}-${crypto.randomUUID()}`;
}

function notMade(cause: NodeJS.ErrnoException, kind: ResourceKind, name: string, dir: string): unknown {
  if (cause.code === "EEXIST" || cause.code === "ENOTEMPTY") {
    return new LabError("SIPHON_IN_USE", `there is already one of the ${kind} called ${name} (${dir})`, {
      cause,
      hint: "choose another name, take the old one down, or run: siphon clean",
    });
  }
  if (cause.code !== "ENOSPC") return cause;
  return new LabError("SIPHON_NO_SPACE", `no space left for ${dir}`, {
    cause,
    hint: "free some space, or set SIPHON_STATE_DIR to another directory",
  });
}

/** A process that is not running. */
const NOBODY: ProcessId = { pid: 0, startTime: 0 };

/**
 * A directory under the state directory that represents something running or stored: a cluster, a VM, an image in a
 * user's pool. All of its files are in the directory, and all of its programs have the path in their environment, so
 * `siphon clean` can remove it completely after any crash.
 */
export class Resource implements AsyncDisposable {
  readonly dir: string;
  #lease: Lease;
  #written: Promise<void> = Promise.resolve();

  private constructor(dir: string, lease: Lease) {
    this.dir = dir;
    this.#lease = lease;
  }

  /** Claims the name; throws SIPHON_IN_USE if it is taken by a resource that is owned, kept or not yet cleaned. */
  static async create(
    kind: ResourceKind,
    name: string,
    details: Record<string, unknown> = {},
  ): Promise<Resource> {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) {
      throw new LabError("SIPHON_USAGE", `${JSON.stringify(name)} cannot name one of the ${kind}`, {
        hint: "use letters, digits, dots, dashes and underscores",
      });
    }
    const dir = join(stateDir(), kind, name);
    const owner = processId(process.pid) ?? null;
    const lease = { kind, name, created: new Date().toISOString(), owner, details };
    await mkdir(join(stateDir(), kind), { recursive: true, mode: 0o700 });
    // It appears together with its lease, so that a concurrent `clean` does not take it for one without an owner.
    const made = join(stateDir(), kind, unfinishedName());
    try {
      await mkdir(made, { mode: 0o700 });
      await new Resource(made, lease).#write();
      await rename(made, dir);
      return new Resource(dir, lease);
    } catch (cause) {
      await rm(made, { recursive: true, force: true });
      throw notMade(cause as NodeJS.ErrnoException, kind, name, dir);
    }
  }

  /** All resources of a kind, sorted by name. */
  static async list(kind: ResourceKind): Promise<Resource[]> {
    const parent = join(stateDir(), kind);
    const names = existsSync(parent) ? await readdir(parent) : [];
    const finished = names.filter((name) => !name.startsWith("."));
    const found = finished.sort().map((name) => Resource.#read(kind, join(parent, name), name));
    return (await Promise.all(found)).filter((resource) => resource !== undefined);
  }

  /** Removes incomplete resources of dead processes, and of this one. */
  static async removeUnfinished(kind: ResourceKind, by: "the dead" | "this process"): Promise<void> {
    const parent = join(stateDir(), kind);
    for (const name of existsSync(parent) ? await readdir(parent) : []) {
      if (!name.startsWith(unfinished)) continue;
      const [pid, startTime] = name.slice(unfinished.length).split("-").map(Number);
      const running = isRunning({ pid: pid!, startTime: startTime! });
      const ours = running && pid === process.pid;
      if (by === "this process" ? !ours : running) continue;
      await rm(join(parent, name), { recursive: true, force: true, maxRetries: 5 });
    }
  }

  /** The resource of that name, or undefined. */
  static async find(kind: ResourceKind, name: string): Promise<Resource | undefined> {
    return (await Resource.list(kind)).find((resource) => resource.name === name);
  }

  /** Undefined if it was removed meanwhile. */
  static async #read(kind: ResourceKind, dir: string, name: string): Promise<Resource | undefined> {
    try {
      return new Resource(dir, JSON.parse(await readFile(join(dir, "lease.json"), "utf8")) as Lease);
    } catch (error) {
      const damaged = error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT";
      // A resource that cannot be read must not be removed.
      if (!damaged) throw error;
      if (!existsSync(dir)) return undefined;
      // Without a lease it has no owner.
      const created = new Date(0).toISOString();
      return new Resource(dir, { kind, name, created, owner: NOBODY, details: {} });
    }
  }

  get kind(): ResourceKind {
    return this.#lease.kind;
  }

  get name(): string {
    return this.#lease.name;
  }

  get created(): Date {
    return new Date(this.#lease.created);
  }

  get details(): Readonly<Record<string, unknown>> {
    return this.#lease.details;
  }

  /** Whether it stays after the process that created it. */
  get kept(): boolean {
    return this.#lease.owner === null;
  }

  /** Whether its owner has ended without removing it. */
  get stale(): boolean {
    return this.#lease.owner !== null && !isRunning(this.#lease.owner);
  }

  /** Whether this process owns it. */
  get own(): boolean {
    const { owner } = this.#lease;
    return owner?.pid === process.pid && isRunning(owner);
  }

  /** Environment variables for every program of this resource. */
  get environment(): Record<string, string> {
    return { [RESOURCE_VARIABLE]: this.dir };
  }

  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  /** Adds to the details, atomically on disk. */
  async note(details: Record<string, unknown>): Promise<void> {
    this.#lease = { ...this.#lease, details: { ...this.#lease.details, ...details } };
    await this.#write();
  }

  /** Lets the resource outlive this process. */
  async keep(): Promise<void> {
    this.#lease = { ...this.#lease, owner: null };
    await this.#write();
  }

  /** Abandons the resource for `clean`, as if this process had ended. */
  async abandon(): Promise<void> {
    this.#lease = { ...this.#lease, owner: NOBODY };
    await this.#write();
  }

  /** Ends all processes of the resource, in order within `graceMs`, and returns their pids. Files stay. */
  async endProcesses(options: { graceMs?: number } = {}): Promise<number[]> {
    const ended = new Set<number>();
    // An ending process may start others: repeat until none is found.
    for (;;) {
      const found = pidsWithEnvironment(RESOURCE_VARIABLE, (dir) => dir === this.dir);
      const pids = found.filter((pid) => !ended.has(pid));
      if (pids.length === 0) return [...ended];
      await endProcesses(pids, options);
      for (const pid of pids) ended.add(pid);
    }
  }

  /** Whether it is unchanged: not removed, and not created again under the same name. */
  async isCurrent(): Promise<boolean> {
    const now = await Resource.#read(this.kind, this.dir, this.name);
    return now !== undefined && JSON.stringify(now.#lease) === JSON.stringify(this.#lease);
  }

  /** Ends its processes and removes its files atomically: others never find it without its lease. */
  async remove(): Promise<void> {
    await this.endProcesses();
    const going = join(dirname(this.dir), unfinishedName());
    await rename(this.dir, going).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    await rm(going, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Removes the resource unless it is kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.kept) await this.remove();
  }

  /** Serializes changes of the lease, because several may run concurrently. */
  #write(): Promise<void> {
    const file = this.path("lease.json");
    this.#written = this.#written
      .catch(() => {})
      .then(async () => {
        await writeFile(`${file}.new`, `${JSON.stringify(this.#lease, null, 2)}\n`, { mode: 0o600 });
        await rename(`${file}.new`, file);
      });
    return this.#written;
  }
}
