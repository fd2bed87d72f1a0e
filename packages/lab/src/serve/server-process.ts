import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
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

  constructor() {
    const program = new URL(`./serve-image${extname(import.meta.filename)}`, import.meta.url);
    this.#child = fork(program, { detached: true });
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
    const said = Promise.race([once(this.#child, "message"), once(this.#child, "exit")]);
    if (this.#child.connected) this.#child.send(request);
    const [answer] = this.#hasEnded ? [this.#child.exitCode] : await said;
    if (answer !== reply) throw new LabError("SIPHON_VM", `${who} ended (exit code ${answer})`);
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    const exited = once(this.#child, "exit");
    if (this.#child.connected) this.#child.disconnect();
    await exited;
  }
}
