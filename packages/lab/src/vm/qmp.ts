import { EventEmitter } from "node:events";
import { createConnection, type Socket } from "node:net";
import { LabError } from "../errors.ts";
import { Lines } from "../host/lines.ts";
import { within } from "../host/within.ts";

/** An event of QEMU: `SHUTDOWN`, `DEVICE_DELETED`, `GUEST_PANICKED`... */
export interface QmpEvent {
  event: string;
  data: Record<string, unknown>;
  /** Time of the event in milliseconds since 1970, by QEMU's host. */
  at: number;
}

interface Reply {
  return?: unknown;
  error?: { class: string; desc: string };
  event?: string;
  data?: Record<string, unknown>;
  timestamp?: { seconds: number; microseconds: number };
  id?: number;
}

/**
 * A connection to QEMU's machine protocol. Source: QEMU's "QEMU Machine Protocol Specification": one JSON object per
 * line; a greeting, then `qmp_capabilities`, then commands whose replies have their id, with events in between.
 */
export class Qmp implements Disposable {
  readonly #socket: Socket;
  readonly #events = new EventEmitter<{ event: [QmpEvent]; closed: [] }>();
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #greeted = Promise.withResolvers<void>();
  #nextId = 1;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#greeted.promise.catch(() => {});
    const lines = new Lines((line) => this.#receive(JSON.parse(line) as Reply));
    socket.on("data", (bytes) => lines.push(bytes));
    // QEMU's end appears as ECONNRESET or as a close.
    socket.on("error", () => {});
    socket.on("close", () => this.#close());
  }

  /**
   * Connects to QEMU's QMP socket, which serves one client at a time.
   *
   * @throws LabError SIPHON_VM if no program listens there or the connection ends, SIPHON_TIMEOUT without a greeting
   */
  static async connect(
    path: string,
    { timeoutMs = 60_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<Qmp> {
    const qmp = new Qmp(createConnection(path));
    try {
      const what = `QEMU's control socket ${path} did not greet (another program may hold it)`;
      await within(qmp.#greeted.promise, { timeoutMs, signal, what });
      await qmp.execute("qmp_capabilities");
      return qmp;
    } catch (error) {
      qmp[Symbol.dispose]();
      throw error;
    }
  }

  /** Runs a command and returns its result; throws SIPHON_VM with QEMU's error message. */
  async execute(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    if (this.#closed) throw closedError(command);
    const id = this.#nextId++;
    const reply = Promise.withResolvers<unknown>();
    this.#waiting.set(id, reply);
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    try {
      return await reply.promise;
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw closedError(command);
      throw new LabError("SIPHON_VM", `QEMU refuses ${command}: ${cause.message}`, { cause });
    }
  }

  /** Calls back for every event; returns a function that ends this. */
  onEvent(listener: (event: QmpEvent) => void): Disposable {
    this.#events.on("event", listener);
    return { [Symbol.dispose]: () => void this.#events.off("event", listener) };
  }

  /** The next event that `matches`. Rejects with SIPHON_VM when the connection ends before it. */
  nextEvent(matches: (event: QmpEvent) => boolean): Promise<QmpEvent> {
    const { promise, resolve, reject } = Promise.withResolvers<QmpEvent>();
    const listening = this.onEvent((event) => matches(event) && resolve(event));
    const closed = () => reject(closedError("an event"));
    this.#events.once("closed", closed);
    return promise.finally(() => {
      listening[Symbol.dispose]();
      this.#events.off("closed", closed);
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
    this.#close();
  }

  #receive(reply: Reply): void {
    if (reply.event !== undefined) {
      const { seconds = 0, microseconds = 0 } = reply.timestamp ?? {};
      const at = seconds * 1000 + microseconds / 1000;
      this.#events.emit("event", { event: reply.event, data: reply.data ?? {}, at });
    } else if (reply.id === undefined) {
      this.#greeted.resolve();
    } else {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.error) waiting?.reject(new Refusal(reply.error.desc));
      else waiting?.resolve(reply.return);
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#greeted.reject(closedError("a connection"));
    for (const { reject } of this.#waiting.values()) reject(new Error("closed"));
    this.#waiting.clear();
    this.#events.emit("closed");
  }
}

/** QEMU's "error" reply. */
class Refusal extends Error {}

function closedError(what: string): LabError {
  return new LabError("SIPHON_VM", `QEMU's control connection ended before ${what} was answered`);
}
