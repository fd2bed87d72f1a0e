import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@siphon/wire";
import {
  type GroupMember,
  type GroupSnapshotRecord,
  getGroup,
  joinGroup,
  listGroupSnapshots,
  listMembers,
  setGroupSnapshot,
  setMember,
} from "../../src/cls/group.ts";

test("a group's snapshot is written in the bytes in which librbd 16.2 wrote it, and read from them", () => {
  const stored = Buffer.from(
    "0101670000000c000000313262623662386234353637020000007331010200000001012000000002000000000000000c00" +
      "0000313165356639623164383661380000000000000001012000000003000000000000000c00000031316537333435373830" +
      "39380a00000000000000",
    "hex",
  );
  const record: GroupSnapshotRecord = {
    ...{ id: "12bb6b8b4567", name: "s1", state: "complete" },
    images: [
      { poolId: 2, imageId: "11e5f9b1d86a", snapId: 56 },
      { poolId: 3, imageId: "11e734578098", snapId: 10 },
    ],
  };
  assert.equal(setGroupSnapshot(record).input.toString("hex"), stored.toString("hex"));
  const page = new Writer().u32(1).raw(stored).finish();
  assert.deepEqual(listGroupSnapshots(undefined, 1).decode(page), [record]);
});

test("an image's group is written in the bytes in which librbd 16.2 wrote it, and read from them", () => {
  const stored = Buffer.from("01011800000002000000000000000c000000313165313662386234353637", "hex");
  const group = { poolId: 2, groupId: "11e16b8b4567" };
  assert.equal(joinGroup(group).input.toString("hex"), stored.toString("hex"));
  assert.deepEqual(getGroup.decode(stored), group);
  assert.equal(getGroup.decode(joinGroup({ poolId: -1, groupId: "" }).input), undefined);
});

test("a group's images are read as they were written", () => {
  const members: GroupMember[] = [
    { poolId: 2, imageId: "11e5f9b1d86a", state: "attached" },
    { poolId: 3, imageId: "11e734578098", state: "incomplete" },
  ];
  const page = new Writer().list(members, (w, member) => w.raw(memberBytes(member))).finish();
  assert.deepEqual(listMembers(undefined, 2).decode(page), members);
});

/** GroupImageStatus, as the OSD lists it: what `group_image_set` is given. */
function memberBytes(member: GroupMember): Buffer {
  return setMember(member).input;
}
