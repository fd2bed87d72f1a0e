import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";

const surprise = new URL("../../src/server/surprise.ts", import.meta.url).href;

async function ending(script: string): Promise<{ code: number; said: string }> {
  const program = `import { endOnSurprise } from ${JSON.stringify(surprise)}; endOnSurprise(); ${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
  const said = text(child.stderr);
  const [code] = await once(child, "close");
  return { code, said: await said };
}

test("an uncaught error ends the process with exit code 70 and a message, wherever it was thrown", async () => {
  for (const script of [
    "setTimeout(() => { throw new Error('not thought of') }, 1); setInterval(() => {}, 1000)",
    "void Promise.reject(new Error('not thought of')); setInterval(() => {}, 1000)",
  ]) {
    const { code, said } = await ending(script);
    assert.equal(code, 70);
    assert.match(said, /unexpected failure, this process ends: Error: not thought of\n +at /);
  }
});

test("unread output does not end it", async () => {
  const talk = "process.stdin.destroy(); setInterval(() => process.stdout.write('still here\\n'), 5);";
  const program = `import { endOnSurprise } from ${JSON.stringify(surprise)}; endOnSurprise(); ${talk} setTimeout(() => process.exit(3), 300)`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  child.stdout.destroy();
  const [code] = await once(child, "exit");
  assert.equal(code, 3);
});
