import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { run } from "../../src/host/command.ts";
import { exportedSymbols, weakened } from "../../src/roots/elf-symbols.ts";

const [librbd] = globSync("/usr/lib/{*-linux-gnu,.}/librbd.so.1");
const [module] = globSync("/usr/lib/{*-linux-gnu/,}qemu/block-rbd.so");

test("the names that librbd exports are found, and those that it uses of others are not among them", () => {
  const names = exportedSymbols(readFileSync(librbd!));
  assert.ok(names.has("rbd_open") && names.has("rbd_aio_readv"));
  assert.ok(!names.has("rados_ioctx_get_cct") || !names.has("malloc"));
});

test("a weak symbol may be missing, and nothing else of the library changes", async () => {
  const before = readFileSync(module!);
  const after = weakened(before, (name) => name === "rbd_open")!;
  const differing = before.filter((byte, at) => byte !== after[at]);
  assert.equal(differing.length, 1);
  assert.equal(
    weakened(before, (name) => name === "no_such_function"),
    undefined,
  );
  const symbols = await run("python3", ["-c", readSymbols], { input: after.toString("base64") });
  assert.match(symbols.stdout, /^WEAK rbd_open$/m);
  assert.match(symbols.stdout, /^GLOBAL rbd_close$/m);
});

test("a file that is not an ELF library has no symbols", () => {
  assert.equal(exportedSymbols(Buffer.from("#!/bin/sh\n")).size, 0);
  assert.equal(
    weakened(Buffer.alloc(0), () => true),
    undefined,
  );
});

/** A reader of its own, by the program headers' dynamic table and not by sections, as the loader reads it. */
const readSymbols = `
import base64, struct, sys
data = base64.b64decode(sys.stdin.read())
phoff, = struct.unpack_from("<Q", data, 32)
phentsize, phnum = struct.unpack_from("<HH", data, 54)
loads, dynamic = [], None
for i in range(phnum):
    kind, _, offset, vaddr, _, filesz = struct.unpack_from("<IIQQQQ", data, phoff + i * phentsize)
    if kind == 1: loads.append((vaddr, offset, filesz))
    if kind == 2: dynamic = (offset, filesz)
at = lambda v: next(o + v - a for a, o, s in loads if a <= v < a + s)
tags = dict(struct.unpack_from("<QQ", data, dynamic[0] + i * 16) for i in range(dynamic[1] // 16))
strings, symbols = at(tags[5]), at(tags[6])
for i in range((strings - symbols) // 24):
    name, info, _, section = struct.unpack_from("<IBBH", data, symbols + i * 24)
    text = data[strings + name:data.index(b"\\0", strings + name)].decode()
    if section == 0 and text: print({1: "GLOBAL", 2: "WEAK"}.get(info >> 4), text)
`;
