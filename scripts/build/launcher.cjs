#!/usr/bin/env node
// @ts-check
"use strict";
// Starts siphon as it ships. Its modules are in chunks in `siphon.pack`, beside this file or inside the executable, each with what
// V8 compiled of it when siphon was built. V8 takes the compiled form where Node is the one that built it; else it compiles the source.
const { isAscii } = require("node:buffer");
const { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { getRawAsset, isSea } = require("node:sea");
const { Script } = require("node:vm");

/** As scripts/build/pack.ts writes it: a tag, the index's length (u32), the index (JSON), the parts. */
const headBytes = 8;
const read = isSea() ? readAsset(getRawAsset("siphon.pack")) : readFile(join(__dirname, "siphon.pack"));
const indexBytes = read(0, headBytes).readUInt32LE(4);
/** Offset and length in bytes of each chunk's compiled form, source and source map. @type {Record<string, [number, number][]>} */
const index = JSON.parse(read(headBytes, indexBytes).toString());
/** @type {Map<string, { exports: unknown }>} */
const modules = new Map();
/** Modules of Node's that take milliseconds to load. */
const large = new Set(
  [
    ...[
      "child_process",
      "cluster",
      "crypto",
      "dgram",
      "dns",
      "fs/promises",
      "http",
      "https",
      "inspector",
      "net",
    ],
    ...["perf_hooks", "readline", "readline/promises", "stream", "stream/consumers", "stream/promises"],
    ...["timers/promises", "tls", "tty", "v8", "worker_threads", "zlib"],
  ].map((name) => `node:${name}`),
);
/** @type {Map<string, object>} */
const lazyModules = new Map();
/** @type {unknown} */
let koffi;

Object.assign(globalThis, {
  [Symbol.for("siphon.sourceMap")]: (/** @type {string} */ chunk) => parts(chunk, 2, 2).toString(),
  [Symbol.for("siphon.load")]: load,
  [Symbol.for("siphon.launcher")]: () => (isSea() ? readText("siphon.cjs") : undefined),
});
load(process.env.SIPHON_PROGRAM ?? "main");

/** @param {string} chunk */
function load(chunk) {
  const known = modules.get(chunk);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  modules.set(chunk, module);
  // Read at once, the compiled form first: V8 would copy it if it were not at the beginning of memory of its own.
  const bytes = parts(chunk, 0, 1);
  const compiled = bytes.subarray(0, index[chunk]?.[0]?.[1]);
  const source = bytes.subarray(compiled.length);
  const script = new Script(source.toString(isAscii(source) ? "latin1" : "utf8"), {
    filename: `siphon:${chunk}.js`,
    cachedData: compiled,
  });
  script.runInThisContext()(requireFrom, module, module.exports);
  return module.exports;
}

/** @param {string} name */
function requireFrom(name) {
  if (name.startsWith("./")) {
    const chunk = name.slice("./".length, -".js".length);
    // What esbuild calls so is imported by other chunks; anything else is loaded by its name, when it is wanted.
    return chunk.startsWith("chunk-") ? lazily(chunk, () => load(chunk)) : load(chunk);
  }
  if (name === "node:module") return { ...require(name), createRequire: () => requireNative };
  return large.has(name) ? lazily(name, () => require(name)) : require(name);
}

/**
 * A module that is loaded when something of it is first looked up: short commands import more than they use. None of them does anything
 * when it is loaded but define things. @param {string} name @param {() => any} loadModule
 */
function lazily(name, loadModule) {
  const known = lazyModules.get(name);
  if (known !== undefined) return known;
  const lazy = Object.create(
    new Proxy(Object.prototype, {
      get(_prototype, property) {
        const module = loadModule();
        Object.setPrototypeOf(lazy, module);
        return module[property];
      },
    }),
  );
  lazyModules.set(name, lazy);
  return lazy;
}

/** Native code cannot be in a pack: it is an installed package, or an asset of the executable. @param {string} name */
function requireNative(name) {
  if (!isSea()) return createRequire(__filename)(name);
  if (name !== "koffi") throw new Error(`${name} is not in this executable`);
  koffi ??= openAsset("koffi.node");
  return koffi;
}

/** @param {string} name */
function readText(name) {
  return Buffer.from(getRawAsset(name)).toString();
}

/** @param {string} name */
function openAsset(name) {
  const directory = mkdtempSync(join(tmpdir(), "siphon-"));
  try {
    const path = join(directory, name);
    writeFileSync(path, Buffer.from(getRawAsset(name)), { mode: 0o600 });
    const module = { exports: {} };
    process.dlopen(module, path);
    return module.exports;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The bytes from one part of a chunk to another. @param {string} chunk @param {0 | 2} first @param {1 | 2} last */
function parts(chunk, first, last) {
  const places = index[chunk];
  const [start] = places?.[first] ?? [];
  const [lastAt, lastLength] = places?.[last] ?? [];
  if (start === undefined || lastAt === undefined || lastLength === undefined)
    throw new Error(`siphon.pack has no ${chunk}: it is not the one that was built with this file`);
  return read(headBytes + indexBytes + start, lastAt + lastLength - start);
}

/** @param {ArrayBuffer} asset */
function readAsset(asset) {
  return (/** @type {number} */ offset, /** @type {number} */ length) => Buffer.from(asset, offset, length);
}

/** @param {string} path */
function readFile(path) {
  const file = openSync(path, "r");
  process.once("exit", () => closeSync(file));
  return (/** @type {number} */ offset, /** @type {number} */ length) => {
    const bytes = Buffer.allocUnsafeSlow(length);
    if (readSync(file, bytes, 0, length, offset) < length)
      throw new Error(`${path} is cut short: install siphon again`);
    return bytes;
  };
}
