import { importCbt, type WrittenImport, writeImport } from "@siphon/lab";
import { Command } from "commander";

export function planCommand(): Command {
  return new Command("plan")
    .description("Plans are YAML files with the options of `siphon ladder` or `siphon baseline`.")
    .addCommand(importCommand());
}

function importCommand(): Command {
  return new Command("import-cbt")
    .summary("convert a test plan of CBT, the Ceph Benchmarking Tool")
    .description(
      "Convert a test plan of CBT: librbdfio and rbdfio become plans for `siphon baseline`, kvmrbdfio for `siphon " +
        "ladder`, one for each combination of values; a cluster that CBT would create becomes an inventory for " +
        "`siphon cluster deploy`. Parts without a counterpart are listed, line by line.",
    )
    .argument("<file>", "the test plan, a YAML file")
    .option(
      "--out <file>",
      "the plan to write; the names of all written files begin with its name",
      "siphon.yaml",
    )
    .option("--json", "print the written files and the omitted parts as JSON")
    .action(async (file: string, { out, json }: { out: string; json?: boolean }) => {
      const written = await writeImport(await importCbt(file), out);
      process.stdout.write(json ? `${JSON.stringify(written, null, 2)}\n` : described(written, file));
    });
}

function described({ files, leftOut }: WrittenImport, file: string): string {
  const left = leftOut.map(({ line, what, why }) => `  ${file}:${line}: ${what}\n      ${why}`);
  const lines = [
    "Written; use it with:",
    ...files.map(({ usage }) => `  ${usage}`),
    ...(left.length > 0 ? ["", "Not converted:", ...left] : []),
  ];
  return `${lines.join("\n")}\n`;
}
