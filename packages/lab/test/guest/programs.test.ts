import assert from "node:assert/strict";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { hostProgram } from "../../src/guest/programs.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-programs-"));
const { PATH } = process.env;
after(() => {
  process.env.PATH = PATH;
  rmSync(directory, { recursive: true });
});

test("a program comes with its shared objects, and not as the script that stands before it in PATH", async () => {
  const [scripts, programs] = ["scripts", "programs"].map((name) => join(directory, name)) as [
    string,
    string,
  ];
  for (const each of [scripts, programs]) mkdirSync(each);
  writeFileSync(join(scripts, "carried"), "#!/bin/sh\nexec true\n", { mode: 0o755 });
  copyFileSync("/bin/ls", join(programs, "carried"));
  chmodSync(join(programs, "carried"), 0o755);
  process.env.PATH = [scripts, programs, PATH].join(delimiter);
  const { path, files } = await hostProgram("carried");
  assert.equal(path, join(programs, "carried"));
  assert.equal((await hostProgram(path)).path, path);
  assert.ok(
    files.some((file) => /libc\.so/.test(file)),
    files.join(" "),
  );
});

test("a script without its interpreter cannot run in a guest", async () => {
  process.env.PATH = [join(directory, "scripts"), PATH].join(delimiter);
  await assert.rejects(hostProgram("carried"), { code: "SIPHON_MISSING_PROGRAM" });
});
