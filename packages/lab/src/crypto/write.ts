import { writeFiles } from "../results/write-files.ts";
import { type CryptoContext, cryptoHtml } from "./page.ts";
import type { CryptoResults } from "./results.ts";

/** Writes crypto.json and crypto.html into a directory (made if need be); returns their paths. */
export async function writeCrypto(directory: string, results: CryptoResults, context: CryptoContext) {
  return writeFiles(directory, {
    json: ["crypto.json", `${JSON.stringify(results, null, 2)}\n`],
    html: ["crypto.html", await cryptoHtml(results, context)],
  });
}
