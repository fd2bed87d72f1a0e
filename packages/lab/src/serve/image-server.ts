import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Disk } from "../vm/disk.ts";
import type { RbdDisk } from "../vm/settings.ts";
import type { DiskProcess } from "../vm/vm.ts";
import { ServerProcess, type Transport } from "./server-process.ts";

/** An image that siphon serves to a VM, in a process whose CPU counts as the VM's. It ends after its VM. */
export interface ImageServer extends DiskProcess {
  /** Its address for QEMU. */
  readonly disk: Disk;
}

/**
 * Serves an image in its own process.
 *
 * @throws LabError SIPHON_VM if it cannot be served
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
 * Reuses server processes for successive images, like a service that outlives its VMs and whose code is already
 * compiled. One image at a time has a process, or with `together` all images share one.
 */
export class ImageServers implements AsyncDisposable {
  readonly #idle: Record<Transport, ServerProcess[]> = { nbd: [], vhost: [] };
  readonly #shared: boolean;
  readonly #together: boolean;

  /** `shared`: other VMs use the image, too, so its lock goes to the VM that writes. */
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

  /** After any failure: an unreachable process would prevent this one from ending. */
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
