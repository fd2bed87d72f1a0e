/**
 * The tests against real programs, two files at a time: `node scripts/test-live/run.ts [--root=ROOT] [OPTION...] [FILE...]`, with
 * options of `node --test`. With a root (`siphon root build`), Ceph, QEMU and fio are the root's. Nothing is repeated. Where
 * SIPHON_FAILED_FILES names a file, the test files in which a test failed are listed there.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Root } from "../../packages/lab/src/roots/root.ts";
import { writeShims } from "./shims.ts";

const ofRoot = "--root=";
const asked = process.argv.slice(2);
const root = asked.find((word) => word.startsWith(ofRoot))?.slice(ofRoot.length);
const options = asked.filter((word) => word.startsWith("--") && !word.startsWith(ofRoot));
const files = asked.filter((word) => !word.startsWith("--"));
const list = process.env.SIPHON_FAILED_FILES;
const reporter = fileURLToPath(new URL("./failed-files.ts", import.meta.url));
const shims = mkdtempSync(join(tmpdir(), "siphon-live-"));
try {
  const { status } = spawnSync(
    process.execPath,
    [
      ...["--test", "--test-concurrency=2", "--test-timeout=600000", "--test-force-exit"],
      ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
      ...(list ? [`--test-reporter=${reporter}`, `--test-reporter-destination=${list}`] : []),
      ...options,
      ...(files.length > 0 ? files : ["packages/*/{,test/}live/**/*.test.ts"]),
    ],
    { stdio: "inherit", env: { ...process.env, ...(root && (await environmentOf(root))) } },
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(shims, { recursive: true });
}

/** In which programs are found in the root first. */
async function environmentOf(name: string): Promise<NodeJS.ProcessEnv> {
  writeShims(await Root.find(name, { uses: ["ceph"] }), shims);
  return { PATH: `${shims}${delimiter}${process.env.PATH}`, SIPHON_TEST_PYTHON: join(shims, "python3") };
}
