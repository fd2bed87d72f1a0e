import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { LabError } from "../errors.ts";
import type { Disk } from "../vm/disk.ts";
import type { RbdDisk } from "../vm/settings.ts";

/** How siphon's own client serves an image to QEMU. */
export type Transport = "nbd" | "vhost";

export interface ServeRequest {
  disk: RbdDisk;
  transport: Transport;
  socket: string;
}

/** An image that siphon's own client serves to a VM, in a process whose CPU is the VM's as well. */
export class ImageServer implements AsyncDisposable {
  readonly pid: number;
  /** As QEMU reaches it. */
  readonly disk: Disk;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(child: ChildProcess, directory: string, disk: Disk) {
    this.pid = child.pid!;
    this.disk = disk;
    this.#child = child;
    this.#directory = directory;
  }

  /** Throws SIPHON_VM when the image cannot be served; why is on standard error. */
  static async start(disk: RbdDisk, transport: Transport): Promise<ImageServer> {
    const directory = await mkdtemp(join(tmpdir(), "siphon-serve-"));
    const socket = join(directory, "disk.sock");
    const request: ServeRequest = { disk, transport, socket };
    const program = new URL(`./serve-image${extname(import.meta.filename)}`, import.meta.url);
    const child = fork(program, [JSON.stringify(request)], { detached: true });
    const [said] = await Promise.race([once(child, "message"), once(child, "exit")]);
    if (said !== "listening") {
      await rm(directory, { recursive: true, force: true });
      throw new LabError(
        "SIPHON_VM",
        `siphon's server of ${disk.pool}/${disk.image} ended (exit code ${said})`,
      );
    }
    return new ImageServer(child, directory, diskAt(socket, transport, disk));
  }

  /** To be ended after its VM: it finishes what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, "exit");
      this.#child.disconnect();
      await exited;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function diskAt(socket: string, transport: Transport, { pool, namespace, image }: RbdDisk): Disk {
  if (transport === "vhost") return { type: "vhost-user", socket };
  return { type: "nbd", socket, export: [pool, ...(namespace ? [namespace] : []), image].join("/") };
}
