import { type Inspection, inspectFunction, objection, parseInspections } from "./device.ts";
import type { RemoteHost } from "./host.ts";
import { type InventoryHost, pathOf } from "./inventory.ts";
import { MARKER } from "./marker.ts";
import { words } from "./script.ts";
import type { Wipe } from "./wipe.ts";

/** Facts of a host that matter to a deployment. */
export interface Survey {
  /** Missing programs. */
  missing: string[];
  /** Whether logind kills a user's processes at logout, including daemons. */
  endsWithLogin: boolean;
  /** Ids of its distribution and related ones: `debian`, `rhel`. */
  distribution: string[];
  directory: "absent" | "empty" | "deployed" | "taken";
  devices: Inspection[];
}

/** D-Bus service, object and interface of logind's settings. */
const LOGIND = "org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager";

/** Inspects a host without changes. */
export async function survey(host: RemoteHost, signal: AbortSignal): Promise<Survey> {
  const { inventory } = host;
  const programs = programsFor(inventory);
  const lines = [
    ...inspectFunction,
    `for program in ${words(...programs)}; do`,
    `  command -v "$program" > /dev/null || printf 'missing\\t%s\\n' "$program"`,
    "done",
    `(. /etc/os-release && printf 'distribution\\t%s %s\\n' "$ID" "\${ID_LIKE:-}") 2> /dev/null || :`,
    // Root's daemons get scopes of their own from systemd; other users' do not.
    'if [ -d /run/systemd/system ] && [ "$(id -u)" != 0 ]; then',
    `  [ "$(busctl get-property ${LOGIND} KillUserProcesses 2> /dev/null)" != "b true" ] || echo ends-with-login`,
    "fi",
    `cd ${words(inventory.directory)} 2> /dev/null && {`,
    `  if [ -f ${MARKER} ]; then printf 'directory\\tdeployed\\n'`,
    `  elif [ -z "$(ls -A | grep -vx lost+found)" ]; then printf 'directory\\tempty\\n'`,
    "  else printf 'directory\\ttaken\\n'; fi",
    "} || :",
    "cd /",
    // Devices cannot be inspected without the programs, whose absence is reported.
    `for program in ${words(...programs)}; do command -v "$program" > /dev/null || exit 0; done`,
    ...inventory.osds.flatMap((osd) => pathOf(osd) ?? []).map((path) => `inspect ${words(path)}`),
  ];
  return parseSurvey(await host.run(lines, { what: "be looked at", signal }));
}

export function parseSurvey(text: string): Survey {
  const lines = text.split("\n");
  const all = (word: string) =>
    lines.filter((line) => line.startsWith(`${word}\t`)).map((line) => line.slice(word.length + 1));
  return {
    missing: all("missing"),
    endsWithLogin: lines.includes("ends-with-login"),
    distribution: (all("distribution")[0] ?? "").split(" ").filter(Boolean),
    directory: (all("directory")[0] as Survey["directory"] | undefined) ?? "absent",
    devices: parseInspections(lines),
  };
}

/** All obstacles to a deployment on a host, one sentence each. */
export function obstacles(host: InventoryHost, found: Survey, wipes: Wipe[]): string[] {
  const { name, directory } = host;
  const problems: string[] = [];
  if (found.missing.length > 0) {
    problems.push(`${name} lacks ${found.missing.join(", ")} (${installation(found)})`);
  }
  if (found.endsWithLogin) {
    problems.push(
      `${name} ends what its users leave running: log in as root there, or use sudo (ssh: sudo: true)`,
    );
  }
  if (found.directory === "deployed") problems.push(`${name} has a deployment in ${directory} already`);
  if (found.directory === "taken") problems.push(`${name} has other files in ${directory}`);
  for (const osd of host.osds) {
    const device = found.devices.find(({ path }) => path === pathOf(osd));
    if (!device) continue;
    const mayWipe = wipes.some((wipe) => wipe.host === name && wipe.path === device.path);
    const problem = objection(osd, device, mayWipe);
    if (problem) problems.push(`on ${name}, ${problem}`);
  }
  return problems;
}

function installation({ missing, distribution }: Survey): string {
  const packages = [
    ...new Set(missing.map((program) => (program.startsWith("ceph-") ? program : "util-linux"))),
  ];
  const installer = distribution.some((id) => id === "debian" || id === "ubuntu")
    ? "apt-get install"
    : distribution.some((id) => ["fedora", "rhel", "centos"].includes(id))
      ? "dnf install"
      : "install";
  return `${installer} ${packages.join(" ")}`;
}

function programsFor({ mon, mgr, osds }: InventoryHost): string[] {
  return [
    ...(mon ? ["ceph-mon"] : []),
    ...(mgr ? ["ceph-mgr"] : []),
    ...(osds.length > 0 ? ["ceph-osd"] : []),
    ...(osds.some((osd) => pathOf(osd)) ? ["wipefs", "lsblk"] : []),
  ];
}
