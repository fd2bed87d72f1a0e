import { once } from "node:events";
import type { FileHandle } from "node:fs/promises";
import { type Cluster, type Pool, type PoolSnapshot, RadosError } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import { interruption } from "../../interruption.ts";
import type { RadosFlags } from "./flags.ts";

/** A verb of `siphon rados`. */
export interface RadosVerb {
  name: string;
  /** The arguments in the form of the help: `<object> <file>`. */
  arguments: string;
  summary: string;
  /** The minimum number of arguments, and the maximum if it is larger. */
  takes: readonly [least: number, most: number];
  /** The formats with which the verb has the option --output; default: none. */
  hasOutput?: "any" | "json";
  run(call: RadosCall): Promise<void>;
}

/** One call of a verb. */
export class RadosCall {
  readonly cluster: Cluster;
  readonly args: readonly string[];
  readonly flags: RadosFlags;
  readonly #output: FileHandle | undefined;

  constructor(cluster: Cluster, args: readonly string[], flags: RadosFlags, output?: FileHandle) {
    this.cluster = cluster;
    this.args = args;
    this.flags = flags;
    this.#output = output;
  }

  get signal(): AbortSignal {
    return interruption.signal;
  }

  /** The first argument. */
  get object(): string {
    return this.args[0]!;
  }

  /** The pool that the flags name, with their namespace and snapshot. */
  async pool(): Promise<Pool> {
    const { pool: name, namespace, locator: key, snap, snapId } = this.flags;
    if (name === undefined) {
      throw new SiphonError("SIPHON_USAGE", "name the pool with -p");
    }
    const pool = await this.cluster.pool(name, {
      ...(namespace !== undefined && { namespace }),
      ...(key !== undefined && { key }),
      ...(snapId !== undefined && { snapId }),
      signal: this.signal,
    });
    if (snap === undefined) return pool;
    const found = this.snapshotOf(pool, snap);
    this.print(`selected snap ${found.id} '${snap}'\n`);
    return pool.with({ snapId: found.id });
  }

  /** The pool's snapshot of that name. */
  snapshotOf(pool: Pool, name: string): PoolSnapshot {
    const found = pool.snapshots.list().find((snapshot) => snapshot.name === name);
    if (found !== undefined) return found;
    throw new RadosError("ENOENT", `pool ${pool.name} has no snapshot ${name} (ENOENT)`, {
      hint: `list them with: siphon rados -p ${pool.name} lssnap`,
    });
  }

  print(text: string): void {
    process.stdout.write(text);
  }

  /** To the file that --output names, or to standard output; waits for a slow reader. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#output !== undefined) await this.#output.writeFile(bytes);
    else if (!process.stdout.write(bytes)) await once(process.stdout, "drain", { signal: this.signal });
  }
}
