import type { Command } from "commander";

/** A top-level command: listed in the help without being loaded, loaded when it is called. */
export interface CommandEntry {
  name: string;
  summary: string;
  /** @param args what follows the command: those of its own commands that are not called need not be loaded */
  load: (args: string[]) => Promise<Command>;
  /** Puts what follows the command into the order in which it is parsed. */
  arrange?: (args: string[]) => Promise<string[]>;
  /** Settings of Ceph may stand among its arguments. */
  takesCephSettings?: boolean;
  /** It has options of its own, and commands with options of the same names. */
  isPositional?: boolean;
  /**
   * Exits with what the program of that name does: an errno, and 1 for options that it has not; for `rbd` also of a connection that cannot
   * be made; or always 1.
   */
  exits?: "errno" | "rbd" | "one";
}
