import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { detachDevice } from "../../src/device/end-device.ts";
import { startTime } from "../../src/device/mappings.ts";

/** A program that says when it is asked to end, and goes on. */
async function started(t: TestContext): Promise<{ child: ChildProcess; asked: () => string }> {
  const stubborn =
    'process.on("SIGTERM", () => console.log("asked")); process.stdin.on("data", () => process.exit()); console.log("up")';
  const child = spawn(process.execPath, ["-e", stubborn], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(child.stdout!, "data");
  return { child, asked: () => said };
}

const mapping = { pool: "rbd", namespace: "", image: "vm1", snapshot: "", device: "/dev/nbd0" };

test("the process of a device is asked to end, and waited for", async (t) => {
  const { child, asked } = await started(t);
  const pid = child.pid!;
  const detached = detachDevice({ pid, startTime: (await startTime(pid))!, ...mapping });
  while (!asked().includes("asked")) await once(child.stdout!, "data");
  child.stdin!.write("end\n");
  await detached;
  assert.equal(await startTime(pid), undefined);
});

test("another process that has its id by now is left alone", async (t) => {
  const { child, asked } = await started(t);
  await detachDevice({ pid: child.pid!, startTime: "1", ...mapping });
  child.stdin!.write("end\n");
  await once(child, "close");
  assert.equal(asked(), "up\n");
});
