import assert from "node:assert/strict";
import { createDecipheriv } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import { Reader, Writer } from "@siphon/wire";
import fc from "fast-check";
import { cephxIv } from "../../src/auth/aes-key.ts";
import { CephxAuthenticator } from "../../src/auth/authenticator.ts";
import { Authorizer, CephxState } from "../../src/auth/cephx.ts";
import { type CryptoKey, keyUsage } from "../../src/auth/crypto-key.ts";
import { parseEntityName } from "../../src/auth/entity-name.ts";
import { parseCryptoKey } from "../../src/auth/read-key.ts";
import { readTickets, type Tickets } from "../../src/auth/tickets.ts";
import { entityType } from "../../src/messenger/peer.ts";
import { grant as grantOf, keyBytes, keyOf, serviceTicket } from "../support/cephx-bytes.ts";

const secret = Buffer.from("00112233445566778899aabbccddeeff", "hex");
const key = keyOf(secret);
const sessionKey = keyOf(Buffer.alloc(16, 0x5a));
const name = parseEntityName("client.admin");

function grant(service: number, sealing: CryptoKey, seconds = 60, granted = sessionKey): Buffer {
  return grantOf(service, sealing, serviceTicket(keyBytes(granted.reveal()), seconds));
}

/** The state of a client with this key, to whom monitors gave session keys of this type. */
function withTickets(own = key, session = sessionKey): CephxState {
  const state = new CephxState(name, own);
  state.acceptChallenge(Buffer.from(new Writer().u8(1).u64(99n).finish()));
  const first = grant(entityType.auth, own, 60, session);
  const secret = new Writer().blob(
    session.encrypt(new Writer().blob(Buffer.from("of the connection")).finish(), keyUsage.connectionSecret),
  );
  const reply = new Writer().u16(0x100).u32(0).raw(first).blob(secret.finish());
  reply.blob(grant(entityType.osd, session, 60, session));
  assert.equal(state.acceptReply(4123n, Buffer.from(reply.finish()))!.toString(), "of the connection");
  return state;
}

/** Keys of a user and of the sessions that monitors give them, of each type. */
const newKey = keyOf(Buffer.alloc(32, 0x33));
const newSessionKey = keyOf(Buffer.alloc(32, 0x77));
const pairs = [
  { own: key, session: sessionKey },
  { own: key, session: newSessionKey },
  { own: newKey, session: sessionKey },
  { own: newKey, session: newSessionKey },
].map((pair) => ({
  ...pair,
  title: `with a key of type ${pair.own.type} and a session key of type ${pair.session.type}`,
}));

test("what one key seals no other key opens, and a changed byte does not pass", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (plain, at) => {
      const sealed = key.encrypt(plain, keyUsage.authorize);
      assert.deepEqual(key.decrypt(sealed, keyUsage.authorize), Buffer.from(plain));
      assert.equal(sessionKey.decrypt(sealed, keyUsage.authorize), undefined);
      const changed = Buffer.from(sealed);
      changed[at % 16]! ^= 1;
      assert.equal(key.decrypt(changed, keyUsage.authorize), undefined);
    }),
    { numRuns: 50 },
  );
});

test("the envelope is Ceph's: version, magic, contents, in AES-128-CBC with the known vector", () => {
  const decipher = createDecipheriv("aes-128-cbc", secret, cephxIv);
  const sealed = key.encrypt(Buffer.from("hello"), keyUsage.authorize);
  const plain = Buffer.concat([decipher.update(sealed), decipher.final()]);
  assert.equal(plain.toString("hex"), `0155aa2688ad9c00ff${Buffer.from("hello").toString("hex")}`);
});

test("keys of a type to come are told from keys that are broken", () => {
  const newer = keyBytes(Buffer.alloc(64), 3).toString("base64");
  assert.throws(() => parseCryptoKey(newer, "client.x"), {
    code: "SIPHON_RADOS_AUTH",
    message: /the key of client\.x has unsupported type 3/,
    hint: /aes and aes256k/,
  });
  const short = [keyBytes(Buffer.alloc(3)), keyBytes(Buffer.alloc(16), 2), keyBytes(Buffer.alloc(32), 1)];
  for (const broken of [
    "",
    "AQ==",
    "not base64 at all!",
    ...short.map((bytes) => bytes.toString("base64")),
  ]) {
    assert.throws(() => parseCryptoKey(broken, "client.x"), { message: /key/ });
  }
});

test("a cluster that seals its tickets with keys of a type to come is told so", () => {
  const ticket = serviceTicket(keyBytes(Buffer.alloc(64), 3), 60);
  assert.throws(() => readTickets(new Reader(grantOf(entityType.osd, key, ticket)), key, new Map()), {
    code: "SIPHON_RADOS_AUTH",
    message: /the session key from the monitors has unsupported type 3/,
  });
});

test("names of users have a type and an id", () => {
  assert.deepEqual(parseEntityName("client.a.b"), { type: "client", id: "a.b" });
  for (const wrong of ["admin", "client.", ".admin", "user.admin", "toString.x"]) {
    assert.throws(() => parseEntityName(wrong), { code: "SIPHON_RADOS_CONFIG" });
  }
});

test("the answer to the monitor's challenge depends on the key and on both challenges", () => {
  const state = new CephxState(name, key);
  state.acceptChallenge(Buffer.from(new Writer().u8(1).u64(99n).finish()));
  const request = new Reader(state.buildRequest("session")!);
  assert.deepEqual([request.u16(), request.u8()], [0x100, 3]);
  const clientChallenge = request.u64();
  const proof = request.u64();
  // cephx_calc_client_server_challenge: both challenges sealed, folded to 64 bits, with the length in front.
  const sealed = key.encrypt(new Writer().u64(99n).u64(clientChallenge).finish(), keyUsage.authorize);
  const folded = Buffer.from(new Writer().blob(sealed).finish());
  let expected = 0n;
  for (let at = 0; at + 8 <= folded.length; at += 8) expected ^= folded.readBigUInt64LE(at);
  assert.equal(proof, expected);
});

test("tickets are asked for when three quarters of their life have passed, and not used when it is over", () => {
  const tickets: Tickets = new Map();
  const before = performance.now();
  readTickets(new Reader(grant(entityType.osd, key, 60)), key, tickets);
  const { renewAfter, expires } = tickets.get(entityType.osd)!;
  assert.ok(renewAfter >= before + 45_000 && renewAfter < before + 50_000);
  assert.ok(expires >= before + 60_000);
  const state = new CephxState(name, key);
  const reply = new Writer().u16(0x100).u32(0).raw(grant(entityType.auth, key)).blob(Buffer.alloc(0));
  state.acceptReply(1n, Buffer.from(reply.blob(grant(entityType.osd, sessionKey, 0)).finish()));
  assert.equal(state.ticket(entityType.osd), undefined);
  assert.throws(() => new Authorizer(state, entityType.osd), { code: "SIPHON_RADOS_AUTH", retryable: true });
});

test("tickets that are not encrypted with our key are rejected", () => {
  const wrong = { code: "SIPHON_RADOS_UNTRUSTED", message: /could not prove/ };
  assert.throws(() => readTickets(new Reader(grant(4, sessionKey)), key, new Map()), wrong);
});

for (const { own, session, title } of pairs) {
  test(`a daemon proves itself by answering our nonce, under the ticket's key: ${title}`, () => {
    const authorizer = new Authorizer(withTickets(own, session), entityType.osd);
    const r = new Reader(authorizer.request());
    assert.deepEqual([r.u8(), r.u64(), r.u32()], [1, 4123n, entityType.osd]);
    assert.deepEqual([r.u8(), r.u64(), r.blob().toString()], [1, 7n, "opaque"]);
    const proof = new Reader(session.decrypt(r.blob(), keyUsage.authorize)!);
    assert.equal(proof.u8(), 2);
    const nonce = proof.u64();
    const reply = (answer: bigint, sealing: CryptoKey) => {
      const text = new Writer()
        .u8(2)
        .u64(BigInt.asUintN(64, answer))
        .blob(Buffer.from("connection secret"))
        .finish();
      return Buffer.from(new Writer().blob(sealing.encrypt(text, keyUsage.authorizeReply)).finish());
    };
    assert.equal(authorizer.verify(reply(nonce + 1n, session))!.toString(), "connection secret");
    const untrusted = { code: "SIPHON_RADOS_UNTRUSTED" };
    assert.throws(() => authorizer.verify(reply(nonce + 2n, session)), untrusted);
    assert.throws(() => authorizer.verify(reply(nonce + 1n, own)), untrusted);
  });

  test(`a daemon's challenge is answered plus one, and only the daemon could have asked: ${title}`, () => {
    const authorizer = new Authorizer(withTickets(own, session), entityType.osd);
    const challenge = new Writer().u8(1).u64(500n).finish();
    const r = new Reader(authorizer.answer(session.encrypt(challenge, keyUsage.authorizeChallenge)));
    r.skip(1 + 8 + 4 + 1 + 8);
    r.blob();
    const proof = new Reader(session.decrypt(r.blob(), keyUsage.authorize)!);
    proof.skip(1 + 8);
    assert.deepEqual([proof.bool(), proof.u64()], [true, 501n]);
    const others = own.encrypt(Buffer.alloc(9), keyUsage.authorizeChallenge);
    assert.throws(() => authorizer.answer(others), { code: "SIPHON_RADOS_UNTRUSTED" });
  });

  test(`a ticket renewed comes sealed by the one before it: ${title}`, () => {
    const state = withTickets(own, session);
    const granted = serviceTicket(keyBytes(newSessionKey.reveal()), 60);
    const blob = new Writer().blob(new Writer().u8(1).u64(8n).blob(Buffer.from("renewed")).finish()).finish();
    const w = new Writer().u16(0x100).u32(0).u8(1).u32(1).u32(entityType.auth).u8(1);
    w.blob(own.encrypt(granted, keyUsage.ticketSessionKey)).u8(1);
    const answer = Buffer.from(w.blob(session.encrypt(blob, keyUsage.ticketBlob)).finish());
    state.acceptReply(4123n, answer);
    assert.equal(state.ticket(entityType.auth)!.blob.toString(), "renewed");
    // A slow monitor was asked twice, and so it answers.
    state.acceptReply(4123n, answer);
    assert.equal(state.ticket(entityType.auth)!.blob.toString(), "renewed");
  });
}

test("a key that is replaced is taken from where it is configured, and identity and tickets stay", async () => {
  let configured: CryptoKey | undefined = key;
  const authenticator = new CephxAuthenticator(name, key, async () => {
    if (configured === undefined) throw new Error("the keyring is being written");
    return configured;
  });
  assert.equal(await authenticator.refreshKey(), false);
  configured = undefined;
  assert.equal(await authenticator.refreshKey(), false);
  const auth = authenticator.forMonitor();
  auth.state.adopt(withTickets());
  authenticator.adopt(auth);
  configured = newKey;
  assert.equal(await authenticator.refreshKey(), true);
  assert.equal(await authenticator.refreshKey(), false);
  const next = authenticator.forMonitor();
  assert.deepEqual([next.state.keyType, next.globalId], ["aes256k", 4123n]);
  assert.ok(next.state.ticket(entityType.osd) !== undefined);
  // Without anything configured to look at again, there is only the key that there was.
  assert.equal(await new CephxAuthenticator(name, key).refreshKey(), false);
});

test("keys do not show in what prints", () => {
  const authenticator = new CephxAuthenticator(name, key);
  const hidden = [secret.toString("hex"), secret.toString("base64"), "00 11 22 33", "0, 17, 34, 51"];
  const things = [key, withTickets(), authenticator, new Authorizer(withTickets(), entityType.osd)];
  const newer = [newKey, withTickets(newKey, newSessionKey), new CephxAuthenticator(name, newKey)];
  for (const thing of [...things, ...newer]) {
    const shown = inspect(thing, { depth: 20, showHidden: true }) + JSON.stringify(thing);
    for (const form of hidden) assert.ok(!shown.includes(form));
    for (const byte of ["5a", "33", "77"]) {
      const number = `${Number.parseInt(byte, 16)}, ${Number.parseInt(byte, 16)}`;
      for (const form of [`${byte} ${byte}`, byte.repeat(8), number]) assert.ok(!shown.includes(form));
    }
  }
});
