import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answer } from "./siphon-shell.ts";

/** A command-line program for images. */
export interface Program {
  readonly name: "rbd" | "siphon";
  /** Runs the program with these arguments, and returns any result. */
  try(...args: string[]): Promise<Answer>;
  /** @throws Error if it fails */
  run(...args: string[]): Promise<string>;
}

/** Ceph's rbd. */
export function rbdProgram(conf: string): Program {
  return program("rbd", (args) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const options = { encoding: "latin1", maxBuffer: 2 ** 26, timeout: hangs } as const;
    execFile("rbd", [...args, "--conf", conf, "--name", "client.admin"], options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr });
    });
    return promise;
  });
}

/** `siphon rbd` in a separate process that runs one command line after the other, because starting it takes longer than most of them. */
export class SiphonShell implements AsyncDisposable {
  readonly program: Program;
  readonly #child: ChildProcess;
  readonly #ended: Promise<[]>;

  constructor(conf: string) {
    this.#child = fork(fileURLToPath(new URL("./siphon-shell.ts", import.meta.url)));
    this.#ended = once(this.#child, "exit").then(() => []);
    this.program = program("siphon", async (args) => {
      const answered = once(this.#child, "message", { signal: AbortSignal.timeout(hangs) });
      this.#child.send([...args, "--conf", conf, "--name", "client.admin"]);
      const [answer] = await Promise.race([answered, this.#ended]);
      if (answer === undefined) throw new Error("siphon rbd ended");
      return answer as Answer;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

function program(name: Program["name"], execute: (args: string[]) => Promise<Answer>): Program {
  return {
    name,
    try: (...args) => execute(args),
    run: async (...args) => {
      const { exitCode, stdout, stderr } = await execute(args);
      if (exitCode === 0) return stdout;
      throw new Error(`${name} ${args.join(" ")} ended with ${exitCode}: ${stderr.trim()}`);
    },
  };
}

/** Milliseconds until a program counts as hanging. */
const hangs = 180_000;
