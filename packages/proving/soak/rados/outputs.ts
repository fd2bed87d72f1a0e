import { Reader, Writer } from "@siphon/wire";
import { readNotifyAnswers } from "../../../rados/src/messages/notify-answers.ts";
import { readPoolOpReply } from "../../../rados/src/messages/pool-op.ts";
import { parseCursor, writeCursor } from "../../../rados/src/objects/object-cursor.ts";
import { listPage } from "../../../rados/src/objects/object-listing.ts";
import { ReadOperation } from "../../../rados/src/objects/read-operation.ts";
import type { HostileInput } from "./decoders.ts";

/** Outputs of object operations, notifications and pool operations. */
export function outputInputs(): HostileInput[] {
  const cursor = { poolId: 3, hash: 0x89abcdef, namespace: "n", key: "", name: "object", isMax: false };
  const page = new Writer().versioned(1, 1, (w) =>
    writeCursor(w, cursor).u32(2).string("n").string("a").string("").string("n").string("b").string("key"),
  );
  const addr = (w: Writer) => w.u8(1).versioned(1, 1, () => w.u32(2).u32(7).u32(0));
  const watchers = new Writer().versioned(1, 1, (w) =>
    w.u32(1).versioned(2, 1, () => addr(w.u8(8).u64(4123).u64(1).u32(30))),
  );
  const clones = new Writer().versioned(2, 1, (w) => {
    w.u32(1).versioned(1, 1, () => w.u64(-2).u32(1).u64(3).u32(1).u64(0).u64(4096).u64(8192));
    w.u64(3);
  });
  const strings = new Writer().u32(2).string("a").string("1").string("b").string("2");
  const answers = new Writer().u32(1).u64(1).u64(2).blob(Buffer.from("r")).u32(1).u64(3).u64(4);
  const poolReply = new Writer().zeros(34).i32(0).u32(9).bool(true).blob(Buffer.alloc(8));
  const cursorInput = writeCursor(new Writer(), cursor).finish();
  return [
    output("stat", new ReadOperation().stat(), new Writer().u64(5).u32(1).u32(2)),
    output(
      "sparse read",
      new ReadOperation().sparseRead(),
      new Writer().u32(1).u64(0).u64(3).blob(Buffer.from("abc")),
    ),
    output(
      "checksums",
      new ReadOperation().checksum("crc32c", { length: 2 }),
      new Writer().u32(2).u32(1).u32(2),
    ),
    output("extended attributes", new ReadOperation().getXattrs(), strings),
    output(
      "omap keys",
      new ReadOperation().getOmapKeys(),
      new Writer().u32(2).string("a").string("b").bool(true),
    ),
    output("omap values by key", new ReadOperation().getOmapValuesByKeys([]), strings),
    output("clones", new ReadOperation().listSnaps(), clones),
    output("watchers", new ReadOperation().listWatchers(), watchers),
    output("list of objects", { ops: [listPage(cursor, 10, undefined)] }, page),
    { name: "cursor", seeds: [cursorInput], read: (bytes) => parseCursor(bytes.toString("base64url")) },
    { name: "answers to a notify", seeds: [answers.finish()], read: readNotifyAnswers },
    {
      name: "answer to a pool operation",
      seeds: [poolReply.finish()],
      read: (bytes) => readPoolOpReply(new Reader(bytes)),
    },
  ];
}

function output(name: string, { ops }: Pick<ReadOperation, "ops">, seed: Writer): HostileInput {
  return { name: `output: ${name}`, seeds: [seed.finish()], read: (bytes) => ops[0]!.decode(bytes, 0) };
}
