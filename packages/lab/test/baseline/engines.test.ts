import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { prepareEngines } from "../../src/baseline/engines.ts";
import { parseBaselineOptions } from "../../src/baseline/options.ts";
import { host, type Platform } from "../../src/host/platform.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-engines-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** A platform whose fio has these engines. */
function withFio(...engines: string[]): Platform {
  const fio = join(directory, `fio-${engines.join("-")}`);
  writeFileSync(
    fio,
    `#!/bin/sh\nprintf 'Available IO engines:\\n'\nprintf '\\t%s\\n' ${engines.join(" ")}\n`,
  );
  chmodSync(fio, 0o755);
  return { ...host, command: (_program, args) => ({ command: fio, args: [...args], env: {} }) };
}

async function prepared(platform: Platform) {
  const options = parseBaselineOptions({ engines: ["siphon-nbd", "siphon", "librbd"] });
  const { signal } = new AbortController();
  await using engines = await prepareEngines(options, { platform, report: () => {}, signal });
  return engines.all.map((each) => [each.name, "reason" in each ? each.reason : undefined]);
}

test("engines come in the order asked for, and one that fio lacks with the reason", async () => {
  const others = [
    ["siphon", undefined],
    ["librbd", undefined],
  ];
  assert.deepEqual(await prepared(withFio("libaio", "nbd", "rbd")), [["siphon-nbd", undefined], ...others]);
  const [nbd, ...rest] = await prepared(withFio("libaio", "rbd"));
  assert.deepEqual([nbd, rest], [["siphon-nbd", "this fio has no nbd engine"], others]);
});
