import assert from "node:assert/strict";
import { test } from "node:test";
import type { WireMode } from "../../src/cluster/wire-modes.ts";
import { LabError } from "../../src/errors.ts";
import { Measurer } from "../../src/ladder/measure.ts";
import { parseLadderOptions } from "../../src/ladder/options.ts";
import type { VmKit } from "../../src/ladder/prepare.ts";
import type { LadderRecord } from "../../src/ladder/record.ts";
import type { Target } from "../../src/ladder/target.ts";
import type { PlannedClimb } from "../../src/rungs/plan.ts";
import type { Vm } from "../../src/vm/vm.ts";

function rung(name: string, clientOptions: Record<string, string>): PlannedClimb {
  return { rung: { name }, settings: { clientOptions } } as PlannedClimb;
}

const plain = rung("librados-threads", {});
const secure = rung("secure", { ms_client_mode: "secure" });

/** A measurer whose VMs do nothing, of a cluster whose OSDs say that clients got these modes. */
function measurer(modes: WireMode[]) {
  const seen = { observed: 0, shutdown: 0 };
  const command = { env: {}, program: "qemu", options: [] };
  const shutdown = async () => void seen.shutdown++;
  const kit = { boot: async () => ({ command, shutdown }) as unknown as Vm } as unknown as VmKit;
  const target = {
    clientConf: async () => ({ path: "/c", text: "" }),
    observeWireModes: async <T>(work: () => Promise<T>) => {
      seen.observed++;
      return { result: await work(), modes: new Set(modes) };
    },
  } as unknown as Target;
  const record = { describe: () => {} } as unknown as LadderRecord;
  return { seen, measurer: new Measurer(kit, target, record, parseLadderOptions({}), "/") };
}

const { signal } = new AbortController();

test("a client's mode is checked at the first boot, for which its VM boots alone; later boots need neither", async () => {
  const { seen, measurer: boots } = measurer(["secure"]);
  assert.deepEqual(
    [plain, secure].map((each) => boots.bootsAlone(each)),
    [false, true],
  );
  for (const each of [plain, secure, secure]) await boots.start(each, signal);
  assert.deepEqual([seen, boots.bootsAlone(secure)], [{ observed: 1, shutdown: 0 }, false]);
});

test("a client that got another mode is refused each time", async () => {
  const { seen, measurer: boots } = measurer(["secure", "crc"]);
  for (let time = 1; time <= 2; time++) {
    await assert.rejects(
      boots.start(secure, signal),
      (error) => error instanceof LabError && /demands secure mode, .* got crc/.test(error.message),
    );
    assert.deepEqual([seen, boots.bootsAlone(secure)], [{ observed: time, shutdown: time }, true]);
  }
});
