import { execFile } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { builtProgram } from "../../../../../scripts/build/built-program.ts";
import type { Answer } from "../../../../cli/test/support/rbd-in-process.ts";
import { RbdWorker } from "../../../../cli/test/support/rbd-worker.ts";

/** A program that carries out command lines of `rbd`. */
export interface Program {
  /** @param limit milliseconds, after which the program is killed: some command lines make rbd wait forever */
  call(args: readonly string[], limit: number): Promise<Answer>;
  [Symbol.dispose](): void;
}

export function rbd(): Program {
  return { call: (args, limit) => ended("rbd", args, limit), [Symbol.dispose]: () => {} };
}

/** `siphon rbd` as it ships: a process for each line. */
export function packagedSiphon(): Program {
  const program = builtProgram();
  return {
    call: (args, limit) => ended(process.execPath, [program, "rbd", ...args], limit),
    [Symbol.dispose]: () => {},
  };
}

/** `siphon rbd` from its sources, in one process for all lines, unless one takes too long. */
export function siphonInProcess(): Program {
  let worker = new RbdWorker();
  return {
    async call(args, limit) {
      const timer = new AbortController();
      const late = setTimeout(limit, undefined, { signal: timer.signal }).catch(() => undefined);
      const answer = await Promise.race([worker.call(args), late]);
      timer.abort();
      if (answer !== undefined) return answer;
      worker.kill();
      worker = new RbdWorker();
      return { code: killed, stdout: "", stderr: "" };
    },
    [Symbol.dispose]: () => worker[Symbol.dispose](),
  };
}

/** The exit code of a program that took too long. */
export const killed = 137;

function ended(program: string, args: readonly string[], timeout: number): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const options = { encoding: "latin1", maxBuffer: 2 ** 26, timeout, killSignal: "SIGKILL" } as const;
  const child = execFile(program, args, options, (error, stdout, stderr) => {
    const code = typeof error?.code === "number" ? error.code : error === null ? 0 : killed;
    resolve({ code, stdout, stderr });
  });
  child.stdin?.end();
  return promise;
}
