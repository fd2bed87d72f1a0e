/** Address and key of a guest's ssh server. */
export interface SshTarget {
  /** Port on 127.0.0.1 that QEMU forwards to the guest's port 22. */
  port: number;
  /** Path of the private key. */
  privateKey: string;
}

/**
 * Arguments of ssh(1) to reach the guest as root, to run in the VM's directory: with only siphon's key, no agent, no
 * user configuration, and the host key that the guest showed first. Paths in that directory are relative, because a
 * unix socket's path is limited to 107 bytes.
 */
export function sshArguments({ port, privateKey }: SshTarget): string[] {
  const settings = [
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "PreferredAuthentications=publickey",
    "ForwardAgent=no",
    "UserKnownHostsFile=known_hosts",
    "GlobalKnownHostsFile=/dev/null",
    "StrictHostKeyChecking=accept-new",
    "HostKeyAlias=guest",
    "CheckHostIP=no",
    "UpdateHostKeys=no",
    "LogLevel=ERROR",
    // QEMU accepts the connection before the guest's server is up, so the limit includes the server's greeting.
    "ConnectTimeout=20",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=12",
  ];
  const options = settings.flatMap((setting) => ["-o", setting]);
  return ["-F", "none", "-i", privateKey, ...options, "-p", String(port), "-l", "root"];
}
