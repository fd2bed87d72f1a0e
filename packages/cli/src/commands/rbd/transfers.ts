import type { Command } from "commander";
import { backupCommand, restoreCommand } from "./backup.ts";
import { diffCommand } from "./diff.ts";
import { encryptionCommand } from "./encryption.ts";
import { exportCommand, exportDiffCommand } from "./export.ts";
import { importCommand, importDiffCommand } from "./import.ts";
import { mergeDiffCommand } from "./merge-diff.ts";

/** Commands that export, import and encrypt images. */
export function transferCommands(): Command[] {
  return [
    ...[exportCommand(), importCommand(), diffCommand()],
    ...[exportDiffCommand(), importDiffCommand(), mergeDiffCommand()],
    ...[backupCommand(), restoreCommand(), encryptionCommand()],
  ];
}
