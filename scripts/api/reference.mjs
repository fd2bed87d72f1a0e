// Makes the API reference of the libraries from their docstrings, in api/ (`npm run docs:api`); with --check it only checks. Fails on
// a type that a public signature names and no package exports, and on each warning of typedoc.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const root = join(here, "../..");
const doors = ["wire", "rados", "rados/engine", "rbd", "rbd/engine", "attach", "doctor"];

install();
// Only installed here: typedoc needs the TypeScript 5 of this folder, and the workspace is compiled by a newer one.
const { Application, TSConfigReader } = await import("typedoc");
const { discoverAllReferenceTypes } = await import(join(here, "node_modules/typedoc/dist/node-utils.js"));

const reference = await Application.bootstrap(
  {
    name: "Siphon",
    readme: join(here, "index.md"),
    entryPoints: doors.map(sourceOf),
    tsconfig: join(here, "tsconfig.json"),
    excludeInternal: true,
    disableSources: true,
    treatWarningsAsErrors: true,
  },
  [new TSConfigReader()],
);
const project = await reference.convert();
if (project === undefined) process.exit(1);
reference.validate(project);
const missing = missingExports(project);
for (const line of missing) console.error(line);
if (missing.length > 0 || reference.logger.hasErrors() || reference.logger.hasWarnings())
  process.exitCode = 1;
else if (!process.argv.includes("--check")) {
  await reference.generateDocs(project, join(root, "api"));
  console.log("api/index.html");
}

function install() {
  const installed = statSync(join(here, "node_modules/.package-lock.json"), { throwIfNoEntry: false });
  const lock = statSync(join(here, "package-lock.json"));
  if (installed !== undefined && installed.mtimeMs > lock.mtimeMs) return;
  const args = ["ci", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", args, { cwd: here, stdio: ["ignore", "ignore", 2] });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed in ${here}`);
}

/** @param door a package, or a package and a second entry of it: `rados/engine` */
function sourceOf(door) {
  const [name, entry = "index"] = door.split("/");
  return join(root, "packages", name, "src", `${entry}.ts`);
}

/** typedoc's own check looks only at types of one package. */
function missingExports(project) {
  const users = new Map();
  for (const { type, owner } of discoverAllReferenceTypes(project, true)) {
    if (type.reflection || type.externalUrl || type.isIntentionallyBroken()) continue;
    if (!type.package?.startsWith("@siphon/")) continue;
    const { packageName, packagePath } = type.symbolId;
    const name = `${type.qualifiedName} (${packageName}/${packagePath})`;
    if (!users.has(name)) users.set(name, owner.getFriendlyFullName());
  }
  return [...users].map(([name, user]) => `${name} is not exported, and ${user} names it`);
}
