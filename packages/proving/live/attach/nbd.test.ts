import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readTlsCredentials } from "../../../attach/src/nbd/tls.ts";
import { MemoryServer } from "../../../attach/test/support/memory-server.ts";
import { certificates } from "../../support/attach/certificates.ts";
import { run } from "../../support/attach/run.ts";
import { runQemu } from "../../support/attach/test-qemu.ts";

const MiB = 1 << 20;

interface MapEntry {
  offset: number;
  length: number;
  type: number;
}

describe("real NBD clients", () => {
  let server: MemoryServer;

  before(async () => {
    server = await MemoryServer.start({ size: 64 * MiB });
  });

  after(() => server[Symbol.asyncDispose]());

  async function map(context: string): Promise<MapEntry[]> {
    return JSON.parse(await run("nbdinfo", [`--map=${context}`, "--json", server.uri])) as MapEntry[];
  }

  test("nbdinfo sees the export and everything it supports", async () => {
    const { exports } = JSON.parse(await run("nbdinfo", ["--json", server.uri])) as {
      exports: [Record<string, unknown>];
    };
    const seen = exports[0];
    for (const ability of [
      "can_cache",
      "can_df",
      "can_fast_zero",
      "can_flush",
      "can_fua",
      "can_multi_conn",
      "can_trim",
      "can_zero",
    ]) {
      assert.equal(seen[ability], true, ability);
    }
    assert.equal(seen["export-size"], 64 * MiB);
    assert.equal(seen.is_read_only, false);
    assert.match(
      await run("nbdinfo", ["--list", `nbd+unix:///?socket=${server.socket}`]),
      /export="pool\/disk"/,
    );
  });

  test("qemu-io writes patterns, zeroes and discards, and finds them again", async () => {
    server.device.snapshot("before-qemu-io");
    const commands = [
      "write -P 7 1M 3M",
      "write -f -P 8 12345 6789",
      "write -z -u 2M 1M",
      "discard 64k 64k",
      "flush",
      "read -P 7 1M 1M",
      "read -P 0 2M 1M",
      "read -P 8 12345 6789",
    ];
    const said = await runQemu("qemu-io", [
      "-f",
      "raw",
      ...commands.flatMap((each) => ["-c", each]),
      server.uri,
    ]);
    assert.doesNotMatch(said, /failed|error/i);
    const seen = await map("siphon:diff/before-qemu-io");
    assert.deepEqual(
      seen.map(({ offset, length, type }) => [offset, length, type]),
      [
        [0, 65_536, 1],
        [65_536, 65_536, 3],
        [131_072, MiB - 131_072, 0],
        [MiB, MiB, 1],
        [2 * MiB, MiB, 3],
        [3 * MiB, MiB, 1],
        [4 * MiB, 60 * MiB, 0],
      ],
    );
  });

  test("qemu-img writes an image, compares it, and reads its map", async () => {
    const image = join(server.directory, "image.raw");
    const contents = Buffer.alloc(64 * MiB);
    randomBytes(5 * MiB).copy(contents, 9 * MiB);
    await writeFile(image, contents);
    await runQemu("qemu-img", ["convert", "-n", "-f", "raw", "-O", "raw", image, server.uri]);
    assert.match(
      await runQemu("qemu-img", ["compare", "-f", "raw", "-F", "raw", image, server.uri]),
      /identical/,
    );
    const seen = JSON.parse(await runQemu("qemu-img", ["map", "--output=json", "-f", "raw", server.uri])) as {
      start: number;
      length: number;
      data: boolean;
    }[];
    const data = seen.filter((each) => each.data);
    assert.deepEqual(
      data.map(({ start, length }) => [start, length]),
      [[9 * MiB, 5 * MiB]],
    );
  });

  test("nbdcopy reads over several connections and writes back", async () => {
    const copy = join(server.directory, "copy.raw");
    await run("nbdcopy", ["--connections=4", server.uri, copy]);
    const first = await readFile(copy);
    await runQemu("qemu-io", ["-f", "raw", "-c", "write -P 1 0 64M", server.uri]);
    await run("nbdcopy", ["--connections=4", copy, server.uri]);
    const again = join(server.directory, "again.raw");
    await run("nbdcopy", [server.uri, again]);
    assert.ok((await readFile(again)).equals(first));
  });

  test("nbdsh: structured reads, caching, and zeroes that are fast only as holes", async () => {
    const script = `
h.connect_uri("${server.uri}")
h.pwrite(b"x" * 65536, 0, nbd.CMD_FLAG_FUA)
chunks = []
h.pread_structured(131072, 0, lambda data, offset, status, error: chunks.append((offset, len(data), status)))
assert sum(length for _, length, _ in chunks) == 131072, chunks
h.cache(65536, 0)
h.zero(65536, 0, nbd.CMD_FLAG_FAST_ZERO)
try:
    h.zero(65536, 0, nbd.CMD_FLAG_FAST_ZERO | nbd.CMD_FLAG_NO_HOLE)
    raise AssertionError("fast without a hole")
except nbd.Error as error:
    assert error.errno == "ENOTSUP", error.errno
h.zero(65536, 0, nbd.CMD_FLAG_NO_HOLE)
assert h.pread(65536, 0) == bytearray(65536)
h.trim(65536, 0)
h.flush()
h.shutdown()
print("fine")
`;
    assert.match(await run("/usr/bin/python3", ["-m", "nbd", "-c", script]), /fine/);
  });

  test("fio verifies what it wrote, at depth", async () => {
    const job = [
      "--ioengine=nbd",
      `--uri=${server.uri}`,
      "--rw=randrw",
      "--bs=512-64k",
      "--size=32m",
      "--iodepth=64",
    ];
    const said = await run("fio", [
      "--name=verify",
      ...job,
      "--verify=crc32c",
      "--verify_state_save=0",
      "--output-format=json",
    ]);
    const { jobs } = JSON.parse(said.slice(said.indexOf("{"))) as {
      jobs: [{ error: number; read: { total_ios: number } }];
    };
    assert.equal(jobs[0].error, 0);
    assert.ok(jobs[0].read.total_ios > 100);
  });

  test("nbdkit's nbd plugin forwards the export", async () => {
    const inner = "nbdcopy $uri - | cksum";
    const seen = await run("nbdkit", ["-U", "-", "nbd", `uri=${server.uri}`, "--run", inner]);
    assert.equal(seen, await run("sh", ["-c", `nbdcopy '${server.uri}' - | cksum`]));
  });
});

describe("TLS", () => {
  test("clients with a certificate of the authority connect; clients without TLS or without a certificate do not", async () => {
    await using own = await certificates();
    await using foreign = await certificates();
    const credentials = await readTlsCredentials(own.server);
    await using server = await MemoryServer.start(
      { size: MiB },
      { address: { host: "127.0.0.1", port: 0 }, credentials },
    );
    const at = `127.0.0.1:${server.server.port}/pool/disk`;
    const seen = await run("nbdinfo", [`nbds://${at}?tls-certificates=${own.client}`]);
    assert.match(seen, /with TLS, using (structured|extended)/);
    await assert.rejects(run("nbdinfo", [`nbd://${at}`]), /not supported|TLS/);
    await assert.rejects(run("nbdinfo", [`nbds://${at}?tls-certificates=${foreign.client}`]));
    const blockdev = `driver=nbd,server.type=inet,server.host=127.0.0.1,server.port=${server.server.port},export=pool/disk,tls-creds=tls0`;
    const tls = `tls-creds-x509,id=tls0,dir=${own.client},endpoint=client`;
    const written = ["-c", "write -P 5 0 1M", "-c", "read -P 5 0 1M"];
    const said = await runQemu("qemu-io", ["--object", tls, ...written, "--image-opts", blockdev]);
    assert.doesNotMatch(said, /fail/i);
  });
});
