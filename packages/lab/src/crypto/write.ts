import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unwritable } from "../results/file.ts";
import { type CryptoContext, cryptoHtml } from "./page.ts";
import type { CryptoResults } from "./results.ts";

/** Writes crypto.json and crypto.html into a directory (made if need be); returns their paths. */
export async function writeCrypto(
  directory: string,
  results: CryptoResults,
  context: CryptoContext,
): Promise<{ json: string; html: string }> {
  const files = { json: join(directory, "crypto.json"), html: join(directory, "crypto.html") };
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(files.json, `${JSON.stringify(results, null, 2)}\n`);
    await writeFile(files.html, await cryptoHtml(results, context));
  } catch (cause) {
    throw unwritable(directory, cause);
  }
  return files;
}
