import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answer } from "./rbd-in-process.ts";

/** `siphon rbd` in one process for many calls in turn, because starting a process takes longer than most calls. */
export class RbdWorker implements Disposable {
  readonly #child: ChildProcess;
  #turn: Promise<unknown> = Promise.resolve();

  constructor() {
    const script = fileURLToPath(new URL("./rbd-in-process.ts", import.meta.url));
    this.#child = fork(script, { execArgv: [] });
  }

  call(args: readonly string[], env: Record<string, string> = {}): Promise<Answer> {
    const answer = this.#turn.then(async () => {
      this.#child.send({ args: [...args], env });
      const [received] = (await once(this.#child, "message")) as [Answer];
      return received;
    });
    this.#turn = answer;
    return answer;
  }

  /** Ends the process, whatever it does. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  [Symbol.dispose](): void {
    this.#child.disconnect();
  }
}
