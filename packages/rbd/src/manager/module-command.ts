import type { Cluster, Command, RadosError } from "@siphon/rados";
import { errno } from "@siphon/wire";
import { hasCode, RbdError } from "../errors.ts";

/**
 * Sends a command to a module of the manager. A manager without the module only reports an unknown command; the reason
 * comes from the monitors, if this user may ask them.
 *
 * @throws RbdError SIPHON_RBD_UNSUPPORTED while the module is not running, with the reason if it is known
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

/** The manager's messages for an unknown command, a disabled module, and a failed module. */
function isMissing({ message }: Error): boolean {
  return /No handler found|is not enabled|has experienced an error/.test(message);
}

/** From a health check: `Module 'rbd_support' has failed dependency: ...`. */
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
