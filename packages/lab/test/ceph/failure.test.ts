import assert from "node:assert/strict";
import { test } from "node:test";
import { cephFailure } from "../../src/ceph/failure.ts";

const asked = { what: "list images", user: "vm", conf: "/etc/ceph/ceph.conf", pool: "p" };

/** Messages of ceph 16.2 and rbd 16.2, and their meaning. */
const said: [string, string, string, RegExp][] = [
  [
    "no configuration",
    "Error initializing cluster client: ObjectNotFound('RADOS object not found (error calling conf_read_file)')",
    "SIPHON_NOT_FOUND",
    /cannot read \/etc\/ceph\/ceph\.conf/,
  ],
  [
    "no configuration, from rbd",
    "global_init: unable to open config file from search list /etc/ceph/ceph.conf",
    "SIPHON_NOT_FOUND",
    /cannot read \/etc\/ceph\/ceph\.conf/,
  ],
  [
    "a wrong key",
    "[errno 13] RADOS permission denied (error connecting to the cluster)",
    "SIPHON_PERMISSION",
    /does not accept the key of client\.vm/,
  ],
  [
    "no key",
    "[errno 2] RADOS object not found (error connecting to the cluster)",
    "SIPHON_PERMISSION",
    /no key for client\.vm/,
  ],
  [
    "a cluster that does not answer",
    "[errno 110] RADOS timed out (error connecting to the cluster)",
    "SIPHON_TIMEOUT",
    /does not answer/,
  ],
  [
    "the same silence, from rbd",
    "rbd: couldn't connect to the cluster!\nrbd: listing images failed: (110) Connection timed out",
    "SIPHON_TIMEOUT",
    /does not answer/,
  ],
  [
    "a cap that is missing at a monitor",
    "Error EACCES: access denied",
    "SIPHON_PERMISSION",
    /client\.vm may not/,
  ],
  [
    "a cap that is missing at an OSD",
    "rbd: listing images failed: (1) Operation not permitted",
    "SIPHON_PERMISSION",
    /client\.vm may not/,
  ],
  [
    "no such pool",
    "rbd: error opening pool 'p': (2) No such file or directory",
    "SIPHON_NOT_FOUND",
    /there is no pool p$/,
  ],
  [
    "no such pool, from rados",
    "error opening pool p: (2) No such file or directory",
    "SIPHON_NOT_FOUND",
    /no pool p$/,
  ],
  [
    "no such image",
    "2026-01-01T00:00:00.000+0000 7ff0ad61f380 -1 librbd::image::OpenRequest: failed to find image id\nrbd: error opening image x: (2) No such file or directory",
    "SIPHON_NOT_FOUND",
    /^cannot list images: rbd: error opening image x: \(2\) No such file or directory$/,
  ],
  ["a name that is taken", "rbd: create error: (17) File exists", "SIPHON_IN_USE", /File exists/],
  [
    "an image that is open",
    "rbd: error: image still has watchers\nThis means the image is still open or the client using it crashed.",
    "SIPHON_IN_USE",
    /still has watchers/,
  ],
  ["a quota", "rbd: create error: (122) Disk quota exceeded", "SIPHON_NO_SPACE", /quota/],
  ["anything else", "Error EINVAL: invalid command", "SIPHON_CLUSTER", /EINVAL/],
];

for (const [what, words, code, message] of said) {
  test(`${what} is told as ${code}`, () => {
    const error = cephFailure(asked, words);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.match(error.message, /^cannot list images: /);
  });
}

test("a missing cap comes with the command that grants it", () => {
  const error = cephFailure(asked, "rbd: create error: (1) Operation not permitted");
  assert.match(error.hint!, /ceph auth caps client\.vm mon 'profile rbd' osd 'profile rbd pool=p'/);
});
