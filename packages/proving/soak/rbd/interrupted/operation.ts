import type { ImagePool } from "@siphon/rbd";
import type { Random } from "../../../../rados/test/support/random.ts";
import type { Remains } from "./pool-state.ts";
import type { Program } from "./programs.ts";
import type { Stage } from "./stage.ts";

/** Something long that may be killed at any moment. */
export interface Operation {
  /** Makes what it works on, in a pool that has the stage's images. */
  prepare(stage: Stage, random: Random): Promise<Prepared>;
  /**
   * Runs in a process of its own, which is killed.
   *
   * @param diff the stage's file with changes
   */
  run(images: ImagePool, diff: string): Promise<void>;
}

export interface Prepared {
  /** Images that there may be beyond the stage's, by name. */
  readonly images: readonly string[];
  /** How far it has got, told from what there is beyond the stage's images. */
  phase(left: Remains): string | Promise<string>;
  /** Has the program bring it to its end, and checks what there is then. */
  finish(program: Program): Promise<void>;
  /** Has the program remove what there is. */
  remove(program: Program): Promise<void>;
}
