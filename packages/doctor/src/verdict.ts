import type { Examination, FoundFinding } from "./examination.ts";
import { severities } from "./findings/finding.ts";

interface Step {
  finding: FoundFinding;
  disks: string[];
}

/** One paragraph: the best step, its worth and when it takes effect, then the other findings. */
export function verdictOf({ disks, vm }: Omit<Examination, "verdict">): string {
  const steps = stepsOf([
    ...disks.map(({ disk, findings }) => ({ disk, findings })),
    { disk: undefined, findings: vm.findings },
  ]);
  const real = steps.filter(({ finding }) => finding.severity !== "info");
  const context = steps.length - real.length;
  const rbd = disks.filter((disk) => disk.rbd).length;
  if (real.length === 0) {
    const seen = rbd === 0 && disks.length > 0 ? "No disk is on RBD. " : "";
    if (context === 0) return `${seen}Nothing to fix.`;
    return `${seen}Nothing to fix; ${count(context, "note")}: ${list(steps.map(({ finding }) => lower(finding.title)))}.`;
  }
  const [first, ...rest] = real;
  const parts = [`First: ${sentence(first!)}`];
  if (rest.length > 0) {
    const shown = rest.slice(0, 3).map(({ finding, disks: names }) => lower(finding.title) + where(names));
    parts.push(
      `Then: ${shown.join("; ")}${rest.length > 3 ? `; and ${count(rest.length - 3, "more step")}` : ""}.`,
    );
  }
  return parts.join(" ");
}

/** Each finding once, with all disks that have it, sorted by severity, then by worth. */
function stepsOf(parts: readonly { disk: string | undefined; findings: readonly FoundFinding[] }[]): Step[] {
  const steps = new Map<string, Step>();
  for (const { disk, findings } of parts)
    for (const finding of findings) {
      const step = steps.get(finding.id) ?? { finding, disks: [] };
      if (severities.indexOf(finding.severity) < severities.indexOf(step.finding.severity))
        step.finding = finding;
      if (disk !== undefined) step.disks.push(disk);
      steps.set(finding.id, step);
    }
  const rank = ({ finding }: Step) =>
    severities.indexOf(finding.severity) - Math.min((finding.worth?.factor ?? 0) / 100, 0.9);
  return [...steps.values()].sort((a, b) => rank(a) - rank(b));
}

function sentence({ finding, disks }: Step): string {
  const { title, fix, worth, takes } = finding;
  const interval = worth?.interval;
  const gain =
    worth === null
      ? ""
      : ` Measured effect: ${worth.text}${interval === undefined ? "" : ` (95 % interval ${interval[0].toFixed(2)} to ${interval[1].toFixed(2)})`}: ${worth.source}.`;
  const effect: Record<FoundFinding["takes"], string> = {
    live: " It can be changed while the VM runs.",
    restart: " The change needs a stop and a start of the VM.",
    "new VMs": " The change applies to new VMs.",
    "new images": " The change needs new images, or copies of the old ones.",
    "nothing to do": "",
  };
  return `${lower(title)}${where(disks)}: ${fix.replace(/\.$/, "")}.${gain}${effect[takes]}`;
}

function where(disks: readonly string[]): string {
  if (disks.length === 0) return "";
  return disks.length > 4 ? ` (${disks.length} disks)` : ` (${disks.join(", ")})`;
}

function list(words: readonly string[]): string {
  return words.length > 4 ? `${words.slice(0, 4).join(", ")}, ...` : words.join(", ");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** A title for use inside a sentence; names such as QEMU keep their capitals. */
function lower(text: string): string {
  return /^[A-Z][a-z']/.test(text) || /^A /.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
