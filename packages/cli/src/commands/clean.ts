import { clean } from "@siphon/lab";
import { Command } from "commander";

export function cleanCommand(): Command {
  return new Command("clean")
    .description(
      "Stop and remove the remains of an earlier crash: daemons, VMs, images in pools, temporary files. " +
        "Clusters and VMs that were started to keep running (cluster up, vm run --detach) stay, except with --all.",
    )
    .option("--all", "also stop clusters and VMs that were started to keep running")
    .option("--dry-run", "only list what would be removed")
    .option("--json", "print what was removed as JSON")
    .action(async (options: { all?: boolean; dryRun?: boolean; json?: boolean }) => {
      const removed = await clean(options);
      if (options.json) {
        process.stdout.write(`${JSON.stringify(removed, null, 2)}\n`);
        return;
      }
      const verb = options.dryRun ? "would remove" : "removed";
      for (const { kind, name, pids, dir } of removed) {
        process.stdout.write(`${verb} ${kind}/${name} (${pids.length} processes, ${dir})\n`);
      }
      if (removed.length === 0) process.stdout.write("nothing was left behind\n");
    });
}
