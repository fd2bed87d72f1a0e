import { createConnection, type Socket } from "node:net";
import { LabError } from "../errors.ts";
import type { RunResult } from "../host/command.ts";
import { Lines } from "../host/lines.ts";
import { within } from "../host/within.ts";
import type { GuestControl, GuestRunOptions } from "./control.ts";

export interface AgentOptions {
  /** QEMU's end of the agent's virtio-serial port, a unix socket. */
  socket: string;
  /** Milliseconds to wait for the guest's first answer. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** Resolves when QEMU has ended, with the error to throw. */
  qemuEnded: Promise<LabError>;
}

/** The host's side of the small guest's agent; its protocol is described at `agentScript`. */
export class AgentControl implements GuestControl {
  readonly #socket: Socket;
  readonly #qemuEnded: Promise<LabError>;
  readonly #waiting = new Map<string, PromiseWithResolvers<string[]>>();
  #closed: Promise<LabError> | undefined;
  /** Distinguishes this client's commands from those of an earlier one. */
  readonly #prefix = crypto.randomUUID().slice(0, 8);
  #nextId = 1;

  private constructor(socket: Socket, qemuEnded: Promise<LabError>) {
    this.#socket = socket;
    this.#qemuEnded = qemuEnded;
    const lines = new Lines((line) => this.#receive(line));
    socket.on("data", (bytes) => lines.push(bytes));
    socket.on("error", () => {}); // a close follows
    socket.on("close", () => this.#close());
  }

  /**
   * Connects and waits until the guest answers.
   *
   * @throws LabError SIPHON_TIMEOUT, or what `qemuEnded` says
   */
  static async connect({ socket, timeoutMs, signal, qemuEnded }: AgentOptions): Promise<AgentControl> {
    const agent = new AgentControl(createConnection(socket), qemuEnded);
    try {
      // Commands of an earlier siphon may still send replies; the nonce identifies our own.
      const ready = agent.#request("hello", crypto.randomUUID(), "");
      await within(ready, { timeoutMs, signal, what: "the guest did not come up" });
      return agent;
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      throw error;
    }
  }

  async run(command: string, { timeoutMs = 60_000, signal }: GuestRunOptions = {}): Promise<RunResult> {
    signal?.throwIfAborted();
    const id = `${this.#prefix}.${this.#nextId++}`;
    const done = this.#request("run", id, Buffer.from(command).toString("base64"));
    try {
      const what = `the guest did not finish "${shortened(command)}"`;
      const [exitCode, stdout = "", stderr = ""] = await within(done, { timeoutMs, signal, what });
      return { exitCode: Number(exitCode), stdout: decoded(stdout), stderr: decoded(stderr) };
    } catch (error) {
      if (this.#closed) throw error;
      this.#socket.write(`kill ${id}\n`);
      const timedOut = error instanceof LabError && error.code === "SIPHON_TIMEOUT";
      throw timedOut && !(await this.#answers()) ? hangs(error) : error;
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** Distinguishes a slow command from a hung guest. */
  async #answers(): Promise<boolean> {
    const ready = this.#request("hello", crypto.randomUUID(), "");
    return within(ready, { timeoutMs: ANSWER_MS, what: "the guest did not answer" }).then(
      () => true,
      () => false,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= Promise.resolve(new LabError("SIPHON_GUEST", "the way into the guest was closed"));
    this.#socket.destroy();
  }

  async #request(verb: string, id: string, argument: string): Promise<string[]> {
    if (this.#closed) throw await this.#closed;
    const reply = Promise.withResolvers<string[]>();
    this.#waiting.set(id, reply);
    this.#socket.write(`${verb} ${id} ${argument}\n`);
    return reply.promise;
  }

  #receive(line: string): void {
    const [, id, ...fields] = line.split(" ");
    this.#waiting.get(id)?.resolve(fields);
  }

  #close(): void {
    this.#closed ??= this.#whyClosed();
    for (const { reject } of this.#waiting.values()) void this.#closed.then(reject, reject);
    this.#waiting.clear();
  }

  /** QEMU's end is detected a moment after its sockets are closed. */
  async #whyClosed(): Promise<LabError> {
    const what = "QEMU closed the guest's port, and did not end";
    try {
      return await within(this.#qemuEnded, { timeoutMs: ANSWER_MS, what });
    } catch (error) {
      return error as LabError;
    }
  }
}

/** Long enough for an emulated guest on a busy host. */
const ANSWER_MS = 10_000;

function hangs(cause: LabError): LabError {
  const message = `the guest hangs: ${cause.message}, and it answers nothing any more`;
  return new LabError("SIPHON_GUEST", message, { cause, retryable: true });
}

function decoded(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}

function shortened(command: string): string {
  return command.length > 80 ? `${command.slice(0, 77)}...` : command;
}
