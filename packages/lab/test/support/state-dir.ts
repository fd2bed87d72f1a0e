import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pidsWithEnvironment } from "../../src/host/proc.ts";
import { endProcesses } from "../../src/host/signals.ts";
import { RESOURCE_VARIABLE } from "../../src/state/resource.ts";

/** A state directory of its own for a test file, with a path short enough for sockets. */
export class TestStateDir implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), "siphon-"));

  constructor() {
    process.env.SIPHON_STATE_DIR = this.dir;
  }

  /** Pids of everything that was started for a resource in it and still runs. */
  running(): number[] {
    return pidsWithEnvironment(RESOURCE_VARIABLE, (dir) => dir.startsWith(`${this.dir}/`));
  }

  /** Removes it, with what a failed test may have left running. */
  async [Symbol.asyncDispose](): Promise<void> {
    await endProcesses(this.running());
    rmSync(this.dir, { recursive: true, force: true });
  }
}
