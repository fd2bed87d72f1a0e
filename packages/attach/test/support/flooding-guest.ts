import { Random } from "../../../rados/test/support/random.ts";
import { FrontEnd } from "./front-end.ts";
import { blkType, GuestDriver } from "./guest-driver.ts";

const MiB = 1 << 20;
const queues = 4;
const queueSize = 128;
const memoryBytes = 80 * MiB;
/** Behind the headers of all queues. */
const dataAt = 4 * MiB;

/** A guest that keeps all of its rings full of the largest requests there are, and stops in every way that a machine can stop. */
export class FloodingGuest implements Disposable {
  /** Requests that were made available. */
  requests = 0;
  readonly stops = { powerOff: 0, reset: 0, reconnect: 0 };
  readonly #socket: string;
  readonly #random: Random;
  #frontEnd: FrontEnd | undefined;

  constructor(socket: string, seed: number) {
    this.#socket = socket;
    this.#random = new Random(seed);
  }

  /** Fills every ring, and stops after some turns of the event loop. */
  async round(): Promise<void> {
    this.#frontEnd ??= await FrontEnd.connect(this.#socket, { queues, queueSize, memoryBytes });
    for (let index = 0; index < queues; index++) this.#fill(this.#frontEnd, index);
    for (let turns = this.#random.below(60); turns > 0; turns--) await new Promise(setImmediate);
    await this.#stop(this.#frontEnd);
  }

  [Symbol.dispose](): void {
    this.#frontEnd?.[Symbol.dispose]();
    this.#frontEnd = undefined;
  }

  #fill(frontEnd: FrontEnd, index: number): void {
    const random = this.#random;
    const driver = new GuestDriver(frontEnd, index);
    while (driver.ring.free.length > 0) {
      const length = random.pick([64 * MiB, 64 * MiB, 4 * MiB, 512]);
      const write = random.chance(0.7);
      const layout = { pieces: [16 * MiB] };
      if (write) void driver.write(0, dataAt, length, layout);
      else void driver.request(blkType.read, 0, [{ at: dataAt, length, write: true }], layout);
      this.requests++;
    }
  }

  async #stop(frontEnd: FrontEnd): Promise<void> {
    const how = this.#random.pick(["powerOff", "reset", "reconnect"] as const);
    this.stops[how]++;
    if (how === "reset") {
      for (let index = 0; index < queues; index++) await frontEnd.stopQueue(index);
      // As a machine that boots again: nothing of before is wanted any more.
      frontEnd.memory.fill(0, 0, dataAt);
      frontEnd.inflight = undefined;
      await frontEnd.setInflight();
      for (let index = 0; index < queues; index++) await frontEnd.startQueue(index, queueSize);
    } else if (how === "reconnect") {
      frontEnd.disconnect();
      this.#frontEnd = await FrontEnd.connect(this.#socket, {
        ...{ queues, queueSize, memoryBytes, resume: frontEnd },
      });
      this[Symbol.dispose]();
    } else this[Symbol.dispose]();
  }
}
