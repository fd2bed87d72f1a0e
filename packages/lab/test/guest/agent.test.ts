import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { AgentControl } from "../../src/guest/agent.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-agent-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const base64 = (text: string) => Buffer.from(text).toString("base64");
const never = new Promise<LabError>(() => {});

/** The other end of the port; `answer` is called with each request's words. */
async function port(answer: (words: string[], socket: Socket) => void) {
  const path = join(dir, crypto.randomUUID());
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("data", (bytes) => {
      for (const line of bytes.toString().trim().split("\n")) answer(line.split(" "), socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { path, close, [Symbol.dispose]: close };
}

const connect = (socket: string, qemuEnded = never) =>
  AgentControl.connect({ socket, timeoutMs: 20_000, qemuEnded });

const codeOf = (code: string) => (error: unknown) => error instanceof LabError && error.code === code;

test("replies find their commands, in whatever order and pieces they come", async () => {
  const late: string[] = [];
  using guest = await port(([verb, id, argument], socket) => {
    if (verb === "hello") return socket.write(`ready ${id}\n`);
    const command = Buffer.from(argument, "base64").toString();
    late.push(`done ${id} 3 ${base64(`out of ${command}`)} \n`);
    if (late.length < 3) return;
    const all = late.reverse().join("");
    socket.write(all.slice(0, 20));
    setTimeout(() => socket.write(all.slice(20)), 5);
  });
  await using agent = await connect(guest.path);
  const said = await Promise.all(["a", "b", "c ü"].map((command) => agent.run(command)));
  assert.deepEqual(
    said.map(({ stdout }) => stdout),
    ["out of a", "out of b", "out of c ü"],
  );
  assert.deepEqual(said[0], { exitCode: 3, stdout: "out of a", stderr: "" });
});

test("a command that takes too long is killed in the guest; the next one runs", async () => {
  const seen: string[] = [];
  using guest = await port(([verb, id, argument], socket) => {
    seen.push(verb);
    if (verb === "hello") socket.write(`ready ${id}\n`);
    if (verb === "run" && argument === base64("quick")) socket.write(`done ${id} 0  \n`);
  });
  await using agent = await connect(guest.path);
  await assert.rejects(agent.run("slow", { timeoutMs: 50 }), codeOf("SIPHON_TIMEOUT"));
  assert.equal((await agent.run("quick")).exitCode, 0);
  assert.deepEqual(seen, ["hello", "run", "kill", "hello", "run"]);
});

test("an abort ends the wait with the abort's reason, and the command in the guest", async () => {
  const killed = Promise.withResolvers<void>();
  using guest = await port(([verb, id], socket) => {
    if (verb === "hello") socket.write(`ready ${id}\n`);
    if (verb === "kill") killed.resolve();
  });
  await using agent = await connect(guest.path);
  const aborting = new AbortController();
  const running = agent.run("slow", { signal: aborting.signal });
  aborting.abort(new Error("enough"));
  await assert.rejects(running, /enough/);
  await killed.promise;
});

test("when the connection ends, commands fail with the reason why QEMU ended, also later ones", async () => {
  using guest = await port(([verb, id], socket) => verb === "hello" && socket.write(`ready ${id}\n`));
  const ended = Promise.withResolvers<LabError>();
  await using agent = await connect(guest.path, ended.promise);
  const running = agent.run("anything");
  guest.close();
  ended.resolve(new LabError("SIPHON_VM", "QEMU was ended by SIGKILL"));
  await assert.rejects(running, /ended by SIGKILL/);
  await assert.rejects(agent.run("later"), /ended by SIGKILL/);
});

test("replies to an earlier client's commands are not taken for the guest's greeting", async () => {
  using guest = await port(([verb, id], socket) => {
    if (verb === "hello") socket.write(`done 17.1 0 ${base64("old")} \nready somebody\nready ${id}\n`);
  });
  await using agent = await connect(guest.path);
  assert.ok(agent);
});
