import assert from "node:assert/strict";
import { closeSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ServiceManager } from "../../src/service/sd-notify.ts";
import { addressOf, allocate, checked, libc, whenReadable } from "../../src/vhost/native/libc.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-notify-"));
after(() => rmSync(directory, { recursive: true }));

/** A socket for datagrams, as a service manager has it. */
class Receiver implements Disposable {
  readonly #fd: number;

  constructor(name: string) {
    this.#fd = checked(libc().socket(1, 2 | 0o4000, 0), "create a socket");
    const address = allocate(2 + name.length + (name.startsWith("\0") ? 0 : 1));
    address.writeUInt16LE(1, 0);
    address.write(name, 2, "latin1");
    checked(libc().bind(this.#fd, addressOf(address), address.length), "bind");
  }

  /** The next datagram. */
  async next(): Promise<string> {
    const bytes = allocate(4096);
    const length = await new Promise<number>((resolve) => {
      const poll = whenReadable(this.#fd, () => {
        poll.close();
        resolve(libc().read(this.#fd, addressOf(bytes), bytes.length));
      });
    });
    return bytes.toString("utf8", 0, length);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

for (const [kind, bound, named] of [
  ["a path", join(directory, "notify"), join(directory, "notify")],
  ["an abstract name", `\0siphon-test-${process.pid}`, `@siphon-test-${process.pid}`],
] as const) {
  test(`the service manager is told at ${kind}, and that the process does not hang`, async () => {
    using receiver = new Receiver(bound);
    const environment = { NOTIFY_SOCKET: named, WATCHDOG_USEC: "20000", WATCHDOG_PID: String(process.pid) };
    using manager = new ServiceManager(environment, assert.fail);
    assert.deepEqual(environment, {});
    manager.tell("READY=1", "STATUS=serves 2 disks");
    assert.equal(await receiver.next(), "READY=1\nSTATUS=serves 2 disks");
    const alive = setInterval(() => {}, 1000);
    assert.equal(await receiver.next(), "WATCHDOG=1");
    assert.equal(await receiver.next(), "WATCHDOG=1");
    clearInterval(alive);
  });
}

test("without a service manager nothing is told, and one that is gone is told of once", () => {
  using alone = new ServiceManager({}, assert.fail);
  alone.tell("READY=1");
  const lines: string[] = [];
  using gone = new ServiceManager(
    { NOTIFY_SOCKET: join(directory, "gone") },
    (line) => void lines.push(line),
  );
  gone.tell("READY=1");
  gone.tell("READY=1");
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /cannot send to the socket .* \(E/);
});
