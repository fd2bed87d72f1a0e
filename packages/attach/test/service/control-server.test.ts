import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import fc from "fast-check";
import { AttachError } from "../../src/errors.ts";
import { askService } from "../../src/service/control-client.ts";
import { parseRequest } from "../../src/service/control-protocol.ts";
import { ControlServer } from "../../src/service/control-server.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-control-"));
after(() => rmSync(directory, { recursive: true }));
type Service = Parameters<typeof ControlServer.listen>[1];

async function serve(
  name: string,
  service: Partial<Service>,
): Promise<{ path: string; server: ControlServer }> {
  const path = join(directory, name);
  return { path, server: await ControlServer.listen(path, service as Service, () => {}) };
}

async function client(path: string): Promise<Socket> {
  const socket = connect(path).on("error", () => {});
  await once(socket, "connect");
  return socket;
}

test("only its owner can connect, and gets answers and errors as they are", async () => {
  const { path, server } = await serve("errors", {
    list: async () => [],
    show: async (name) => {
      throw new AttachError("SIPHON_ATTACH_DISK", `there is no disk ${name}`, { hint: "list them" });
    },
  });
  await using _ = server;
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(await askService(path, { command: "list" }), []);
  await assert.rejects(askService(path, { command: "show", name: "x" }), {
    ...{ code: "SIPHON_ATTACH_DISK", message: "there is no disk x", hint: "list them" },
  });
});

test("requests of one client are answered in order, one at a time, with their ids", async () => {
  const order: string[] = [];
  let running = 0;
  const { path, server } = await serve("order", {
    drain: async (name) => {
      assert.equal(++running, 1);
      await new Promise(setImmediate);
      running--;
      order.push(name);
      return undefined as never;
    },
  });
  await using _ = server;
  const socket = await client(path);
  const names = Array.from({ length: 100 }, (_, i) => `d${i}`);
  socket.end(names.map((name, id) => `${JSON.stringify({ id, command: "drain", name })}\n`).join(""));
  const answers = (await text(socket)).trim().split("\n");
  assert.deepEqual(order, names);
  assert.deepEqual(
    answers.map((line) => JSON.parse(line)),
    names.map((_, id) => ({ id, ok: true, result: null })),
  );
});

test("a client that hangs up has its request carried out", async () => {
  const begun = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  let done = false;
  const { path, server } = await serve("hang-up", {
    remove: async () => {
      begun.resolve();
      await finish.promise;
      done = true;
    },
    list: async () => [],
  });
  await using _ = server;
  const socket = await client(path);
  socket.write('{"command":"rm","name":"a"}\n');
  await begun.promise;
  socket.destroy();
  await once(socket, "close");
  finish.resolve();
  assert.deepEqual(await askService(path, { command: "list" }), []);
  assert.ok(done);
});

test("an invalid request is refused, and so is an endless line", async () => {
  const { path, server } = await serve("garbage", {});
  await using _ = server;
  for (const [sent, said] of [
    ["nonsense\n", /not JSON/],
    [Buffer.alloc(100_000, 0x20), /at most 65536 bytes/],
  ] as const) {
    const socket = await client(path);
    socket.write(sent);
    const answer = JSON.parse(await text(socket));
    assert.equal(answer.ok, false);
    assert.match(answer.error.message, said);
  }
});

test("nobody answers where no service runs", async () => {
  await assert.rejects(askService(join(directory, "none"), { command: "list" }), {
    code: "SIPHON_ATTACH_CONTROL",
  });
});

test("any line is a request with all that its command needs, or refused with a sentence", () => {
  const member = fc.constantFrom("command", "name", "disk", "persist", "limit", "force", "id", "__proto__");
  const value = fc.oneof(fc.constantFrom("add", "rm", "list", "limit", "toString"), fc.jsonValue());
  const line = fc.oneof(
    fc.string(),
    fc.dictionary(member, value).map((each) => JSON.stringify(each)),
  );
  fc.assert(
    fc.property(line, (text) => {
      let request: Record<string, unknown>;
      try {
        request = parseRequest(text) as unknown as Record<string, unknown>;
      } catch (error) {
        assert.equal((error as AttachError).code, "SIPHON_ATTACH_CONTROL");
        return;
      }
      const isAlone = request.command === "list" || request.command === "reload";
      assert.equal(typeof request.name, isAlone ? "undefined" : "string");
      if (request.command === "add") {
        assert.ok(typeof request.disk === "object" && request.disk !== null && !Array.isArray(request.disk));
      }
    }),
    { numRuns: 2000 },
  );
});
