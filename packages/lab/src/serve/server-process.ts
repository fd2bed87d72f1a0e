import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { forkProgram } from "@siphon/attach";
import { LabError } from "../errors.ts";
import type { RbdDisk } from "../vm/settings.ts";

/** How siphon serves an image to QEMU. */
export type Transport = "nbd" | "vhost";

export interface AttachRequest {
  what: "attach";
  disk: RbdDisk;
  transport: Transport;
  /** Whether other VMs use the image, too. */
  shared: boolean;
  socket: string;
}

/** A request to a process; a served image is identified by its socket. */
export type ServeRequest =
  | AttachRequest
  | { what: "detach"; socket: string }
  | { what: "measure"; socket: string };

/** The process's answer to each request. */
export type ServeAnswer =
  | { done: "attached" | "detached" }
  | { done: "measured"; bytes: number }
  | { failed: string; hint?: string };

type Done = Exclude<ServeAnswer, { failed: string }>;

/** A process in which siphon serves images. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  /** The answers to all requests so far: the next request waits for them, because answers do not name their request. */
  #answered: Promise<unknown> = Promise.resolve();

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

  /**
   * @throws LabError SIPHON_VM with the reason if the image cannot be served; the process can still serve another one
   */
  async attach(request: Omit<AttachRequest, "what">): Promise<void> {
    const { pool, image } = request.disk;
    await this.#ask({ what: "attach", ...request }, `serve ${pool}/${image}`);
  }

  /**
   * Finishes the requests in flight, and closes the image of a socket, if there is one.
   *
   * @throws LabError SIPHON_VM when that fails
   */
  async detach(socket: string): Promise<void> {
    await this.#ask({ what: "detach", socket }, "give its image back");
  }

  /** Bytes read and written since the image of a socket was attached. */
  async bytesDone(socket: string): Promise<number> {
    const answer = await this.#ask({ what: "measure", socket }, "say what it has done");
    return answer.done === "measured" ? answer.bytes : 0;
  }

  #ask(request: ServeRequest, what: string): Promise<Done> {
    const answer = this.#answered.then(() => this.#askNow(request, what));
    this.#answered = answer.catch(() => {});
    return answer;
  }

  async #askNow(request: ServeRequest, what: string): Promise<Done> {
    const answered = new AbortController();
    const message = once(this.#child, "message", { signal: answered.signal }).then(
      ([answer]) => answer as ServeAnswer,
    );
    message.catch(() => {});
    const died = this.#ended.then(([code, signal]) => ({
      failed: `it ended (${signal ?? `exit code ${code}`})`,
    }));
    if (this.#child.connected) this.#child.send(request, () => {}); // #ended detects its end
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
