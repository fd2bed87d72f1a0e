import { Writer } from "@siphon/wire";
import { readOsdBackoff } from "../../../rados/src/messages/osd-backoff.ts";
import { OsdOpReply } from "../../../rados/src/messages/osd-op-reply.ts";
import { readWatchNotify } from "../../../rados/src/messages/watch-notify.ts";
import { IncomingMessage } from "../../../rados/src/messenger/message.ts";
import { Region } from "../../../rados/src/messenger/region.ts";
import { comparePositions } from "../../../rados/src/osdmap/object-position.ts";
import { replyBytes } from "../../../rados/test/support/fake-cluster.ts";
import type { HostileInput } from "./decoders.ts";

const dataBytes = 24;

/** OSD messages about objects. */
export function osdInputs(): HostileInput[] {
  const outputs = [Buffer.alloc(8), Buffer.alloc(16)];
  const redirect = new Writer();
  redirect.versioned(1, 1, () => {
    redirect.versioned(6, 3, () => redirect.u64(1).i32(-1).string("key").string("namespace").u64(-1n));
    redirect.string("elsewhere").u32(0);
  });
  const op = { name: "an object", attempt: 0 };
  const reply = new OsdOpReply();
  return [
    {
      name: "MOSDOpReply",
      seeds: [replyBytes(op, { outputs }), replyBytes(op, { outputs, redirect: redirect.finish() })],
      read: (bytes) => {
        reply.read(messageOf(bytes, 8));
        let end = 0;
        for (let i = 0; i < reply.count; i++) {
          reply.opResult(i);
          end += reply.outputLength(i);
        }
        if (end !== dataBytes) throw new Error(`outputs end at ${end} of ${dataBytes}`);
        return reply.redirect;
      },
    },
    {
      name: "MOSDBackoff",
      seeds: [backoff()],
      read: (bytes) => {
        const { begin, end } = readOsdBackoff(messageOf(bytes, 1));
        return comparePositions(begin, end);
      },
    },
    {
      name: "MWatchNotify",
      seeds: [watchNotify()],
      read: (bytes) => readWatchNotify(messageOf(bytes, 3)),
    },
  ];
}

function messageOf(front: Buffer, version: number): IncomingMessage {
  const message = new IncomingMessage();
  message.region = Region.allocate(front.length + dataBytes);
  message.region.bytes.set(front);
  message.version = version;
  message.frontLength = front.length;
  message.data = front.length;
  message.dataLength = dataBytes;
  return message;
}

function backoff(): Buffer {
  const w = new Writer();
  w.versioned(1, 1, () => w.u8(1).u64(1).u32(3).i32(-1).u8(0xff));
  w.u32(10).u8(1).u64(5);
  w.versioned(4, 3, () => w.string("key").string("a").u64(4).u32(9).u8(0).string("namespace").u64(1));
  w.versioned(4, 3, () => w.string("").string("b").u64(4).u32(9).u8(1).string("").u64(1));
  return Buffer.from(w.finish());
}

function watchNotify(): Buffer {
  const w = new Writer().u8(1).u8(1).u64(7).u64(0).u64(8);
  return Buffer.from(w.blob(Buffer.from("payload")).i32(0).u64(4242).finish());
}
