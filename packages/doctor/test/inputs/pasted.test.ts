import assert from "node:assert/strict";
import { test } from "node:test";
import { examine } from "../../src/examine.ts";

const domain =
  "<domain type='kvm'><name>a</name><devices><disk type='network' device='disk'>\n<driver name='qemu' cache='unsafe'/><source protocol='rbd' name='p/i'/><target dev='vda' bus='virtio'/></disk></devices></domain>";
const conf = "cores: 2\nmemory: 512\nscsi0: ceph:vm-100-disk-0,cache=unsafe\nscsihw: virtio-scsi-single";
const manifest =
  "apiVersion: ceph.rook.io/v1\nkind: CephBlockPool\nmetadata: {name: p}\nspec: {replicated: {size: 1}}";
const lined = (text: string, start: string) =>
  text
    .split("\n")
    .map((line) => start + line)
    .join("\n");

const pasted: Record<string, [text: string, id: string, line: number]> = {
  "a terminal's command before it, a prompt after it": [
    `root@pve1:~# qm config 100\n${conf}\nroot@pve1:~#\n`,
    "cache-unsafe",
    4,
  ],
  "another prompt": [`[root@c1 ~]# sudo virsh dumpxml a\n${domain}\n`, "cache-unsafe", 3],
  "kubectl's command": [`$ kubectl get cephblockpool p -o yaml\n${manifest}\n`, "replica-one", 5],
  "a ticket's fences": [`\`\`\`yaml\n${manifest}\n\`\`\`\n`, "replica-one", 5],
  "sentences around XML": [`Hello,\nthis is my VM:\n\n${domain}\n\nregards\n`, "cache-unsafe", 5],
  "a mail that quotes it": [`${lined(conf, "> ")}\n`, "cache-unsafe", 3],
  "an indentation of all": [`${lined(conf, "    ")}\n`, "cache-unsafe", 3],
};

for (const [title, [text, id, line]] of Object.entries(pasted))
  test(`${title}: is read, and findings keep their lines`, () => {
    const [found] = examine([{ name: "pasted", text }]);
    const all = [...found!.disks.flatMap(({ findings }) => findings), ...found!.vm.findings];
    assert.equal(all.find((each) => each.id === id)?.place.line, line);
  });

test("a prompt before the QEMU command does not hide its line", () => {
  const text = "root@n1:~# /usr/bin/kvm -machine q35 -drive file=rbd:p/i:id=u,if=virtio,cache=unsafe\n";
  assert.ok(
    examine([{ name: "pasted", text }])[0]!.disks[0]!.findings.some(({ id }) => id === "cache-unsafe"),
  );
});

test("a large text that is not a configuration is refused at once", { timeout: 30_000 }, () => {
  for (const piece of [" \n", "a@", "> a\n", "  x: 1\n", "</domain>", "-->"])
    assert.throws(() => examine([{ name: "pasted", text: piece.repeat(200_000) }]), {
      code: "SIPHON_UNKNOWN_FORMAT",
    });
});
