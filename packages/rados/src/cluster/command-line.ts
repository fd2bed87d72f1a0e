import type { Cluster } from "../cluster.ts";
import { RadosError } from "../errors.ts";
import type { Command, CommandTarget } from "./command.ts";
import { matchCommand, readSignatures, type Signature } from "./signature.ts";

/** A command and its target. */
export interface AddressedCommand {
  command: Command;
  target: CommandTarget;
}

/**
 * Parses words as the `ceph` program does: `osd pool create p 8`, `tell osd.0 version`, `tell osd.* version`, `pg 1.0
 * query`, `tell 1.0 query`. The daemons provide the list of commands.
 *
 * @returns one command, or one for each daemon of a `tell` to all
 * @throws RadosError EINVAL for an unknown command
 */
export async function parseCommandLine(
  cluster: Cluster,
  words: readonly string[],
  signal?: AbortSignal,
): Promise<AddressedCommand[]> {
  const [first, second, ...rest] = words;
  if ((first === "pg" || first === "tell") && second !== undefined && /^\d+\.[0-9a-f]+$/.test(second)) {
    const target = { pg: second };
    const { command } = matchCommand(await signaturesOf(cluster, target, signal), rest);
    return [{ command: { ...command, pgid: second }, target }];
  }
  if (first === "tell" && second !== undefined) {
    const targets = tellTargets(cluster, second);
    const signatures = await signaturesOf(cluster, targets[0]!, signal);
    const { command } = matchCommand(signatures, rest);
    return targets.map((target) => ({ command, target }));
  }
  const { command, signature } = matchCommand(await signaturesOf(cluster, "mon", signal), words);
  return [{ command, target: signature.forModules ? "mgr" : "mon" }];
}

async function signaturesOf(
  cluster: Cluster,
  target: CommandTarget,
  signal: AbortSignal | undefined,
): Promise<Signature[]> {
  const descriptions = await cluster.command({ prefix: "get_command_descriptions" }, { target, signal });
  return readSignatures(descriptions);
}

/** `osd.3`, `mon.a`, `mgr`, `mgr.x`, or with `*` instead of the name, all daemons of the type. */
function tellTargets(cluster: Cluster, text: string): [CommandTarget, ...CommandTarget[]] {
  const [, type, id] = /^(osd|mon|mgr)(?:\.(.+))?$/.exec(text) ?? [];
  if (type === "mgr") return [{ mgr: "active" }];
  const all = id === "*";
  if (type === "mon" && id !== undefined) {
    const names = all ? cluster.monmap.mons.map(({ name }) => name) : [id];
    const [one, ...others] = names.map((mon) => ({ mon }));
    return [one!, ...others];
  }
  if (type === "osd" && (all || /^\d+$/.test(id ?? ""))) {
    const { osdmap } = cluster;
    const ids = Array.from({ length: osdmap.state.maxOsd }, (_, osd) => osd).filter((osd) =>
      osdmap.isUp(osd),
    );
    const [one, ...others] = (all ? ids : [Number(id)]).map((osd) => ({ osd }));
    if (one === undefined) throw new RadosError("ENXIO", "no OSD is up", { retryable: true });
    return [one, ...others];
  }
  throw new RadosError("EINVAL", `invalid daemon name ${text}`, {
    hint: "write a daemon as osd.3, mon.a or mgr, and all of a kind as osd.*",
  });
}
