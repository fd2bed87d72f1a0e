import { closeSync } from "node:fs";
import { AttachError } from "../errors.ts";
import { addressOf, allocate, lastErrno, libc } from "../vhost/native/libc.ts";
import { SocketIo } from "../vhost/native/message.ts";

/**
 * Reports the state of this process to the service manager (sd_notify(3)): a datagram to the unix socket in
 * `NOTIFY_SOCKET`, which Node cannot send. Child processes do not inherit the variable.
 */
export class ServiceManager implements Disposable {
  readonly #socket: string | undefined;
  readonly #log: (line: string) => void;
  #watchdog: NodeJS.Timeout | undefined;
  #hasFailed = false;

  /** @param environment of the process; the variables are removed */
  constructor(environment: NodeJS.ProcessEnv, log: (line: string) => void) {
    const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = environment;
    for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete environment[name];
    this.#socket = NOTIFY_SOCKET;
    this.#log = log;
    const microseconds = Number(WATCHDOG_USEC);
    const isMine = WATCHDOG_PID === undefined || WATCHDOG_PID === String(process.pid);
    if (this.#socket === undefined || !isMine || !(microseconds > 0)) return;
    this.#watchdog = setInterval(() => this.tell("WATCHDOG=1"), microseconds / 2000).unref();
  }

  /** Whether this process has a service manager. */
  get isThere(): boolean {
    return this.#socket !== undefined;
  }

  /** @param states such as `READY=1` and `STATUS=...` */
  tell(...states: string[]): void {
    this.tellWith([], ...states);
  }

  /** As `tell`, with copies of descriptors; false if that failed. */
  tellWith(fds: readonly number[], ...states: string[]): boolean {
    if (this.#socket === undefined) return false;
    try {
      sendDatagram(this.#socket, states.join("\n"), fds);
      return true;
    } catch (error) {
      if (!this.#hasFailed) this.#log(`cannot notify the service manager: ${(error as Error).message}`);
      this.#hasFailed = true;
      return false;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watchdog);
  }
}

function sendDatagram(path: string, text: string, fds: readonly number[]): void {
  const { socket, connect } = libc();
  const check = (isDone: boolean) => {
    if (isDone) return;
    throw new AttachError("SIPHON_ATTACH_NATIVE", `cannot send to the socket ${path} (${lastErrno()})`);
  };
  const fd = socket(unix, datagram | closeOnExec | nonBlocking, 0);
  check(fd >= 0);
  try {
    const address = sockaddr(path);
    check(connect(fd, addressOf(address), address.length) >= 0);
    check(new SocketIo(fd, 0).send(Buffer.from(text), fds));
  } finally {
    closeSync(fd);
  }
}

/** sockaddr_un: u16 family, then the path; where it begins with `@` an abstract name, which begins with NUL. */
function sockaddr(path: string): Buffer {
  const name = path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`;
  const address = allocate(2 + Buffer.byteLength(name));
  address.writeUInt16LE(unix, 0);
  address.write(name, 2);
  return address;
}

const unix = 1;
const datagram = 2;
const nonBlocking = 0o4000;
const closeOnExec = 0o2000000;
