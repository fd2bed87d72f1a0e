/** Package names by package manager; null if it has no such package. */
export interface Packages {
  apt: string | null;
  dnf: string | null;
  pacman: string | null;
}

/** One checked item. */
export interface Finding {
  name: string;
  /** "limited": siphon works without it, but with less function. */
  status: "ok" | "limited" | "missing";
  /** A version, a path, an amount; or the reason why it is missing. */
  found: string;
  /** Its purpose. */
  for: string;
  /** The remedy: packages, or else words. */
  packages?: Packages;
  fix?: string;
}

export interface Section {
  title: string;
  findings: Finding[];
}

/** Findings about a machine. */
export interface HostReport {
  sections: Section[];
  /** Whether `siphon ladder` can run here; if not, something in the sections is missing. */
  ready: boolean;
}
