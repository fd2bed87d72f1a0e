import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryServer } from "../support/memory-server.ts";
import { NbdClient } from "../support/nbd-client.ts";
import {
  answerOf,
  exchange,
  type Form,
  flagSets,
  flagsOf,
  requestsOf,
  unknownCommand,
} from "../support/request-forms.ts";

const size = 64 << 10;
const EINVAL = 22;

async function transmitting(server: MemoryServer, form: Form): Promise<NbdClient> {
  const client = await NbdClient.connect(server.socket);
  const extended = form === "extended";
  const contexts = form === "simple" ? [] : ["base:allocation"];
  await client.go("pool/disk", { structured: form === "structured", extended, contexts });
  return client;
}

for (const form of ["simple", "structured", "extended"] as const) {
  describe(`with ${form} replies every flag and every length`, () => {
    for (const [command, allowed] of [...flagsOf(form), [unknownCommand, -1] as const]) {
      test(`of command ${command} is carried out or refused, and the next request is understood`, async () => {
        await using server = await MemoryServer.start({ size });
        const client = await transmitting(server, form);
        for (const flags of flagSets) {
          for (const request of requestsOf(command, flags, form, size)) {
            const isWrong = command === unknownCommand || (flags & ~allowed) !== 0;
            const expected = isWrong ? EINVAL : answerOf(request, form, size);
            const { offset, length } = request;
            assert.equal(
              await exchange(client, request, form),
              expected,
              `flags ${flags} at ${offset}, ${length} bytes`,
            );
          }
        }
        assert.equal(await exchange(client, { type: 3 }, form), 0);
        assert.deepEqual([server.metrics.inFlight, server.log], [0, []]);
        client.socket.destroy();
      });
    }
  });
}

test("under extended headers a write has its bytes with it, whether or not its flag says so, and they are what is read", async () => {
  await using server = await MemoryServer.start({ size });
  const client = await transmitting(server, "extended");
  for (const flags of [0, 32]) {
    const payload = Buffer.alloc(4096, 1 + flags);
    client.send({ type: 1, flags, offset: 4096, payload });
    client.send({ type: 0, offset: 4096, length: 4096 });
    assert.equal((await client.reply()).error, 0);
    const { chunks } = await client.reply();
    assert.ok(chunks[0]!.payload.subarray(8).equals(payload));
  }
  client.socket.destroy();
});
