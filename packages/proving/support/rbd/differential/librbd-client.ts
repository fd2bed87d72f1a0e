import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { promisify } from "node:util";
import type { DiskClient, Shape } from "./disk-client.ts";

/** librbd's process has ended. */
export class LibrbdEnded extends Error {}

/** librbd through python3-rbd, in a separate process. */
export class LibrbdClient implements DiskClient, AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #rbd: (...args: string[]) => Promise<unknown>;
  readonly #pool: string;
  readonly #lines: AsyncIterator<string>;
  /** Resolves when the process ends. librbd 16.2 crashes at times, before anybody waits for this. */
  readonly #ended: Promise<string>;

  /** @param user for example `client.admin` */
  constructor(conf: string, user: string, pool: string) {
    const script = new URL("librbd.py", import.meta.url).pathname;
    this.#pool = pool;
    this.#rbd = (...args) => execFileAsync("rbd", ["--conf", conf, "--name", user, ...args]);
    this.#process = spawn(process.env.SIPHON_TEST_PYTHON ?? "/usr/bin/python3", [script, conf, user, pool]);
    this.#ended = new Promise((resolve) => {
      this.#process.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
      this.#process.once("error", (error) => resolve(error.message));
    });
    // A failed write is reported by the end of the process.
    this.#process.stdin.on("error", () => {});
    this.#process.stderr.pipe(process.stderr, { end: false });
    const lines: Interface = createInterface({ input: this.#process.stdout });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** The address of the client's connections, as in the blocklist. */
  address(): Promise<string> {
    return this.#ask("address", {});
  }

  open(image: string): Promise<void> {
    return this.#ask("open", { image });
  }

  close(image: string): Promise<void> {
    return this.#ask("close", { image });
  }

  create(image: string, size: number, features: number, shape: Shape): Promise<void> {
    return this.#ask("create", { image, size, features, ...onWire(shape) });
  }

  async read(image: string, offset: number, length: number, snapshot?: string): Promise<Buffer> {
    return Buffer.from(await this.#ask<string>("read", { image, offset, length, snapshot }), "base64");
  }

  write(image: string, offset: number, bytes: Buffer): Promise<void> {
    return this.#ask("write", { image, offset, data: bytes.toString("base64") });
  }

  discard(image: string, offset: number, length: number): Promise<void> {
    return this.#ask("discard", { image, offset, length });
  }

  writeZeroes(image: string, offset: number, length: number): Promise<void> {
    return this.#ask("writeZeroes", { image, offset, length });
  }

  flush(image: string): Promise<void> {
    return this.#ask("flush", { image });
  }

  resize(image: string, size: number): Promise<void> {
    return this.#ask("resize", { image, size });
  }

  createSnapshot(image: string, snapshot: string): Promise<void> {
    return this.#ask("createSnapshot", { image, snapshot });
  }

  removeSnapshot(image: string, snapshot: string): Promise<void> {
    return this.#ask("removeSnapshot", { image, snapshot });
  }

  rollBack(image: string, snapshot: string): Promise<void> {
    return this.#ask("rollBack", { image, snapshot });
  }

  clone(image: string, snapshot: string, child: string, features: number, shape: Shape): Promise<void> {
    return this.#ask("clone", { image, snapshot, child, features, ...onWire(shape) });
  }

  flatten(image: string): Promise<void> {
    return this.#ask("flatten", { image });
  }

  /**
   * The lock must be free, or librbd's.
   *
   * @param snapshots of the image; each has its own map
   */
  async setObjectMap(image: string, on: boolean, snapshots: readonly string[]): Promise<void> {
    await this.#ask("setObjectMap", { image, on });
    // python3-rbd's own method for this cannot be called.
    if (!on) return;
    for (const spec of [image, ...snapshots.map((name) => `${image}@${name}`)]) {
      await this.#rbd("object-map", "rebuild", "--no-progress", `${this.#pool}/${spec}`);
    }
  }

  /** Kills the process, like a machine that loses power. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end();
    await this.#ended;
  }

  async #ask<T>(op: string, args: Record<string, unknown>): Promise<T> {
    this.#process.stdin.write(`${JSON.stringify({ op, ...args })}\n`);
    const { value } = await this.#lines.next();
    const what = `librbd: ${op} ${args.image ?? ""}`;
    if (value === undefined) throw new LibrbdEnded(`${what}: its process ended (${await this.#ended})`);
    const answer = JSON.parse(value) as { ok: T; error?: string };
    if (answer.error !== undefined) throw new Error(`${what}: ${answer.error}`);
    return answer.ok;
  }
}

const execFileAsync = promisify(execFile);

function onWire({ order, stripeUnit, stripeCount }: Shape) {
  return { order, stripe_unit: stripeUnit, stripe_count: stripeCount };
}
