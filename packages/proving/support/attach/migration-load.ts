import assert from "node:assert/strict";

/** Runs a command in the guest, on whichever host it is, and returns its output. */
export type RunInGuest = (command: string) => Promise<string>;

/** The load of a migrating VM: fio verifies its writes on each disk, and reads are checked through the page cache. */
export class MigrationLoad {
  readonly #run: RunInGuest;
  readonly #devices: readonly string[];

  private constructor(run: RunInGuest, devices: readonly string[]) {
    this.#run = run;
    this.#devices = devices;
  }

  /** On each disk fio writes 2 MiB and reads them again, over and over; its reports are numbered. */
  static async start(run: RunInGuest, devices: readonly string[]): Promise<MigrationLoad> {
    for (const device of devices) {
      await run(
        `dd if=/dev/urandom of=/dev/${device} bs=1M seek=${randomAt} count=${randomMiB} oflag=direct iflag=fullblock 2>/dev/null; ` +
          `echo 0 >/tmp/passes-${device}; touch /tmp/running-${device}`,
      );
      const fio =
        `fio --name=v --filename=/dev/${device} --rw=randwrite --bs=16k --size=2m --iodepth=8 --ioengine=libaio --direct=1 ` +
        "--randrepeat=0 --verify=crc32c --verify_fatal=1 --do_verify=1 --verify_state_save=0 --output-format=json";
      const loop =
        `n=1; while [ ! -e /tmp/stop ]; do ${fio} >/tmp/report-${device} 2>&1 || { touch /tmp/failed; break; }; ` +
        `mv /tmp/report-${device} /tmp/fio-${device}-$n; rm -f /tmp/fio-${device}-$((n - 30)); ` +
        `echo $n >/tmp/n-${device}; mv /tmp/n-${device} /tmp/passes-${device}; n=$((n + 1)); done; rm /tmp/running-${device}`;
      await run(`(${loop}) >/dev/null 2>&1 </dev/null &`);
    }
    const load = new MigrationLoad(run, devices);
    await load.goesOn();
    return load;
  }

  /**
   * Waits until the load has verified all its writes twice on each disk; returns the longest write meanwhile, in
   * milliseconds.
   */
  async goesOn(): Promise<number> {
    await this.#checkFailure();
    const passes = await this.#run(`cat ${this.#devices.map((device) => `/tmp/passes-${device}`).join(" ")}`);
    const wanted = passes
      .trim()
      .split("\n")
      .map((seen) => Number(seen) + 2);
    const isBehind = this.#devices.map(
      (device, index) => `{ read n </tmp/passes-${device}; [ "$n" -lt ${wanted[index]} ]; }`,
    );
    // The guest waits: to be asked time and again would cost it more than the load.
    await this.#run(`while ! ${anyFailed} && { ${isBehind.join(" || ")}; }; do sleep 0.2; done`);
    await this.#checkFailure();
    const reports = await Promise.all(
      this.#devices.flatMap((device, index) =>
        [1, 0].map((before) => this.#run(`cat /tmp/fio-${device}-${wanted[index]! - before}`)),
      ),
    );
    return Math.max(...reports.map(longestWriteOf));
  }

  /**
   * From now on the guest gradually reads random bytes into its page cache, over and over: pages filled during the
   * migration arrive at the other host only if the server marks them dirty.
   */
  async startReading(): Promise<void> {
    const read = this.#devices.map((device) => `dd if=/dev/${device} bs=128k skip=$i count=1 of=/dev/null`);
    const [first, last] = [randomAt * 8, (randomAt + randomMiB) * 8 - 1];
    const pass = `for i in $(seq ${first} ${last}); do [ -e /tmp/enough ] && break; ${read.join("; ")}; sleep 0.1; done`;
    const loop = `while [ ! -e /tmp/enough ]; do echo 3 >/proc/sys/vm/drop_caches; ${pass}; done; rm /tmp/enough`;
    await this.#run(`(${loop}) >/dev/null 2>&1 </dev/null &`);
  }

  /** Ends the reads, and checks that the page cache has the same bytes as the disk. */
  async checkRead(): Promise<void> {
    await this.#run("touch /tmp/enough; while [ -e /tmp/enough ]; do sleep 0.05; done");
    for (const device of this.#devices) {
      const read = `dd if=/dev/${device} bs=1M skip=${randomAt} count=${randomMiB} 2>/dev/null`;
      const sums = await this.#run(`${read} | md5sum; ${read.replace("2>", "iflag=direct 2>")} | md5sum`);
      const [cached, stored] = sums.trim().split("\n");
      assert.equal(cached, stored, `${device}: the page cache has what is not on the disk`);
    }
  }

  /** Ends the load, and checks that the kernel saw no error. */
  async end(): Promise<void> {
    await this.#run("touch /tmp/stop; while ls /tmp/running-* >/dev/null 2>&1; do sleep 0.1; done");
    await this.#checkFailure();
    const errors = await this.#run("dmesg | grep -ci 'I/O error' || true");
    assert.equal(errors.trim(), "0");
  }

  /** Throws fio's output if it has found an error. */
  async #checkFailure(): Promise<void> {
    const said = await this.#run(`if ${anyFailed}; then cat /tmp/report-*; dmesg | tail; fi`);
    if (said !== "") throw new Error(said);
  }
}

/** Succeeds in the guest's shell if fio has failed on a disk. */
const anyFailed = "[ -e /tmp/failed ]";
/** Position of random bytes that no load changes, on each disk, in MiB. */
const randomAt = 32;
const randomMiB = 4;

function longestWriteOf(report: string): number {
  // Warnings come before the report.
  const { jobs } = JSON.parse(report.slice(report.indexOf("{")));
  return jobs[0].write.clat_ns.max / 1e6;
}
