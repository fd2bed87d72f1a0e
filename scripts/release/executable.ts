import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { programDirectory, root } from "../build/checkout.ts";

/** Makes one executable file from Node, the command and koffi, for hosts without Node. */
export function makeExecutable(path: string): void {
  const directory = mkdtempSync(join(tmpdir(), "siphon-executable-"));
  try {
    const blob = join(directory, "siphon.blob");
    const config = join(directory, "sea-config.json");
    writeFileSync(
      config,
      JSON.stringify({
        main: join(programDirectory, "siphon.cjs"),
        output: blob,
        disableExperimentalSEAWarning: true,
        assets: {
          "siphon.pack": join(programDirectory, "siphon.pack"),
          // Threads begin with it.
          "siphon.cjs": join(programDirectory, "siphon.cjs"),
          "koffi.node": koffiBinary(),
        },
      }),
    );
    execFileSync(process.execPath, ["--experimental-sea-config", config], { stdio: ["ignore", 2, 2] });
    copyFileSync(process.execPath, path);
    chmodSync(path, 0o755);
    const postject = join(root, "node_modules/.bin/postject");
    const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
    execFileSync(postject, [path, "NODE_SEA_BLOB", blob, "--sentinel-fuse", fuse], { stdio: "pipe" });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function koffiBinary(): string {
  const koffi = createRequire(import.meta.url).resolve(`@koromix/koffi-linux-${process.arch}`);
  return join(dirname(koffi), `linux_${process.arch}`, "koffi.node");
}
