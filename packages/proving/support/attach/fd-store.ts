import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { addressOf, checked, libc, whenReadable } from "../../../attach/src/vhost/native/libc.ts";
import { SocketIo } from "../../../attach/src/vhost/native/message.ts";
import { sockaddr } from "../../../attach/src/vhost/native/socket.ts";

/** What systemd does for a service with FileDescriptorStoreMax=: keeps descriptors, and passes them to the service when it starts it. */
export class FdStore implements Disposable {
  readonly #path: string;
  readonly #fd: number;
  readonly #io: SocketIo;
  readonly #poll: Disposable;
  readonly #stored = new Map<string, number>();
  #changed = Promise.withResolvers<void>();

  /** @param path of the socket for notifications (`NOTIFY_SOCKET`) */
  constructor(path: string) {
    this.#path = path;
    this.#fd = checked(libc().socket(unix, datagram | closedOnExec, 0), "create a socket");
    const address = sockaddr(path);
    checked(libc().bind(this.#fd, addressOf(address), address.length), "bind");
    this.#io = new SocketIo(this.#fd, 4096);
    const poll = whenReadable(this.#fd, () => this.#receive());
    this.#poll = { [Symbol.dispose]: () => poll.close() };
  }

  /** Starts a program, which inherits the stored descriptors after its own three (SD_LISTEN_FDS_START). */
  start(command: readonly string[], stdio: StdioOptions): ChildProcess {
    const names = [...this.#stored.keys()];
    const env = {
      ...process.env,
      NOTIFY_SOCKET: this.#path,
      ...(names.length > 0 && { LISTEN_FDS: String(names.length), LISTEN_FDNAMES: names.join(":") }),
    };
    // LISTEN_PID must be the program's own pid, so the shell sets it and then becomes the program.
    const shell = ["-c", 'LISTEN_PID=$$ exec "$@"', "sh", ...command];
    return spawn("sh", shell, {
      env,
      stdio: [...(stdio as string[]), ...this.#stored.values()] as StdioOptions,
    });
  }

  /** Waits until this many descriptors are stored. */
  async stores(count: number): Promise<void> {
    while (this.#stored.size !== count) await this.#changed.promise;
  }

  #receive(): void {
    const { length, fds } = this.#io.receive(0, 4096);
    if (length < 0) return;
    const states = this.#io.received.toString("utf8", 0, length).split("\n");
    const name = states.find((state) => state.startsWith("FDNAME="))?.slice("FDNAME=".length) ?? "stored";
    if (states.includes("FDSTORE=1")) this.#stored.set(name, fds[0]!);
    if (states.includes("FDSTOREREMOVE=1")) this.#remove(name);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #remove(name: string): void {
    const fd = this.#stored.get(name);
    if (fd !== undefined) closeSync(fd);
    this.#stored.delete(name);
  }

  [Symbol.dispose](): void {
    this.#poll[Symbol.dispose]();
    closeSync(this.#fd);
    for (const name of this.#stored.keys()) this.#remove(name);
  }
}

const unix = 1;
const datagram = 2;
const closedOnExec = 0o2000000;
