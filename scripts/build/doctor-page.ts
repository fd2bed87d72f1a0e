// Builds the doctor as a page that examines pasted configurations: `node scripts/build/doctor-page.ts FILE`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { pastePage } from "../../packages/lab/src/doctor/paste/paste-page.ts";
import { root } from "./checkout.ts";

/** The page, in one string. */
export async function doctorPage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, "packages/lab/src/doctor/paste/examine-pasted.ts")],
    ...{ bundle: true, minify: true, format: "iife", platform: "browser", target: "es2024" },
    ...{ write: false, logLevel: "error", legalComments: "none" },
    plugins: [withoutNode],
  });
  return pastePage(outputFiles[0]!.text);
}

/**
 * Node's modules are left out, with the evidence from running processes, their only user. Any other use of them fails
 * here.
 */
const withoutNode: Plugin = {
  name: "without Node",
  setup({ onResolve, onEnd }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true, sideEffects: false }));
    onEnd(({ outputFiles = [] }) => {
      const used = outputFiles.flatMap(({ text }) => text.match(/"node:[^"]+"/g) ?? []);
      return used.length === 0 ? {} : { errors: [{ text: `the page would need ${used.join(", ")}` }] };
    });
  },
};

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file === undefined) throw new Error("name the file to write: node scripts/build/doctor-page.ts FILE");
  writeFileSync(file, await doctorPage());
}
