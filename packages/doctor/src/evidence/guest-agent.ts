import { connect } from "node:net";
import type { QemuOption } from "../inputs/qemu/arguments.ts";
import { isTree, keyValues, textOf } from "../inputs/qemu/key-values.ts";

/** The most disks of a guest that are queried. */
const most = 64;

/** The guest agent's socket on the command line; undefined if there is none. */
export function agentSocket(options: readonly QemuOption[]): string | undefined {
  const chardevs = new Map<string, string>();
  let chosen: string | undefined;
  for (const { name, value } of options) {
    const tree = keyValues(value, "driver");
    const [id, path, chardev] = [textOf(tree, "id"), textOf(tree, "path"), textOf(tree, "chardev")];
    if (name === "chardev" && id !== undefined && path !== undefined) chardevs.set(id, path);
    if (name === "device" && textOf(tree, "name") === "org.qemu.guest_agent.0" && chardev !== undefined)
      chosen = chardev;
  }
  return chosen === undefined ? undefined : chardevs.get(chosen);
}

/**
 * The I/O scheduler of each disk, which the guest agent reads from the guest's /sys. It only reads files.
 *
 * @param timeout milliseconds for each answer
 * @throws Error with the reason, in words
 */
export async function guestSchedulers(
  path: string,
  timeout = 5000,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  await using agent = await Agent.connect(path, timeout, signal);
  const disks = await agent.ask("guest-get-disks");
  const schedulers = new Map<string, string>();
  // A hostile guest could report any number of disks and answer slowly.
  for (const disk of Array.isArray(disks) ? disks.slice(0, most) : []) {
    const name =
      isTree(disk) && disk.partition !== true ? /^\/dev\/([sv]d[a-z]+)$/.exec(String(disk.name)) : null;
    if (name === null) continue;
    const text = await readGuestFile(agent, `/sys/block/${name[1]}/queue/scheduler`);
    // "mq-deadline [none]", or only "none" where there is no choice.
    const active = /\[([\w-]+)\]/.exec(text)?.[1] ?? text.trim();
    if (active !== "") schedulers.set(name[1]!, active);
  }
  return schedulers;
}

async function readGuestFile(agent: Agent, path: string): Promise<string> {
  const handle = await agent.ask("guest-file-open", { path, mode: "r" });
  try {
    const read = await agent.ask("guest-file-read", { handle, count: 4096 });
    return Buffer.from(isTree(read) ? String(read["buf-b64"]) : "", "base64").toString("utf8");
  } finally {
    await agent.ask("guest-file-close", { handle }).catch(() => {});
  }
}

/** A session with qemu-ga: one JSON text a line. It starts with a sync, because answers to an earlier client may still arrive. */
class Agent implements AsyncDisposable {
  readonly #socket;
  readonly #timer: NodeJS.Timeout;
  readonly #lines: string[] = [];
  #text = "";
  #wake: () => void = () => {};
  #error: Error | undefined;

  static async connect(path: string, timeout: number, signal?: AbortSignal): Promise<Agent> {
    const agent = new Agent(path, timeout, signal);
    const id = Math.floor(Math.random() * 2 ** 31);
    try {
      agent.#socket.write(`{"execute":"guest-sync","arguments":{"id":${id}}}\n`);
      for (;;) {
        const answer = await agent.#line();
        if (answer.return === id) return agent;
      }
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(path: string, timeout: number, signal?: AbortSignal) {
    this.#socket = connect({ path, ...(signal !== undefined && { signal }) });
    this.#timer = setTimeout(
      () => this.#fail("no agent answers, or another client holds its channel"),
      timeout,
    );
    this.#socket.on("error", (error: NodeJS.ErrnoException) => this.#fail(error.code ?? error.message));
    this.#socket.on("close", () => this.#fail("the channel was closed"));
    this.#socket.on("data", (data) => {
      this.#text += data.toString("utf8");
      if (this.#text.length > 2 ** 20) return this.#fail("the answer is too long");
      const lines = this.#text.split("\n");
      this.#text = lines.pop()!;
      this.#lines.push(...lines);
      this.#wake();
    });
  }

  async ask(execute: string, given?: Record<string, unknown>): Promise<unknown> {
    this.#timer.refresh();
    this.#socket.write(`${JSON.stringify({ execute, ...(given && { arguments: given }) })}\n`);
    const answer = await this.#line();
    if ("return" in answer) return answer.return;
    const why = isTree(answer.error) ? textOf(answer.error, "desc") : undefined;
    throw new Error(`the agent refuses ${execute}${why === undefined ? "" : `: ${why}`}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  async #line(): Promise<Record<string, unknown>> {
    while (this.#lines.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    try {
      const value: unknown = JSON.parse(this.#lines.shift()!);
      return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
    } catch {
      return {};
    }
  }

  #fail(why: string): void {
    this.#error ??= new Error(why);
    this.#wake();
  }
}
