import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NbdExport } from "../../src/nbd/export.ts";
import { NbdServer, type NbdServerOptions } from "../../src/nbd/server.ts";
import { IoMetrics } from "../../src/server/io-metrics.ts";
import { MemoryDevice, type MemoryDeviceOptions } from "./memory-device.ts";

/** An NBD server over a disk in memory, on a unix socket of its own. */
export class MemoryServer {
  readonly device: MemoryDevice;
  readonly metrics: IoMetrics;
  readonly server: NbdServer;
  readonly directory: string;
  /** Lines of the server's log. */
  readonly log: string[];

  static async start(
    device: MemoryDeviceOptions = { size: 64 << 20 },
    options: Partial<NbdServerOptions> = {},
  ): Promise<MemoryServer> {
    const directory = await mkdtemp(join(tmpdir(), "siphon-nbd-"));
    const disk = new MemoryDevice(device);
    const metrics = new IoMetrics();
    const only: NbdExport = {
      name: "pool/disk",
      description: "a disk",
      device: disk,
      extents: disk,
      metrics,
    };
    const log: string[] = [];
    const address = { path: join(directory, "socket") };
    const defaults = { address, exports: [only], log: (line: string) => void log.push(line) };
    const server = await NbdServer.listen({ ...defaults, ...options });
    return new MemoryServer(disk, metrics, server, directory, log);
  }

  private constructor(
    device: MemoryDevice,
    metrics: IoMetrics,
    server: NbdServer,
    directory: string,
    log: string[],
  ) {
    this.device = device;
    this.metrics = metrics;
    this.server = server;
    this.directory = directory;
    this.log = log;
  }

  get socket(): string {
    return join(this.directory, "socket");
  }

  /** With the export's name, as libnbd's tools and QEMU take it. */
  get uri(): string {
    return `nbd+unix:///pool/disk?socket=${this.socket}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.drain();
    await rm(this.directory, { recursive: true });
  }
}
