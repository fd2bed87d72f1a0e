import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const { scripts } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
  scripts: Record<string, string>;
};

/**
 * A checkout before its setup, on a machine with another Node. `node` and `npm` print which of them runs. The system's `node` puts
 * another one into node_modules/.bin, as the setup does.
 */
function bareCheckout() {
  const directory = mkdtempSync(join(tmpdir(), "siphon-first-call-"));
  const [own, system] = [join(directory, "node_modules/.bin"), join(directory, "system")];
  for (const each of [own, system]) mkdirSync(each, { recursive: true });
  const program = (path: string, text: string) =>
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const brought = `printf '#!/bin/sh\\necho brought "$*"\\n' >'${own}/node'; chmod +x '${own}/node'`;
  program(join(system, "node"), `echo system "$*"; case $1 in scripts/setup.mjs) ${brought} ;; esac`);
  program(join(system, "npm"), `exec env node npm "$@"`);
  const env = { PATH: `${own}:${system}:/usr/bin:/bin` };
  return {
    run: (command: string) => spawnSync("sh", ["-c", command], { env, cwd: directory, encoding: "utf8" }),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

for (const [name, command] of Object.entries(scripts).filter(([, text]) => text.includes("setup.mjs"))) {
  test(`npm run ${name} on a bare machine: after the setup only the Node that it installed runs`, () => {
    using checkout = bareCheckout();
    const { stdout, stderr, status } = checkout.run(command);
    assert.equal(status, 0, stderr);
    const [setUp, ...rest] = stdout.trim().split("\n");
    assert.match(setUp, /^system scripts\/setup\.mjs/);
    assert.equal(rest.length, command.split("&&").length - 1);
    for (const line of rest) assert.match(line, /^brought /, `in: ${command}`);
  });
}
