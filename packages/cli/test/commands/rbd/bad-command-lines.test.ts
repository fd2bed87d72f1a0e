import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { RbdWorker } from "../../support/rbd-worker.ts";

/**
 * Command lines with a missing or an extra argument, below rbd's exit code and message for them (from Ceph's acceptance tests,
 * src/test/cli/rbd). All of them fail before there is a connection.
 */
const groups = `
22 snapshot name specified for a command that doesn't use it
  create foo@snap
  flatten foo@snap
  resize foo@snap
  rm foo@snap
  import-diff /tmp/diff foo@snap
  mv foo@snap
  mv foo@snap bar
  mv foo@snap bar@snap
  image-meta list foo@snap
  image-meta get foo@snap
  image-meta get foo@snap key
  image-meta set foo@snap
  image-meta set foo@snap key
  image-meta set foo@snap key val
  image-meta remove foo@snap
  image-meta remove foo@snap key
  snap ls foo@snap
  snap purge foo@snap
  watch foo@snap
  status foo@snap
  feature disable foo@snap
  feature disable foo@snap layering
  feature enable foo@snap
  feature enable foo@snap layering
  lock list foo@snap
  lock add foo@snap
  lock add foo@snap id
  lock remove foo@snap
  lock remove foo@snap id
  lock remove foo@snap id client.1234
  bench foo@snap --io-type write
22 destination snapshot name specified for a command that doesn't use it
  clone foo@snap bar@snap
  import /bin/ls ls@snap
  cp foo bar@snap
  cp foo@snap bar@snap
  deep cp foo bar@snap
  deep cp foo@snap bar@snap
  mv foo bar@snap
22 image name was not specified
  info
  create
  clone
  children
  flatten
  resize
  rm
  export
  diff
  export-diff
  import-diff /tmp/diff
  cp
  deep cp
  mv
  image-meta list
  image-meta get
  image-meta set
  image-meta remove
  object-map rebuild
  snap ls
  snap create
  snap rollback
  snap rm
  snap purge
  snap protect
  snap unprotect
  watch
  status
  device map
  feature disable
  feature enable
  lock list
  lock add
  lock remove
  bench --io-type write
  mirror image demote
  mirror image disable
  mirror image enable
  mirror image promote
  mirror image resync
22 snapshot name was not specified
  clone foo
  clone foo bar
  clone foo bar@snap
  snap create foo
  snap rollback foo
  snap rm foo
  snap protect foo
  snap unprotect foo
22 destination image name was not specified
  clone foo@snap
  cp foo
  cp foo@snap
  deep cp foo
  deep cp foo@snap
  mv foo
22 path was not specified
  import
  export-diff foo
  export-diff foo@snap
  merge-diff /tmp/diff1 /tmp/diff2
  import-diff
22 first diff was not specified
  merge-diff
22 second diff was not specified
  merge-diff /tmp/diff1
22 metadata key was not specified
  image-meta get foo
  image-meta set foo
  image-meta remove foo
22 metadata value was not specified
  image-meta set foo key
22 unmap requires either image name or device path
  device unmap
22 at least one feature name must be specified
  feature disable foo
  feature enable foo
22 lock id was not specified
  lock add foo
  lock remove foo
22 locker was not specified
  lock remove foo id
22 mirror mode was not specified
  mirror pool enable rbd
22 remote cluster was not specified
  mirror pool peer add rbd
22 must specify peer uuid
  mirror pool peer remove rbd
1 too many arguments
  info img1 junk
  copy img1 img2 junk
  lock remove img1 lock1 locker1 junk
`;

const directory = mkdtempSync(join(tmpdir(), "siphon-bad-lines-"));
const conf = join(directory, "ceph.conf");
writeFileSync(
  conf,
  "[global]\nmon_host = 127.0.0.1:1\nauth_client_required = none\nclient_mount_timeout = 1\n",
);
const worker = new RbdWorker();
after(() => {
  worker[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

for (const group of groups.trim().split(/\n(?! )/)) {
  const [head = "", ...lines] = group.split("\n");
  const [, code, text = ""] = /^(\d+) (.*)$/.exec(head) ?? [];
  test(`rbd's message and exit code ${code}: ${text}`, async () => {
    for (const line of lines) {
      const answer = await worker.call([...line.trim().split(" "), "--conf", conf]);
      assert.equal(answer.code, Number(code), `${line}\n${answer.stderr}`);
      assert.ok(answer.stderr.includes(text), `${line}\n${answer.stderr}`);
    }
  });
}
