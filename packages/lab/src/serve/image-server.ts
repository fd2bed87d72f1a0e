import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Disk } from "../vm/disk.ts";
import type { RbdDisk } from "../vm/settings.ts";
import type { DiskProcess } from "../vm/vm.ts";
import { ServerProcess, type Transport } from "./server-process.ts";

/** An image that siphon's own client serves to a VM, in a process whose CPU is the VM's as well. Ends after its VM. */
export interface ImageServer extends DiskProcess {
  /** As QEMU reaches it. */
  readonly disk: Disk;
}

/**
 * Serves an image in a process of its own.
 *
 * @throws LabError SIPHON_VM when it cannot be served
 */
export async function serveImage(disk: RbdDisk, transport: Transport): Promise<ImageServer> {
  await using stack = new AsyncDisposableStack();
  const servers = stack.use(new ImageServers());
  const server = stack.use(await servers.serve(disk, transport));
  const all = stack.move();
  const bytesDone = () => server.bytesDone();
  return { pid: server.pid, disk: server.disk, bytesDone, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/**
 * Servers of images one after another. A process that has served one image serves the next: as a service does, which outlives the
 * VMs it serves and has long been compiled by the time most of them come. An image at a time has the process for itself, or `together`
 * all images have one.
 */
export class ImageServers implements AsyncDisposable {
  readonly #idle: Record<Transport, ServerProcess[]> = { nbd: [], vhost: [] };
  readonly #shared: boolean;
  readonly #together: boolean;

  /** `shared`: other VMs have the image as well, so its lock goes to whoever writes. */
  constructor({ shared = false, together = false } = {}) {
    this.#shared = shared;
    this.#together = together;
  }

  /** @throws LabError SIPHON_VM when the image cannot be served */
  async serve(disk: RbdDisk, transport: Transport): Promise<ImageServer> {
    await using stack = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), "siphon-serve-"));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const server = this.#take(transport);
    if (this.#together) this.#putBack(transport, server);
    else stack.defer(() => this.#putBack(transport, server));
    const socket = join(directory, "disk.sock");
    await server.attach({ disk, transport, shared: this.#shared, socket });
    stack.defer(() => server.detach(socket));
    const serving = stack.move();
    return {
      pid: server.pid,
      bytesDone: () => server.bytesDone(socket),
      disk: diskAt(socket, transport, disk),
      [Symbol.asyncDispose]: () => serving.disposeAsync(),
    };
  }

  #take(transport: Transport): ServerProcess {
    const idle = this.#idle[transport];
    for (;;) {
      const server = idle.pop() ?? new ServerProcess();
      if (server.isRunning) return server;
    }
  }

  /** Whatever has failed: a process that nobody can reach any more would keep this one from ending. */
  #putBack(transport: Transport, server: ServerProcess): void {
    if (server.isRunning) this.#idle[transport].push(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      Object.values(this.#idle).flatMap((each) => each.map((one) => one[Symbol.asyncDispose]())),
    );
  }
}

function diskAt(socket: string, transport: Transport, { pool, namespace, image }: RbdDisk): Disk {
  if (transport === "vhost") return { type: "vhost-user", socket };
  return { type: "nbd", socket, export: [pool, ...(namespace ? [namespace] : []), image].join("/") };
}
