import { Backup } from "../../src/transfer/backup/backup.ts";
import { addUpTo, backedUp, nameOf } from "./backups.ts";

// Adds points to the backup in the directory given and removes most of them again, until it is killed.
const backup = await Backup.openForChange(process.argv[2]!, backedUp);
process.stdout.write("ready\n");
for (;;) {
  const newest = backup.newest === undefined ? 0 : Number(backup.newest.name.split("-")[1]);
  await addUpTo(backup, newest + 5);
  await backup.keep(new Set([newest + 1, newest + 4].map(nameOf)));
}
