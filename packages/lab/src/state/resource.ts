import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import { isRunning, type ProcessId, pidsWithEnvironment, processId } from "../host/proc.ts";
import { endProcesses } from "../host/signals.ts";
import { stateDir } from "./paths.ts";

/** The kinds of things that outlive a call and so must be found again after a crash. */
export type ResourceKind = "clusters" | "vms" | "images" | "networks" | "work";

/** Set in the environment of every program started for a resource, so that it can be found without its pid. */
export const RESOURCE_VARIABLE = "SIPHON_RESOURCE";

/** What stands in a resource's lease.json. */
export interface Lease {
  kind: ResourceKind;
  name: string;
  created: string;
  /** The siphon process that looks after the resource; null once it is meant to stay (`siphon cluster up`). */
  owner: ProcessId | null;
  /** What the owner wants to know again when it must clean up, or show the resource; never a secret. */
  details: Record<string, unknown>;
}

/** A process that does not run. */
const NOBODY: ProcessId = { pid: 0, startTime: 0 };

/**
 * A directory under the state directory that stands for something running or stored: a cluster, a VM, an
 * image in somebody's pool. Everything started for it lives in its directory or carries its path in the
 * environment, so `siphon clean` can remove it whole after any crash.
 */
export class Resource implements AsyncDisposable {
  readonly dir: string;
  #lease: Lease;
  #written: Promise<void> = Promise.resolve();

  private constructor(dir: string, lease: Lease) {
    this.dir = dir;
    this.#lease = lease;
  }

  /** Claims the name; throws SIPHON_IN_USE when it is taken by something still owned, kept or not yet cleaned. */
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
    await mkdir(join(stateDir(), kind), { recursive: true, mode: 0o700 });
    try {
      await mkdir(dir, { mode: 0o700 });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
      throw new LabError("SIPHON_IN_USE", `there is already one of the ${kind} called ${name} (${dir})`, {
        cause,
        hint: "choose another name, take the old one down, or run: siphon clean",
      });
    }
    const owner = processId(process.pid) ?? null;
    const resource = new Resource(dir, { kind, name, created: new Date().toISOString(), owner, details });
    try {
      await resource.#write();
    } catch (cause) {
      await rm(dir, { recursive: true, force: true });
      if ((cause as NodeJS.ErrnoException).code !== "ENOSPC") throw cause;
      throw new LabError("SIPHON_NO_SPACE", `no space left for ${dir}`, {
        cause,
        hint: "free some space, or set SIPHON_STATE_DIR to another directory",
      });
    }
    return resource;
  }

  /** All resources of a kind, in the order of their names. */
  static async list(kind: ResourceKind): Promise<Resource[]> {
    const parent = join(stateDir(), kind);
    const names = existsSync(parent) ? await readdir(parent) : [];
    return Promise.all(names.sort().map((name) => Resource.#read(kind, join(parent, name), name)));
  }

  /** The resource of that name, or undefined. */
  static async find(kind: ResourceKind, name: string): Promise<Resource | undefined> {
    return (await Resource.list(kind)).find((resource) => resource.name === name);
  }

  static async #read(kind: ResourceKind, dir: string, name: string): Promise<Resource> {
    try {
      return new Resource(dir, JSON.parse(await readFile(join(dir, "lease.json"), "utf8")) as Lease);
    } catch {
      // Its maker died between mkdir and the lease: nobody owns it.
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

  /** Meant to stay after the process that made it. */
  get kept(): boolean {
    return this.#lease.owner === null;
  }

  /** Left behind by a process that is gone. */
  get stale(): boolean {
    return this.#lease.owner !== null && !isRunning(this.#lease.owner);
  }

  /** Variables for the environment of every program started for this resource. */
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

  /** Leaves the resource to `clean`, as if this process had ended. */
  async abandon(): Promise<void> {
    this.#lease = { ...this.#lease, owner: NOBODY };
    await this.#write();
  }

  /** Ends every process started for the resource and returns their pids. Files stay. */
  async endProcesses(): Promise<number[]> {
    const ended = new Set<number>();
    // What is being ended may be starting more: look again until nothing new is found.
    for (;;) {
      const found = pidsWithEnvironment(RESOURCE_VARIABLE, (dir) => dir === this.dir);
      const pids = found.filter((pid) => !ended.has(pid));
      if (pids.length === 0) return [...ended];
      await endProcesses(pids);
      for (const pid of pids) ended.add(pid);
    }
  }

  /** Ends its processes and removes its files. */
  async remove(): Promise<void> {
    await this.endProcesses();
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Removes the resource unless it is kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.kept) await this.remove();
  }

  /** One after the other, each with what is true by then: several changes may be under way at once. */
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
