// Makes everything that is released, in release/: npm packages, one executable, a Debian package, the doctor's page, an
// SBOM, checksums. Publishes nothing.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../packages/wire/src/version.ts";
import { programDirectory, root } from "../build/checkout.ts";
import { doctorPage } from "../build/doctor-page.ts";
import { buildLibraries } from "../build/libraries.ts";
import { buildProgram } from "../build/program.ts";
import { makeDebianPackage } from "./debian-package.ts";
import { makeExecutable } from "./executable.ts";
import { packNpmPackages } from "./npm-packages.ts";

const directory = join(root, "release");
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory);

say("building");
await buildLibraries();
await buildProgram(programDirectory);
say("packing npm packages");
packNpmPackages(directory);
say("making the executable");
const executable = join(directory, `siphon-${version}-linux-${process.arch}`);
makeExecutable(executable);
say("making the Debian package");
await makeDebianPackage(executable, directory);
say("making the doctor's page");
writeFileSync(join(directory, `siphon-doctor-${version}.html`), await doctorPage());
say("writing the SBOM and checksums");
const sbom = ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--package-lock-only"];
writeFileSync(join(directory, `siphon-${version}.cdx.json`), execFileSync("npm", sbom, { cwd: root }));
writeFileSync(join(directory, "SHA256SUMS"), checksums());
process.stdout.write(checksums());

function checksums(): string {
  return readdirSync(directory)
    .filter((name) => name !== "SHA256SUMS")
    .map(
      (name) =>
        `${createHash("sha256")
          .update(readFileSync(join(directory, name)))
          .digest("hex")}  ${name}\n`,
    )
    .join("");
}

function say(what: string): void {
  process.stderr.write(`release: ${what}\n`);
}
