import type { NbdExport } from "./export.ts";

/** What client and server have agreed on when transmission begins. */
export interface Session {
  readonly export: NbdExport;
  readonly replies: "simple" | "structured" | "extended";
  /** What block status tells about, by the id that replies carry. */
  readonly contexts: readonly MetaContext[];
}

export interface MetaContext {
  readonly id: number;
  readonly name: string;
  /** The snapshot that changes are told since; without one, allocation is told. */
  readonly since: string | undefined;
}
