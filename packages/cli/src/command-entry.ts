import type { Command } from "commander";

/** A top-level command: listed in the help without being loaded, loaded when it is called. */
export interface CommandEntry {
  name: string;
  summary: string;
  /** @param args the arguments after the command; only the subcommand that they call is loaded */
  load: (args: string[]) => Promise<Command>;
  /** Rearranges the arguments after the command before they are parsed. */
  arrange?: (args: string[]) => Promise<string[]>;
  /**
   * Whether it repeats the same requests for a long time, in this thread alone, so that its heap is kept small.
   *
   * @param args as they were given
   */
  isPlainLoad?: (args: readonly string[]) => boolean;
  /** Whether Ceph settings are allowed among the arguments. */
  takesCephSettings?: boolean;
  /** Whether the command and its subcommands have options of the same names. */
  isPositional?: boolean;
  /**
   * Exits with the code that the program of that name uses: an errno, and 1 for unknown options (for `rbd` also for a
   * failed connection); or always 1.
   */
  exits?: "errno" | "rbd" | "one";
}
