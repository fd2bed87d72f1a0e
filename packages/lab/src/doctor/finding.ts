/** The names of what to install, by package manager; null where that has no such package. */
export interface Packages {
  apt: string | null;
  dnf: string | null;
  pacman: string | null;
}

/** One thing that was looked at. */
export interface Finding {
  name: string;
  /** "limited": siphon works without it, or with less of it, but something is lost. */
  status: "ok" | "limited" | "missing";
  /** A version, a path, an amount; or the reason why it is missing. */
  found: string;
  /** The purpose that it is needed for. */
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
