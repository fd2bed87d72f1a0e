/** Where a guest's ssh server is reached, and what opens it. */
export interface SshTarget {
  /** Port on 127.0.0.1 that QEMU forwards to the guest's port 22. */
  port: number;
  /** Path of the private key. */
  privateKey: string;
}

/**
 * Arguments of ssh(1) to reach the guest as root, to be run in the VM's directory: with our key alone, no
 * agent, no file of the user's own, and the host key that the guest showed first. Paths in that directory are
 * relative, since that of a unix socket may have no more than 107 bytes.
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
    // QEMU accepts the connection before the guest's server is up: the limit covers the server's greeting.
    "ConnectTimeout=20",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=12",
  ];
  const options = settings.flatMap((setting) => ["-o", setting]);
  return ["-F", "none", "-i", privateKey, ...options, "-p", String(port), "-l", "root"];
}
