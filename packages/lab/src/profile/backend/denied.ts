import { LabError } from "../../errors.ts";

/** The error for a process whose stacks this user may not read. */
export function denied(pid: number, words: string): LabError {
  return new LabError(
    "SIPHON_PERMISSION",
    `may not read the stacks of process ${pid}: ${words.trim().split("\n").at(-1)}`,
    {
      hint: "run siphon as root, or as the user of that process where /proc/sys/kernel/yama/ptrace_scope is 0",
    },
  );
}

export function isDenied(error: unknown): boolean {
  return error instanceof LabError && error.code === "SIPHON_PERMISSION";
}
