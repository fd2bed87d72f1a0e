import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { longestTimer } from "@siphon/wire";
import { inOneLine, type RunResult, run } from "../../host/command.ts";
import { RESOURCE_VARIABLE } from "../../state/resource.ts";

/** The ssh master process, whose connection all commands share. */
export class SshMaster implements AsyncDisposable {
  /** Arguments of ssh(1) for a command over this connection; the command follows. */
  readonly arguments: string[];
  /** Resolves with ssh's output when the connection has ended. */
  readonly ended: Promise<string>;
  readonly #socket: string;
  readonly #closing = new AbortController();
  #open = true;

  /** `args` are ssh's arguments to reach `host`; their paths, and the socket, are relative to `directory`. */
  constructor(args: string[], host: string, directory: string) {
    const socket = `ssh-${crypto.randomUUID().slice(0, 8)}`;
    const common = [...args, "-o", "BatchMode=yes", "-S", socket];
    this.#socket = join(directory, socket);
    this.arguments = [...common, host];
    const connection = run("ssh", [...common, "-M", "-N", host], {
      cwd: directory,
      env: { [RESOURCE_VARIABLE]: directory },
      timeoutMs: longestTimer,
      signal: this.#closing.signal,
      anyExitCode: true,
    });
    this.ended = connection.then(
      ({ stderr }: RunResult) => inOneLine(stderr),
      (error: Error) => (this.#closing.signal.aborted ? "it was closed" : error.message),
    );
    void this.ended.then(() => {
      this.#open = false;
    });
  }

  get open(): boolean {
    return this.#open;
  }

  /** Resolves to true when the login succeeded and the socket exists, to false if it failed. */
  async accepted(signal: AbortSignal): Promise<boolean> {
    while (this.#open && !signal.aborted) {
      if (existsSync(this.#socket)) return true;
      await sleep(50);
    }
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.ended;
  }
}
