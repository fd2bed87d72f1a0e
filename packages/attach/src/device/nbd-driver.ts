import { closeSync } from "node:fs";
import { errnoName } from "@siphon/wire";
import { AttachError } from "../errors.ts";
import { addressOf, allocate, checked, libc, libcBeside } from "../vhost/native/libc.ts";
import {
  connectedDevice,
  connectRequest,
  controlFamily,
  type DeviceSettings,
  disconnectRequest,
  familyOf,
  familyRequest,
  reconfigureRequest,
  statusOf,
  statusRequest,
} from "./nbd-netlink.ts";
import { answerType, decodeMessages, encodeMessage, errnoOfAnswer } from "./netlink.ts";

/**
 * The kernel's NBD driver, over generic netlink (nbd_genl_connect and its neighbours in drivers/block/nbd.c). The
 * kernel carries out a message during the system call that sends it. Messages that may wait for I/O of a device that
 * this process serves are sent from another thread.
 */
export class NbdDriver implements Disposable {
  readonly #fd: number;
  readonly #received = allocate(receivedBytes);
  #family = controlFamily;
  #sequence = 0;
  /** Messages sent from another thread, one at a time: each sender reads its own answer. */
  #lastChange: Promise<unknown> = Promise.resolve();

  /** @throws AttachError SIPHON_ATTACH_DEVICE if the kernel has no such driver */
  static open(): NbdDriver {
    const fd = checked(libc().socket(netlink, raw | closeOnExec, genericNetlink), "open a netlink socket");
    const driver = new NbdDriver(fd);
    try {
      // sockaddr_nl: u16 family, u16 zero, u32 port, u32 groups. The kernel has port 0.
      const kernel = allocate(12);
      kernel.writeUInt16LE(netlink, 0);
      checked(libc().connect(fd, addressOf(kernel), 12), "reach the kernel over netlink");
      driver.#family = familyOf(driver.#ask(familyRequest(), "find the NBD driver"));
      return driver;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** @returns the device's number; if the settings name none, that of a free device */
  connect(settings: DeviceSettings): number {
    const { index } = settings;
    const device = index === undefined ? "a device" : `/dev/nbd${index}`;
    return connectedDevice(this.#ask(connectRequest(settings), `connect ${device}`));
  }

  async reconfigure(settings: DeviceSettings & { index: number }): Promise<void> {
    await this.#askBeside(reconfigureRequest(settings), `change /dev/nbd${settings.index}`);
  }

  async disconnect(index: number): Promise<void> {
    await this.#askBeside(disconnectRequest(index), `disconnect /dev/nbd${index}`);
  }

  /** Undefined if there is no such device. */
  isConnected(index: number): boolean | undefined {
    return statusOf(this.#ask(statusRequest(index), `query /dev/nbd${index}`), index);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #ask(payload: Buffer, what: string): Buffer {
    const { bytes, sequence } = this.#message(payload);
    checked(libc().write(this.#fd, addressOf(bytes), bytes.length), what);
    return this.#answer(sequence, what);
  }

  #askBeside(payload: Buffer, what: string): Promise<Buffer> {
    const answer = this.#lastChange.then(() => this.#sendBeside(payload, what));
    this.#lastChange = answer.catch(() => {});
    return answer;
  }

  async #sendBeside(payload: Buffer, what: string): Promise<Buffer> {
    const { bytes, sequence } = this.#message(payload);
    const sent = await libcBeside("write", this.#fd, addressOf(bytes), bytes.length);
    // Beyond the call, `bytes` must stay reachable until it returns.
    if (sent !== bytes.length)
      throw new AttachError(
        "SIPHON_ATTACH_NATIVE",
        `cannot ${what}: the kernel rejected the netlink message`,
      );
    return this.#answer(sequence, what);
  }

  #message(payload: Buffer): { bytes: Buffer; sequence: number } {
    const sequence = ++this.#sequence;
    const message = encodeMessage({ type: this.#family, sequence, payload });
    const bytes = allocate(message.length);
    message.copy(bytes);
    return { bytes, sequence };
  }

  /** The kernel's answer is complete when the request has been sent. */
  #answer(sequence: number, what: string): Buffer {
    let reply: Buffer = Buffer.alloc(0);
    for (;;) {
      const got = checked(libc().recv(this.#fd, addressOf(this.#received), receivedBytes, dontWait), what);
      for (const message of decodeMessages(this.#received.subarray(0, got))) {
        if (message.sequence !== sequence) continue;
        if (message.type !== answerType) reply = Buffer.from(message.payload);
        else if (errnoOfAnswer(message) === 0) return reply;
        else throw refused(errnoOfAnswer(message), what);
      }
    }
  }
}

function refused(result: number, what: string): AttachError {
  const name = errnoName(result) ?? `errno ${-result}`;
  const [why, hint] = reasons[name] ?? [];
  return new AttachError(
    "SIPHON_ATTACH_DEVICE",
    `cannot ${what}: ${why ?? "the kernel rejected the request"} (${name})`,
    {
      hint,
    },
  );
}

/** Meanings of the driver's error numbers. */
const reasons: Record<string, [why: string, hint?: string]> = {
  ENOENT: ["the kernel's NBD driver is missing or has no netlink interface", "load it: modprobe nbd"],
  EPERM: ["operation not permitted", "run it as root (CAP_SYS_ADMIN)"],
  EBUSY: ["it is in use", "choose another device, or leave it out to get a free one"],
  EINVAL: ["no such device, device not connected, or wrong cookie"],
};

const netlink = 16;
const genericNetlink = 16;
const raw = 3;
const closeOnExec = 0o2000000;
const dontWait = 0x40;
/** An answer about one device takes less than a hundred bytes; the kernel's longest, of a family with its commands, some hundreds. */
const receivedBytes = 16 << 10;
