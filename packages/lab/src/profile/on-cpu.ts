import { closeSync, openSync, readSync } from "node:fs";

/**
 * Tells from its innermost frame whether a sampled thread was on a CPU. The state in /proc alone is not reliable,
 * because it is read some milliseconds before the stack. A thread outside of a system call is running or ready; in a
 * system call for waiting, it waits; in any other (a read, QEMU's ioctl that runs a vCPU) its state decides.
 */
export class OnCpu implements Disposable {
  readonly #memory: number | undefined;
  readonly #inCall = new Map<string, boolean>();

  constructor(pid: number) {
    try {
      this.#memory = openSync(`/proc/${pid}/mem`, "r");
    } catch {
      // Without it any frame could be in a system call.
    }
  }

  /** Call it while the process still runs, with the hexadecimal addresses of innermost frames. */
  note(address: string): void {
    if (!this.#inCall.has(address)) this.#inCall.set(address, this.#followsSystemCall(address));
  }

  /** Number of a stack's samples on a CPU, given the number according to its state. */
  count(samples: number, byState: number, address: string, name: string): number {
    if (this.#inCall.get(address) === false) return samples;
    return isWait(name) ? 0 : byState;
  }

  [Symbol.dispose](): void {
    if (this.#memory !== undefined) closeSync(this.#memory);
  }

  /** The previous instruction: `syscall` (0f 05) on x86-64, `svc #0` on arm64. */
  #followsSystemCall(address: string): boolean {
    const [length, instruction] = process.arch === "arm64" ? [4, 0xd4000001] : [2, 0x050f];
    const bytes = Buffer.alloc(length);
    try {
      if (this.#memory === undefined) return true;
      readSync(this.#memory, bytes, 0, length, BigInt(`0x${address}`) - BigInt(length));
    } catch {
      return true;
    }
    return bytes.readUIntLE(0, length) === instruction;
  }
}

/** Whether a function of the C library waits. */
export function isWait(name: string): boolean {
  return /futex.*wait|lll_lock_wait|epoll_p?wait|(^|_)p?poll$|(^|_)p?select$|nanosleep|(^|_)pause$|sig(timed)?wait|sigsuspend|wait4|waitid|(^|_)accept4?$/.test(
    name,
  );
}
