import { styleText } from "node:util";
import type { Finding, HostReport } from "@siphon/lab";
import { Command } from "commander";
import { interruption } from "../../interruption.ts";

export function hostCommand(): Command {
  return new Command("host")
    .description(
      "Show what this machine has: processor, memory, KVM (by booting a small guest), Ceph, librbd builds, QEMU, fio.\n" +
        "The exit code is 0 if the ladder can run here, else 1.",
    )
    .option("--no-boot", "do not boot a guest to find out whether KVM works")
    .option("--json", "print the findings as JSON")
    .action(async ({ boot, json }: { boot: boolean; json?: boolean }) => {
      const { examineHost } = await import("@siphon/lab");
      const report = await examineHost({ bootGuest: boot, signal: interruption.signal });
      process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : pretty(report));
      process.exitCode = report.ready ? 0 : 1;
    });
}

const marks = { ok: "ok", limited: "limited", missing: "missing" };
const colours = { ok: "green", limited: "yellow", missing: "red" } as const;

function pretty({ sections, ready }: HostReport): string {
  const lines: string[] = [];
  for (const { title, findings } of sections) {
    const width = Math.max(...findings.map(({ name }) => name.length));
    lines.push(styleText("bold", title), ...findings.flatMap((finding) => entry(finding, width)), "");
  }
  lines.push(ready ? "The ladder can run here." : "The ladder cannot run here: see what is missing.");
  return `${lines.join("\n")}\n`;
}

/** One line for a feature that is present; a missing one also says what it is for and how to get it. */
function entry({ name, status, found, for: purpose, packages, fix }: Finding, width: number): string[] {
  const mark = styleText(colours[status], marks[status].padEnd(7));
  const line = `  ${mark}  ${name.padEnd(width)}  ${found}`;
  if (status === "ok") return [line];
  const indent = " ".repeat(13 + width);
  const mend = fix ?? (packages && installation(packages));
  return [line, `${indent}for: ${purpose}`, ...(mend ? [`${indent}fix: ${mend}`] : [])];
}

function installation({ apt, dnf, pacman }: NonNullable<Finding["packages"]>): string {
  const commands = [
    apt && `apt-get install ${apt}`,
    dnf && `dnf install ${dnf}`,
    pacman && `pacman -S ${pacman}`,
  ];
  return commands.filter(Boolean).join(", or: ");
}
