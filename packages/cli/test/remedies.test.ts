import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RadosError } from "@siphon/rados";
import { RbdError } from "@siphon/rbd";
import { adviceOf } from "@siphon/wire";
import { commands } from "../src/commands.ts";
import { explain } from "../src/failure.ts";

test("libraries name no commands and flags of siphon: the command puts their remedies into words", () => {
  const packages = fileURLToPath(new URL("../..", import.meta.url));
  const names = commands.map(({ name }) => name).join("|");
  const spoken = new RegExp(`\\bsiphon (?:${names})\\b|\\s--[a-z]`);
  const comment = /^\s*(?:\/\/|\/\*|\*)/;
  const literal = /"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`?/g;
  const found = globSync("{wire,rados,rbd,attach}/src/**/*.ts", { cwd: packages }).flatMap((path) =>
    readFileSync(join(packages, path), "utf8")
      .split("\n")
      .filter((line) => !comment.test(line))
      .flatMap((line) => line.match(literal) ?? [])
      .filter((text) => spoken.test(text))
      .map((text) => `${path}: ${text}`),
  );
  assert.deepEqual(found, []);
});

test("an id names an image in the trash, because another image may have its name", () => {
  const error = new RbdError("SIPHON_RBD_BUSY", "image has snapshots", {
    remedy: { name: "purge-snapshots", subject: "apple/ns", imageId: "12ab" },
  });
  assert.match(
    explain(error),
    /\n +remove them first with: siphon rbd snap purge --pool apple --namespace ns --image-id 12ab$/,
  );
});

test("hint and remedy are in one line, and an error made from another keeps both", () => {
  const first = new RadosError("SIPHON_RADOS_CONFIG", "no keyring has a key for client.a", {
    hint: "name the keyring with `keyring` in ceph.conf",
    remedy: { name: "name-keyring" },
  });
  const made = new RadosError(first.code, `cannot connect: ${first.message}`, adviceOf(first));
  assert.match(explain(made), /\n +name the keyring with `keyring` in ceph\.conf; or name .* --keyring$/);
});
