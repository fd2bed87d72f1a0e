import type { Cluster, Command, RadosError } from "@siphon/rados";
import { errno } from "@siphon/wire";
import { hasCode, RbdError } from "../errors.ts";

/**
 * Asks a module of the manager. A manager without it has no such command, and says no more than that; why is known to the
 * monitors, if their caps let us ask them.
 *
 * @throws RbdError SIPHON_RBD_UNSUPPORTED while the module does not run, with the reason where it is known
 */
export async function moduleCommand(
  cluster: Pick<Cluster, "command">,
  module: string,
  command: Command,
  signal?: AbortSignal,
): Promise<unknown> {
  try {
    return await cluster.command(command, { target: "mgr", ...(signal && { signal }) });
  } catch (error) {
    if (!hasCode(error, "EOPNOTSUPP", "EINVAL", "EIO") || !isMissing(error as Error)) throw error;
    const reason = await reasonOf(cluster, module, signal);
    throw new RbdError(
      "SIPHON_RBD_UNSUPPORTED",
      `the manager cannot carry out \`${command.prefix}\`: its module ${module} is not running${reason && `: ${reason}`}`,
      {
        ...{ errno: -errno[(error as RadosError).code as "EINVAL"], cause: error },
        hint:
          reason === ""
            ? `\`ceph health detail\` says why; if \`ceph mgr module ls\` shows it disabled: ceph mgr module enable ${module}`
            : "the manager's installation is broken: fix it there, and restart the manager",
      },
    );
  }
}

/** The manager's words for a command that none of its modules has, for a module that is off, and for one that has broken. */
function isMissing({ message }: Error): boolean {
  return /No handler found|is not enabled|has experienced an error/.test(message);
}

/** As a health check has it: `Module 'rbd_support' has failed dependency: ...`. */
async function reasonOf(
  cluster: Pick<Cluster, "command">,
  module: string,
  signal?: AbortSignal,
): Promise<string> {
  const options = signal && { signal };
  const health = await cluster.command({ prefix: "health", detail: "detail" }, options).catch(() => ({}));
  signal?.throwIfAborted();
  const { checks = {} } = health as { checks?: Record<string, { detail?: { message: string }[] }> };
  const lines = Object.values(checks).flatMap(({ detail = [] }) => detail.map(({ message }) => message));
  return lines.find((line) => line.startsWith(`Module '${module}'`)) ?? "";
}
