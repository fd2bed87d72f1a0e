// Makes the API reference of the libraries from their docstrings, in api/ (`npm run docs:api`); with --check it only checks. Fails on
// a type that a public signature names and no package exports, on a public function that throws and has no @throws, and on each warning
// of typedoc.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const root = join(here, "../..");
const doors = ["wire", "rados", "rados/engine", "rbd", "rbd/engine", "attach", "doctor"];

install();
// Only installed here: typedoc needs the TypeScript 5 of this folder, and the workspace is compiled by a newer one.
const { Application, Converter, ReflectionKind, TSConfigReader } = await import("typedoc");
const { default: ts } = await import(join(here, "node_modules/typescript/lib/typescript.js"));
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
/** Public functions that throw without saying so. */
let unsaid = [];
reference.converter.on(Converter.EVENT_END, (context) => {
  unsaid = missingThrows(context);
});
const project = await reference.convert();
if (project === undefined) process.exit(1);
reference.validate(project);
const wrong = [...missingExports(project), ...unsaid];
for (const line of wrong) console.error(line);
if (wrong.length > 0 || reference.logger.hasErrors() || reference.logger.hasWarnings()) process.exitCode = 1;
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

/** Only what a function's own body throws is looked at, not what it calls. */
function missingThrows(context) {
  const kinds = ReflectionKind.FunctionOrMethod | ReflectionKind.Constructor | ReflectionKind.Accessor;
  return context.project.getReflectionsByKind(kinds).flatMap((reflection) => {
    const signatures = reflection.signatures ?? [reflection.getSignature ?? reflection.setSignature];
    if (signatures.some((signature) => signature?.comment?.getTag("@throws"))) return [];
    const declarations = context.getSymbolFromReflection(reflection)?.declarations ?? [];
    return declarations.some(({ body }) => body !== undefined && throws(body))
      ? [`${reflection.getFriendlyFullName()} throws and has no @throws`]
      : [];
  });
}

function throws(node) {
  if (ts.isThrowStatement(node))
    return ts.isNewExpression(node.expression) || ts.isCallExpression(node.expression);
  if (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) return false;
  return ts.forEachChild(node, throws) ?? false;
}
