import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { InventoryHost } from "./inventory.ts";

/**
 * Arguments of ssh(1) to reach a host. It ignores the user's ssh configuration, forwards nothing, and never prompts:
 * the host's key must be in the inventory or in a known_hosts file.
 */
export function sshArguments({ name, ssh, hostKeys }: InventoryHost): string[] {
  const known =
    hostKeys.length > 0
      ? [`UserKnownHostsFile=${KNOWN_HOSTS}`, "GlobalKnownHostsFile=/dev/null", `HostKeyAlias=${name}`]
      : ssh.knownHosts
        ? [`UserKnownHostsFile=${quoted(ssh.knownHosts)}`, "GlobalKnownHostsFile=/dev/null"]
        : [];
  const settings = [
    ...known,
    ...(ssh.identity ? [`IdentityFile=${quoted(ssh.identity)}`, "IdentitiesOnly=yes"] : []),
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "CheckHostIP=no",
    "BatchMode=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "ControlPersist=no",
    "RequestTTY=no",
    "LogLevel=ERROR",
    "ConnectTimeout=10",
    // A host that disappears is detected after 15 s, even without any packet.
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
  ];
  const user = ssh.user ? ["-l", ssh.user] : [];
  return ["-F", "none", ...settings.flatMap((setting) => ["-o", setting]), "-p", `${ssh.port}`, ...user];
}

/** Writes the inventory's host keys to a file for ssh. */
export async function writeKnownHosts(directory: string, hosts: InventoryHost[]): Promise<void> {
  const lines = hosts.flatMap(({ name, hostKeys }) => hostKeys.map((key) => `${name} ${key.trim()}\n`));
  await writeFile(join(directory, KNOWN_HOSTS), lines.join(""), { mode: 0o600 });
}

/** In the deployment's directory, which is the working directory of every ssh. */
const KNOWN_HOSTS = "known_hosts";

/** Escapes blanks and % tokens in ssh's option values. */
function quoted(path: string): string {
  return `"${path.replaceAll("%", "%%")}"`;
}
