import { Backend, type BackendOptions } from "../vhost/backend.ts";
import { closeQuietly } from "../vhost/native/event.ts";
import { Setup } from "../vhost/setup.ts";
import type { FromRings, RingCall } from "./messages.ts";

/**
 * One worker's part in serving the rings of a vhost-user front-end: a device of its own, which is told only of the rings that are this worker's.
 * It maps the guest's memory itself, and lets go of it when its own requests have.
 */
export class RingPart {
  readonly #options: Pick<BackendOptions, "device" | "metrics" | "budget">;
  readonly #orphans: Int32Array;
  readonly #tell: (message: FromRings) => void;
  #backend: Backend | undefined;
  #setup!: Setup;

  constructor(
    options: Pick<BackendOptions, "device" | "metrics" | "budget">,
    orphans: SharedArrayBuffer,
    tell: (message: FromRings) => void,
  ) {
    this.#options = options;
    this.#orphans = new Int32Array(orphans);
    this.#tell = tell;
  }

  goOn(): void {
    this.#backend?.turnSoon();
  }

  async carryOut(id: number, call: RingCall): Promise<void> {
    try {
      // A message whose answer has a descriptor beside it goes to no worker.
      const payload = (await this.#do(call)) as Buffer | undefined;
      this.#tell({ type: "answer", id, payload, refused: undefined });
    } catch (error) {
      this.#tell({ type: "answer", id, payload: undefined, refused: (error as Error).message });
    }
  }

  #do(call: RingCall): unknown {
    switch (call.does) {
      case "begin":
        return this.#begin(call);
      case "handle":
        return this.#handle(call);
      case "finish":
        return this.#setup.finish();
      case "leave":
        return this.#setup.leave();
      case "nothing":
        return undefined;
    }
  }

  #begin({ device: { blockSize, ...shown } }: RingCall & { does: "begin" }): void {
    const orphans = { count: this.#orphans, gone: () => this.#tell({ type: "orphansGone" }) };
    this.#backend = new Backend({
      ...{ ...this.#options, ...shown, orphans },
      report: (event) => {
        if (event.type === "fault") this.#tell(event);
      },
    });
    this.#setup = new Setup(this.#backend, blockSize);
  }

  #handle({ name, message, patience }: RingCall & { does: "handle" }): unknown {
    const { buffer, byteOffset, byteLength } = message.payload;
    // What is sent from thread to thread is no Buffer any more.
    const payload = Buffer.from(buffer, byteOffset, byteLength);
    try {
      return this.#setup.handle(name, { ...message, payload }, () => patience);
    } finally {
      for (const fd of message.fds) closeQuietly(fd);
    }
  }
}
