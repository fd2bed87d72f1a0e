import type { ImagePool } from "@siphon/rbd";
import type { Random } from "../../../../rados/test/support/random.ts";
import type { Remains } from "./pool-state.ts";
import type { Program } from "./programs.ts";
import type { Stage } from "./stage.ts";

/** A long operation that can be killed at any moment. */
export interface Operation {
  /** Makes what the operation works on, in a pool with the stage's images. */
  prepare(stage: Stage, random: Random): Promise<Prepared>;
  /**
   * Runs the operation, in a separate process that is killed.
   *
   * @param diff path of the stage's diff file
   */
  run(images: ImagePool, diff: string): Promise<void>;
}

export interface Prepared {
  /** Names of images that may exist in addition to the stage's. */
  readonly images: readonly string[];
  /** How far the operation has come, judged by what exists in addition to the stage's images. */
  phase(left: Remains): string | Promise<string>;
  /** Lets the program complete the operation, and checks the result. */
  finish(program: Program): Promise<void>;
  /** Lets the program remove the remains. */
  remove(program: Program): Promise<void>;
}
