// Makes a fresh checkout ready: npm dependencies (with the pinned Node) and system packages. Plain JavaScript
// without dependencies, since it runs before there are any, on whatever Node (18 or newer) the machine has.
//
//   node scripts/setup.mjs [--for run|test]
//
// A shell remembers where it found `node` for this. What a script runs after it is found anew, in node_modules/.bin: by
// `exec env node ...`, or by another `npm run`.
//
// Exit code 2: something is missing that it may not install; it has said what.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const purpose = process.argv.includes("--for") ? process.argv[process.argv.indexOf("--for") + 1] : "test";

if (!["run", "test"].includes(purpose)) fail(`--for takes run or test, not ${purpose}`);
if (Number(process.versions.node.split(".")[0]) < 18) {
  fail(
    `this is Node ${process.versions.node}; siphon's set-up needs 18 or newer (it then brings its own 24)`,
  );
}
installDependencies();
installPackages();
buildProgram();

/** `npm ci`, unless node_modules was made from this very lock file. */
function installDependencies() {
  const stamp = join(root, "node_modules", ".siphon-lock");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing npm dependencies");
  const { status } = command("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (status !== 0) fail("npm ci failed; its own words stand above");
  const node = command(join(root, "node_modules/.bin/node"), ["--version"], "pipe");
  if (!String(node.stdout).startsWith("v24.")) {
    fail(
      "the pinned Node 24 is not in node_modules/.bin: npm did not run the install script of the package `node`",
    );
  }
  writeFileSync(stamp, lock);
}

/** Programs and libraries of the system: installed by apt-get where that is ours to do, else named. */
function installPackages() {
  const lists = JSON.parse(readFileSync(join(root, "packages/lab/src/doctor/packages.json"), "utf8"));
  const wanted = purpose === "test" ? [...lists.run, ...lists.test] : lists.run;
  let missing = wanted.filter((item) => !isThere(item.check));
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && which("apt-get")) {
    const names = packageNames(missing, "apt");
    say(`installing ${names.length} packages: ${names.join(" ")}`);
    // Where systemd does not run, as in a container, Ceph's packages of Debian 14 ask it nevertheless, unless told.
    const offline = existsSync("/run/systemd/system") ? {} : { SYSTEMD_OFFLINE: "1" };
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", ...offline };
    const apt = ["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"];
    command("apt-get", [...apt, "update"], "to-stderr", env);
    const install = ["install", "-y", "--no-install-recommends", ...names];
    if (command("apt-get", [...apt, ...install], "to-stderr", env).status !== 0) {
      fail("apt-get install failed; its own words stand above");
    }
    missing = missing.filter((item) => !isThere(item.check));
    if (missing.length === 0) return;
  }
  const lines = missing.map((item) => `  ${item.need}: ${item.for}`);
  const installers = [
    ["apt", "apt-get install"],
    ["dnf", "dnf install"],
    ["pacman", "pacman -S"],
  ].map(([manager, verb]) => `  ${verb} ${packageNames(missing, manager).join(" ")}`);
  const absent = missing.filter((item) => item.pacman === null).map((item) => item.need);
  if (absent.length > 0)
    installers.push(`  (not in pacman's repositories: ${absent.join(", ")}; see the AUR)`);
  fail(
    `these are missing:\n${lines.join("\n")}\nInstall them as root with one of:\n${installers.join("\n")}`,
  );
}

/** The command as it ships: a short command of the sources is little else than their start. */
function buildProgram() {
  const build = join(root, "scripts/build/build.ts");
  const { status } = command(join(root, "node_modules/.bin/node"), [build, "--program", "--if-changed"]);
  if (status !== 0) fail("siphon could not be built; why stands above");
}

function packageNames(items, manager) {
  return [...new Set(items.map((item) => item[manager]).filter((name) => name))].sort();
}

/** Any one of the programs or files that the check names. */
function isThere({ program, file }) {
  return (
    [program ?? []].flat().some(which) || [file ?? []].flat().some((pattern) => glob(pattern).length > 0)
  );
}

function which(program) {
  if (program.startsWith("/")) return isExecutable(program);
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Paths that match an absolute pattern with `*` in its parts; node:fs has globSync only from Node 22. */
function glob(pattern) {
  let paths = ["/"];
  for (const part of pattern.split("/").filter(Boolean)) {
    const matcher = new RegExp(`^${part.split("*").map(literal).join(".*")}$`);
    paths = paths.flatMap((path) =>
      entries(path)
        .filter((name) => matcher.test(name))
        .map((name) => join(path, name)),
    );
  }
  return paths;
}

function entries(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function literal(text) {
  return text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
}

/** Runs a program in the checkout; its output goes to standard error, which leaves ours to `--json`. */
function command(program, args, output = "to-stderr", env = process.env) {
  const stdio = output === "pipe" ? "pipe" : ["ignore", 2, 2];
  return spawnSync(program, args, { cwd: root, env, stdio });
}

function say(text) {
  process.stderr.write(`set-up: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(2);
}
