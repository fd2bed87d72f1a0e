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
/** Offset and length in bytes of each chunk's source, compiled form and source map. @type {Record<string, [number, number][]>} */
const index = JSON.parse(read(headBytes, indexBytes).toString());
/** @type {Map<string, { exports: unknown }>} */
const modules = new Map();
/** @type {unknown} */
let koffi;

Object.assign(globalThis, {
  [Symbol.for("siphon.sourceMap")]: (/** @type {string} */ chunk) => part(chunk, 2).toString(),
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
  const source = part(chunk, 0);
  const script = new Script(source.toString(isAscii(source) ? "latin1" : "utf8"), {
    filename: `siphon:${chunk}.js`,
    cachedData: part(chunk, 1),
  });
  script.runInThisContext()(requireFrom, module, module.exports);
  return module.exports;
}

/** @param {string} name */
function requireFrom(name) {
  if (name.startsWith("./")) return load(name.slice("./".length, -".js".length));
  return name === "node:module" ? { ...require(name), createRequire: () => requireNative } : require(name);
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

/** @param {string} chunk @param {0 | 1 | 2} which */
function part(chunk, which) {
  const place = index[chunk]?.[which];
  if (place === undefined)
    throw new Error(`siphon.pack has no ${chunk}: it is not the one that was built with this file`);
  return read(headBytes + indexBytes + place[0], place[1]);
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
