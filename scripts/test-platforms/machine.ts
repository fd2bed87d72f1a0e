import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { delimiter } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LabError } from "../../packages/lab/src/errors.ts";
import { commandLineOf } from "../../packages/lab/src/host/proc.ts";
import { Resource } from "../../packages/lab/src/state/resource.ts";

export interface MachineOptions {
  /** The directory of a root; nothing is changed in it. */
  root: string;
  name: string;
  /** A directory that is at /mnt in the machine, read-only. */
  mount: string;
}

/**
 * A root as a separate machine: its own processes, mounts and files, the host's kernel and network. It ends with this
 * process, however that ends, with all that runs in it; its files are removed.
 */
export class Machine implements AsyncDisposable {
  readonly name: string;
  readonly #resource: Resource;
  readonly #holder: ChildProcess;
  readonly #init: number;

  private constructor(name: string, resource: Resource, holder: ChildProcess, init: number) {
    this.name = name;
    this.#resource = resource;
    this.#holder = holder;
    this.#init = init;
  }

  static async start({ root, name, mount }: MachineOptions): Promise<Machine> {
    const resource = await Resource.create("work", `platform-${name}-${process.pid}`);
    try {
      for (const part of ["upper", "work", "merged"]) await mkdir(resource.path(part));
      const namespaces = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
      const place = [root, resource.dir, mount, ...(await configurationFiles())];
      const holder = spawn("unshare", [...namespaces, "bash", "-c", assembly, "machine", ...place], {
        stdio: ["pipe", "pipe", "inherit"],
        detached: true,
        env: { ...process.env, ...resource.environment },
      });
      const ready = once(holder.stdout!, "data").then(([line]) => String(line));
      const ended = once(holder, "exit").then(([code]) => `exit code ${code}`);
      const first = await Promise.race([ready, ended]);
      if (!first.startsWith("ready")) {
        throw new LabError("SIPHON_PROGRAM_FAILED", `cannot make a machine of ${root}: ${first}`);
      }
      const children = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8");
      return new Machine(name, resource, holder, Number(children.trim()));
    } catch (error) {
      await resource.remove();
      throw error;
    }
  }

  /** Runs a line of shell as root and returns its exit code (128 and more: a signal). Its output goes into a file. */
  async run(shell: string, { log, signal }: { log: string; signal?: AbortSignal }): Promise<number> {
    signal?.throwIfAborted();
    const enter = ["--target", `${this.#init}`, "--mount", "--pid", "--root", "--wd"];
    const child = spawn("nsenter", [...enter, "env", "-i", ...environment(), "sh", "-c", shell], {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const output = createWriteStream(log, { flags: "a" });
    child.stdout.pipe(output, { end: false });
    child.stderr.pipe(output, { end: false });
    const stop = () => void this.#end();
    signal?.addEventListener("abort", stop);
    try {
      const [code] = await once(child, "close");
      signal?.throwIfAborted();
      return code ?? 255;
    } finally {
      signal?.removeEventListener("abort", stop);
      output.end();
    }
  }

  /** The path on the host of a file of the machine. */
  file(path: string): string {
    return `/proc/${this.#init}/root${path}`;
  }

  /** The command lines of its running processes; those just ending are given a second. */
  async running(): Promise<string[]> {
    const namespace = readlinkSync(`/proc/${this.#init}/ns/pid`);
    for (let tries = 10; ; tries--) {
      const found = readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name) && Number(name) !== this.#init)
        .filter((pid) => namespaceOf(pid) === namespace)
        .flatMap((pid) => commandLineOf(pid) ?? []);
      if (found.length === 0 || tries === 0) return found;
      await sleep(100);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await this.#removeNetworks();
    await this.#resource.remove();
  }

  /** Its network is the host's: bridges of a test that ended with the machine are still there, and only its files know them. */
  async #removeNetworks(): Promise<void> {
    const state = this.#resource.path("upper/root/.local/state/siphon");
    if (!existsSync(state)) return;
    const siphon = fileURLToPath(new URL("../../packages/cli/bin/siphon.js", import.meta.url));
    await promisify(execFile)(process.execPath, [siphon, "clean"], {
      env: { ...process.env, SIPHON_STATE_DIR: state },
    });
  }

  /** Process 1 ends when its input ends, and everything in the machine with it. */
  async #end(): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    this.#holder.stdin!.end();
    await once(this.#holder, "exit");
  }
}

/**
 * Shell with the root, the resource's directory, what is mounted at /mnt and pairs of files to show as arguments. Its
 * mount namespace is private. Process 1 reaps orphans, and waits for the end of its input.
 */
const assembly = `
set -eu
root=$1 own=$2 mount=$3; shift 3
at=$own/merged
mount -t overlay overlay -o "lowerdir=$root,upperdir=$own/upper,workdir=$own/work" "$at"
mount -t proc proc "$at/proc"
mount --rbind /sys "$at/sys"
mount --rbind /dev "$at/dev"
mount -t tmpfs -o mode=1777 tmpfs "$at/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$at/run"
mount --bind "$mount" "$at/mnt"
mount -o remount,bind,ro "$at/mnt"
while [ $# -gt 1 ]; do
  mkdir -p "$at\${2%/*}"
  [ -e "$at$2" ] || : > "$at$2"
  mount --bind "$1" "$at$2"
  shift 2
done
cat /etc/ssl/certs/ca-certificates.crt > "$at/etc/ssl/certs/ca-certificates.crt" 2> /dev/null || :
exec chroot "$at" bash -c 'cd /root; echo ready; while read -r _; do :; done'
`;

/** The files that configure this host's access to the network and npm's registry, and their paths in the machine. */
async function configurationFiles(): Promise<string[]> {
  const home = process.env.HOME ?? "/root";
  const pairs: [string, string][] = [
    ["/etc/resolv.conf", "/etc/resolv.conf"],
    ["/etc/hosts", "/etc/hosts"],
    [process.env.NPM_CONFIG_USERCONFIG ?? `${home}/.npmrc`, "/root/.npmrc"],
    // Debian's npm reads /etc/npmrc, npm itself the one of its prefix.
    ...["/etc/npmrc", "/usr/etc/npmrc", "/usr/local/etc/npmrc"].map((file): [string, string] => [file, file]),
  ];
  return pairs.filter(([file]) => existsSync(file)).flat();
}

/** A login's, with what the caller's says about proxies and certificates; certificates lie where Debian has them. */
function environment(): string[] {
  const passed = Object.entries(process.env).filter(([name]) => /^(https?|no|all)_proxy$/i.test(name));
  const certificates = process.env.NODE_EXTRA_CA_CERTS
    ? ["NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"]
    : [];
  const path = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].join(
    delimiter,
  );
  return [
    ...["HOME=/root", "USER=root", "LANG=C.UTF-8", "TERM=dumb", `PATH=${path}`],
    ...passed.map(([name, value]) => `${name}=${value}`),
    ...certificates,
  ];
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
