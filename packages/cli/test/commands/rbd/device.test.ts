import assert from "node:assert/strict";
import { after, test } from "node:test";
import { RbdWorker } from "../../support/rbd-worker.ts";

const worker = new RbdWorker();
after(() => worker[Symbol.dispose]());

/** Command lines below their exit code and message. All of them fail before there is a connection, and before the kernel is asked. */
const groups = `
95 siphon does not do rbd device -t krbd
  device map -t krbd foo
  map foo --device-type krbd
  device list -t krbd
  unmap -t krbd foo
95 --quiesce
  map foo --quiesce
  device attach foo --device /dev/nbd0 -o quiesce
1 there is no device type floppy
  device map -t floppy foo
22 image name was not specified
  map
  device attach
22 invalid device path: /dev/rbd0
  unmap /dev/rbd0
  nbd map foo --device /dev/rbd0 --nbds_max 64 --timeout 60
  map foo --device /dev/rbd0
  device detach /dev/rbd0
22 trying to access snapshot using both name and id
  map foo@bar --snap-id 4
22 Invalid argument for io-timeout!
  map foo -o io-timeout=soon
22 Invalid argument for max_part!
  map foo -o max_part=256
  nbd map foo --max_part 256
22 unknown args: --sparkle
  map foo -o notrim,sparkle
22 requires an argument
  map foo -o device
22 encryption formats count does not match passphrase files count
  map foo --encryption-format luks2
22 must specify device to attach
  device attach foo
22 could not validate attach request
  device attach foo --device /dev/nbd999
22 kernel does not have cookie support
  device attach foo --device /dev/nbd999 --cookie abc
22 detach requires either image name or device path
  device detach
22 pool1/ns1/foo@bar is not mapped
  unmap pool1/ns1/foo@bar
  nbd unmap pool1/ns1/foo@bar
  device detach pool1/ns1/foo@bar
22 no process attached to /dev/nbd999 found
  device detach /dev/nbd999
`;

for (const group of groups.trim().split(/\n(?! )/)) {
  const [head = "", ...lines] = group.split("\n");
  const [, code, text = ""] = /^(\d+) (.*)$/.exec(head) ?? [];
  test(`exit code ${code}: ${text}`, async () => {
    for (const line of lines) {
      const answer = await worker.call(line.trim().split(" "));
      assert.equal(answer.code, Number(code), `${line}\n${answer.stderr}`);
      assert.ok(answer.stderr.includes(text), `${line}\n${answer.stderr}`);
    }
  });
}
