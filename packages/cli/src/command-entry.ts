import type { Command } from "commander";

/** A top-level command: listed in the help without being loaded, loaded when it is called. */
export interface CommandEntry {
  name: string;
  summary: string;
  /** @param args what follows the command, so that only the subcommand that is called is loaded */
  load: (args: string[]) => Promise<Command>;
  /** Puts what follows the command into the order in which it is parsed. */
  arrange?: (args: string[]) => Promise<string[]>;
  /** Settings of Ceph may stand among its arguments. */
  takesCephSettings?: boolean;
  /** It has options of its own, and subcommands with options of the same names. */
  isPositional?: boolean;
  /**
   * Exits with the code that the program of that name uses: an errno, and 1 for unknown options (for `rbd` also for a
   * failed connection); or always 1.
   */
  exits?: "errno" | "rbd" | "one";
}
