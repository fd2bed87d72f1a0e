import { LabError } from "../errors.ts";
import type { GuestControl } from "../guest/control.ts";
import { run, which } from "../host/command.ts";

/**
 * The rate of this host's TSC in kHz, as its kernel measured it at boot; undefined if that is not readable any more.
 * QEMU gives an emulated guest the host's counter, so the guest need not measure it; on a busy host it would get a
 * wrong rate, clock and figures.
 */
export async function hostTscKhz(): Promise<number | undefined> {
  if (!(await which("dmesg"))) return undefined;
  const { stdout } = await run("dmesg", [], { anyExitCode: true });
  return tscKhz(stdout);
}

/** The rate in a kernel's log: the refined one if present, otherwise the first. */
export function tscKhz(log: string): number | undefined {
  const found =
    /tsc: Refined TSC clocksource calibration: ([\d.]+) MHz/.exec(log) ??
    /tsc: Detected ([\d.]+) MHz TSC/.exec(log) ??
    /tsc: Detected ([\d.]+) MHz processor/.exec(log);
  return found ? Math.round(Number(found[1]) * 1000) : undefined;
}

/** Compares a guest's clock with the host's: figures of a guest with a wrong clock are useless. */
export class GuestClock {
  readonly #control: Pick<GuestControl, "run">;
  readonly #start: Reading;

  private constructor(control: Pick<GuestControl, "run">, start: Reading) {
    this.#control = control;
    this.#start = start;
  }

  static async start(control: Pick<GuestControl, "run">): Promise<GuestClock> {
    return new GuestClock(control, await read(control));
  }

  /**
   * @throws LabError SIPHON_GUEST (a new VM may work) if the guest's clock deviates by more than a tenth since the
   * start, plus the duration of the readings
   */
  async check(): Promise<void> {
    const end = await read(this.#control);
    const guest = end.guest - this.#start.guest;
    const host = end.host - this.#start.host;
    const uncertainty = end.took + this.#start.took;
    if (Math.abs(guest - host) <= host / 10 + uncertainty) return;
    const rate = (guest / host).toFixed(2);
    throw new LabError("SIPHON_GUEST", `the guest's clock ran at ${rate} times the host's`, {
      retryable: true,
      hint: "an emulated guest on a busy host can get its clock wrong; its figures do not count",
    });
  }
}

/** All in seconds. */
interface Reading {
  guest: number;
  host: number;
  took: number;
}

async function read(control: Pick<GuestControl, "run">): Promise<Reading> {
  const before = performance.now() / 1000;
  const { stdout } = await control.run("cat /proc/uptime");
  const after = performance.now() / 1000;
  return { guest: Number.parseFloat(stdout), host: (before + after) / 2, took: after - before };
}
