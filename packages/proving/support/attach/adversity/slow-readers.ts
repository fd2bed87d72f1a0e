import { NbdClient } from "../../../../attach/test/support/nbd-client.ts";

const MiB = 1 << 20;
const [read, status] = [0, 7];

/** Clients of an export that send as many requests as they can and read no replies. */
export class SlowReaders implements Disposable {
  readonly #clients: NbdClient[] = [];

  static async connect(socket: string, exportName: string, count: number): Promise<SlowReaders> {
    const readers = new SlowReaders();
    for (let i = 0; i < count; i++) {
      const client = await NbdClient.connect(socket);
      await client.go(exportName, { structured: true, contexts: ["base:allocation"] });
      client.socket.pause();
      readers.#clients.push(client);
    }
    return readers;
  }

  /** Requests that were sent. */
  flood(each: number): number {
    for (const client of this.#clients) {
      for (let i = 0; i < each; i++) {
        client.send(i % 2 === 0 ? { type: read, length: 8 * MiB } : { type: status, length: 64 * MiB });
      }
    }
    return each * this.#clients.length;
  }

  [Symbol.dispose](): void {
    for (const { socket } of this.#clients) socket.destroy();
  }
}
