import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Machine } from "./machine.ts";
import { checkout, cloning, newcomersRun } from "./newcomer.ts";

const top = fileURLToPath(new URL("../..", import.meta.url));

export interface PartOptions {
  /** The file that takes all that the programs print. */
  log: string;
  signal?: AbortSignal;
}

/** One step of the test of a platform; steps run in order. */
export interface Part {
  name: string;
  /** Returns the result in a few words; throws on failure. */
  run(machine: Machine, options: PartOptions): Promise<string>;
}

export const newcomer: Part = { name: "the newcomer's run", run: newcomersRun };

/** `npm test`, as it stands in the README. */
export const whole: Part = {
  name: "npm test",
  run: (machine, options) => tests(machine, "npm test", options),
};

const setUp: Part = {
  name: "set-up for tests",
  run: (machine, options) => succeeds(machine, "npm run setup", options),
};

/** The parts for platforms other than the tests' own: those in which siphon runs the release's own programs. */
export const parts: Part[] = [
  newcomer,
  setUp,
  files("RADOS", ["objects-interop", "osdmap", "crush", "features", "keys"]),
  files("RBD", ["images", "transfer", "groups"]),
  files("rbd's command", ["rbd-commands", "rbd-admin"]),
  files("rados and ceph", ["rados", "ceph"]),
  files("attachments", ["nbd-rbd", "vhost-rbd", "nbd", "vhost", "nbd-forms", "qemu-nbd", "qemu-vhost"]),
  files("libvirt", ["libvirt"]),
  files("the doctor", ["running-vms"]),
  {
    name: "two rungs of the ladder",
    run: (machine, options) =>
      succeeds(
        machine,
        "npm run ladder -- --rungs siphon-nbd,siphon-vhost --repeat 1 --seconds 5 --no-bigger",
        options,
      ),
  },
];

/** Files of live tests, on a machine that has nothing yet. */
export function only(paths: string[]): Part[] {
  const clone: Part = {
    name: "a clone",
    run: (machine, options) => succeeds(machine, cloning, options, "/root"),
  };
  return [clone, setUp, { name: "the tests", run: (machine, options) => liveTests(machine, paths, options) }];
}

/** The live tests of these names, in whichever package they are. */
function files(name: string, names: string[]): Part {
  return {
    name,
    run: (machine, options) => {
      const found = names.flatMap((each) => {
        const paths = globSync(`packages/**/live/**/${each}.test.ts`, {
          cwd: top,
          exclude: ["**/node_modules"],
        });
        assert.ok(paths.length > 0, `there is no live test ${each}`);
        return paths;
      });
      return liveTests(machine, found, options);
    },
  };
}

function liveTests(machine: Machine, paths: string[], options: PartOptions): Promise<string> {
  const repeat = process.env.SIPHON_REPEAT_FAILED ? "SIPHON_REPEAT_FAILED=1 " : "";
  return tests(machine, `${repeat}npm run test:live -- --at-once=1 ${paths.join(" ")}`, options);
}

async function succeeds(
  machine: Machine,
  command: string,
  options: PartOptions,
  directory = checkout,
): Promise<string> {
  const code = await machine.run(`cd ${directory} && ${command}`, options);
  assert.equal(code, 0, `${command} failed with exit code ${code}`);
  return "done";
}

/** Adds up the test runners' summaries; no test run is a failure. */
async function tests(machine: Machine, command: string, options: PartOptions): Promise<string> {
  const from = sizeOf(options.log);
  const code = await machine.run(`cd ${checkout} && ${command}`, options);
  const text = readFileSync(options.log, "utf8").slice(from);
  const count = (word: string) =>
    [...text.matchAll(new RegExp(`^\\S+ ${word} (\\d+)$`, "gm"))].reduce((sum, [, n]) => sum + Number(n), 0);
  const [passed, skipped, failed] = ["pass", "skipped", "fail"].map(count);
  assert.ok(code === 0 && passed > 0, `${failed} tests failed (exit code ${code})`);
  return `${passed} tests passed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function sizeOf(file: string): number {
  try {
    return readFileSync(file, "utf8").length;
  } catch {
    return 0;
  }
}
