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
  socket: string;
}

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

  /** Throws SIPHON_VM when the image cannot be served; why is on standard error. */
  async attach(request: ServeRequest): Promise<void> {
    const { pool, image } = request.disk;
    await this.#ask(request, "attached", `siphon's server of ${pool}/${image}`);
  }

  /** Finishes what is under way, and gives the image back. */
  async detach(): Promise<void> {
    await this.#ask("detach", "detached", "siphon's server");
  }

  async #ask(request: ServeRequest | "detach", reply: string, who: string): Promise<void> {
    const answered = new AbortController();
    const message = once(this.#child, "message", { signal: answered.signal });
    message.catch(() => {});
    if (this.#child.connected) this.#child.send(request, () => {}); // its end is seen by #ended
    const [answer] = await Promise.race([message, this.#ended]);
    answered.abort();
    if (answer !== reply) throw new LabError("SIPHON_VM", `${who} ended (exit code ${answer})`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }
}
