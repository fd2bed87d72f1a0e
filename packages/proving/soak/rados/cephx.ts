import { Reader, Writer } from "@siphon/wire";
import { Authorizer, CephxState } from "../../../rados/src/auth/cephx.ts";
import { keyUsage } from "../../../rados/src/auth/crypto-key.ts";
import { readCryptoKey } from "../../../rados/src/auth/read-key.ts";
import { readTickets } from "../../../rados/src/auth/tickets.ts";
import { entityType } from "../../../rados/src/messenger/peer.ts";
import { grant, keyBytes, keyOf, serviceTicket } from "../../../rados/test/support/cephx-bytes.ts";
import type { HostileInput } from "./decoders.ts";

const key = keyOf(Buffer.alloc(16, 3));
const session = Buffer.alloc(16, 0x5a);
const name = { type: "client", id: "admin" } as const;

/** Authentication: replies of monitors and daemons, damaged outside and inside the encrypted parts. */
export function cephxInputs(): HostileInput[] {
  const ticket = serviceTicket(keyBytes(session), 60);
  const granted = grant(entityType.auth, key, ticket);
  const reply = new Writer().u16(0x100).u32(0).raw(granted).blob(Buffer.alloc(0));
  const whole = reply.blob(grant(entityType.osd, keyOf(session), ticket)).finish();
  const proof = new Writer().u8(2).u64(1n).blob(Buffer.alloc(40, 6)).finish();
  const challenge = new Writer().u8(1).u64(99n).finish();
  return [
    {
      name: "CryptoKey",
      seeds: [keyBytes(session), keyBytes(Buffer.alloc(32, 0x5b))],
      read: (bytes) => readCryptoKey(new Reader(bytes)),
    },
    { name: "tickets", seeds: [granted], read: (bytes) => readTickets(new Reader(bytes), key, new Map()) },
    {
      name: "inside of a ticket's seal",
      seeds: [ticket],
      read: (bytes) => readTickets(new Reader(grant(entityType.osd, key, bytes)), key, new Map()),
    },
    {
      name: "CephX reply",
      seeds: [whole],
      read: (bytes) => new CephxState(name, key).acceptReply(1n, bytes),
    },
    {
      name: "challenge of a monitor",
      seeds: [challenge],
      read: (bytes) => new CephxState(name, key).acceptChallenge(bytes),
    },
    {
      name: "inside of a daemon's challenge",
      seeds: [challenge],
      read: (bytes) => authorizer(whole).answer(keyOf(session).encrypt(bytes, keyUsage.authorizeChallenge)),
    },
    {
      name: "inside of a daemon's proof",
      seeds: [proof],
      read: (bytes) => {
        // The damaged reply may be valid, but it does not answer this request.
        try {
          authorizer(whole).verify(
            new Writer().blob(keyOf(session).encrypt(bytes, keyUsage.authorizeReply)).finish(),
          );
        } catch (error) {
          if ((error as { code?: string }).code !== "SIPHON_RADOS_UNTRUSTED") throw error;
        }
      },
    },
  ];
}

function authorizer(reply: Buffer): Authorizer {
  const state = new CephxState(name, key);
  state.acceptReply(1n, reply);
  return new Authorizer(state, entityType.osd);
}
