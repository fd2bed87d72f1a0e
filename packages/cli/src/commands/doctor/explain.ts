import { allFindings, DoctorError, explanation, findingById } from "@siphon/doctor";
import { Command } from "commander";

export function explainCommand(): Command {
  return new Command("explain")
    .description("Explain a finding: what it is, when not to change it, how to measure it.")
    .argument("[id]", "the finding's id; without one, all ids are listed")
    .action((id: string | undefined) => {
      if (id === undefined) {
        const width = Math.max(...allFindings.map((finding) => finding.id.length));
        for (const finding of allFindings)
          process.stdout.write(
            `${finding.id.padEnd(width)}  ${finding.severity.padEnd(6)}  ${finding.title}\n`,
          );
        return;
      }
      const finding = findingById(id);
      if (finding === undefined) {
        throw new DoctorError("SIPHON_USAGE", `there is no finding ${id}`, {
          hint: "siphon doctor explain lists them",
        });
      }
      process.stdout.write(explanation(finding, "#"));
    });
}
