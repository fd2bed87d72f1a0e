import { LabError } from "../errors.ts";
import { inOneLine, type RunOptions, run } from "../host/command.ts";

/** A network interface, as `ip -json link` shows it; the part that is read here. */
export interface Link {
  ifname: string;
  /** Hardware address. */
  address?: string;
  /** Its bridge. */
  master?: string;
}

/** Runs ip(8); `what` begins the error message: `cannot make the network lab`. */
export async function ip(args: string[], what: string, options: RunOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await run("ip", args, { ...options, anyExitCode: true });
  if (exitCode === 0) return stdout;
  throw ipFailure(what, stderr.trim());
}

/** Runs several commands of ip(8) in one process, up to the first failure. */
export async function ipBatch(
  commands: string[],
  what: string,
  options: RunOptions & { namespace?: string } = {},
): Promise<void> {
  const { namespace, ...rest } = options;
  const where = namespace === undefined ? [] : ["-netns", namespace];
  await ip([...where, "-batch", "-"], what, { ...rest, input: commands.map((line) => `${line}\n`).join("") });
}

export async function links(what: string, filter: string[] = []): Promise<Link[]> {
  const text = await ip(["-json", "link", "show", ...filter], what);
  return (JSON.parse(text || "[]") as Link[]).filter(({ ifname }) => ifname !== undefined);
}

function ipFailure(what: string, said: string): LabError {
  if (/Operation not permitted|Permission denied/.test(said)) {
    return new LabError("SIPHON_PERMISSION", `${what}: that needs root`, {
      hint: "run siphon as root (network namespaces and bridges need CAP_NET_ADMIN and CAP_SYS_ADMIN)",
    });
  }
  return new LabError("SIPHON_PROGRAM_FAILED", `${what}: ip says: ${inOneLine(said, 2)}`);
}
