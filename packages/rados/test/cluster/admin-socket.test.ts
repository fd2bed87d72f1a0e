import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { adminSocketCommand } from "../../src/index.ts";

const descriptions = {
  cmd0: { sig: ["config", "get", { name: "var", type: "CephString" }], help: "" },
  cmd1: { sig: ["version"], help: "" },
};

/** A socket behind which a daemon answers with bytes in the pieces that `reply` gives. */
async function listening(t: { after(end: () => Promise<void>): void }, reply: (asked: unknown) => Buffer[]) {
  const directory = await mkdtemp(join(tmpdir(), "siphon-asok-"));
  const path = join(directory, "osd.0.asok");
  const server = createServer((socket) => {
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes;
      if (!text.endsWith("\0")) return;
      for (const piece of reply(JSON.parse(text.slice(0, -1)))) socket.write(piece);
      socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(async () => {
    server.close();
    await rm(directory, { recursive: true });
  });
  return path;
}

function framed(text: string): Buffer[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return [length.subarray(0, 2), length.subarray(2), Buffer.from(text)];
}

test("words become the command that the daemon describes, and its answer comes as it is", async (t) => {
  const asked: unknown[] = [];
  const path = await listening(t, (command) => {
    asked.push(command);
    return framed((command as { var?: string }).var ?? JSON.stringify(descriptions));
  });
  const answer = await adminSocketCommand(path, ["config", "get", "debug_osd"], "json");
  assert.equal(answer.toString(), "debug_osd");
  assert.deepEqual(asked[1], { prefix: "config get", var: "debug_osd", format: "json" });
  await assert.rejects(adminSocketCommand(path, ["config", "got"]), { code: "EINVAL" });
});

test("no listener, another program, half an answer and no answer give different errors", async (t) => {
  await assert.rejects(adminSocketCommand("/nowhere/x.asok", ["version"]), {
    code: "SIPHON_RADOS_UNREACHABLE",
  });
  const other = await listening(t, () => framed("HTTP/1.1 400"));
  await assert.rejects(adminSocketCommand(other, ["version"]), /is not a Ceph daemon/);
  const half = await listening(t, () => framed("something").slice(0, 2));
  await assert.rejects(adminSocketCommand(half, ["version"]), /did not answer completely/);
});
