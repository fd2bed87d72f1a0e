import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatDiskFile, parseDiskFile, withWord } from "../../src/service/disk-file.ts";

test("a disk's file says one thing a line, with comments between", () => {
  const text =
    "# a VM's disk\n\n image=pool/vm1\nlimit = iops=100,bps=1M \nencryption-passphrase-file = /a b\nencryption-passphrase-file = /c\n";
  assert.deepEqual(parseDiskFile(text), {
    image: "pool/vm1",
    limit: "iops=100,bps=1M",
    "encryption-passphrase-file": ["/a b", "/c"],
  });
});

test("nonsense is told with its line", () => {
  assert.throws(() => parseDiskFile("image = a/b\nwhat\n"), /line 2 is not NAME = VALUE/);
  assert.throws(() => parseDiskFile("image = a/b\nimage = a/c\n"), /line 2 repeats image/);
  assert.throws(() => parseDiskFile("\0\xff\n"), /line 1 is not/);
});

test("any bytes are understood, or refused with a sentence", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      try {
        parseDiskFile(text);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "SIPHON_USAGE");
      }
    }),
  );
});

test("written data is read back", () => {
  const words = { image: "pool/vm1", "encryption-format": ["luks1", "luks2"], limit: "iops=1" };
  assert.deepEqual(parseDiskFile(formatDiskFile(words)), words);
});

test("one word is changed, and all else in the file stays", () => {
  const text = "# ours\nlimit = iops=1\nimage = pool/vm1\n";
  assert.equal(withWord(text, "limit", "iops=2"), "# ours\nimage = pool/vm1\nlimit = iops=2\n");
  assert.equal(withWord(text, "limit", undefined), "# ours\nimage = pool/vm1\n");
});
