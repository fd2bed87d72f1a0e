import { spawn } from "node:child_process";
import { once } from "node:events";
import { builtProgram } from "../../../../scripts/build/built-program.ts";

/** The two programs, as they are called. */
export const programs: Readonly<Record<"rbd" | "siphon", readonly string[]>> = {
  rbd: ["rbd"],
  siphon: [process.execPath, builtProgram(), "rbd"],
};

/** The cost of a process from its start to its end. */
export interface ProcessSample {
  seconds: number;
  /** Seconds, user and system. */
  cpu: number;
}

/** Runs a program to its end; the shell's `times` reports its CPU time. */
export async function runProcess([program, ...args]: readonly string[]): Promise<ProcessSample> {
  const start = performance.now();
  const child = spawn("sh", ["-c", '"$@" >/dev/null && times', "sh", program!, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (bytes: Buffer) => {
    text += bytes;
  });
  const [code] = (await once(child, "close")) as [number];
  const seconds = (performance.now() - start) / 1000;
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} failed`);
  // The second line: user and system time of the children, as in 1m2.345s.
  const times = text.split("\n")[1]!.matchAll(/(\d+)m([\d.]+)s/g);
  const cpu = [...times].reduce((sum, [, minutes, rest]) => sum + 60 * Number(minutes) + Number(rest), 0);
  return { seconds, cpu };
}
