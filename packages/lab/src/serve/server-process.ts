import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { forkProgram } from "@siphon/attach";
import { LabError } from "../errors.ts";
import type { RbdDisk } from "../vm/settings.ts";

/** How siphon's own client serves an image to QEMU. */
export type Transport = "nbd" | "vhost";

export interface ServeRequest {
  disk: RbdDisk;
  transport: Transport;
  /** Other VMs have the image as well. */
  shared: boolean;
  socket: string;
}

/** The process's answer to each request. */
export type ServeAnswer =
  | { done: "attached" | "detached" }
  | { done: "measured"; bytes: number }
  | { failed: string; hint?: string };

/** A process that serves images with siphon's own client, one at a time. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;

  constructor() {
    const program = new URL(`./serve-image${extname(import.meta.filename)}`, import.meta.url);
    this.#child = forkProgram(program, [], { detached: true });
    this.#ended = once(this.#child, "exit");
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Whether it can serve another image. */
  get isRunning(): boolean {
    return this.#child.connected && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @throws LabError SIPHON_VM with the reason when the image cannot be served; the process can serve another one then */
  async attach(request: ServeRequest): Promise<void> {
    const { pool, image } = request.disk;
    await this.#ask(request, `serve ${pool}/${image}`);
  }

  /**
   * Finishes what is under way, and gives the image back.
   *
   * @throws LabError SIPHON_VM when that fails
   */
  async detach(): Promise<void> {
    await this.#ask("detach", "give its image back");
  }

  /** Bytes that have been read and written since the image was attached. */
  async bytesDone(): Promise<number> {
    const answer = await this.#ask("measure", "say what it has done");
    return answer.done === "measured" ? answer.bytes : 0;
  }

  async #ask(
    request: ServeRequest | "detach" | "measure",
    what: string,
  ): Promise<Exclude<ServeAnswer, { failed: string }>> {
    const answered = new AbortController();
    const message = once(this.#child, "message", { signal: answered.signal }).then(
      ([answer]) => answer as ServeAnswer,
    );
    message.catch(() => {});
    const died = this.#ended.then(([code, signal]) => ({
      failed: `it ended (${signal ?? `exit code ${code}`})`,
    }));
    if (this.#child.connected) this.#child.send(request, () => {}); // its end is seen by #ended
    const answer: ServeAnswer = await Promise.race([message, died]);
    answered.abort();
    if ("done" in answer) return answer;
    const { failed, hint } = answer;
    throw new LabError(
      "SIPHON_VM",
      `siphon's server cannot ${what}: ${failed}`,
      hint === undefined ? {} : { hint },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }
}
