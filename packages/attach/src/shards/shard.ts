import { setTimeout as sleep } from "node:timers/promises";
import { adviceOf } from "@siphon/wire";
import { AttachError } from "../errors.ts";
import type { DiskFigures, ServedPoint, ShardState } from "../server/attachment.ts";
import { formatImageSpec } from "../server/image-spec.ts";
import type { Log } from "../server/log.ts";
import type { ShardJob, ShardTask } from "./messages.ts";
import { RestartDelay } from "./restart-delay.ts";
import { type ShardEnd, ShardProcess } from "./shard-process.ts";

/** Some of the images in a process of their own, which is restarted whenever it ends unexpectedly. */
export class Shard {
  readonly #number: number;
  readonly #name: string;
  readonly #log: Log;
  readonly #hangAfter: number;
  readonly #stop = new AbortController();
  readonly #delay = new RestartDelay();
  #job: ShardJob;
  #process: ShardProcess | undefined;
  #kept: Promise<ShardEnd> | undefined;
  #servingSince: number | undefined;
  #restarts = 0;
  readonly #lost: (how: string) => void;
  /** Resolves when a process serves. */
  #up = Promise.withResolvers<ShardProcess>();

  /**
   * @param number from 1 on
   * @param hangAfter seconds without an answer after which the process is replaced
   * @param lost called when the process has ended: parts that were added later must be added again
   */
  constructor(
    number: number,
    job: ShardJob,
    log: Log,
    hangAfter: number,
    lost: (how: string) => void = () => {},
  ) {
    this.#number = number;
    const images = job.request?.images.map(formatImageSpec) ?? [];
    this.#name = images.length > 0 ? `shard ${number} (${images.join(", ")})` : `shard ${number}`;
    this.#lost = lost;
    this.#job = job;
    this.#log = log;
    this.#hangAfter = hangAfter;
  }

  get state(): ShardState {
    return { shard: this.#number, isUp: this.#servingSince !== undefined, restarts: this.#restarts };
  }

  /** Returns when its images are served; rejects if the first start fails. */
  async start(): Promise<readonly ServedPoint[]> {
    const points = await this.#launch();
    this.#kept = this.#keep();
    return points;
  }

  async measure(): Promise<readonly DiskFigures[]> {
    return (await this.#process?.measure()) ?? [];
  }

  /** As `DiskHost.carryOut`, in the running process or the next one. */
  async carryOut(task: ShardTask): Promise<readonly ServedPoint[]> {
    const process = await this.#up.promise;
    return process.carryOut(task);
  }

  /** @throws AttachError SIPHON_ATTACH_DRAIN when it was not running, or did not end in order */
  async stop(): Promise<void> {
    this.#stop.abort();
    const over = new AttachError("SIPHON_ATTACH_SHARD", `${this.#name} ends`);
    this.#up.promise.catch(() => {});
    this.#up.reject(over);
    const process = this.#process;
    if (process === undefined) return;
    process.drain();
    const hung = setTimeout(() => process.kill(), this.#job.drainTimeout + grace);
    const { inOrder, how, error } = await (this.#kept ?? process.ended);
    clearTimeout(hung);
    if (inOrder) return;
    throw new AttachError("SIPHON_ATTACH_DRAIN", `${this.#name} ${how}`, {
      cause: error,
      ...adviceOf(error),
    });
  }

  kill(): void {
    this.#process?.kill();
  }

  async #launch(): Promise<readonly ServedPoint[]> {
    this.#process = new ShardProcess(this.#job);
    const points = await this.#process.serving;
    this.#servingSince = performance.now();
    this.#process.watch(this.#hangAfter);
    void this.#process.ended.then(() => {
      this.#servingSince = undefined;
    });
    this.#up.resolve(this.#process);
    // After a restart the same port is used, because VMs reconnect to it.
    const nbd = points.flatMap(({ point }) => (point.kind === "nbd" ? [point.address] : []));
    const { request } = this.#job;
    if (request?.nbd?.length === nbd.length) this.#job = { ...this.#job, request: { ...request, nbd } };
    return points;
  }

  async #keep(): Promise<ShardEnd> {
    for (;;) {
      const startedAt = this.#servingSince ?? Number.POSITIVE_INFINITY;
      const end = await this.#process!.ended;
      if (this.#stop.signal.aborted) return end;
      this.#up = Promise.withResolvers();
      this.#lost(end.how);
      const delay = this.#delay.after(performance.now() - startedAt);
      const shard = this.#number;
      this.#log(`${this.#name} ${end.how}; it is started again in ${delay / 1000} s`, {
        ...{ event: "shard-ended", shard },
      });
      await sleep(delay, undefined, { signal: this.#stop.signal }).catch(() => {});
      if (this.#stop.signal.aborted) return end;
      this.#restarts++;
      await this.#launch().then(
        () => this.#log(`${this.#name} serves again`, { event: "shard-serving", shard }),
        () => {},
      );
    }
  }
}

/** Milliseconds beyond its drain timeout after which a shard counts as hung. */
const grace = 5000;
